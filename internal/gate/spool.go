package gate

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"io"
	"os"

	"collimator/internal/budget"
	"collimator/internal/fault"
)

// Bounds of what is spooled, in bytes. Of all that is, one caller has half at the most, and
// leaves as much to others as it has.
const (
	spoolAll  = 32 << 30
	spoolStep = 16 << 20 // after which somebody looks whether there is room for more
)

// spool holds an object on the disk while it is compared: without a name, and under a
// key that only this process ever had. Not safe for concurrent writing.
type spool struct {
	file    *os.File
	block   cipher.Block
	out     cipher.Stream
	size    int64
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
	f, err := os.CreateTemp(dir, "spool-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil { // what has no name is gone with the process
		return nil, errors.Join(err, f.Close())
	}

	var key [32]byte
	rand.Read(key[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spool{file: f, block: block, out: keyStream(block)}, nil
}

// keyStream is the key stream of the one object a key is for.
func keyStream(block cipher.Block) cipher.Stream {
	return cipher.NewCTR(block, make([]byte, aes.BlockSize))
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if err := s.grow(int64(len(p))); err != nil {
		return 0, err
	}
	sealed := make([]byte, len(p))
	s.out.XORKeyStream(sealed, p)
	n, err := s.file.Write(sealed)
	s.size += int64(n)
	return n, err
}

// grow finds room for n more bytes.
func (s *spool) grow(n int64) error {
	if err := s.account.Grow(n); err != nil {
		return fault.New(fault.Of(err), "gate: more is spooled of this caller than may be")
	}
	if s.room == nil || s.size > 0 && s.size/spoolStep == (s.size+n)/spoolStep {
		return nil
	}
	return s.room()
}

// reader reads the whole from its start.
func (s *spool) reader() io.Reader {
	return cipher.StreamReader{S: keyStream(s.block), R: io.NewSectionReader(s.file, 0, s.size)}
}

func (s *spool) close() error {
	s.account.Close()
	return s.file.Close()
}
