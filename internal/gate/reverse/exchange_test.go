package reverse

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheSystemGetsWhatIsNeededAndNothingOfOurs(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	b := x.signedIn("administrator")
	a := x.do(b, "POST", "/in/a%20b?q=%C3%A4&flag", []byte(`{"a":1}`), "Content-Type", "application/json", "Accept", "text/html", "Accept-Encoding", "gzip",
		"X-Forwarded-For", "1.2.3.4", "X-HTTP-Method-Override", "DELETE", "X-Original-URL", "/admin", "Origin", x.at, "Referer", x.at+"/p?ZZPHI", "Cookie", "own=1",
		"X-Requested-With", "XMLHttpRequest", "Forwarded", "for=x", "Te", "trailers", "Authorization", "Bearer zz-token")
	if a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	got := x.last()
	name, password, ok := got.BasicAuth()
	if !ok || name != behindName || password != behindPassword {
		t.Errorf("the password is not shown: %q", got.Header.Get("Authorization"))
	}
	if got.RequestURI != "/in/a%20b?q=%C3%A4&flag" || got.Method != "POST" || got.ContentLength != 7 || len(got.TransferEncoding) > 0 || got.Host != strings.TrimPrefix(x.route.To, "http://") {
		t.Errorf("%s %s, %d bytes, host %s", got.Method, got.RequestURI, got.ContentLength, got.Host)
	}
	for name := range got.Header {
		switch name {
		case "Accept", "Content-Type", "Content-Length", "User-Agent", "Authorization", "X-Requested-With", "Connection": // that it closes
		default:
			t.Errorf("%s is passed on: %q", name, got.Header[name])
		}
	}
	if got.UserAgent() != "collimator" || got.Header.Get("Connection") != "close" {
		t.Errorf("%q", got.UserAgent())
	}
}

func TestABrowserGetsNothingThatIsOfTheSystemAlone(t *testing.T) {
	t.Parallel()
	x := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Server", "Old/1.0")
		for _, name := range []string{"X-Powered-By", "Www-Authenticate", "Access-Control-Allow-Origin", "Clear-Site-Data", "Refresh", "Link", "Service-Worker-Allowed",
			"Content-Security-Policy", "Strict-Transport-Security", "X-Frame-Options", "Alt-Svc", "Set-Cookie2"} {
			h.Set(name, "zz-"+r.Host)
		}
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "zz-cookie", Path: "/in"})
		http.SetCookie(w, &http.Cookie{Name: "all", Value: "zz-every"})
		h.Set("Etag", `"1"`)
		io.WriteString(w, "<html>")
	}, nil)
	b := x.signedIn("administrator")
	a := x.do(b, "GET", "/a", nil)
	for name, list := range a.Header {
		for _, value := range list {
			if strings.Contains(value, "zz-") || name == "Server" || name == "Set-Cookie" {
				t.Errorf("%s: %s", name, value)
			}
		}
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=63072000", "X-Frame-Options": "SAMEORIGIN",
		"Cache-Control": "no-store", "Etag": `"1"`, "Content-Type": "text/html; charset=utf-8",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	policy := a.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'self'", "connect-src 'self'", "form-action 'self'", "frame-ancestors 'self'", "object-src 'none'", "base-uri 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}

	// Its cookies come back to it from here, by path, and for this browser alone.
	for path, want := range map[string]string{"/in/x": "sid=zz-cookie; all=zz-every", "/other": "all=zz-every", "/inner": "all=zz-every"} {
		x.do(b, "GET", path, nil)
		if got := x.last().Header.Get("Cookie"); got != want {
			t.Errorf("at %s it gets %q, want %q", path, got, want)
		}
	}
	x.do(x.signedIn("administrator"), "GET", "/in/x", nil)
	if got := x.last().Header.Get("Cookie"); got != "" {
		t.Errorf("another browser brings %q", got)
	}
}

