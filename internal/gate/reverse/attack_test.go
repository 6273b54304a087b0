package reverse

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"collimator/internal/state"
)

// rawSystem is a system behind that does with each connection what serve says; it gives its origin.
func rawSystem(t *testing.T, serve func(conn net.Conn, in *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn, bufio.NewReader(conn))
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// A system that answers HEAD with a body leaves bytes behind that must not be the answer to the
// next person.
func TestWhatASystemSendsTooMuchIsNotTheAnswerToSomebodyElse(t *testing.T) {
	t.Parallel()
	const stale = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nof-ZZPHI1"
	to := rawSystem(t, func(conn net.Conn, in *bufio.Reader) {
		rq, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if rq.Method != "HEAD" {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew")
			return
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(stale))
		if _, err := in.Peek(1); err == nil { // the body is late
			io.WriteString(conn, stale)
		}
	})
	x := newRig(t, nil, func(b *Block) { b.To = to })
	one, other := x.signedIn("administrator"), x.signedIn("radiologist")
	if a := x.do(one, "HEAD", "/a", nil); a.StatusCode != 200 {
		t.Fatalf("%d", a.StatusCode)
	}
	if a := x.do(other, "GET", "/b", nil); a.text != "new" {
		t.Errorf("somebody else gets %d %q", a.StatusCode, a.text)
	}
}

// endless writes a header that never ends, and gives how much of it was taken.
func endless(conn net.Conn, most int) (taken int) {
	line := []byte("X-Long: " + strings.Repeat("x", 4000) + "\r\n")
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
	for taken < most {
		conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
		n, err := conn.Write(line)
		taken += n
		if err != nil {
			break
		}
	}
	return taken
}

func TestAHeaderWithoutEndIsNotReadOnForAWebSocket(t *testing.T) {
	t.Parallel()
	taken := make(chan int, 1)
	to := rawSystem(t, func(conn net.Conn, in *bufio.Reader) {
		http.ReadRequest(in)
		taken <- endless(conn, 64<<20)
	})
	x := newRig(t, nil, func(b *Block) { b.To, b.WebSocket = to, true })
	if _, rsp := x.socket(x.signedIn("radiologist"), nil); rsp.StatusCode != 502 {
		t.Errorf("%d", rsp.StatusCode)
	}
	if n := <-taken; n >= 64<<20 {
		t.Errorf("%d bytes of a header were read", n)
	}
}

// form is a body of several parts, of which the last one has a content.
func form(before int, content string) []byte {
	return []byte("--zz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n" + strings.Repeat("x", before) +
		"\r\n--zz\r\nContent-Disposition: form-data; name=\"b\"; filename=\"b\"\r\n\r\n" + content + "\r\n--zz--\r\n")
}

func TestAPatchLooksIntoThePartsOfABody(t *testing.T) {
	t.Parallel()
	x := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		io.WriteString(w, "whole")
	}, nil)
	b := x.signedIn("administrator")
	send := func(path, kind string, body []byte) answered {
		return x.do(b, "POST", path, body, "Content-Type", kind)
	}
	for before := range 100 { // wherever a piece ends
		if a := send("/in/a", "multipart/form-data; boundary=zz", form(32<<10-before*3, "PK\x03\x04")); a.StatusCode != 403 {
			t.Fatalf("an archive %d bytes before the end of a piece: %d %s", before*3, a.StatusCode, a.text)
		}
	}
	for name, c := range map[string]struct {
		path, kind string
		body       []byte
		want       int
	}{
		"an archive at once":     {"/in/a", "multipart/form-data; boundary=zz", form(0, "PK\x05\x06"), 403},
		"no archive":             {"/in/a", "multipart/form-data; boundary=zz", form(70000, "DICM PK\x03\x04"), 200},
		"objects in a part":      {"/api/a", "multipart/form-data; boundary=zz", form(0, "<x>"), 403},
		"a type that is none":    {"/in/a", "application/zip; =", []byte("xx"), 415},
		"two types in one":       {"/in/a", "text/plain, application/zip", []byte("xx"), 415},
		"objects in UTF-16":      {"/api/a", "text/plain", []byte("\xff\xfe<\x00x\x00>\x00"), 403},
		"objects in UTF-16BE":    {"/api/a", "text/plain", []byte("\x00 \x00<\x00x\x00>"), 403},
		"objects behind space":   {"/api/a", "text/plain", []byte(strings.Repeat(" ", 600) + "<x>"), 403},
		"no objects":             {"/api/a", "application/json", []byte("  {}"), 200},
		"nothing":                {"/api/a", "application/json", []byte{}, 200},
		"no objects in a part":   {"/api/a", "multipart/form-data; boundary=zz", form(0, "{}"), 200},
		"JSON without end":       {"/in/a", "text/plain", []byte(strings.Repeat("[", 65)), 403},
		"JSON deep in a body":    {"/in/a", "application/json", []byte(`{"a":"` + strings.Repeat("x", 70000) + `","b":` + strings.Repeat(`{"c":`, 64)), 403},
		"JSON as deep as may be": {"/in/a", "application/json", []byte(strings.Repeat("[", 64)), 200},
		"XML that makes nothing": {"/in/a", "text/xml", []byte("<x>"), 200},
	} {
		if a := send(c.path, c.kind, c.body); a.StatusCode != c.want {
			t.Errorf("%s: %d, want %d: %s", name, a.StatusCode, c.want, a.text)
		}
	}
}

