package dicom

import (
	"bufio"
	"io"
	"math"
)

// bulkSource is where values left in the stream are read again.
type bulkSource struct {
	at       io.ReaderAt
	base     int64 // of the data set in at
	deflated bool
	limits   Limits
	stream   func() (io.Reader, error) // instead of all that: the value anew
}

// open reads n bytes at an offset of the data set. In a deflated data set it
// inflates from the start, in constant memory.
func (s *bulkSource) open(offset, n int64) (io.Reader, error) {
	if s != nil && s.stream != nil {
		r, err := s.stream()
		if err != nil {
			return nil, err
		}
		if _, err := io.CopyN(io.Discard, r, offset); err != nil {
			return nil, err
		}
		return &exactReader{r, n}, nil
	}
	if s == nil || s.at == nil {
		return nil, ErrNoSource
	}
	if !s.deflated {
		return &exactReader{io.NewSectionReader(s.at, s.base+offset, n), n}, nil
	}

	r := newInflater(io.NewSectionReader(s.at, s.base, math.MaxInt64-s.base), s.limits)
	if _, err := io.CopyN(io.Discard, r, offset); err != nil {
		return nil, err
	}
	return &exactReader{r, n}, nil
}

// exactReader gives n bytes of r and an error if r has fewer.
type exactReader struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (e *exactReader) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}

	if int64(len(p)) > e.n {
		p = p[:e.n]
	}

	n, err := e.r.Read(p)
	e.n -= int64(n)
	if err == io.EOF && e.n > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// swapReader turns the byte order of each unit of r; a last part smaller than
// a unit stays as it is.
type swapReader struct {
	r    io.Reader
	unit int
	buf  [swapBuffer]byte
	rest []byte
	err  error
}

// swapBuffer is a multiple of every unit.
const swapBuffer = 16 << 10

// Read implements io.Reader.
func (s *swapReader) Read(p []byte) (int, error) {
	if len(s.rest) == 0 && s.err == nil {
		n, err := io.ReadFull(s.r, s.buf[:])
		s.rest = s.buf[:n]
		swap(s.rest[:n-n%s.unit], s.unit)
		if err == io.ErrUnexpectedEOF && n > 0 {
			err = s.ended()
		}
		s.err = err
	}

	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	if len(s.rest) == 0 && s.err != nil {
		return n, s.err
	}
	return n, nil
}

// ended tells the end of the value from the end of the source.
func (s *swapReader) ended() error {
	if e, ok := s.r.(*exactReader); ok && e.n > 0 {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// bufferSize is what a decoder reads ahead.
const bufferSize = 16 << 10

func buffered(r io.Reader) *bufio.Reader {
	if br, ok := r.(*bufio.Reader); ok && br.Size() >= 1024 {
		return br
	}
	return bufio.NewReaderSize(r, bufferSize)
}
