package gate

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"io"
	"os"

	"collimator/internal/fault"
)

// spoolMost is the longest object that is spooled, in bytes.
const spoolMost = 16 << 30

var errSpool = fault.Newf(fault.TooLarge, "gate: the object is longer than %d bytes", int64(spoolMost))

// spool holds an object on the disk while it is compared: without a name, and under a
// key that only this process ever had. Not safe for concurrent writing.
type spool struct {
	file  *os.File
	block cipher.Block
	out   cipher.Stream
	size  int64
}

// newSpool makes an empty one in a directory. Close it in the end.
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
	if s.size+int64(len(p)) > spoolMost {
		return 0, errSpool
	}
	sealed := make([]byte, len(p))
	s.out.XORKeyStream(sealed, p)
	n, err := s.file.Write(sealed)
	s.size += int64(n)
	return n, err
}

// reader reads the whole from its start.
func (s *spool) reader() io.Reader {
	return cipher.StreamReader{S: keyStream(s.block), R: io.NewSectionReader(s.file, 0, s.size)}
}

func (s *spool) close() error { return s.file.Close() }
