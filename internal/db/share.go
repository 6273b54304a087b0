package db

import (
	"errors"
	"os"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// share is what the processes that have one database open tell each other.
//
// SQLite keeps in shared memory how much of the log was copied, as long as any
// process has the file open. Where the one that copied died before its fsync
// said yes, that number is not true, and whoever goes on from there loses pages.
// So one process at a time makes checkpoints, with a mark while it is at it; who
// finds the mark makes none, until a process opens the file alone and SQLite
// counts anew. The mark need not survive a power cut: no process does either.
type share struct {
	use   *os.File // locked by all who have the database open; not empty: the mark
	right *os.File // locked by the one who makes checkpoints
}

// openShare is called before SQLite opens the file.
func openShare(path string) (*share, error) {
	var files [2]*os.File
	for i, suffix := range []string{"-use", "-checkpoint"} {
		f, err := os.OpenFile(path+suffix, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			if i > 0 {
				err = errors.Join(err, files[0].Close())
			}
			return nil, fault.Wrap(fault.Unavailable, err, "db: open lock file")
		}
		files[i] = f
	}

	s := &share{use: files[0], right: files[1]}

	var err error
	if s.alone() {
		err = s.use.Truncate(0)
	}
	if err = errors.Join(err, durable.LockShared(s.use)); err != nil {
		return nil, errors.Join(fault.Wrap(fault.Unavailable, err, "db: lock"), s.close())
	}
	return s, nil
}

// alone reports that no other process has the database open, and keeps others
// out until LockShared or close.
func (s *share) alone() bool { return durable.Lock(s.use) == nil }

// trusted reports that no mark was left.
func (s *share) trusted() bool {
	info, err := s.use.Stat()
	return err == nil && info.Size() == 0
}

// begin sets the mark, and reports false where this process must not make a
// checkpoint now.
func (s *share) begin() bool {
	if durable.Lock(s.right) != nil || !s.trusted() {
		return false
	}
	_, err := s.use.WriteAt([]byte{'1'}, 0)
	return err == nil
}

// end takes the mark away: all that counts as copied is on disk.
func (s *share) end() error { return s.use.Truncate(0) }

func (s *share) close() error { return errors.Join(s.use.Close(), s.right.Close()) }
