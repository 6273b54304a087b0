package reverse

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// switching is a system that switches to WebSocket and says again what it hears.
func switching(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.WriteHeader(400)
		return
	}
	conn, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nSet-Cookie: zz=1\r\nServer: zz\r\n\r\n")
	rw.Flush()
	io.Copy(conn, rw)
}

// socket asks for a WebSocket with the cookie of a browser, and gives the connection and the answer.
func (x *rig) socket(b *http.Client, change func(lines []string) []string) (net.Conn, *http.Response) {
	x.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(x.at, "https://"), &tls.Config{RootCAs: x.reg.Authority.Pool(), NextProtos: []string{"http/1.1"}})
	if err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() { conn.Close() })
	rq, _ := http.NewRequest("GET", x.at+"/", nil)
	cookie := ""
	for _, c := range b.Jar.Cookies(rq.URL) {
		if c.Name == x.site("PACS").visitCookie {
			cookie = c.Name + "=" + c.Value
		}
	}
	lines := []string{"GET /socket HTTP/1.1", "Host: " + strings.TrimPrefix(x.at, "https://"), "Cookie: " + cookie, "Origin: " + x.at,
		"Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"}
	if change != nil {
		lines = change(lines)
	}
	io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
	in := bufio.NewReader(conn)
	rsp, err := http.ReadResponse(in, nil)
	if err != nil {
		x.Fatal(err)
	}
	return &bufferedConn{conn, in}, rsp
}

func TestAWebSocketIsRefusedWhereTheRouteDoesNotAllowIt(t *testing.T) {
	t.Parallel()
	x := newRig(t, switching, nil)
	if _, rsp := x.socket(x.signedIn("radiologist"), nil); rsp.StatusCode != 403 {
		t.Errorf("%d", rsp.StatusCode)
	}
	if x.count() != 0 {
		t.Error("the system behind heard of it")
	}
}

func TestAWebSocketThatIsAllowedIsOneWayOfAskingAlone(t *testing.T) {
	t.Parallel()
	x := newRig(t, switching, func(b *Block) { b.WebSocket = true })
	b := x.signedIn("radiologist")
	instead := func(i int, line string) func([]string) []string {
		return func(lines []string) []string { lines[i] = line; return lines }
	}
	for name, change := range map[string]func([]string) []string{
		"another protocol":  instead(5, "Upgrade: h2c"),
		"two":               instead(5, "Upgrade: websocket\r\nUpgrade: h2c"),
		"another origin":    instead(3, "Origin: https://evil.example"),
		"no origin":         instead(3, "X: y"),
		"an old version":    instead(7, "Sec-WebSocket-Version: 8"),
		"not of connection": instead(4, "Connection: keep-alive"),
		"with a body":       instead(7, "Sec-WebSocket-Version: 13\r\nContent-Length: 1"),
		"another method":    instead(0, "POST /in/socket HTTP/1.1"),
	} {
		if _, rsp := x.socket(b, change); rsp.StatusCode < 400 {
			t.Errorf("%s: %d", name, rsp.StatusCode)
		}
	}
	if _, rsp := x.socket(b, instead(2, "X: y")); rsp.StatusCode != 401 {
		t.Errorf("without a session: %d", rsp.StatusCode)
	}
	if x.count() != 0 {
		t.Error("the system behind heard of it")
	}
}

func TestAWebSocketCarriesUntilTheSessionEnds(t *testing.T) {
	t.Parallel()
	x := newRig(t, switching, func(b *Block) { b.WebSocket = true })
	conn, rsp := x.socket(x.signedIn("radiologist"), nil)
	if rsp.StatusCode != 101 || rsp.Header.Get("Set-Cookie") != "" || rsp.Header.Get("Server") != "" {
		t.Fatalf("%d %v", rsp.StatusCode, rsp.Header)
	}
	if got := x.last(); got.Header.Get("Origin") != x.route.To || got.Header.Get("Cookie") != "" {
		t.Errorf("%v", got.Header)
	}
	io.WriteString(conn, "hello")
	word := make([]byte, 5)
	if _, err := io.ReadFull(conn, word); err != nil || string(word) != "hello" {
		t.Fatalf("%q %v", word, err)
	}
	x.must(x.door.Sessions.End(t.Context(), "radiologist", x.persons["radiologist"].ID))
	if _, err := conn.Read(word); err == nil {
		t.Error("it goes on when the session is over")
	}
}
