package console

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"collimator/internal/webapi"
)

// onwardCookie is where somebody wanted to who has to sign in first. It is looked at as any
// address is that comes from outside.
const onwardCookie = "__Host-onward"

// onwardMost bounds it, in bytes.
const onwardMost = 3 << 10

// signInFirst leads who asks for a path to sign in, and has the browser come back. Who comes from another site
// does not bring the cookie of the session along; who comes from here does: so the page leads on to itself
// before it believes that nobody is signed in.
func (s *Setup) signInFirst(w http.ResponseWriter, r *http.Request, at string) {
	q := r.URL.Query()
	again := q.Has("again")
	q.Set("again", "1")
	to := at + "?" + q.Encode()
	if !again {
		s.page(w, r, http.StatusOK, "onward.html", to)
		return
	}

	if len(to) <= onwardMost {
		webapi.SetCookie(w, onwardCookie, url.QueryEscape(to), http.SameSiteStrictMode, 600)
	}
	http.Redirect(w, r, SetupPath+"/", http.StatusSeeOther)
}

// leadsOn reports a path to which somebody may be led on who has signed in.
func leadsOn(to string) bool {
	if to != path.Clean(to) {
		return false
	}
	for _, app := range []string{ViewerPath, ConsolePath, LightPath} {
		if to == app || strings.HasPrefix(to, app+"/") {
			return true
		}
	}
	return strings.HasPrefix(to, "/web/")
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
