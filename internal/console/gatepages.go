package console

import (
	"net/http"
	"net/url"
)

// Pages leads browsers on that come from the pages of a system behind a route of the gate, which
// are another origin and ask here who comes. Safe for concurrent use.
type Pages struct {
	setup *Setup
	at    string
}

// NewPages makes them over the JSON API, at a path: at/ROUTE.
func NewPages(at string, api http.Handler) http.Handler {
	p := &Pages{at: at, setup: over(api)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+at+"/{route}", p.enter)
	mux.Handle("/", api)
	return mux
}

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
	case status == http.StatusUnauthorized:
		p.setup.signInFirst(w, r, p.at+"/"+url.PathEscape(r.PathValue("route")))
	case status == http.StatusForbidden:
		p.setup.page(w, r, status, "notforyou.html", x)
	default:
		p.setup.page(w, r, status, "linkended.html", x)
	}
}
