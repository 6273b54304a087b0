//go:build !unix

package durable

import (
	"errors"
	"os"
	"time"
)

// lockFile stands in where a file cannot be locked: a directory of a day ago is
// taken to be nobody's.
func lockFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}

	if age := time.Since(info.ModTime()); age > time.Second && age < 24*time.Hour {
		return errors.New("durable: directory may be in use")
	}
	return nil
}

// Lock stands in where a file cannot be locked: everybody counts as alone.
func Lock(*os.File) error { return nil }

// LockShared stands in where a file cannot be locked.
func LockShared(*os.File) error { return nil }
