package reverse

import (
	"net/url"
	"strings"
	"testing"
)

func TestAPathIsTakenThatEveryParserReadsAlikeAndNoOther(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"/": "/", "/app/explorer.html": "/app/explorer.html", "/studies/": "/studies/", "/a%20b": "/a%20b", "/a b": "/a%20b",
		"/%73tudies": "/studies", "/Untersuchungen/%C3%A4": "/Untersuchungen/%C3%A4", "/a..b/.hidden": "/a..b/.hidden",
		"": "", "studies": "", "//": "", "/a//b": "", "//evil.example/a": "", "/.": "", "/..": "", "/a/../b": "", "/a/%2e%2e/b": "", "/a/%2E./b": "",
		"/a/...": "", "/a%2fb": "", "/a%2Fb": "", "/a%5cb": "", `/a\b`: "", "/a%252fb": "", "/a%25": "", "/a;b=c": "", "/a%3bb": "", "/a%3fb": "",
		"/a%23b": "", "/a%00b": "", "/a%0ab": "", "/a%7f": "", "/a%": "", "/a%zz": "", "/a%ff": "", "/a%c2%85": "", "/a/..%20/b": "", "/a/%20/b": "", "/a/.%20./b": "",
		"/a/%EF%BC%8E%EF%BC%8E/b": "", "/a%EF%BC%8Fb": "", "/a/%E2%80%A5/b": "", "/a/%E2%80%A4%E2%80%A4/b": "", "/a%EF%BC%BCb": "", "/x.%EF%BC%8E": "", "/a%E2%88%95b": "", "/%EF%BC%A1": "/%EF%BC%A1", "/" + strings.Repeat("a", 3000): "",
	} {
		p, err := parsePath(raw)
		got := ""
		if err == nil {
			got = p.escaped()
		}
		if got != want {
			t.Errorf("%.40q is %q, want %q", raw, got, want)
		}
	}
}

func FuzzAPathThatIsTakenMeansOneThing(f *testing.F) {
	for _, s := range []string{"/", "/a/%2e%2e/b", "/studies/a%20b/", "/a%252f", "/..;/x", "/%C3%A4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := parsePath(raw)
		if err != nil {
			return
		}
		out := p.escaped()
		again, err := parsePath(out)
		if err != nil || again.escaped() != out || again.decoded() != p.decoded() {
			t.Fatalf("%q goes out as %q, which is read as %q: %v", raw, out, again.escaped(), err)
		}
		u, err := url.ParseRequestURI(out)
		if err != nil || u.Path != p.decoded() || u.RawQuery != "" || u.Host != "" {
			t.Fatalf("net/url reads %q as %+v: %v", out, u, err)
		}
		if twice, err := url.PathUnescape(p.decoded()); err != nil || twice != p.decoded() {
			t.Fatalf("%q is another path when it is decoded twice", p.decoded())
		}
		for _, segment := range strings.Split(strings.Trim(p.decoded(), "/"), "/") {
			if segment == "." || segment == ".." || strings.ContainsAny(segment, "\\;\x00") {
				t.Fatalf("%q has the segment %q", out, segment)
			}
		}
		if rewritten := (&url.URL{Scheme: "http", Host: "x", Path: p.decoded(), RawPath: out}).EscapedPath(); rewritten != out {
			t.Fatalf("%q goes on the wire as %q", out, rewritten)
		}
	})
}

func TestAQueryIsWrittenAnewOrRefused(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"": "", "expand": "expand", "since=0&limit=10&expand": "since=0&limit=10&expand", "a=b+c%20d": "a=b%20c%20d", "a=1&a=2": "a=1&a=2", "q=100%25": "q=100%25",
		"a;b": "refused", "a=%zz": "refused", "a=%00": "refused", "a=b#c": "refused", "_method=DELETE": "refused", "%5Fmethod=PUT": "refused", "a=1&_METHOD=PUT": "refused",
		"X-HTTP-Method-Override=PUT": "refused", ".method=PUT": "refused", "_method[]=PUT": "refused", "[method=PUT": "refused", "+_method=PUT": "refused",
		"x_http_method_override=PUT": "refused", "_method%5B0%5D=PUT": "refused", "method=a": "method=a", "a[_method]=b": "a%5B_method%5D=b", strings.Repeat("a&", 200): "refused", strings.Repeat("a", 9000): "refused",
	} {
		got, err := rewriteQuery(raw)
		if err != nil {
			got = "refused"
		}
		if got != want {
			t.Errorf("%.40q is %q, want %q", raw, got, want)
		}
	}
}

func TestOnlyAPathOfThisOriginIsLedTo(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"", "https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "/%2f/evil.example", "javascript:alert(1)", "/a/../../b", "evil.example",
		"/\tx", "http:/evil", "/%09/evil.example", "/;//evil.example"} {
		if got, err := localPath(to); err == nil && !strings.HasPrefix(got, "/") || err == nil && strings.HasPrefix(got, "//") || err == nil && strings.Contains(got, "evil") {
			t.Errorf("%q leads to %q", to, got)
		}
	}
	if got, err := localPath("/app/explorer.html?a=b"); err != nil || got != "/app/explorer.html?a=b" {
		t.Errorf("%q, %v", got, err)
	}
}
