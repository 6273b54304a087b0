package console

import (
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"

	"collimator/internal/webapi"
)

// Pages leads browsers on that come from the pages of a system behind a route of the gate, which
// are another origin and ask here who comes. Safe for concurrent use.
type Pages struct {
	setup *Setup
	at    string
}

// NewPages makes them over the JSON API, at a path: at/ROUTE.
func NewPages(at string, api http.Handler) http.Handler {
	p := &Pages{at: at, setup: &Setup{api: api, pages: template.Must(template.ParseFS(pages, "pages/*.html"))}} // part of the program
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+at+"/{route}", p.enter)
	mux.Handle("/", api)
	return mux
}

// onwardCookie is where somebody wanted to who has to sign in first. It is looked at as any
// address is that comes from outside.
const onwardCookie = "__Host-onward"

// onwardMost bounds it, in bytes.
const onwardMost = 3 << 10

// enter asks the API whether the browser may go on, and where.
func (p *Pages) enter(w http.ResponseWriter, r *http.Request) {
	if to := r.Header.Get("Sec-Fetch-Dest"); to != "" && to != "document" { // a picture of another page would spend tickets
		http.Error(w, "open this address as a page", http.StatusForbidden)
		return
	}

	q := r.URL.Query()
	status, x := p.setup.ask(w, r, http.MethodPost, "/api/v1/gate/pages", map[string]string{
		"route": r.PathValue("route"), "nonce": q.Get("nonce"), "to": q.Get("to"),
	})

	switch {
	case status == http.StatusOK:
		http.Redirect(w, r, x.Location, http.StatusSeeOther)
	case status == http.StatusUnauthorized && !q.Has("again"):
		// Who comes from another site does not bring the cookie of the session along; who comes from
		// here does.
		q.Set("again", "1")
		p.setup.page(w, r, http.StatusOK, "onward.html", p.at+"/"+url.PathEscape(r.PathValue("route"))+"?"+q.Encode())
	case status == http.StatusUnauthorized:
		if to := r.URL.RequestURI(); len(to) <= onwardMost {
			webapi.SetCookie(w, onwardCookie, url.QueryEscape(to), http.SameSiteStrictMode, 600)
		}
		http.Redirect(w, r, SetupPath+"/", http.StatusSeeOther)
	case status == http.StatusForbidden:
		p.setup.page(w, r, status, "notforyou.html", x)
	default:
		p.setup.page(w, r, status, "linkended.html", x)
	}
}

// leadsOn reports a path to which somebody may be led on who has signed in.
func leadsOn(to string) bool {
	return to == path.Clean(to) && (strings.HasPrefix(to, "/web/") || to == ViewerPath || strings.HasPrefix(to, ViewerPath+"/"))
}

// onward leads on to the pages for which somebody has signed in; false where there are none.
func (s *Setup) onward(w http.ResponseWriter, r *http.Request) bool {
	list := r.CookiesNamed(onwardCookie)
	if len(list) != 1 {
		return false
	}
	webapi.SetCookie(w, onwardCookie, "", http.SameSiteStrictMode, -1)
	to, err := url.QueryUnescape(list[0].Value)
	u, bad := url.ParseRequestURI(to)
	if err != nil || bad != nil || u.Host != "" || u.Scheme != "" || !leadsOn(u.Path) || u.Path != u.EscapedPath() {
		return false
	}
	s.page(w, r, http.StatusOK, "onward.html", u.Path+"?"+u.Query().Encode())
	return true
}