func TestCookiesOfTheSystemAreBounded(t *testing.T) {
	t.Parallel()
	v, now := &visit{}, time.Now()
	for i := range 1000 {
		v.keep([]string{fmt.Sprintf("c%d=1", i), "long=" + strings.Repeat("x", 5000), "=", "bad\x00=1"}, now)
	}
	v.keep([]string{"c0=2", "c1=1; Max-Age=0", "c2=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, now)
	rq, _ := http.NewRequest("GET", "http://x/", nil)
	v.bring(rq, now)
	if text := rq.Header.Get("Cookie"); len(v.cookies) != cookiesMost-2 || !strings.HasPrefix(text, "c0=2; c3=1") {
		t.Errorf("%d cookies, %q", len(v.cookies), text)
	}
}

func TestCookiesOfTheSystemAreAsLongAsAHeaderMayBeAndLastAsItSays(t *testing.T) {
	t.Parallel()
	v, now := &visit{}, time.Now()
	bring := func(now time.Time) string {
		rq, _ := http.NewRequest("GET", "http://x/", nil)
		v.bring(rq, now)
		return rq.Header.Get("Cookie")
	}
	v.keep([]string{"short=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "whole=1; Max-Age=999999999999"}, now)
	if got := bring(now); got != "short=1; whole=1" {
		t.Errorf("%q", got)
	}
	if got := bring(now.Add(61 * time.Second)); got != "whole=1" {
		t.Errorf("a minute later: %q", got)
	}
	for i := range cookiesMost {
		v.keep([]string{fmt.Sprintf("c%d=%s", i, strings.Repeat("x", 3000))}, now)
	}
	if got := bring(now); len(got) > jarMost+1024 || !strings.HasPrefix(got, "short=1") {
		t.Errorf("%d bytes of cookies", len(got))
	}
}

func TestWhereTheSystemLeadsIsOnThisOriginOrNowhere(t *testing.T) {
	t.Parallel()
	var to atomic.Value
	x := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to.Load().(string))
		w.WriteHeader(302)
	}, nil)
	b := x.signedIn("radiologist")
	for location, want := range map[string]string{
		x.route.To + "/app/x?a=b#c": "/app/x?a=b#c", x.at + "/y": "/y", "/z": "/z", "other": "/dir/other", "../up": "/up", "?q=1": "/dir/page?q=1",
		"https://evil.example/": "", "//evil.example/": "", `/\evil.example`: "", "javascript:alert(1)": "", "http://127.0.0.1:1/": "", "http://u@" + x.route.To[7:] + "/": "",
		"/a%2f..%2f": "", "https:evil": "",
	} {
		to.Store(location)
		a := x.do(b, "GET", "/dir/page", nil)
		if got := a.Header.Get("Location"); got != want || want == "" && a.StatusCode != 502 || want != "" && a.StatusCode != 302 {
			t.Errorf("%q leads to %q (%d), want %q", location, got, a.StatusCode, want)
		}
	}
}

func TestAProgramDoesNotReachABrowser(t *testing.T) {
	t.Parallel()
	pe := make([]byte, 600)
	copy(pe, "MZ")
	pe[60] = 128
	copy(pe[128:], "PE\x00\x00")
	bodies := map[string]string{
		"pe": string(pe), "elf": "\x7fELF\x02\x01", "macho": "\xcf\xfa\xed\xfe", "script": "#!/bin/sh\nrm -rf /\n",
		"page": "<html>MZ", "text": "MZ is text", "css": "#!important", "zip": "PK\x03\x04", "none": "",
	}
	x := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, bodies[strings.TrimPrefix(r.URL.Path, "/")])
	}, nil)
	b := x.signedIn("radiologist")
	for name, body := range bodies {
		a := x.do(b, "GET", "/"+name, nil)
		program := name == "pe" || name == "elf" || name == "macho" || name == "script"
		if program && (a.StatusCode != 502 || strings.Contains(a.text, body)) || !program && (a.StatusCode != 200 || a.text != body) {
			t.Errorf("%s: %d %.40q", name, a.StatusCode, a.text)
		}
	}
	told := 0
	for _, r := range x.records() {
		if strings.Contains(r.Reason, "is a program") {
			told++
		}
	}
	if told != 4 {
		t.Errorf("%d of four programs stand in the trail", told)
	}
}

