package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/gate/maintenance"
	"collimator/internal/house"
	"collimator/internal/house/housetest"
	"collimator/internal/house/sitetest"
)

// doorSite is a site with a route to a system on loopback, and the address of a
// service there that says what it hears.
func doorSite(t *testing.T) (x *sitetest.Site, target string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	housetest.EachConnection(t, l, func(conn net.Conn) { io.Copy(conn, conn) })
	x = sitetest.NewRoutedSite(t, `routes:
  - {name: CT2, protect: "OLDCT@127.0.0.1:104", rules: [{name: all, registered: true}]}
  - {name: SHUT, protect: "OLDCT@127.0.0.1:104", closed: true, rules: [{name: all, registered: true}]}
`)
	ctx, cancel := context.WithCancel(t.Context())
	var doors sync.WaitGroup
	doors.Go(func() { x.Server.Doors.Run(ctx) })
	t.Cleanup(func() { cancel(); doors.Wait() })

	// Commands beside the server know it by its settings.
	settings := filepath.Join(x.In.Config.Data, "collimator.yaml")
	if err := os.WriteFile(settings, []byte("http: "+x.Address+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return x, l.Addr().String()
}

// inTime is a command line that runs until the test ends it.
type inTime struct {
	out, errs sitetest.Log
	cancel    context.CancelFunc
	code      chan int
}

func begin(t *testing.T, stdin string, args ...string) *inTime {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &inTime{cancel: cancel, code: make(chan int, 1)}
	go func() {
		c.code <- run(args, &env{stdin: strings.NewReader(stdin), stdout: &c.out, stderr: &c.errs, ctx: ctx})
	}()
	t.Cleanup(cancel)
	return c
}

// viewer is the address at which a viewer is to be pointed.
func (c *inTime) viewer(t *testing.T) string {
	t.Helper()
	at := regexp.MustCompile(`Point the viewer at (\S+);`)
	for range 1000 {
		if m := at.FindStringSubmatch(c.out.String()); m != nil {
			return m[1]
		}
		select {
		case code := <-c.code:
			t.Fatalf("code %d: %s", code, c.errs.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("nothing listens: %s", c.errs.String())
	return ""
}

// wantInDoctor wants the doctor to say something within a few seconds.
func wantInDoctor(x *sitetest.Site, t *testing.T, want string) {
	t.Helper()
	out := ""
	for range 50 {
		if out, _ = runOn(x.In, t, "doctor"); strings.Contains(out, want) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("the doctor does not say %q: %s", want, out)
}

func says(t *testing.T, conn net.Conn, word string) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(conn, word)
	b := make([]byte, len(word))
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != word {
		t.Fatalf("%q, %v", b, err)
	}
}

func TestAVendorComesThroughADoorAndItIsShut(t *testing.T) {
	t.Parallel()
	x, target := doorSite(t)
	vendor := x.SignIn("vendor")
	open := []string{"gate", "open", "CT2", "--to", target, "--for", "vendor", "--minutes", "60"}
	var out, errs bytes.Buffer
	if code := run(append(open, "--data", x.In.Config.Data), &env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, ctx: t.Context()}); code != 0 {
		t.Fatalf("code %d: %s", code, errs.String())
	}
	code := strings.TrimSpace(out.String())

	factor := sitetest.Code(vendor.TOTP, sitetest.NowStep()+1)
	c := begin(t, sitetest.Password+"\n"+factor+"\n", "connect", code, "--as", "vendor", "--listen", "127.0.0.1:0")
	at := c.viewer(t)
	for _, word := range []string{"first", "again"} { // a viewer comes again
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		says(t, conn, word)
		if word == "first" {
			conn.Close()
			continue
		}
		if out, code := runOn(x.In, t, "gate", "doors"); code != 0 || !strings.Contains(out, "in use") || !strings.Contains(out, "127.0.0.1") {
			t.Errorf("code %d: %s", code, out)
		}
		wantInDoctor(x, t, "number 1 to "+target+" for vendor at CT2")
		if out, code := runOn(x.In, t, "gate", "shut", "1"); code != 0 {
			t.Fatalf("code %d: %s", code, out)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("it goes on after it was shut")
		}
	}

	c.cancel()
	if code := <-c.code; code != 0 {
		t.Errorf("code %d: %s", code, c.errs.String())
	}
	again := begin(t, sitetest.Password+"\n000000\n", "connect", code, "--as", "vendor")
	if code := <-again.code; code == 0 || strings.Contains(again.out.String(), "viewer") {
		t.Errorf("the code counts again: %s", again.out.String())
	}
	x.Server.Doors.Close()
	told, _ := runOn(x.In, t, "audit", "search", "--event", "maintenance-door")
	for _, want := range []string{"opened, to " + target, "entered", "connected", "5 bytes to the target, 5 from it", "shut, to", "2 connections"} {
		if !strings.Contains(told, want) {
			t.Errorf("the trail does not say %q:\n%s", want, told)
		}
	}
	if strings.Contains(told+x.Log.String(), "first") || strings.Contains(told, code[len(code)-27:]) {
		t.Errorf("the trail or the log holds what was carried, or the code:\n%s", told)
	}
}

func TestADoorIsOpenedForWhoMayAndWhereItMay(t *testing.T) {
	t.Parallel()
	x, target := doorSite(t)
	x.SignIn("radiologist")
	x.SignIn("administrator")
	for want, args := range map[string][]string{
		"a door is for a vendor or an administrator": {"CT2", "--to", target, "--for", "radiologist", "--minutes", "60"},
		"has no authenticator app":                   {"CT2", "--to", target, "--for", "vendor", "--minutes", "60"},
		"nobody of the name nobody is registered":    {"CT2", "--to", target, "--for", "nobody", "--minutes", "60"},
		"is closed":                    {"SHUT", "--to", target, "--for", "administrator", "--minutes", "60"},
		"the rules of the route guard": {"CT2", "--to", "127.0.0.1:104", "--for", "administrator", "--minutes", "60"},
		"this server itself":           {"CT2", "--to", x.Address, "--for", "administrator", "--minutes", "60"},
		"1 to 480":                     {"CT2", "--to", target, "--for", "administrator", "--minutes", "481"},
	} {
		if out, code := runOn(x.In, t, append([]string{"gate", "open"}, args...)...); code == 0 || !strings.Contains(out, want) {
			t.Errorf("%v: code %d: %s", args, code, out)
		}
	}

	// Another certificate than that of the code is not spoken to.
	out, code := runOn(x.In, t, "gate", "open", "CT2", "--to", target, "--for", "administrator", "--minutes", "1", "--pin", house.KeysDir)
	if code == 0 {
		t.Errorf("a directory is a certificate: %s", out)
	}
	cert, _, err := sitetest.SelfSigned(7)
	wrong := filepath.Join(t.TempDir(), "proxy.pem")
	if err := errors.Join(err, os.WriteFile(wrong, cert, 0o600)); err != nil {
		t.Fatal(err)
	}
	out, code = runOn(x.In, t, "gate", "open", "CT2", "--to", target, "--for", "administrator", "--minutes", "1", "--pin", wrong)
	text := regexp.MustCompile(`localhost:\d+/\S{70}`).FindString(out)
	if code != 0 || text == "" {
		t.Fatalf("code %d: %s", code, out)
	}
	c := begin(t, sitetest.Password+"\n000000\n", "connect", text, "--as", "administrator")
	if code := <-c.code; code == 0 || !strings.Contains(c.errs.String(), "another certificate") {
		t.Errorf("code %d: %s", code, c.errs.String())
	}
}

// Who has a code and a password, and no second factor, comes nowhere and spends nothing.
func TestAStolenCodeOpensNothingWithoutTheFactor(t *testing.T) {
	t.Parallel()
	x, target := doorSite(t)
	admin := x.SignIn("administrator")
	x.SignIn("vendor")
	a := admin.Must(200, "POST", "/api/v1/gate/doors", map[string]any{"route": "CT2", "to": target, "for": "vendor", "minutes": 5})
	code := a.JSON["code"].(string)
	for range 3 {
		c := begin(t, sitetest.Password+"\n000000\n", "connect", code, "--as", "vendor")
		if n := <-c.code; n == 0 || !strings.Contains(c.errs.String(), "do not count") {
			t.Errorf("code %d: %s", n, c.errs.String())
		}
	}

	secret := decodeSecret(t, code)
	half := x.Browser()
	half.Must(200, "POST", "/api/v1/session/password", map[string]string{"name": "vendor", "password": sitetest.Password})
	half.Must(401, "POST", "/api/v1/door", map[string]string{"code": secret})
	x.SignIn("radiologist").Must(403, "POST", "/api/v1/door", map[string]string{"code": secret})
	admin.Must(403, "POST", "/api/v1/door", map[string]string{"code": secret})
	if list := admin.Must(200, "GET", "/api/v1/gate/doors", nil); !strings.Contains(list.Text, `"openedBy":"administrator"`) || strings.Contains(list.Text, "claimed") {
		t.Errorf("%s", list.Text)
	}
	admin.Must(204, "DELETE", "/api/v1/gate/doors/1", nil)
	admin.Must(404, "DELETE", "/api/v1/gate/doors/1", nil)
}

// What asks for the protocol in any other way than the one is refused before the target
// is called, and nothing that stands behind it is taken for a request.
func TestOnlyOneWayOfAskingMakesAConnection(t *testing.T) {
	t.Parallel()
	x, target := doorSite(t)
	admin, vendor := x.SignIn("administrator"), x.SignIn("vendor")
	a := admin.Must(200, "POST", "/api/v1/gate/doors", map[string]any{"route": "CT2", "to": target, "for": "vendor", "minutes": 5})
	text := a.JSON["code"].(string)
	parsed := decodeSecret(t, text)
	vendor.Must(200, "POST", "/api/v1/door", map[string]string{"code": parsed})
	vendor.Must(400, "GET", "/api/v1/door/connection", nil)

	head := "GET /api/v1/door/connection HTTP/1.1\r\nHost: " + x.Host + "\r\nCookie: __Host-session=" + vendor.Cookie() + "\r\n"
	good := "Connection: keep-alive, Upgrade\r\nUpgrade: collimator-door\r\n"
	for name, c := range map[string]struct{ request, want string }{
		"as it should be":        {head + good + "\r\n", "101"},
		"a websocket":            {head + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "400"},
		"two protocols":          {head + good + "Upgrade: websocket\r\n\r\n", "400"},
		"not of this connection": {head + "Upgrade: collimator-door\r\n\r\n", "400"},
		"with a body":            {head + good + "Content-Length: 4\r\n\r\nping", "400"},
		"with a body in chunks":  {head + good + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		"HTTP/1.0":               {strings.Replace(head, "HTTP/1.1", "HTTP/1.0", 1) + good + "\r\n", "400"},
		"more behind it":         {head + good + "\r\nGET /api/v1/people HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		"nobody":                 {strings.Replace(head, vendor.Cookie(), "x", 1) + good + "\r\n", "401"},
	} {
		if got := statusLine(t, x, c.request); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// decodeSecret is the part of a code that the API takes.
func decodeSecret(t *testing.T, text string) string {
	t.Helper()
	c, err := maintenance.ParseCode(text)
	if err != nil {
		t.Fatal(err)
	}
	return c.Secret
}

// statusLine is the status with which the server answers what is sent to it; empty
// where it closes.
func statusLine(t *testing.T, x *sitetest.Site, request string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", x.Address, &tls.Config{RootCAs: x.In.Authority.Pool(), ServerName: "localhost", NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, request)
	b := make([]byte, 12)
	n, _ := io.ReadFull(conn, b)
	_, status, _ := strings.Cut(string(b[:n]), " ")
	return status
}
