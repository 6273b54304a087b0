// Package console is what a browser is shown: so far the pages of a link to one
// study, and those of one-time links and of signing in. They need no script and
// hold nothing themselves: what they show they ask DICOMweb and the JSON API
// for, behind the guard, with the cookie of the browser.
package console

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"collimator/internal/fault"
	"collimator/internal/guard"
)

//go:embed pages
var pages embed.FS

// Opener signs a browser in with the secret of a link; see signin.Service.OpenShare.
type Opener func(w http.ResponseWriter, r *http.Request, secret, password string) error

// Share serves the pages of links. Safe for concurrent use.
type Share struct {
	open   Opener
	images http.Handler // DICOMweb, behind the guard
	root   func(*http.Request) string
	api    http.Handler // by which a browser signs out
	pages  *template.Template
	mux    *http.ServeMux
}

// SharePath is where the pages are; ShareAddress is what a link begins with.
const SharePath = "/share"

// NewShare makes the pages over a DICOMweb handler and the JSON API. root is the path of DICOMweb at which
// the study is that a request shows.
func NewShare(open Opener, images http.Handler, root func(*http.Request) string, api http.Handler) *Share {
	s := &Share{open: open, images: images, root: root, api: api, mux: http.NewServeMux()}
	s.pages = template.Must(template.ParseFS(pages, "pages/*.html")) // they are part of the program

	s.mux.HandleFunc("GET "+SharePath+"/style.css", style)
	s.mux.HandleFunc("GET "+SharePath+"/link.js", fragmentScript)
	s.mux.HandleFunc("GET "+SharePath+"/light.js", file("light.js"))
	s.mux.HandleFunc("GET "+SharePath+"/light.css", file("light.css"))
	s.mux.HandleFunc("GET "+SharePath+openPage, s.ask)
	s.mux.HandleFunc("POST "+SharePath+openPage, s.enter)
	s.mux.HandleFunc("GET "+SharePath+"/{secret}", moved(ShareAddress))
	s.mux.HandleFunc("GET "+SharePath+"/{$}", s.show)
	s.mux.HandleFunc("POST "+SharePath+"/{$}", s.leave)
	s.mux.HandleFunc("GET "+SharePath+"/view/{path...}", s.view)

	return s
}

// ServeHTTP implements http.Handler.
func (s *Share) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pages, "pages/style.css")
}

// file serves one of the files beside the pages.
func file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, pages, "pages/"+name) }
}

// ask shows the button that opens a link. Programs that follow links to look at
// them do not press it.
func (s *Share) ask(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, http.StatusOK, "open.html", asked{})
}

// asked is what the page that opens a link shows.
type asked struct {
	Secret       string // of the link, as it was sent with the form
	Failed, Busy bool
}

// formMost bounds the form, in bytes.
const formMost = 4 << 10

func (s *Share) enter(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, formMost)
	if r.ParseForm() != nil {
		s.page(w, r, http.StatusBadRequest, "open.html", asked{Failed: true})
		return
	}

	secret := r.PostForm.Get("link")
	if len(secret) > linkMost {
		s.page(w, r, http.StatusBadRequest, "open.html", asked{Failed: true})
		return
	}

	err := s.open(w, r, secret, r.PostForm.Get("password"))
	switch {
	case err == nil:
		http.Redirect(w, r, SharePath+"/", http.StatusSeeOther)
	case fault.Of(err) == fault.Busy:
		w.Header().Set("Retry-After", "60")
		s.page(w, r, http.StatusTooManyRequests, "open.html", asked{Secret: kept(secret), Busy: true})
	case fault.Of(err) == fault.Denied:
		s.page(w, r, http.StatusUnauthorized, "open.html", asked{Secret: kept(secret), Failed: true})
	default:
		s.page(w, r, http.StatusServiceUnavailable, "ended.html", nil)
	}
}

// show is the study of the link the browser has opened.
func (s *Share) show(w http.ResponseWriter, r *http.Request) {
	c := byLink(r)
	v := &showing{images: s.images, own: c, root: s.root(c), base: SharePath + "/view", page: SharePath + "/"}
	v.answer(s.pages, w, r, "ended.html")
}

// byLink is a request of the same browser with nothing but the link it has
// opened: these pages show the study of the link, also to who is signed in. Who
// has opened none is asked for by the session: a referrer sees the one study that
// was granted.
func byLink(r *http.Request) *http.Request {
	c := r.Clone(r.Context())
	links := r.CookiesNamed(guard.ShareCookie)
	if len(links) == 0 {
		return c
	}

	c.Header.Del("Cookie")
	for _, x := range links {
		c.AddCookie(x)
	}
	return c
}

// view is a picture of the study.
func (s *Share) view(w http.ResponseWriter, r *http.Request) {
	c := byLink(r)
	c.URL.Path = s.root(c) + "/" + r.PathValue("path")
	c.URL.RawPath = ""
	s.images.ServeHTTP(w, c)
}

// leave closes the link in this browser.
func (s *Share) leave(w http.ResponseWriter, r *http.Request) {
	a, err := inside(s.api, byLink(r), http.MethodDelete, "/api/v1/session", nil)
	if err != nil || a.status == http.StatusForbidden {
		s.page(w, r, http.StatusForbidden, "ended.html", nil)
		return
	}
	a.cookies(w)
	http.Redirect(w, r, SharePath+"/", http.StatusSeeOther)
}

func (s *Share) page(w http.ResponseWriter, r *http.Request, status int, name string, v any) {
	write(s.pages, w, r, status, name, v)
}

// write sends a page in the language of the browser.
func write(pages *template.Template, w http.ResponseWriter, r *http.Request, status int, name string, v any) {
	t := language(r)
	var b bytes.Buffer
	if pages.ExecuteTemplate(&b, name, map[string]any{"T": t, "V": v, "Page": t.page(name, v), "Switch": switches(name)}) != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}
