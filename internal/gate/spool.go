package gate

import (
	"io"

	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/scratch"
)

// Bounds of what is spooled, in bytes. Of all that is, one caller has half at the most, and
// leaves as much to others as it has.
const (
	spoolAll  = 32 << 30
	spoolStep = 16 << 20 // after which somebody looks whether there is room for more
)

// spool holds an object on the disk while it is compared. Not safe for concurrent writing.
type spool struct {
	file    *scratch.File
	room    func() error // fails where the disk has none; nil: it always has
	account *budget.Account
}

// spoolFor makes an empty spool for a caller. Close it in the end.
func (g *Gate) spoolFor(caller string) (*spool, error) {
	s, err := newSpool(g.Spool)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "gate: the object cannot be spooled")
	}
	s.room = g.Room
	s.account = g.spools.Open(caller)
	return s, nil
}

// newSpool makes an empty one in a directory.
func newSpool(dir string) (*spool, error) {
	f, err := scratch.New(dir)
	return &spool{file: f}, err
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if err := s.grow(int64(len(p))); err != nil {
		return 0, err
	}
	return s.file.Write(p)
}

// grow finds room for n more bytes.
func (s *spool) grow(n int64) error {
	if err := s.account.Grow(n); err != nil {
		return fault.New(fault.Of(err), "gate: more is spooled of this caller than may be")
	}
	size := s.file.Size()
	if s.room == nil || size > 0 && size/spoolStep == (size+n)/spoolStep {
		return nil
	}
	return s.room()
}

// reader reads the whole from its start.
func (s *spool) reader() io.Reader {
	return io.NewSectionReader(s.file, 0, s.file.Size())
}

func (s *spool) close() error {
	s.account.Close()
	return s.file.Close()
}