func TestARequestThatIsNotAsItShouldBeIsRefusedBeforeTheSystemHearsOfIt(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	b := x.signedIn("administrator")
	for name, c := range map[string]struct {
		method, path string
		body         []byte
		header       []string
		want         int
	}{
		"too long":              {"POST", "/in/a", make([]byte, 1<<20+1), nil, 413},
		"a body of GET":         {"GET", "/a", []byte("x"), nil, 400},
		"a service worker":      {"GET", "/sw.js", nil, []string{"Service-Worker", "script"}, 403},
		"compressed":            {"POST", "/in/a", []byte("\x1f\x8b\x08"), []string{"Content-Encoding", "gzip"}, 403},
		"an archive":            {"POST", "/in/a", []byte("PK\x03\x04 and more"), nil, 403},
		"an archive by type":    {"POST", "/in/a", []byte("xx"), []string{"Content-Type", "application/zip"}, 403},
		"an export":             {"POST", "/x/export", []byte("/etc"), nil, 403},
		"objects":               {"POST", "/api/users", []byte(" <sorted-set>"), nil, 403},
		"two types":             {"POST", "/in/a", []byte("x"), []string{"Content-Type", "text/plain", "Content-Type", "text/html"}, 400},
		"of another origin":     {"POST", "/in/a", []byte("x"), []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"of a sibling":          {"DELETE", "/in/a", nil, []string{"Sec-Fetch-Site", "same-site"}, 403},
		"of an origin":          {"POST", "/in/a", []byte("x"), []string{"Origin", "https://console.example:8443"}, 403},
		"a picture elsewhere":   {"GET", "/a", nil, []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		"hundreds of parts":     {"GET", "/a", nil, []string{"Range", "bytes=0-" + strings.Repeat(",0-1", 300)}, 400},
		"an unknown method":     {"PROPFIND", "/a", nil, nil, 403},
		"another method hidden": {"POST", "/in/a?_method=DELETE", []byte("x"), nil, 403},
		"our own address":       {"GET", "/.collimator/other", nil, nil, 403},
		"our own, encoded":      {"GET", "/%2ecollimator/enter?ticket=x", nil, nil, 403},
		"dots":                  {"GET", "/a/%2e%2e/b", nil, nil, 403},
		"a slash":               {"GET", "/a%2fb", nil, nil, 403},
	} {
		if a := x.do(b, c.method, c.path, c.body, c.header...); a.StatusCode != c.want {
			t.Errorf("%s: %d, want %d: %s", name, a.StatusCode, c.want, a.text)
		}
	}
	if x.count() != 0 {
		t.Errorf("the system behind got %d of them", x.count())
	}
	if a := x.do(b, "POST", "/in/a", make([]byte, 1<<20)); a.StatusCode != 200 {
		t.Errorf("as long as it may be: %d %s", a.StatusCode, a.text)
	}
	refused := 0
	for _, r := range x.records() {
		if strings.Contains(r.Reason, "patch ") {
			refused++
		}
	}
	if refused == 0 {
		t.Error("no patch stands in the trail")
	}
}

func TestASystemThatSaysNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	x := newRig(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(b *Block) { b.Wait = 50 * time.Millisecond })
	if a := x.do(x.signedIn("radiologist"), "GET", "/a", nil); a.StatusCode != 504 {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	if worst := x.states.Worst(); worst == 0 {
		t.Errorf("its state is well: %v", x.states.All())
	}
}

func TestASystemThatDoesNotTakeThePasswordIsToldAndNobodyIsAskedForOne(t *testing.T) {
	t.Parallel()
	x := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(401)
	}, nil)
	if a := x.do(x.signedIn("radiologist"), "GET", "/a", nil); a.StatusCode != 502 || a.Header.Get("Www-Authenticate") != "" || strings.Contains(a.text, behindPassword) {
		t.Errorf("%d %v %s", a.StatusCode, a.Header, a.text)
	}
}

// dripping gives a byte every so often.
type dripping struct{ every time.Duration }

func (d dripping) Read(p []byte) (int, error) {
	time.Sleep(d.every)
	return rand.Read(p[:1])
}

