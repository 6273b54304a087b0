package sitetest

import (
	"net/url"
	"strings"
	"testing"
)

// Fill sends a form.
func Fill(b *Browser, path string, fields ...string) Answer {
	b.Helper()
	return FillIn(b, "en", path, fields...)
}

// FillIn sends a form from a browser that asks for a language.
func FillIn(b *Browser, language, path string, fields ...string) Answer {
	b.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return b.Send("POST", path, v.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept-Language", language)
}

// WantPage wants a page with a text and the headers of pages.
func WantPage(t *testing.T, a Answer, status int, text string) {
	t.Helper()
	if a.StatusCode != status || !strings.Contains(a.Text, text) {
		t.Fatalf("%s: status %d, want %d with %q: %s", a.Request.URL.Path, a.StatusCode, status, text, a.Text)
	}

	closed := strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'")
	kept := a.Header.Get("Cache-Control") != "no-store"
	tells := a.Header.Get("Referrer-Policy") != "no-referrer"
	if !closed || kept || tells {
		t.Errorf("%s: headers %v", a.Request.URL.Path, a.Header)
	}

	scripts := strings.Count(a.Text, "<script")
	allowed := strings.Count(a.Text, `<script src="/share/link.js" defer></script>`) +
		strings.Count(a.Text, `<script src="/setup/setup.js" defer></script>`)
	if scripts != allowed || strings.Contains(a.Text, " style=") {
		t.Errorf("%s: the policy does not let this page work", a.Request.URL.Path)
	}
}
