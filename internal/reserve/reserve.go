// Package reserve keeps room on the disk for the index, the audit trail and the
// ledger. Images are refused while less is free than they may need, so that
// what is acknowledged, what is deleted and who saw what can still be written.
// Against others that fill the same disk it holds a file that takes room and is
// given up when there is none left.
package reserve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/state"
)

// Name is the file that takes room, in the data directory.
const Name = "reserve"

// State is the name under which a Reserve registers how the disk is.
const State = "disk"

// What is kept free, in bytes, of a disk that is large; of a small one it is a
// part.
const (
	keptMost   = 256 << 20
	heldMost   = 64 << 20
	keptPart   = 20 // a twentieth
	heldPart   = 50
	scarcePart = 10 // below a tenth somebody is told
)

// Reserve watches the disk of a data directory. Safe for concurrent use.
type Reserve struct {
	dir    string
	states *state.Register
	log    *slog.Logger
	space  func(dir string) (free, total int64, err error)
}

// New makes a reserve for a data directory. Run must be running.
func New(dir string, states *state.Register, log *slog.Logger) *Reserve {
	return &Reserve{dir: dir, states: states, log: log, space: durable.Space}
}

// kept is how many bytes are kept free of images.
func kept(total int64) int64 { return min(keptMost, total/keptPart) }

// held is how many bytes the file takes.
func held(total int64) int64 { return min(heldMost, total/heldPart) }

var errRoom = fault.New(fault.Unavailable, "reserve: the disk is nearly full; what is left is kept for the index and the audit trail")

// Room fails with fault.Unavailable while no images may be taken. Where the
// system does not say how much is free, there is room.
func (r *Reserve) Room() error {
	free, total, err := r.space(r.dir)
	if err == nil && free < kept(total) {
		return errRoom
	}
	return nil
}

// every is how often the disk is looked at.
const every = 2 * time.Second

// Run looks at the disk, at once and at intervals of every, until ctx ends.
func (r *Reserve) Run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()

	for {
		r.look()

		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look gives the file up or makes it, and registers how the disk is.
func (r *Reserve) look() {
	free, total, err := r.space(r.dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}

	if err != nil {
		r.states.Failing(State, "the disk of the data directory cannot be looked at", "see the log")
		r.log.Error("disk not looked at", "error", err)
		return
	}

	switch there := r.there(); {
	case there && free < held(total)/4:
		r.giveUp()
	case !there && free > kept(total)+2*held(total):
		r.take(held(total))
	}

	tell(r.states, free, total)
}

// Tell registers how the disk of a data directory is, and changes nothing: for
// who looks at it without a server.
func Tell(dir string, states *state.Register) {
	free, total, err := durable.Space(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		states.Failing(State, "the disk of the data directory cannot be looked at", "collimator doctor as the user that serves it")
	default:
		tell(states, free, total)
	}
}

func (r *Reserve) there() bool {
	_, err := os.Stat(filepath.Join(r.dir, Name))
	return err == nil
}

// giveUp removes the file.
func (r *Reserve) giveUp() {
	if err := Release(r.dir); err != nil {
		r.log.Error("the reserve of the disk was not given up", "error", err)
		return
	}
	r.log.Warn("the disk is full: the reserve was given up for the index and the audit trail; make room")
}

// take makes the file. Where the file system cannot take room without writing,
// there is none: images are refused in time all the same.
func (r *Reserve) take(n int64) {
	f, err := durable.Create(r.dir, 0o600)
	if err == nil {
		defer f.Abort()
		err = f.Allocate(n)
	}

	if err == nil {
		err = f.Once(filepath.Join(r.dir, Name))
	}

	if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, errors.ErrUnsupported) {
		r.log.Warn("no reserve of the disk was made; it will be tried again", "error", err)
	}
}

func tell(states *state.Register, free, total int64) {
	text := fmt.Sprintf("%s of %s are free", bytes(free), bytes(total))
	switch {
	case free < kept(total):
		states.Failing(State, text+"; no images are taken", "make room on the disk of the data directory; see docs/operate.md")
	case free < total/scarcePart && free < 100*int64(1<<30):
		states.Degraded(State, text, "make room, or give the data directory a larger disk")
	default:
		states.Well(State, text)
	}
}

// Release removes the file of a data directory, if it is there: a command that
// makes room needs some.
func Release(dir string) error {
	err := durable.Remove(filepath.Join(dir, Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Relieve gives the file of a data directory up where next to nothing is free,
// before a command works there.
func Relieve(dir string) error {
	free, total, err := durable.Space(dir)
	if err != nil || free >= held(total)/4 {
		return nil // the command will say what is wrong with the directory
	}
	return Release(dir)
}

// bytes is a number of bytes in a unit that suits it.
func bytes(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d kB", n>>10)
}

// Space is how many bytes are free now, and how many there are; 0 where the system does not say.
func (r *Reserve) Space() (free, total int64) {
	free, total, err := r.space(r.dir)
	if err != nil {
		return 0, 0
	}
	return free, total
}

// Free is how many bytes are free now; 0 where the system does not say.
func (r *Reserve) Free() int64 {
	free, _, err := r.space(r.dir)
	if err != nil {
		return 0
	}
	return free
}