func TestAnAnswerThatDripsIsEndedAndOneThatMovesIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		n, err := io.Copy(io.Discard, newPaced(dripping{time.Second}))
		if took := time.Since(began); err == nil || took > 2*paceWindow || n > 100 {
			t.Errorf("%d bytes in %s, %v", n, took, err)
		}
		n, err = io.Copy(io.Discard, io.LimitReader(newPaced(dripping{time.Millisecond}), 1<<20))
		if err != nil || n != 1<<20 {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

// Two hundred at a time: all are answered, and the system has no more of them than it bears.
func TestTwoHundredAtATimeAreAllAnsweredWithinWhatTheSystemBears(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	x := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		runtime.Gosched()
		now.Add(-1)
		io.WriteString(w, "ok")
	}, func(b *Block) { b.Requests = 8 })
	browsers := []*http.Client{x.signedIn("radiologist"), x.signedIn("administrator")}
	var all sync.WaitGroup
	var good atomic.Int64
	for i := range 200 {
		all.Go(func() {
			if a := x.do(browsers[i%2], "GET", fmt.Sprintf("/a/%d", i), nil); a.StatusCode == 200 && a.text == "ok" {
				good.Add(1)
			}
		})
	}
	all.Wait()
	if good.Load() != 200 || most.Load() > 8 {
		t.Errorf("%d of 200 are answered, %d at a time", good.Load(), most.Load())
	}
}

// Who reads nothing, or whose system says nothing, keeps half of the places at most.
func TestOneWhoHoldsPlacesHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	x := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/slow") {
			<-r.Context().Done()
			return
		}
		io.WriteString(w, "ok")
	}, func(b *Block) { b.Requests = 4 })
	slow := x.signedIn("radiologist")
	slow.Timeout = 0
	for range 6 {
		go func() {
			rq, _ := http.NewRequestWithContext(t.Context(), "GET", x.at+"/slow", nil)
			if rsp, err := slow.Do(rq); err == nil {
				rsp.Body.Close()
			}
		}()
	}
	for x.count() < 2 {
		time.Sleep(time.Millisecond)
	}
	if a := x.do(x.signedIn("administrator"), "GET", "/a", nil); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
}

// What a body costs does not grow with it.
func TestMemoryDoesNotGrowWithABody(t *testing.T) {
	const size = 256 << 20
	x := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, make([]byte, 32<<10))
			fmt.Fprint(w, n)
			return
		}
		piece := make([]byte, 64<<10)
		w.Header().Set("Content-Length", fmt.Sprint(size))
		for range size / len(piece) {
			w.Write(piece)
		}
	}, func(b *Block) { b.UploadMiB = size >> 20 })
	b := x.signedIn("administrator")
	cost := func(exchange func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		exchange()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	down := cost(func() {
		rsp, err := b.Get(x.at + "/a")
		if err != nil {
			t.Fatal(err)
		}
		defer rsp.Body.Close()
		if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, rsp.Body, make([]byte, 32<<10)); n != size || err != nil {
			t.Errorf("%d bytes came, %v", n, err)
		}
	})
	up := cost(func() {
		rq, _ := http.NewRequest("POST", x.at+"/in/a", io.LimitReader(zeros{}, size))
		rq.ContentLength = size
		rsp, err := b.Do(rq)
		if err != nil {
			t.Fatal(err)
		}
		defer rsp.Body.Close()
		if text, _ := io.ReadAll(rsp.Body); string(text) != fmt.Sprint(size) {
			t.Errorf("%d, %s bytes came", rsp.StatusCode, text)
		}
	})
	t.Logf("%d and %d bytes were allocated for %d", down, up, size)
	if down > size/4 || up > size/4 {
		t.Errorf("%d bytes were allocated for a download and %d for an upload of %d", down, up, size)
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestPartsConditionsAndHeadsPassAsTheyAre(t *testing.T) {
	t.Parallel()
	x := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"7"`)
		http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("0123456789"))
	}, nil)
	b := x.signedIn("radiologist")
	for name, c := range map[string]struct {
		method string
		header []string
		status int
		text   string
	}{
		"whole":     {"GET", nil, 200, "0123456789"},
		"a part":    {"GET", []string{"Range", "bytes=2-4"}, 206, "234"},
		"unchanged": {"GET", []string{"If-None-Match", `"7"`}, 304, ""},
		"its head":  {"HEAD", nil, 200, ""},
	} {
		a := x.do(b, c.method, "/a", nil, c.header...)
		if a.StatusCode != c.status || a.text != c.text || c.method == "HEAD" && a.ContentLength != 10 {
			t.Errorf("%s: %d %q, %d bytes", name, a.StatusCode, a.text, a.ContentLength)
		}
	}
}
