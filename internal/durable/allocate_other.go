//go:build !linux

package durable

import "errors"

// Allocate takes n bytes of the disk for a file without writing them;
// errors.ErrUnsupported where the file system cannot.
func (f *File) Allocate(int64) error { return errors.ErrUnsupported }