// rawBrowser sends bytes with the cookie of a browser, and gives the connection.
func (x *rig) rawBrowser(b *http.Client, head ...string) net.Conn {
	x.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(x.at, "https://"), &tls.Config{RootCAs: x.reg.Authority.Pool(), NextProtos: []string{"http/1.1"}})
	if err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() { conn.Close() })
	rq, _ := http.NewRequest("GET", x.at+"/", nil)
	lines := append(head, "Host: "+strings.TrimPrefix(x.at, "https://"))
	for _, c := range b.Jar.Cookies(rq.URL) {
		lines = append(lines, "Cookie: "+c.Name+"="+c.Value)
	}
	io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
	return conn
}

// An answer that comes before the body is whole reaches the browser, and nothing waits for the rest.
func TestAnAnswerBeforeTheBodyIsWholeIsThereAtOnceAndNoSuccess(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{413: 413, 200: 502, 302: 502} {
		x := newRig(t, nil, func(b *Block) {
			b.To = rawSystem(t, func(conn net.Conn, in *bufio.Reader) {
				rq, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				io.CopyN(io.Discard, rq.Body, headMost)
				fmt.Fprintf(conn, "HTTP/1.1 %d X\r\nLocation: /a\r\nContent-Length: 2\r\n\r\nno", status)
				io.Copy(io.Discard, in)
			})
		})
		conn := x.rawBrowser(x.signedIn("administrator"), "POST /in/a HTTP/1.1", "Content-Length: 100000")
		io.WriteString(conn, strings.Repeat("x", 1000))
		rsp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || rsp.StatusCode != want || !rsp.Close {
			t.Errorf("%d: %v %v", status, rsp, err)
		}
		for x.Usage()[0].Used > 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// What the browser does not send is not what the system behind has to answer for.
func TestABodyThatDoesNotArriveIsNoFaultOfTheSystemBehind(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	for name, body := range map[string]io.Reader{
		"too slow": io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(os.ErrDeadlineExceeded)), "too short": strings.NewReader("abc"),
	} {
		rq := httptest.NewRequest("POST", x.at+"/in/a", body)
		rq.ContentLength = 1000
		a := &asked{x: x.site("PACS"), r: rq, w: httptest.NewRecorder()}
		a.body = a.newUpload()
		_, err := io.ReadAll(a.body)
		if status := statusOf(a.unanswered(t.Context(), err)); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if worst := x.states.Worst(); worst != state.Well {
		t.Errorf("the system behind is told to be unwell: %v", x.states.All())
	}
}

// Nobody waits for a system that says nothing when the session is over.
func TestAWebSocketThatIsNotAnsweredEndsWithTheSession(t *testing.T) {
	t.Parallel()
	asked, gone := make(chan bool), make(chan bool)
	x := newRig(t, nil, func(b *Block) {
		b.WebSocket, b.Wait = true, waitMost
		b.To = rawSystem(t, func(_ net.Conn, in *bufio.Reader) {
			http.ReadRequest(in)
			close(asked)
			in.ReadByte()
			close(gone)
		})
	})
	b := x.signedIn("radiologist")
	x.rawBrowser(b, "GET /socket HTTP/1.1", "Origin: "+x.at, "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13")
	<-asked
	x.must(x.door.Sessions.End(t.Context(), "radiologist", x.persons["radiologist"].ID))
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Error("it is waited for on")
	}
}

// Who asks for a WebSocket where there is none says nothing of the system behind.
func TestASystemThatDoesNotSwitchIsNotUnwell(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, func(b *Block) { b.WebSocket = true })
	if _, rsp := x.socket(x.signedIn("radiologist"), nil); rsp.StatusCode != 502 {
		t.Errorf("%d", rsp.StatusCode)
	}
	if worst := x.states.Worst(); worst != state.Well {
		t.Errorf("the system behind is told to be unwell: %v", x.states.All())
	}
}

