//go:build linux || darwin || freebsd

package durable

import "syscall"

// Space is how many bytes this process may still write to the file system of a
// directory, and how many it has in all; errors.ErrUnsupported where the system
// does not say.
func Space(dir string) (free, total int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}

	return int64(s.Bavail) * int64(s.Bsize), int64(s.Blocks) * int64(s.Bsize), nil
}
