package durable

import "syscall"

// Allocate takes n bytes of the disk for a file without writing them;
// errors.ErrUnsupported (EOPNOTSUPP is one) where the file system cannot.
func (f *File) Allocate(n int64) error { return syscall.Fallocate(int(f.f.Fd()), 0, 0, n) }