// What one parser reads as one request and another as two, or as another one, never reaches the system behind.
func TestARequestThatTwoParsersReadApartReachesNothing(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	b := x.signedIn("administrator")
	const inner = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, c := range map[string]struct {
		head []string
		body string
	}{
		"two lengths":               {[]string{"POST /in/a HTTP/1.1", "Content-Length: 5", "Content-Length: 0"}, inner},
		"a list of lengths":         {[]string{"POST /in/a HTTP/1.1", "Content-Length: 5, 5"}, inner},
		"a length with a sign":      {[]string{"POST /in/a HTTP/1.1", "Content-Length: +5"}, inner},
		"length and chunks":         {[]string{"POST /in/a HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked"}, "0\r\n\r\n" + inner},
		"chunks":                    {[]string{"POST /in/a HTTP/1.1", "Transfer-Encoding: chunked"}, "0\r\n\r\n"},
		"chunks in other letters":   {[]string{"POST /in/a HTTP/1.1", "Transfer-Encoding: xchunked"}, "0\r\n\r\n"},
		"chunks and a space":        {[]string{"POST /in/a HTTP/1.1", "Transfer-Encoding : chunked"}, "0\r\n\r\n"},
		"chunks twice":              {[]string{"POST /in/a HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"}, "0\r\n\r\n"},
		"another host":              {[]string{"GET /a HTTP/1.1", "Host: evil.example"}, ""},
		"an absolute address":       {[]string{"GET " + x.at + "/a HTTP/1.1"}, ""},
		"an address elsewhere":      {[]string{"GET http://evil.example/a HTTP/1.1"}, ""},
		"a tunnel":                  {[]string{"CONNECT " + x.route.Behind() + " HTTP/1.1"}, ""},
		"all options":               {[]string{"OPTIONS * HTTP/1.1"}, ""},
		"a trace":                   {[]string{"TRACE /a HTTP/1.1"}, ""},
		"no slash":                  {[]string{"GET a HTTP/1.1"}, ""},
		"two slashes":               {[]string{"GET //a HTTP/1.1"}, ""},
		"a method in small letters": {[]string{"get /a HTTP/1.1"}, ""},
		"a method with a break":     {[]string{"GET\t/a HTTP/1.1"}, ""},
		"a body of HEAD":            {[]string{"HEAD /a HTTP/1.1", "Content-Length: 5"}, "hello"},
		"a body of DELETE":          {[]string{"DELETE /in/a HTTP/1.1", "Content-Length: 5"}, "hello"},
		"a header without a name":   {[]string{"GET /a HTTP/1.1", ": x"}, ""},
		"an older protocol":         {[]string{"GET /a"}, ""},
		"the cookie twice":          {[]string{"GET /a HTTP/1.1", "Cookie: " + x.site("PACS").visitCookie + "=x"}, ""},
	} {
		conn := x.rawBrowser(b, c.head...)
		io.WriteString(conn, c.body)
		rsp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && rsp.StatusCode < 400 {
			t.Errorf("%s: %d", name, rsp.StatusCode)
		}
		conn.Close()
	}
	if x.count() != 0 {
		t.Errorf("the system behind got %d of them, the last %s %s", x.count(), x.last().Method, x.last().RequestURI)
	}
}

// Cookies do not tell ports apart: who looks at two systems at one host stays signed in at both.
func TestTwoRoutesAtOneHostDoNotSignOneAnotherOut(t *testing.T) {
	t.Parallel()
	one, two := newRig(t, nil, nil), newRig(t, nil, nil)
	a, b := one.browser(), two.browser()
	b.Jar = a.Jar // one browser, that trusts two authorities
	one.signIn(a, "radiologist")
	two.signIn(b, "radiologist")
	for name, status := range map[string]int{
		"the first": one.do(a, "GET", "/a", nil).StatusCode, "the second": two.do(b, "GET", "/a", nil).StatusCode,
	} {
		if status != 200 {
			t.Errorf("%s: %d", name, status)
		}
	}
}
