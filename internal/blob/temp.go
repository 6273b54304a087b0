package blob

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

// tempDir is where one process writes what is not committed yet. A lock on a
// file in it says that the process lives, so that another one that starts
// removes only what nobody writes to any more.
type tempDir struct {
	path string
	lock *os.File
	n    atomic.Int64
}

// settle is how old a directory without a lock must be to be nobody's: a
// process makes its directory and then locks it.
const settle = time.Minute

func openTemp(parent string) (*tempDir, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	sweepTemp(parent, time.Now())
	var err error
	for range 10 {
		var t *tempDir
		if t, err = makeTemp(filepath.Join(parent, rand.Text())); err == nil {
			return t, nil
		}
	}
	return nil, err
}

// makeTemp makes and locks a directory. Another process that starts may sweep
// it away before it is locked.
func makeTemp(path string) (*tempDir, error) {
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
	if _, err := os.Stat(name); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &tempDir{path: path, lock: lock}, nil
}

// next is a name for a new file.
func (t *tempDir) next() string {
	return filepath.Join(t.path, strconv.FormatInt(t.n.Add(1), 10))
}

func (t *tempDir) close() error {
	return errors.Join(os.RemoveAll(t.path), t.lock.Close())
}

// sweepTemp removes the directories of processes that ended. What cannot be
// removed now is tried again at the next start.
func sweepTemp(parent string, now time.Time) {
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
