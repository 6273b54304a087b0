package sitetest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/guard"
	"collimator/internal/house"
)

// Log is a log for several goroutines.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is what was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Site is the HTTPS listener of serve on loopback, over an archive with the
// studies 2.25.70 and 2.25.71.
type Site struct {
	*testing.T
	Server  *house.Server
	In      *house.Installation
	Address string // of the listener
	Host    string // localhost and its port
	Log     *Log
}

// Password is that of everybody.
const Password = "correct horse battery"

// NewSite starts the server. Without an administrator unless one is added.
func NewSite(t *testing.T, change func(*config.Config)) *Site {
	t.Helper()
	return newSite(t, stocked, "", change)
}

// NewRoutedSite is a peopled site with routes of the gate, as their file says.
func NewRoutedSite(t *testing.T, routes string) *Site {
	t.Helper()
	return newSite(t, peopled, routes, nil)
}

// newSite starts the server over a data directory that was made before.
func newSite(t *testing.T, made func() (Directory, error), routes string, change func(*config.Config)) *Site {
	t.Helper()
	content, err := made()
	if err != nil {
		t.Fatal(err)
	}
	addr, err := FreeAddress()
	if err != nil {
		t.Fatal(err)
	}

	c := config.Default()
	c.Data, c.HTTP = filepath.Join(t.TempDir(), "data"), addr
	if change != nil {
		change(&c)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}

	in := content.open(t, c)
	if err := os.WriteFile(house.RoutesFile(c), []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	x := &Site{T: t, In: in, Address: addr, Log: &Log{}}
	_, port, _ := net.SplitHostPort(addr)
	x.Host = "localhost:" + port

	if x.Server, err = house.NewServer(in, slog.New(slog.NewTextHandler(x.Log, nil))); err != nil {
		t.Fatal(err)
	}

	web, err := x.Server.ListenWeb()
	if err != nil {
		t.Fatal(err)
	}

	done := make(chan error, 1)
	go func() { done <- web.Serve() }()

	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		web.Shutdown(ctx)
		<-done
		if strings.Contains(x.Log.String(), "ZZPHI") {
			t.Error("the log holds patient data")
		}
		x.Server.Close()
		in.Close()
	})

	return x
}

// NewPeopledSite is a site with one person of each role, named like the role,
// and the study 2.25.70 granted to the referrer.
func NewPeopledSite(t *testing.T, change func(*config.Config)) *Site {
	t.Helper()
	return newSite(t, peopled, "", change)
}

// Browser keeps cookies as a browser does.
type Browser struct {
	*Site
	Client *http.Client
	Jar    http.CookieJar
	Header http.Header // sent with each request
	TOTP   string      // secret of the authenticator app
}

// Browser is a browser without a session.
func (x *Site) Browser() *Browser { return x.BrowserAt("127.0.0.1") }

// BrowserAt is a browser with an address of loopback.
func (x *Site) BrowserAt(ip string) *Browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: x.In.Authority.Pool(), MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if _, port, _ := net.SplitHostPort(address); strings.HasSuffix(x.Address, ":"+port) {
				address = x.Address
			}
			return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).DialContext(ctx, network, address)
		},
	}

	x.Cleanup(tr.CloseIdleConnections)
	return &Browser{Site: x, Jar: jar, Header: http.Header{}, Client: &http.Client{Jar: jar, Transport: tr, Timeout: time.Minute}}
}

// Answer is a response whose body is read.
type Answer struct {
	*http.Response
	Text string
	JSON map[string]any
}

// Send sends a request; a body that is not text goes as JSON.
func (b *Browser) Send(method, path string, body any, header ...string) Answer {
	b.Helper()

	var r io.Reader
	if s, ok := body.(string); ok {
		r = strings.NewReader(s)
	} else if body != nil {
		j, err := json.Marshal(body)
		if err != nil {
			b.Fatal(err)
		}
		r = bytes.NewReader(j)
	}

	if !strings.HasPrefix(path, "http") {
		path = "https://" + b.Host + path
	}
	rq, err := http.NewRequestWithContext(b.Context(), method, path, r)
	if err != nil {
		b.Fatal(err)
	}

	rq.Header = b.Header.Clone()
	if body != nil {
		rq.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		rq.Header.Set(header[i], header[i+1])
	}

	rsp, err := b.Client.Do(rq)
	if err != nil {
		b.Fatal(err)
	}
	defer rsp.Body.Close()
	if rsp.Header.Get("Content-Type") == "text/event-stream" { // it goes on
		return Answer{Response: rsp}
	}

	text, err := io.ReadAll(rsp.Body)
	if err != nil {
		b.Fatal(err)
	}

	a := Answer{Response: rsp, Text: string(text)}
	json.Unmarshal(text, &a.JSON) // where it is JSON
	return a
}

