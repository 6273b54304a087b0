//go:build unix

package durable

import (
	"os"
	"syscall"
)

// lockFile takes the lock of a file without waiting. It ends with the process.
func lockFile(f *os.File) error { return Lock(f) }

// Lock takes the lock of a file for this process alone, without waiting. It ends
// when the file is closed, at the latest with the process.
func Lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// LockShared takes the lock of a file beside others who share it, and waits for
// one who has it alone.
func LockShared(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH); err != syscall.EINTR {
			return err
		}
	}
}
