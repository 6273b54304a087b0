package console

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"collimator/internal/httpsec"
	"collimator/web"
)

// ViewerPath is where the viewer stands.
const ViewerPath = "/viewer"

// Viewer serves OHIF to who is signed in: its files hold nothing of a patient, what it shows it asks
// DICOMweb for, behind the guard. Safe for concurrent use.
type Viewer struct {
	setup *Setup
	site  *web.Site
	why   error // of a program that was built without it
}

// NewViewer makes it of what was built, or of why there is nothing, over the JSON API.
func NewViewer(site *web.Site, why error, api http.Handler) *Viewer {
	return &Viewer{setup: over(api), site: site, why: why}
}

// ServeHTTP implements http.Handler. What looks like a file is one or is not there; every other address is
// one of the application's.
func (v *Viewer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this address is read and nothing else", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), ViewerPath+"/")
	document := path.Ext(name) == ""
	if !v.signedIn(w, r) {
		v.lead(w, r, document)
		return
	}
	if v.why != nil {
		httpsec.Page.Set(w.Header())
		v.setup.page(w, r, http.StatusServiceUnavailable, "notbuilt.html", nil)
		return
	}

	if document {
		name = "index.html"
		httpsec.Viewer.Set(w.Header())
	} else {
		httpsec.ViewerPart.Set(w.Header())
	}
	v.site.Serve(w, r, name)
}

// signedIn asks the API whether the browser has a whole session.
func (v *Viewer) signedIn(w http.ResponseWriter, r *http.Request) bool {
	status, x := v.setup.ask(w, r, http.MethodGet, "/api/v1/session", nil)
	return status == http.StatusOK && x.State == "complete"
}

// lead sends who opens the viewer to sign in; what is loaded for a page is refused.
func (v *Viewer) lead(w http.ResponseWriter, r *http.Request, document bool) {
	httpsec.Page.Set(w.Header())
	if !document || !wantsPage(r) {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}

	v.setup.signInFirst(w, r, (&url.URL{Path: path.Clean(r.URL.Path)}).EscapedPath())
}
