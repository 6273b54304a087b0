package stream

import (
	"context"
	"errors"
	"io"
)

// Reader reads from another while a context goes on. It is for one goroutine.
type Reader struct {
	ctx context.Context
	r   io.Reader
	err error
}

// While makes a Reader of r that ends, with the error of ctx, when ctx does.
func While(ctx context.Context, r io.Reader) *Reader { return &Reader{ctx: ctx, r: r} }

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}

	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// Err is the last error of what is read from: neither its end nor that of the
// context.
func (r *Reader) Err() error { return r.err }
