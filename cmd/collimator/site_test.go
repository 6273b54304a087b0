package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/guard"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

// lockedBuffer is a log for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// site is the HTTPS listener of serve on loopback, over an archive with the
// studies 2.25.70 and 2.25.71.
type site struct {
	*testing.T
	s    *house.Server
	in   *house.Installation
	addr string // of the listener
	host string // localhost and its port
	log  *lockedBuffer
}

const testPassword = "correct horse battery"

// newSite starts the server. Without an administrator unless one is added.
func newSite(t *testing.T, change func(*config.Config)) *site {
	t.Helper()
	addr, err := freeAddress()
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
	in := sitetest.Open(t, c)
	x := &site{T: t, in: in, addr: addr, log: &lockedBuffer{}}
	_, port, _ := net.SplitHostPort(addr)
	x.host = "localhost:" + port
	if x.s, err = house.NewServer(in, slog.New(slog.NewTextHandler(x.log, nil))); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		sitetest.Ingest(t, x.s.Archive, i, byte(i))
	}
	web, err := x.s.ListenWeb()
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
		if strings.Contains(x.log.String(), "ZZPHI") {
			t.Error("the log holds patient data")
		}
		x.s.Close()
		in.Close()
	})
	return x
}

// newPeopledSite is a site with one person of each role, named like the role,
// and the study 2.25.70 granted to the referrer.
func newPeopledSite(t *testing.T, change func(*config.Config)) *site {
	x := newSite(t, change)
	for _, r := range policy.Roles() {
		if err := x.in.Registry.AddPerson(t.Context(), string(r), string(r), testPassword); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.in.Registry.GrantStudy(t.Context(), "referrer", "2.25.70"); err != nil {
		t.Fatal(err)
	}
	return x
}

// browser keeps cookies as a browser does.
type browser struct {
	*site
	client *http.Client
	jar    http.CookieJar
	header http.Header // sent with each request
	totp   string      // secret of the authenticator app
}

func (x *site) browser() *browser { return x.browserAt("127.0.0.1") }

// browserAt is a browser with an address of loopback.
func (x *site) browserAt(ip string) *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: x.in.Authority.Pool(), MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if _, port, _ := net.SplitHostPort(address); strings.HasSuffix(x.addr, ":"+port) {
				address = x.addr
			}
			return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).DialContext(ctx, network, address)
		},
	}
	x.Cleanup(tr.CloseIdleConnections)
	return &browser{site: x, jar: jar, header: http.Header{}, client: &http.Client{Jar: jar, Transport: tr, Timeout: time.Minute}}
}

// answer is a response whose body is read.
type answer struct {
	*http.Response
	text string
	json map[string]any
}

func (b *browser) send(method, path string, body any, header ...string) answer {
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
		path = "https://" + b.host + path
	}
	rq, err := http.NewRequestWithContext(b.Context(), method, path, r)
	if err != nil {
		b.Fatal(err)
	}
	rq.Header = b.header.Clone()
	if body != nil {
		rq.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		rq.Header.Set(header[i], header[i+1])
	}
	rsp, err := b.client.Do(rq)
	if err != nil {
		b.Fatal(err)
	}
	defer rsp.Body.Close()
	text, err := io.ReadAll(rsp.Body)
	if err != nil {
		b.Fatal(err)
	}
	a := answer{Response: rsp, text: string(text)}
	json.Unmarshal(text, &a.json) // where it is JSON
	return a
}

// must sends a request and wants a status.
func (b *browser) must(status int, method, path string, body any, header ...string) answer {
	b.Helper()
	a := b.send(method, path, body, header...)
	if a.StatusCode != status {
		b.Fatalf("%s %s: status %d, want %d: %.300s", method, path, a.StatusCode, status, a.text)
	}
	return a
}

// cookie is the secret of the session; empty without one.
func (b *browser) cookie() string {
	rq, _ := http.NewRequest("GET", "https://"+b.host+"/", nil)
	for _, c := range b.jar.Cookies(rq.URL) {
		if c.Name == guard.SessionCookie {
			return c.Value
		}
	}
	return ""
}

// testCode is what an authenticator app shows, made apart from the code under test.
func testCode(secret string, step int64) string {
	key, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	mac := hmac.New(sha1.New, key)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(step))
	mac.Write(b[:])
	sum := mac.Sum(nil)
	at := sum[19] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff)%1e6)
}

func nowStep() int64 { return time.Now().Unix() / 30 }

// signIn is the first sign-in of a person: password, then an authenticator app.
func (x *site) signIn(name string) *browser {
	x.Helper()
	b := x.browser()
	if a := b.must(200, "POST", "/api/v1/session/password", map[string]string{"name": name, "password": testPassword}); a.json["state"] != "enrol" {
		x.Fatalf("after the password: %s", a.text)
	}
	b.enrol()
	return b
}

// enrol sets an authenticator app up and returns the recovery codes.
func (b *browser) enrol() (codes []any) {
	b.Helper()
	a := b.must(200, "POST", "/api/v1/session/enrol/totp", nil)
	b.totp = a.json["secret"].(string)
	a = b.must(200, "POST", "/api/v1/session/enrol/totp/confirm", map[string]string{"code": testCode(b.totp, nowStep()-1)})
	codes, _ = a.json["recoveryCodes"].([]any)
	return codes
}

// records gives the whole trail.
func (x *site) records() (out []audit.Record) {
	x.Helper()
	for r, err := range x.in.Trail.After(context.Background(), -1) {
		if err != nil {
			x.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// recorded counts the records of an event whose reason holds a text.
func (x *site) recorded(event audit.Event, principal, reason string) (n int) {
	for _, r := range x.records() {
		if r.Event == event && r.Principal == principal && strings.Contains(r.Reason, reason) {
			n++
		}
	}
	return n
}
