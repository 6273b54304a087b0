package durable

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

// Scratch is a directory of one process for what need not last: files that are
// not committed yet, an index to compare with. A lock on a file in it says that
// the process lives, so that another one that starts removes only what nobody
// writes to any more. Safe for concurrent use.
type Scratch struct {
	path string
	lock *os.File
	n    atomic.Int64
}

// settle is how old a directory without a lock must be to be nobody's: a
// process makes its directory and then locks it.
const settle = time.Minute

// OpenScratch makes a directory in parent, which is made when it is missing, and
// removes those of processes that ended.
func OpenScratch(parent string) (*Scratch, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	SweepScratch(parent, time.Now())

	var err error
	for range 10 {
		var t *Scratch
		if t, err = makeScratch(filepath.Join(parent, rand.Text())); err == nil {
			return t, nil
		}
	}
	return nil, err
}

// makeScratch makes and locks a directory. Another process that starts may sweep
// it away before it is locked.
func makeScratch(path string) (*Scratch, error) {
	if err := os.Mkdir(path, 0o700); err != nil {
		return nil, err
	}

	name := filepath.Join(path, "lock")
	lock, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}

	if err := lockFile(lock); err != nil {
		return nil, errors.Join(err, lock.Close())
	}

	// Who swept the directory in between has taken the lock file with it.
	if _, err := os.Stat(name); err != nil {
		return nil, errors.Join(err, lock.Close())
	}

	return &Scratch{path: path, lock: lock}, nil
}

// Path is the directory.
func (t *Scratch) Path() string { return t.path }

// Next is a name for a new file in it.
func (t *Scratch) Next() string {
	return filepath.Join(t.path, strconv.FormatInt(t.n.Add(1), 10))
}

// Close removes the directory with all that is in it.
func (t *Scratch) Close() error {
	return errors.Join(os.RemoveAll(t.path), t.lock.Close())
}

// SweepScratch removes from parent the directories of processes that ended. What
// cannot be removed now is tried again at the next start.
func SweepScratch(parent string, now time.Time) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(parent, e.Name())
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < settle && !hasLock(path) {
			continue
		}

		lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR, 0)
		if err == nil {
			if lockFile(lock) == nil {
				os.RemoveAll(path)
			}
			lock.Close()
			continue
		}
		if os.IsNotExist(err) {
			os.RemoveAll(path)
		}
	}
}

func hasLock(path string) bool {
	_, err := os.Stat(filepath.Join(path, "lock"))
	return err == nil
}
