package dimse

import (
	"io"
)

// body is the data set of one message as a stream straight from the connection.
// While it is open its holder has the turn to read; the association's reader waits.
type body struct {
	a     *Association
	pc    uint8
	limit int64 // bytes
	n     int64
	end   bool  // the current fragment is the last
	over  bool  // all was read and the turn given back: the link is no longer ours
	fatal error // ended the association
	done  chan struct{}
}

func newBody(a *Association, pc uint8) *body {
	return &body{a: a, pc: pc, limit: a.lim.Identifier, done: make(chan struct{})}
}

// advance moves to a fragment with content; io.EOF after the last.
func (b *body) advance() error {
	if b.fatal != nil {
		return b.fatal
	}
	if b.over {
		return io.EOF
	}

	for b.a.link.pdvLeft == 0 {
		if b.end {
			b.turn()
			return io.EOF
		}
		if _, err := b.a.nextFragment(true, b.pc); err != nil {
			b.fatal = err
			return err
		}

		b.end = b.a.link.pdv.Last
		if b.n += int64(b.a.link.pdv.Length); b.n > b.limit {
			b.fatal = breach("PS3.8 E.2", "data set longer than the limit")
			return b.fatal
		}
	}
	return nil
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if err := b.advance(); err != nil {
		return 0, err
	}
	n, err := b.a.link.read(p)
	if err != nil {
		b.fatal = err
	} else if b.end && b.a.link.pdvLeft == 0 {
		b.turn()
	}
	return n, err
}

// turn gives the turn to read back to the association: a handler that has all its
// data may take its time while the next message arrives.
func (b *body) turn() {
	b.over = true
	close(b.done)
}

// WriteTo implements io.WriterTo: it gives what is in the read buffer without a copy.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		if err := b.advance(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}

		p, err := b.a.link.peek()
		if err != nil {
			b.fatal = err
			return total, err
		}

		n, err := w.Write(p)
		b.a.link.consume(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

// close skips what was not read and gives the turn back to the association's reader.
func (b *body) close() {
	if b.over {
		return
	}
	if b.fatal == nil {
		b.WriteTo(io.Discard)
	}
	if !b.over {
		b.turn()
	}
}

// give ends the turn after a failure of ours: nothing more is read for it.
func (b *body) give(err error) {
	if b.over {
		return
	}
	if b.fatal == nil {
		b.fatal = err
	}
	b.turn()
}
