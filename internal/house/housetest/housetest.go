// Package housetest is what the tests of several packages set up: a clock that
// they move, a log that may hold no patient data, a server on loopback, and the
// register with its trail. Nothing of the product imports it.
package housetest

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dimse"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/db/dbtest"
	"collimator/internal/identity"
	"collimator/internal/ledger"
	"collimator/internal/policy"
	"collimator/internal/registers"
	"collimator/internal/synth"
)

// Clock is a time that tests move. Safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock makes a clock that stands at noon of a day.
func NewClock() *Clock { return ClockAt(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)) }

// ClockAt makes a clock that stands at a time.
func ClockAt(t time.Time) *Clock { return &Clock{t: t} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance moves the time on, or back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Set moves the time to another one.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// Log keeps what is logged. Safe for concurrent use.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// NewLog makes a log that fails its test at the end where it holds patient data.
func NewLog(t testing.TB) *Log {
	l := &Log{}
	t.Cleanup(func() {
		if strings.Contains(l.String(), synth.Marker) {
			t.Error("the log holds patient data")
		}
	})
	return l
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is what was logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Listen serves on a port of loopback until the test ends, and gives the address.
func Listen(t testing.TB, server *dimse.Server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(ctx, ln) }()
	t.Cleanup(func() { cancel(); <-done })
	return ln.Addr().String()
}

// EachConnection serves what connects to a listener until the test ends, each within a
// minute. It closes the connection and the listener.
func EachConnection(t testing.TB, ln net.Listener, serve func(net.Conn)) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(time.Minute))
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		wg.Wait()
	})
}

// Register is an empty register of people and devices with what belongs to it.
type Register struct {
	Clock     *Clock
	DB        *db.DB
	Ledger    *ledger.Log
	Registers *registers.Book
	Registry  *identity.Registry
	Trail     *audit.Trail
	Authority *identity.Authority

	seen int64 // the sequence of the next record to be looked at
}

// NewRegister makes one in a directory of the test.
func NewRegister(t testing.TB) *Register {
	t.Helper()
	dir := t.TempDir()
	d, err := dbtest.Open(t.Context(), filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })

	r := &Register{Clock: NewClock(), DB: d}
	if r.Authority, err = identity.OpenAuthority(filepath.Join(dir, "keys"), r.Clock.Now); err != nil {
		t.Fatal(err)
	}
	key, err := ledger.OpenKey(filepath.Join(dir, "keys"), "test")
	if err != nil {
		t.Fatal(err)
	}

	r.Ledger = ledger.New(d, key)
	r.Registers = registers.New(d, r.Ledger)
	r.Registry = identity.New(d, r.Registers, r.Clock.Now)
	r.Trail = audit.New(d, r.Ledger, r.Clock.Now)
	return r
}

// Records gives what was recorded since the last call.
func (r *Register) Records(t testing.TB) (out []audit.Record) {
	t.Helper()
	for x, err := range r.Trail.After(context.Background(), r.seen-1) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
		r.seen = max(r.seen, x.Sequence+1)
	}
	return out
}

// Password is that of each Person.
const Password = "correct horse battery"

// Person registers somebody with a password.
func (r *Register) Person(t testing.TB, name string, role policy.Role) {
	t.Helper()
	if err := r.Registry.AddPerson(t.Context(), name, string(role), Password); err != nil {
		t.Fatal(err)
	}
}

// Ask sends a request with a JSON body from an address to a handler of HTTPS.
// header holds names and values in turn.
func Ask(t testing.TB, h http.Handler, address, method, path string, body any, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}

	r := httptest.NewRequest(method, "https://localhost"+path, bytes.NewReader(b)).WithContext(t.Context())
	r.RemoteAddr = net.JoinHostPort(address, "1")
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}

	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
