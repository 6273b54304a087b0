package httpsec_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/httpsec"
)

// pipes is a listener of connections within the process.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// paced serves a handler with the server's own deadlines and gives a connection to it.
func paced(t *testing.T, h http.HandlerFunc) net.Conn {
	t.Helper()
	pace := httpsec.Pace{}
	p := &pipes{make(chan net.Conn), make(chan struct{})}
	s := &http.Server{Handler: pace.Wrap(h), ConnContext: pace.ConnContext, ReadTimeout: time.Minute, WriteTimeout: time.Minute, ReadHeaderTimeout: 10 * time.Second}
	go s.Serve(p)
	ours, theirs := net.Pipe()
	p.conns <- theirs
	t.Cleanup(func() { ours.Close(); s.Close() })
	return ours
}

const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"

// drip sends n bytes every interval until the connection ends.
func drip(c net.Conn, n int, every time.Duration) {
	for {
		if _, err := io.WriteString(c, strings.Repeat("a", n)); err != nil {
			return
		}
		time.Sleep(every)
	}
}

func TestABodyThatDripsIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, ended := int64(0), make(chan error, 1)
		c := paced(t, func(_ http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			got = n
			ended <- err
		})
		io.WriteString(c, head)
		go drip(c, 1, 20*time.Second)
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || got > 4 {
			t.Errorf("%v after %d bytes", err, got)
		}
		c.Close()
		time.Sleep(5 * time.Minute) // of the bubble: what is left ends
	})
}

func TestABodyThatMovesMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		c := paced(t, func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if n != 1_000_000 && err == nil {
				err = errors.New("cut short")
			}
			time.Sleep(5 * time.Minute) // its own time: the answer is due when the server is ready
			if r.Context().Err() != nil {
				err = errors.New("the request was given up while the server worked")
			}
			w.Write([]byte("done"))
			ended <- err
		})
		io.WriteString(c, head)
		go func() {
			for range 1000 {
				io.WriteString(c, strings.Repeat("a", 1000))
				time.Sleep(500 * time.Millisecond)
			}
		}()
		rs, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err := errors.Join(err, <-ended); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(rs.Body); string(b) != "done" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		c.Close()
		time.Sleep(5 * time.Minute) // of the bubble: what is left ends
	})
}

// answered is what a handler could write to a client that reads n bytes every second.
func answered(t *testing.T, n int) (written int, err error) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		c := paced(t, func(w http.ResponseWriter, r *http.Request) {
			var err error
			for piece := make([]byte, 256<<10); written < 1<<20 && err == nil; {
				var k int
				k, err = w.Write(piece)
				written += k
				if r.Context().Err() != nil {
					err = errors.Join(err, errors.New("the request was given up"))
				}
			}
			ended <- err
		})
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		go func() {
			for b := make([]byte, n); ; time.Sleep(time.Second) {
				if _, err := io.ReadFull(c, b); err != nil {
					return
				}
			}
		}()
		err = <-ended
		c.Close()
		time.Sleep(5 * time.Minute) // of the bubble: what is left ends
	})
	return written, err
}

func TestAReaderThatIsTooSlowIsEnded(t *testing.T) {
	if n, err := answered(t, 200); err == nil || n > 64<<10 {
		t.Errorf("%d bytes were written at 200 bytes a second, %v", n, err)
	}
	if n, err := answered(t, 1200); err != nil || n != 1<<20 {
		t.Errorf("%d bytes were written at 1200 bytes a second, %v", n, err)
	}
}
