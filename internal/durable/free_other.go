//go:build !linux && !darwin && !freebsd

package durable

import "errors"

// Space is how many bytes this process may still write to the file system of a
// directory, and how many it has in all; errors.ErrUnsupported where the system
// does not say.
func Space(string) (free, total int64, err error) { return 0, 0, errors.ErrUnsupported }
