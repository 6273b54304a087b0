package clamd

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"collimator/internal/fault"
)

// listen hands each connection to a socket of its own to somebody, and closes it.
func listen(t *testing.T, serve func(net.Conn)) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()

	return path
}

// daemon answers one stream after another as clamd does.
func daemon(t *testing.T, answer func(stream []byte) string) string {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		r := bufio.NewReader(conn)
		if cmd, _ := r.ReadString(0); cmd != "zINSTREAM\x00" {
			return
		}

		var all []byte
		for {
			var n uint32
			if binary.Read(r, binary.BigEndian, &n) != nil {
				return
			}
			if n == 0 {
				break
			}
			b := make([]byte, n)
			io.ReadFull(r, b)
			all = append(all, b...)
		}
		io.WriteString(conn, answer(all))
	})
}

func TestRepliesAreUnderstood(t *testing.T) {
	t.Parallel()
	path := daemon(t, func(b []byte) string {
		switch {
		case len(b) > 1<<20:
			return "INSTREAM size limit exceeded. ERROR\x00"
		case strings.Contains(string(b), "virus"):
			return "stream: Test.Marker FOUND\x00"
		case strings.Contains(string(b), "broken"):
			return "stream: Can't allocate memory ERROR\x00"
		case strings.Contains(string(b), "nothing"):
			return ""
		}
		return "stream: OK\x00"
	})
	for stream, want := range map[string]struct {
		name string
		kind fault.Kind
	}{
		"":                                     {"", fault.None},
		"harmless":                             {"", fault.None},
		"a virus":                              {"Test.Marker", fault.None},
		strings.Repeat("x", 200<<10) + "virus": {"Test.Marker", fault.None},
		strings.Repeat("x", 2<<20):             {"", fault.TooLarge},
		"broken":                               {"", fault.Unavailable},
		"nothing":                              {"", fault.Unavailable},
	} {
		name, err := New(path).Scan(t.Context(), strings.NewReader(stream))
		if name != want.name || fault.Of(err) != want.kind {
			t.Errorf("%.20q: %q, %v", stream, name, err)
		}
	}
	if _, err := New(path+"x").Scan(t.Context(), strings.NewReader("x")); fault.Of(err) != fault.Unavailable {
		t.Errorf("no daemon: %v", err)
	}
	own := errors.New("own")
	if _, err := New(path).Scan(t.Context(), iotest.ErrReader(own)); !errors.Is(err, own) {
		t.Errorf("an error of the stream: %v", err)
	}
}

func TestADaemonThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	path := daemon(t, func([]byte) string { select {} })
	c := New(path)
	c.timeout = 50 * time.Millisecond
	if _, err := c.Scan(t.Context(), strings.NewReader("x")); fault.Of(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}

// A daemon that says all is well before it has seen the whole has not looked.
func TestAnAnswerBeforeTheEndOfTheStreamDoesNotCount(t *testing.T) {
	t.Parallel()
	path := listen(t, func(conn net.Conn) { io.WriteString(conn, "stream: OK\x00") })
	_, err := New(path).Scan(t.Context(), io.LimitReader(zeros{}, 64<<20))
	if fault.Of(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
