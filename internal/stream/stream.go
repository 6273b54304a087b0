// Package stream turns what writes into what is read, without keeping it.
package stream

import (
	"errors"
	"io"

	"collimator/internal/fault"
)

// ErrPanic is read when the writer panicked. Its goroutine is nobody's handler,
// so nothing above it would catch that, and the process would end.
var ErrPanic = fault.New(fault.Internal, "stream: what should have been written could not be")

// Of runs write in a goroutine and gives what it writes, then its error. Close
// stops it, waits for it, and closes what it reads from; from may be nil.
func Of(from io.Closer, write func(io.Writer) error) io.ReadCloser {
	r, w := io.Pipe()
	s := &stream{PipeReader: r, done: make(chan struct{}), from: from}

	go func() { // ends when everything was read or the reader was closed
		defer close(s.done)
		err := error(ErrPanic)
		defer func() {
			_ = recover()
			w.CloseWithError(err)
		}()
		err = write(w)
	}()

	return s
}

type stream struct {
	*io.PipeReader
	done chan struct{}
	from io.Closer
}

// Close implements io.Closer.
func (s *stream) Close() error {
	err := s.PipeReader.Close()
	<-s.done
	if s.from != nil {
		err = errors.Join(err, s.from.Close())
	}
	return err
}
