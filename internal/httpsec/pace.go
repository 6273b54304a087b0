package httpsec

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Pace is the least rate at which a client sends a body and takes an answer. What
// the server itself takes does not count. It has the values that associations are
// held to. The zero Pace is 1 KiB/s over a minute.
type Pace struct {
	Rate   int64         // bytes a second
	Window time.Duration // over which they are counted
}

func (p Pace) withDefaults() Pace {
	if p.Rate <= 0 {
		p.Rate = 1 << 10
	}
	if p.Window <= 0 {
		p.Window = time.Minute
	}
	return p
}

// Wrap holds the clients of a handler to the pace. A whole study may take its
// time; a client that stalls or drips may not: reading its body and writing to it
// fail, and what was written to it is not sent on.
func (p Pace) Wrap(next http.Handler) http.Handler {
	p = p.withDefaults()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		body := &pacedBody{ReadCloser: r.Body, c: c, meter: meter{Pace: p, set: c.SetReadDeadline}}
		if r.Body == nil {
			body.ReadCloser = http.NoBody
		}
		if r.ContentLength == 0 || r.Body == nil {
			body.over()
		}
		r.Body = body

		end := newResetting(r)
		defer end.over()

		set := func(at time.Time) error {
			end.at(at)
			return c.SetWriteDeadline(at)
		}
		next.ServeHTTP(&pacedWriter{w, meter{Pace: p, set: set}, end}, r)
	})
}

// meter counts bytes against the time that was waited for them.
type meter struct {
	Pace
	set func(time.Time) error // the deadline; where that is not supported, the server's own holds

	left     time.Duration // that may be waited until the window is full
	bytes    int64         // in this window
	deadline time.Time
}

// begin sets the deadline for the next piece and says when it began.
func (m *meter) begin() time.Time {
	now := time.Now()
	if m.bytes >= m.Rate*int64(m.Window/time.Second) || m.deadline.IsZero() {
		m.left = m.Window
		m.bytes = 0
	}

	// Moving a deadline costs; one that is near enough stays.
	if at := now.Add(m.left); at.Sub(m.deadline) > time.Second || m.deadline.Sub(at) > 0 {
		m.deadline = at
		_ = m.set(at)
	}

	return now
}

// done counts a piece. It reports a client that is too slow.
func (m *meter) done(began time.Time, n int, err error) (slow bool) {
	m.left -= time.Since(began)
	m.bytes += int64(n)
	return m.left <= 0 && m.bytes < m.Rate*int64(m.Window/time.Second) || os.IsTimeout(err)
}

type pacedBody struct {
	io.ReadCloser
	c     *http.ResponseController
	meter meter
}

// over takes the deadline of reading off once the body is complete: it would end
// the request itself, whose answer may take longer.
func (b *pacedBody) over() { _ = b.c.SetReadDeadline(time.Time{}) }

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	began := b.meter.begin()
	n, err := b.ReadCloser.Read(p)

	switch {
	case err == io.EOF:
		b.over()
	case b.meter.done(began, n, err):
		return n, os.ErrDeadlineExceeded
	}
	return n, err
}

// writePiece is what is written at a time, in bytes: little enough for a client
// that is just fast enough to take it within the window.
const writePiece = 16 << 10

type pacedWriter struct {
	http.ResponseWriter
	meter meter
	end   *resetting
}

// Write implements io.Writer.
func (w *pacedWriter) Write(p []byte) (int, error) {
	written := 0
	for {
		piece := p[written:min(written+writePiece, len(p))]
		began := w.meter.begin()
		n, err := w.ResponseWriter.Write(piece)
		written += n

		if w.meter.done(began, n, err) {
			w.end.slow()
			return written, os.ErrDeadlineExceeded
		}
		if err != nil || written == len(p) {
			return written, err
		}
	}
}

// Unwrap is for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type connKey struct{}

// ConnContext is for http.Server: it lets a connection be reset whose client is too
// slow. Closed in good order, what the kernel still holds for it would be sent on
// for hours.
func (Pace) ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// resetting prepares a connection of HTTP/1 to be reset when it is closed. One of
// HTTP/2 carries other requests; there the stream is reset by its deadline.
type resetting struct {
	conn interface{ SetLinger(sec int) error } // nil where there is nothing to be done

	mu    sync.Mutex
	timer *time.Timer
	set   bool // it is prepared
	ended bool // and stays as it is
}

func newResetting(r *http.Request) *resetting {
	c, _ := r.Context().Value(connKey{}).(net.Conn)
	if over, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = over.NetConn()
	}

	e := &resetting{}
	if r.ProtoMajor == 1 {
		e.conn, _ = c.(interface{ SetLinger(sec int) error })
	}
	return e
}

// before is how long before a deadline the connection is prepared: net/http closes
// it as soon as a write fails.
const before = 200 * time.Millisecond

// at prepares the connection shortly before a deadline; a later one takes the place
// of an earlier.
func (e *resetting) at(deadline time.Time) {
	if e.conn == nil {
		return
	}

	e.mu.Lock()
	defer e.mu.Unlock()
	e.backLocked()
	e.timer = time.AfterFunc(time.Until(deadline)-before, e.prepare)
}

// prepare is what happens shortly before the deadline. Errors are those of a
// connection that is closed already.
func (e *resetting) prepare() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil && !e.ended {
		e.set = true
		_ = e.conn.SetLinger(0)
	}
}

// slow prepares a connection for good.
func (e *resetting) slow() {
	e.prepare()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
}

// over leaves the connection of a client that was fast enough as it was.
func (e *resetting) over() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ended {
		e.backLocked()
		e.ended = true
	}
}

// backLocked undoes what was prepared. Called with mu held.
func (e *resetting) backLocked() {
	if e.timer != nil {
		e.timer.Stop()
	}
	if e.set {
		e.set = false
		_ = e.conn.SetLinger(-1)
	}
}
