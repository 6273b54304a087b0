package dimse

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"collimator/dimse/ul"
)

// readBuffer is what each connection holds for reading, in bytes.
const readBuffer = 64 << 10

// link is the transport of one association: it turns the connection into PDUs and
// fragments for one reader at a time, and paces the peer. It never holds a whole P-DATA-TF.
type link struct {
	conn net.Conn
	br   *bufio.Reader
	pace *pacer

	pduLeft uint32 // bytes left in the current P-DATA-TF
	pdv     ul.PDVHeader
	pdvLeft uint32 // bytes left in the current fragment
	empty   int    // fragments without content in a row

	taken patience // of the peer with what is written
}

func newLink(conn net.Conn, lim Limits) *link {
	p := &pacer{conn: conn, lim: lim}
	return &link{conn: conn, br: bufio.NewReaderSize(p, readBuffer), pace: p, taken: newPatience(lim.Rate, max(lim.RateWindow, lim.Write))}
}

// header reads the start of the next PDU; lim bounds what it may say.
func (l *link) header(lim ul.Limits) (ul.Header, error) {
	p, err := l.br.Peek(ul.HeaderLength)
	if err != nil {
		return ul.Header{}, readError(err)
	}
	h, err := ul.ParseHeader(p, lim)
	l.br.Discard(ul.HeaderLength)
	return h, err
}

// body reads the rest of a PDU that is not P-DATA-TF. Memory grows with what
// arrives, not with what the header says.
func (l *link) body(n uint32) ([]byte, error) {
	var out []byte
	for uint32(len(out)) < n {
		step := min(int(n)-len(out), 16<<10)
		start := len(out)
		out = append(out, make([]byte, step)...)
		if _, err := io.ReadFull(l.br, out[start:]); err != nil {
			return nil, readError(err)
		}
	}
	return out, nil
}

// fragment reads the header of the next fragment of the current P-DATA-TF.
func (l *link) fragment() error {
	if l.pduLeft < ul.PDVHeaderLength {
		return invalidPDU(ul.ReasonInvalidPDUParameter, "PS3.8 9.3.5.1", "item cut short")
	}

	p, err := l.br.Peek(ul.PDVHeaderLength)
	if err != nil {
		return readError(err)
	}

	h, err := ul.ParsePDVHeader(p, l.pduLeft)
	if err != nil {
		return invalidPDU(ul.ReasonInvalidPDUParameter, "PS3.8 9.3.5.1", "invalid presentation data value item")
	}

	l.br.Discard(ul.PDVHeaderLength)
	l.pduLeft -= ul.PDVHeaderLength + h.Length
	l.pdv = h
	l.pdvLeft = h.Length
	if h.Length > 0 || h.Last {
		l.empty = 0
	} else if l.empty++; l.empty > 64 {
		return invalidPDU(ul.ReasonInvalidPDUParameter, "PS3.8 9.3.5.1", "too many empty fragments")
	}
	return nil
}

// read gives content of the current fragment.
func (l *link) read(p []byte) (int, error) {
	if uint32(len(p)) > l.pdvLeft {
		p = p[:l.pdvLeft]
	}
	n, err := l.br.Read(p)
	l.pdvLeft -= uint32(n)
	if err != nil {
		return n, readError(err)
	}
	return n, nil
}

// peek gives what is buffered of the current fragment, at least one byte; valid
// until the next read. consume moves past it.
func (l *link) peek() ([]byte, error) {
	if _, err := l.br.Peek(1); err != nil {
		return nil, readError(err)
	}
	return l.br.Peek(int(min(int64(l.br.Buffered()), int64(l.pdvLeft))))
}

func (l *link) consume(n int) {
	l.br.Discard(n)
	l.pdvLeft -= uint32(n)
}

// drain reads and drops until the peer closes, so that it still gets our last PDU
// (closing with unread bytes would reset the connection). The deadline is set by the caller.
func (l *link) drain() error {
	_, err := io.CopyN(io.Discard, l.br, 4<<20)
	return err
}

// write sends one or more whole PDUs in one write. A peer that reads, but next to nothing,
// is cut off like one that does not.
func (l *link) write(b []byte, timeout time.Duration) error {
	began := time.Now()
	if err := l.conn.SetWriteDeadline(began.Add(min(timeout, l.taken.left))); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}

	_, err := l.conn.Write(b)
	l.taken.passed(len(b), time.Since(began))
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("%w: while writing", ErrTimeout)
		}
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return nil
}

// readError names the ways in which reading ends.
func readError(err error) error {
	var parse *ul.ParseError
	switch {
	case errors.As(err, &parse):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimeout
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return ErrClosed
	}
	return fmt.Errorf("%w: %w", ErrClosed, err)
}

// patience is how long a peer may keep one waiting until so many bytes have passed.
type patience struct {
	window time.Duration
	most   float64 // bytes in a window
	left   time.Duration
	got    float64
}

func newPatience(rate int64, window time.Duration) patience {
	return patience{window: window, most: float64(rate) * window.Seconds(), left: window}
}

// passed counts bytes that took a time to pass.
func (p *patience) passed(n int, took time.Duration) {
	p.left -= took
	if p.got += float64(n); p.got >= p.most {
		p.left = p.window
		p.got = 0
	}
}

// pacer reads from the connection and holds the peer to a deadline or to a rate.
type pacer struct {
	conn net.Conn
	lim  Limits

	mu    sync.Mutex
	paced bool
	sent  patience // with what the peer sends
}

// until sets one absolute deadline; the zero time removes it.
func (p *pacer) until(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paced = false
	p.conn.SetReadDeadline(t)
}

// start begins to hold the peer to the rate.
func (p *pacer) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paced = true
	p.sent = newPatience(p.lim.Rate, p.lim.RateWindow)
}

// idle sets the deadline for the next message unless one has begun.
func (p *pacer) idle(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.paced {
		p.conn.SetReadDeadline(t)
	}
}

// Read implements io.Reader.
func (p *pacer) Read(b []byte) (int, error) {
	p.mu.Lock()
	if !p.paced {
		p.mu.Unlock()
		return p.conn.Read(b)
	}

	began := time.Now()
	p.conn.SetReadDeadline(began.Add(p.sent.left))
	p.mu.Unlock()

	n, err := p.conn.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()

	p.sent.passed(n, time.Since(began))
	return n, err
}
