package console

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"collimator/internal/httpsec"
	"collimator/web"
)

// ViewerPath is where the viewer stands, ConsolePath where the console.
const (
	ViewerPath  = "/viewer"
	ConsolePath = "/console"
)

// App serves an application of the browser's to who is signed in: its files hold nothing of a patient, what
// it shows it asks the API and DICOMweb for, behind the guard. Safe for concurrent use.
type App struct {
	setup *Setup
	at    string // where it stands
	site  *web.Site
	why   error           // of a program that was built without it
	page  httpsec.Headers // of its document
	part  httpsec.Headers // and of everything else
	guest bool            // also for who opened a link to a study
}

// NewViewer makes OHIF of what was built, or of why there is nothing, over the JSON API.
func NewViewer(site *web.Site, why error, api http.Handler) *App {
	return &App{over(api), ViewerPath, site, why, httpsec.Viewer, httpsec.ViewerPart, true}
}

// NewConsole makes the console in the same way.
func NewConsole(site *web.Site, why error, api http.Handler) *App {
	return &App{over(api), ConsolePath, site, why, httpsec.Console, httpsec.Console, false}
}

// ServeHTTP implements http.Handler. What looks like a file is one or is not there; every other address is
// one of the application's.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		httpsec.Page.Set(w.Header())
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this address is read and nothing else", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), a.at+"/")
	document := path.Ext(name) == ""
	switch status, x := a.setup.ask(w, r, http.MethodGet, "/api/v1/session", nil); {
	case status != http.StatusOK && status != http.StatusUnauthorized && document:
		httpsec.Page.Set(w.Header())
		a.setup.page(w, r, status, "linkended.html", x)
		return
	case status != http.StatusOK || x.State != "complete" || x.Method == methodLink && !a.guest:
		a.lead(w, r, document)
		return
	}
	if a.why != nil {
		httpsec.Page.Set(w.Header())
		a.setup.page(w, r, http.StatusServiceUnavailable, "notbuilt.html", nil)
		return
	}

	if document {
		name = "index.html"
		a.page.Set(w.Header())
	} else {
		a.part.Set(w.Header())
	}
	a.site.Serve(w, r, name)
}

// methodLink is how somebody came who opened a link to a study.
const methodLink = "share"

// lead sends who opens the application to sign in; what is loaded for a page is refused.
func (a *App) lead(w http.ResponseWriter, r *http.Request, document bool) {
	httpsec.Page.Set(w.Header())
	if !document || !wantsPage(r) {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}

	a.setup.signInFirst(w, r, (&url.URL{Path: path.Clean(r.URL.Path)}).EscapedPath())
}
