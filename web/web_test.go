package web

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func site(t *testing.T, files map[string]string) *Site {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(s *Site, name, method string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "/x", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Serve(w, r, name)
	return w.Result()
}

func TestAFileComesAsItIsStoredOrUnpacked(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("let a = 1\n", 1000)
	s := site(t, map[string]string{"app.js": text})

	packed := get(s, "app.js", http.MethodGet, "Accept-Encoding", "gzip, br")
	body, _ := io.ReadAll(packed.Body)
	if packed.Header.Get("Content-Encoding") != "gzip" || int64(len(body)) != packed.ContentLength || len(body) > len(text)/10 {
		t.Errorf("%v, %d bytes", packed.Header, len(body))
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != text {
		t.Errorf("unpacked %d bytes, %v", len(got), err)
	}

	plain := get(s, "app.js", http.MethodGet)
	if got, _ := io.ReadAll(plain.Body); string(got) != text || plain.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("%v, %d bytes", plain.Header, len(got))
	}
	if head, _ := io.ReadAll(get(s, "app.js", http.MethodHead).Body); len(head) != 0 {
		t.Errorf("HEAD has %d bytes", len(head))
	}
}

func TestWhatIsThereIsAskedForAgainUnlessItsNameSaysItsContent(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]string{"index.html": "a", "app.bundle.0f6159c501addfe9.js": "b", "a34f9d1faa5f3315.woff2": "c", "boot.js": "d"})
	for name, want := range map[string]string{
		"index.html": "no-cache", "boot.js": "no-cache",
		"app.bundle.0f6159c501addfe9.js": "public, max-age=31536000, immutable", "a34f9d1faa5f3315.woff2": "public, max-age=31536000, immutable",
	} {
		got := get(s, name, http.MethodGet)
		if got.Header.Get("Cache-Control") != want {
			t.Errorf("%s: %s", name, got.Header.Get("Cache-Control"))
		}
		if again := get(s, name, http.MethodGet, "If-None-Match", got.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", name, again.StatusCode)
		}
	}
	if got := get(s, "missing.js", http.MethodGet); got.StatusCode != http.StatusNotFound || got.Header.Get("Content-Type") == "text/html; charset=utf-8" {
		t.Errorf("a script that is not there: %d", got.StatusCode)
	}
}
