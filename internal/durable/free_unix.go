//go:build linux || darwin || freebsd

package durable

import "syscall"

// Free is how many bytes this process may still write to the file system of a
// directory; errors.ErrUnsupported where the system does not say.
func Free(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}

	return int64(s.Bavail) * int64(s.Bsize), nil
}
