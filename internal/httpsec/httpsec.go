// Package httpsec holds the security headers of everything the server answers
// by HTTP, as values: one set for data, one for images, one for pages; and the
// one map of outcomes to status codes. It decides nothing.
package httpsec

import (
	"net/http"
	"slices"
)

// Headers are names and values, in the order of their names.
type Headers []Header

// Header is one of them.
type Header struct{ Name, Value string }

// common is on every answer. Two years of TLS only (RFC 6797); no sniffing; no
// address leaves with a link; no sensors; alone in its browsing context group;
// not to be embedded by other origins.
func common(more ...Header) Headers {
	list := append(Headers{
		{"Cross-Origin-Embedder-Policy", "require-corp"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), " +
			"publickey-credentials-get=(self), publickey-credentials-create=(self)"},
		{"Referrer-Policy", "no-referrer"},
		{"Strict-Transport-Security", "max-age=63072000"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
	}, more...)

	slices.SortFunc(list, func(a, b Header) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}

// The sets. They are not changed.
var (
	// API is for JSON: nothing is loaded, nothing is kept.
	API = common(Header{"Cache-Control", "no-store"}, Header{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"})
	// Images is for DICOMweb: data that a browser may keep for its user alone
	// and must not take for a page. An encapsulated document replaces the policy
	// by one of its own, and shows in a frame of the same origin.
	Images = common(Header{"Cache-Control", "private, no-cache"}, Header{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"}).without("X-Frame-Options")
	// Foreign is for pages of a system behind the gate: scripts that nobody here has read run as
	// they do there, and load from and send to nobody else.
	Foreign = common(Header{"Cache-Control", "no-store"}, Header{"Content-Security-Policy",
		"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
			"font-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self'; frame-src 'self' blob:; " +
			"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"}).with("X-Frame-Options", "SAMEORIGIN")
	// Viewer is for the page of OHIF. Its decoders are WebAssembly; it shows documents of its own making in
	// frames, and styles its parts where they stand.
	Viewer = common(Header{"Cache-Control", "no-store"}, Header{"Content-Security-Policy",
		"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; " +
			"media-src 'self' blob:; object-src 'self' blob:; frame-src 'self' blob:; connect-src 'self' blob:; worker-src 'self'; " +
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"})
	// ViewerPart is for its files. The policy counts where a script runs as a worker: some of its decoders make
	// functions of text there, away from the page.
	ViewerPart = common(Header{"Cache-Control", "no-cache"}, Header{"Content-Security-Policy",
		"default-src 'none'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; connect-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"})
	// Console is for the console: scripts, styles and data from here alone, and text never becomes a script
	// or a part of the page (Trusted Types).
	Console = common(Header{"Cache-Control", "no-store"}, Header{"Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
			"frame-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"})
	// Page is for pages of our own: scripts, styles and data from here alone.
	Page = common(Header{"Cache-Control", "no-store"}, Header{"Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'"})
	// Light is for the pages that show a study: as Page, and no text becomes a script there.
	Light = Page.with("Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "+
			"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
)

func (s Headers) without(name string) Headers {
	return slices.DeleteFunc(slices.Clone(s), func(h Header) bool { return h.Name == name })
}

func (s Headers) with(name, value string) Headers {
	i := slices.IndexFunc(s, func(h Header) bool { return h.Name == name })
	s = slices.Clone(s)
	s[i].Value = value
	return s
}

// Set puts the headers on an answer, in place of what it has under these names.
func (s Headers) Set(h http.Header) {
	for _, x := range s {
		h.Set(x.Name, x.Value)
	}
}

// Wrap puts the headers on every answer of a handler, which may replace them.
func (s Headers) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Set(w.Header())
		next.ServeHTTP(w, r)
	})
}
