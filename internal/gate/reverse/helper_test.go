package reverse

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/guard"
	"collimator/internal/house/housetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/state"
	"collimator/internal/tlsprofile"
)

const (
	behindName     = "gate"
	behindPassword = "zz-secret-behind"
)

// oneKey is that of all certificates of these tests.
var oneKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, _ := rsa.GenerateKey(rand.Reader, 2048) // never fails
	return key
})

// rig is a server of pages in front of a system, behind a guard with people.
type rig struct {
	*testing.T
	*Server
	reg     *housetest.Register
	door    *guard.Guard
	log     *housetest.Log
	states  *state.Register
	route   Route
	at      string
	persons map[string]*identity.Session

	mu  sync.Mutex
	got []*http.Request // by the system behind, with the bodies read
}

// freePort is one that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// newRig starts one whose system answers by a handler; nil says "ok".
func newRig(t *testing.T, behind http.HandlerFunc, change func(*Block)) *rig {
	t.Helper()
	x := &rig{T: t, reg: housetest.NewRegister(t), log: housetest.NewLog(t), persons: map[string]*identity.Session{}}
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.mu.Lock()
		x.got = append(x.got, r.Clone(context.Background()))
		x.mu.Unlock()
		if behind != nil {
			behind(w, r)
			return
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "ok")
	}))
	t.Cleanup(system.Close)

	x.states = state.New(x.reg.Clock.Now)
	x.door = guard.New(guard.Options{Registry: x.reg.Registry, Trail: x.reg.Trail, Log: slog.New(slog.NewTextHandler(x.log, nil)), Now: x.reg.Clock.Now})
	port := freePort(t)
	x.at = "https://127.0.0.1:" + port
	block := Block{To: system.URL, At: x.at, Listen: "127.0.0.1:" + port, Allow: []Rule{
		{Name: "look", Roles: []string{"radiologist", "administrator"}, Methods: []string{"GET"}, Paths: []string{"/**"}},
		{Name: "put", Roles: []string{"administrator"}, Methods: []string{"POST", "PUT", "DELETE"}, Paths: []string{"/in/*", "/api/*", "/x/export"}},
	}}
	if change != nil {
		change(&block)
	}
	if err := block.Check(); err != nil {
		t.Fatal(err)
	}
	x.route = Route{Block: block, Name: "PACS"}
	x.reg.Authority.InsecureOneKey(oneKey())
	certificate, err := identity.NewServerCertificate(x.reg.Authority, nil)
	if err != nil {
		t.Fatal(err)
	}
	x.Server = New(Options{
		Door: x.door, States: x.states, Log: slog.New(slog.NewTextHandler(x.log, nil)), Now: x.reg.Clock.Now, Retry: 10 * time.Millisecond,
		TLS:         func(string) (*tls.Config, error) { return tlsprofile.WebServer(certificate.Get), nil },
		Console:     func() string { return "https://console.example:8443" },
		Credentials: func(_, _ string) (string, string, error) { return behindName, behindPassword, nil },
	})
	ctx, end := context.WithCancel(context.Background())
	var going sync.WaitGroup
	going.Go(func() { x.Server.Run(ctx) })
	t.Cleanup(func() { end(); going.Wait() })
	x.Take([]Route{x.route})
	x.await()
	x.guest("administrator") // without one nobody is let in
	return x
}

// await waits until the pages are there.
func (x *rig) await() {
	x.Helper()
	for range 1000 {
		if x.site("PACS") != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	x.Fatal("the pages are not there: ", x.states.All())
}

// browser is one without a session.
func (x *rig) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x.reg.Authority.Pool()}, ForceAttemptHTTP2: true}
	x.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: tr, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// answered is an answer whose body is read.
type answered struct {
	*http.Response
	text string
}

func (x *rig) do(b *http.Client, method, address string, body []byte, header ...string) answered {
	x.Helper()
	if strings.HasPrefix(address, "/") {
		address = x.at + address
	}
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	rq, err := http.NewRequestWithContext(x.Context(), method, address, r)
	if err != nil {
		x.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		rq.Header.Add(header[i], header[i+1])
	}
	rsp, err := b.Do(rq)
	if err != nil {
		x.Fatal(err)
	}
	defer rsp.Body.Close()
	text, _ := io.ReadAll(rsp.Body)
	return answered{rsp, string(text)}
}

// navigation are the headers with which a browser goes to a page.
var navigation = []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Accept", "text/html"}

// led is where a browser is led to the console: its nonce and where it wanted to.
func (x *rig) led(b *http.Client, path string) (nonce, to string) {
	x.Helper()
	a := x.do(b, "GET", path, nil, navigation...)
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.StatusCode != 303 || u.Host != "console.example:8443" || u.Path != "/web/PACS" {
		x.Fatalf("%d, led to %v, %v", a.StatusCode, u, err)
	}
	return u.Query().Get("nonce"), u.Query().Get("to")
}

// guest is somebody of a role, by the name of which the person goes, who is signed in at the console.
func (x *rig) guest(name string) Guest {
	x.Helper()
	if x.persons[name] == nil {
		x.reg.Person(x.T, name, policy.Role(name))
		s, _, err := x.door.Sessions.Start(x.Context(), name, "totp", "127.0.0.1", true, "")
		if err != nil {
			x.Fatal(err)
		}
		x.persons[name] = s
	}
	return Guest{Person: name, Role: policy.Role(name), Session: x.persons[name].ID}
}

var refresh = regexp.MustCompile(`content="0;url=([^"]*)"`)

// signedIn is a browser of somebody at the pages.
func (x *rig) signedIn(name string) *http.Client {
	x.Helper()
	b := x.browser()
	x.signIn(b, name)
	return b
}

// signIn signs a browser in at the pages.
func (x *rig) signIn(b *http.Client, name string) {
	x.Helper()
	nonce, to := x.led(b, "/")
	address, err := x.Ticket(x.Context(), x.guest(name), "PACS", nonce, to)
	if err != nil {
		x.Fatal(err)
	}
	if a := x.do(b, "GET", address, nil, navigation...); a.StatusCode != 200 || !refresh.MatchString(a.text) {
		x.Fatalf("%d %s", a.StatusCode, a.text)
	}
}

// last is the newest request that the system behind got.
func (x *rig) last() *http.Request {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.got) == 0 {
		x.Fatal("the system behind got nothing")
	}
	return x.got[len(x.got)-1]
}

// count is how many requests it got.
func (x *rig) count() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.got)
}

func (x *rig) records() []audit.Record { return x.reg.Records(x.T) }
