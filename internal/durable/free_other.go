//go:build !linux && !darwin && !freebsd

package durable

import "errors"

// Free is how many bytes this process may still write to the file system of a
// directory; errors.ErrUnsupported where the system does not say.
func Free(string) (int64, error) { return 0, errors.ErrUnsupported }
