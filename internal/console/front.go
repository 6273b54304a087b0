package console

import (
	"mime"
	"net/http"
	"strings"

	"collimator/internal/httpsec"
)

// Front leads a browser that asks for the root to the console, or, of a program that was built without
// it, to the page to sign in; what programs ask for, and everything else, is next's.
func Front(built bool, next http.Handler) http.Handler {
	to := SetupPath + "/"
	if built {
		to = ConsolePath + "/"
	}
	lead := httpsec.Page.Wrap(http.RedirectHandler(to, http.StatusSeeOther))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) && wantsPage(r) {
			w.Header().Set("Vary", "Accept")
			lead.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// wantsPage reports whether a request names HTML among what it accepts, as
// browsers do and programs do not (RFC 9110 12.5.1).
func wantsPage(r *http.Request) bool {
	for _, item := range strings.Split(r.Header.Get("Accept"), ",") {
		if kind, parameters, err := mime.ParseMediaType(item); err == nil && kind == "text/html" {
			return strings.Trim(parameters["q"], "0.") != "" || parameters["q"] == ""
		}
	}
	return false
}

// page is the name of a page for its title: of what it is for, and never of whom.
func (t words) page(name string, v any) string {
	switch name {
	case "setup.html", "invited.html":
		return t.Account
	case "linkended.html":
		return t.LinkEnded
	case "notforyou.html":
		return t.NotForYou
	case "enrol.html":
		return t.Factor
	case "codes.html":
		return t.Codes
	case "signin.html", "provider.html", "returned.html", "onward.html":
		return t.SignIn
	case "account.html":
		if m, ok := v.(map[string]any); ok {
			if s, ok := m["Session"].(state); ok && s.State == "second-factor" {
				return t.SignIn
			}
		}
		return t.SignedInPage
	case "ended.html":
		return t.Ended
	case "nostudy.html":
		return t.Ended
	case "notbuilt.html":
		return t.NotBuilt
	}
	return t.Title
}