// placeholders are the parts of a pattern that a request fills in.
var placeholders = regexp.MustCompile(`\{[^}]*\}`)

// At is an address of a pattern, with 1 in every place.
func At(pattern string) string { return placeholders.ReplaceAllString(pattern, "1") }

// Open begins a request whose answer goes on, and gives it with its body unread.
func (b *Browser) Open(path string) *http.Response {
	b.Helper()
	ctx, end := context.WithCancel(b.Context())
	b.Cleanup(end)
	rq, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+b.Host+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	rq.Header = b.Header.Clone()
	rsp, err := b.Client.Do(rq)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { rsp.Body.Close() })
	return rsp
}

// Must sends a request and wants a status.
func (b *Browser) Must(status int, method, path string, body any, header ...string) Answer {
	b.Helper()
	a := b.Send(method, path, body, header...)
	if a.StatusCode != status {
		b.Fatalf("%s %s: status %d, want %d: %.300s", method, path, a.StatusCode, status, a.Text)
	}
	return a
}

// Cookie is the secret of the session; empty without one.
func (b *Browser) Cookie() string {
	rq, _ := http.NewRequest("GET", "https://"+b.Host+"/", nil)
	for _, c := range b.Jar.Cookies(rq.URL) {
		if c.Name == guard.SessionCookie {
			return c.Value
		}
	}
	return ""
}

// Code is what an authenticator app shows, made apart from the code under test.
func Code(secret string, step int64) string {
	key, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	mac := hmac.New(sha1.New, key)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(step))
	mac.Write(b[:])
	sum := mac.Sum(nil)
	at := sum[19] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff)%1e6)
}

// NowStep is the step of time of such a code. A first code is that of this step, and a
// second one that of the next: both count, too, when a step ends before they are seen.
func NowStep() int64 { return time.Now().Unix() / 30 }

// SignIn is the first sign-in of a person: password, then an authenticator app.
func (x *Site) SignIn(name string) *Browser {
	x.Helper()
	b := x.Browser()

	a := b.Must(200, "POST", "/api/v1/session/password", map[string]string{"name": name, "password": Password})
	if a.JSON["state"] != "enrol" {
		x.Fatalf("after the password: %s", a.Text)
	}

	b.Enrol()
	return b
}

// Enrol sets an authenticator app up and returns the recovery codes.
func (b *Browser) Enrol() (codes []any) {
	b.Helper()
	a := b.Must(200, "POST", "/api/v1/session/enrol/totp", nil)
	b.TOTP = a.JSON["secret"].(string)
	a = b.Must(200, "POST", "/api/v1/session/enrol/totp/confirm", map[string]string{"code": Code(b.TOTP, NowStep())})
	codes, _ = a.JSON["recoveryCodes"].([]any)
	return codes
}

// Records gives the whole trail.
func (x *Site) Records() (out []audit.Record) {
	x.Helper()
	for r, err := range x.In.Trail.After(context.Background(), -1) {
		if err != nil {
			x.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// Recorded counts the records of an event whose reason holds a text.
func (x *Site) Recorded(event audit.Event, principal, reason string) (n int) {
	for _, r := range x.Records() {
		if r.Event == event && r.Principal == principal && strings.Contains(r.Reason, reason) {
			n++
		}
	}
	return n
}

// given are the ports that were given out in this process.
var given sync.Map

// FreeAddress is an address of loopback nobody listens on: above the ports that
// the settings name by default, below those that the kernel gives to connections. It
// is given once: who has it may listen later, when another test looks for one.
func FreeAddress() (string, error) {
	err := errors.New("sitetest: no port of loopback is free")
	for range 100 {
		port := 12_000 + rand.IntN(18_000)
		if _, before := given.LoadOrStore(port, true); before {
			continue
		}

		var l net.Listener
		address := fmt.Sprintf("127.0.0.1:%d", port)
		if l, err = net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", err
}
