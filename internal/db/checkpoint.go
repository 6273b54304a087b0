package db

import (
	"errors"
	"os"
	"sync/atomic"
	"time"

	"collimator/internal/fault"
)

// Commits go into a write-ahead log and are durable there; a checkpoint copies
// them into the database file, so that the log may begin anew. SQLite would do
// that by itself and throw the error away. That error decides: after a failed
// fsync Linux counts the pages as written, the next one says that all is well,
// the log is used again, and what was acknowledged is nowhere. So checkpoints
// are made here, and one that fails ends the use of the database while the log
// is whole. The next process that opens the file takes everything from it.
const (
	// checkpointFrames is how many frames (pages of 4 KiB) come into the log
	// between two checkpoints.
	checkpointFrames = 1000

	// restartFrames is from how many on a checkpoint also waits for readers of
	// older states, so that the log can begin anew: 16 MiB.
	restartFrames = 4000

	// restartWait is how long it waits for them; no commit takes place meanwhile.
	restartWait = 100 * time.Millisecond
)

// writeAheadLog is what a process knows of the log.
type writeAheadLog struct {
	frames atomic.Int64 // in the log, after the last commit of this process
	base   int64        // frames at the last checkpoint; held by who has the writer
	sync   func() error // makes the database file durable
	failed atomic.Pointer[error]
	tell   func(error)   // of the options; may be nil
	wait   time.Duration // restartWait
}

// LogBytes is the size of the write-ahead log in bytes. It grows beyond some
// 16 MiB only while a reader holds on to an old state.
func (d *DB) LogBytes() int64 {
	info, err := os.Stat(d.path + "-wal")
	if err != nil {
		return 0
	}
	return info.Size()
}

// checkpointDue makes a checkpoint when enough was committed since the last one.
// The caller holds the writer.
func (d *DB) checkpointDue(s *session) {
	frames := d.log.frames.Load()
	if frames < d.log.base {
		d.log.base = 0 // the log began anew
	}

	if frames-d.log.base < checkpointFrames || s.conn == nil {
		return
	}

	d.log.base = frames

	wait := time.Duration(0)
	if frames >= restartFrames {
		wait = d.log.wait
	}

	if err := d.checkpoint(s, wait); err != nil {
		d.fail(err)
	}
}

// checkpoint copies what readers allow into the database file, where no other
// process is at it. The error is nil where all of that is durable, and where the
// log stays as it is; any other one means that the database file may lack what
// was written to it. With a wait it waits so long for readers of older states, so
// that the log can begin anew.
func (d *DB) checkpoint(s *session, wait time.Duration) error {
	if d.share == nil {
		_, err := d.dialect.checkpoint(s, wait)
		return err
	}

	if !d.share.begin() {
		return nil
	}

	all, err := d.dialect.checkpoint(s, wait)
	if err != nil {
		return err
	}

	// SQLite counts the frames of a part as copied, and leaves the fsync to the
	// one that copies the rest.
	if !all {
		if err := d.log.sync(); err != nil {
			return fault.Wrap(fault.Unavailable, err, "db: sync the database file")
		}
	}
	return d.share.end()
}

// fail ends the use of the database: from here on nothing is acknowledged, and
// no connection that closes may make another checkpoint.
func (d *DB) fail(err error) {
	if !d.log.failed.CompareAndSwap(nil, &err) {
		return
	}
	if d.log.tell != nil {
		d.log.tell(err)
	}
}

func (d *DB) usable() error {
	if err := d.log.failed.Load(); err != nil {
		return fault.Wrap(fault.Unavailable, *err, "db: the disk failed; restart the program")
	}
	return nil
}

// closeWriter closes the last connection of this process, which SQLite uses for
// a checkpoint and to remove the log. That is for who has the file open alone,
// and after a checkpoint of ours, of which an error is seen; after one the log
// stays for the next process.
func (d *DB) closeWriter(s *session) error {
	if s.conn == nil || d.share == nil {
		return s.close()
	}

	var failed error

	may := d.usable() == nil && d.share.alone() && d.share.trusted()
	if may {
		if failed = d.checkpoint(s, 0); failed != nil {
			d.fail(failed)
		}
	}

	if !may || failed != nil {
		failed = errors.Join(failed, d.dialect.keepLog(s))
	}
	return errors.Join(failed, s.close())
}
