package reverse

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"

	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/httpsec"
	"collimator/internal/policy"
)

// Own addresses at the origin of a route; the system behind never gets them.
const (
	ownPrefix = "/.collimator/"
	enterPath = ownPrefix + "enter"
)

// Cookies of a browser at the origin of a route. Their prefix binds them to its host; behind it
// stands the port, because cookies are for all ports of a host, and another route may have one.
const (
	visitPrefix = "__Host-page-"
	noncePrefix = "__Host-nonce-"
)

// ConsolePath is where the console asks who comes to the pages of a route: ConsolePath/NAME.
const ConsolePath = "/web"

// asked is a request as it was taken apart.
type asked struct {
	x     *site
	w     http.ResponseWriter
	r     *http.Request
	path  path
	query string  // written anew
	bad   error   // what of the address can be read in two ways
	visit *visit  // nil where the browser is not signed in here
	body  *upload // nil until it is forwarded
}

// request answers one request of a browser.
func (x *site) request(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Host, x.host) && !strings.EqualFold(r.Host, strings.TrimSuffix(x.host, ":443")) {
		say(w, http.StatusMisdirectedRequest, "This is not the address of this page.")
		return
	}
	raw, query, _ := strings.Cut(r.RequestURI, "?")
	if r.Method == http.MethodGet && raw == enterPath {
		x.enter(w, r)
		return
	}

	a := &asked{x: x, w: w, r: r}
	a.path, a.bad = parsePath(raw)
	if a.bad == nil {
		a.query, a.bad = rewriteQuery(query)
	}
	if strings.HasPrefix(a.path.decoded()+"/", ownPrefix) { // however it is encoded
		a.bad = errPath
	}
	if list := r.CookiesNamed(x.visitCookie); len(list) == 1 {
		a.visit = x.visits.of(list[0].Value)
	}
	a.answer()
}

// answer has the request pass the door.
func (a *asked) answer() {
	x := a.x
	rules, shown := x.judge.naming(a.r.Method, a.path)
	if a.bad != nil {
		rules, shown = nil, "an address that can be read in two ways"
	}
	call := &guard.PageCall{
		Request: a.r,
		Shown:   methodShown(a.r.Method) + " " + shown,
		Leads:   navigates(a.r),
		Admit:   x.room.AdmitFrom,
		Inspect: a.inspect,
		Service: &guard.Service{Name: x.Name, Route: func() (*policy.Route, error) {
			if x.ended.Err() != nil {
				return nil, errNoSite
			}
			return &policy.Route{Name: x.Name, Rules: rules}, nil
		}},
	}
	if a.visit != nil {
		call.Session = a.visit.guest.Session
	}

	out := x.s.Door.InterceptPage(a.r.Context(), call, a.forward)
	if out.Err == nil {
		return
	}
	if out.Status != 0 { // the answer has begun: its end must not look like one
		panic(http.ErrAbortHandler)
	}
	a.refuse(out.Err)
}

// methodShown is a method for the record; what is none of HTTP's stays out of it.
func methodShown(method string) string {
	for _, m := range append([]string{"OPTIONS", "TRACE", "CONNECT"}, methods...) {
		if m == method {
			return m
		}
	}
	return "a method that is none"
}

// refuse answers why a request was not let through. Whoever is not signed in here is led to
// where that is done.
func (a *asked) refuse(err error) {
	if a.r.ContentLength != 0 { // who sends a body is answered before it has come
		a.w.Header().Set("Connection", "close")
	}
	if _, stranger := errors.AsType[*guard.UnauthenticatedError](err); stranger {
		if list := a.r.CookiesNamed(a.x.visitCookie); a.visit != nil && len(list) == 1 {
			a.x.visits.end(list[0].Value)
		}
		if navigates(a.r) {
			a.lead()
			return
		}
		say(a.w, http.StatusUnauthorized, "Sign in: open the address of this page in a browser.")
		return
	}

	if fault.Of(err) == fault.Busy || fault.Of(err) == fault.Unavailable {
		a.w.Header().Set("Retry-After", httpsec.RetryAfter)
	}
	say(a.w, statusOf(err), fault.Sentence(err))
}

// statusOf is the status of a refusal.
func statusOf(err error) int {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.status
	}
	return httpsec.Status(err)
}

// statusError is an error that HTTP has a status of its own for.
type statusError struct {
	status int
	error
}

// Unwrap is what went wrong.
func (e *statusError) Unwrap() error { return e.error }

func withStatus(status int, kind fault.Kind, format string, args ...any) error {
	return &statusError{status, fault.Newf(kind, "reverse: "+format, args...)}
}

// navigates reports a browser that goes to a page, and does not load a part of one.
func navigates(r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// lead sends a browser to the console, which says who it is. The cookie that it gets makes sure
// that the same browser comes back.
func (a *asked) lead() {
	nonce := ""
	if list := a.r.CookiesNamed(a.x.nonceCookie); len(list) == 1 && len(list[0].Value) == len(newSecret()) {
		nonce = list[0].Value // of another tab, say
	} else {
		nonce = newSecret()
	}
	setCookie(a.w, a.x.nonceCookie, nonce, http.SameSiteLaxMode, 600)

	to := "/"
	if a.bad == nil {
		to = a.path.escaped()
		if a.query != "" {
			to += "?" + a.query
		}
	}
	address := fmt.Sprintf("%s%s/%s?nonce=%s&to=%s",
		a.x.s.Console(), ConsolePath, url.PathEscape(a.x.Name), hashOf(nonce), url.QueryEscape(to))
	http.Redirect(a.w, a.r, address, http.StatusSeeOther)
}

// enter takes a ticket. Only the browser that was led to the console can bring it: nobody is
// signed in as somebody else.
func (x *site) enter(w http.ResponseWriter, r *http.Request) {
	t, ok := x.s.tickets.take(r.URL.Query().Get("ticket"))
	nonces := r.CookiesNamed(x.nonceCookie)
	if !ok || t.site != x || len(nonces) != 1 || !same(hashOf(nonces[0].Value), t.nonce) {
		x.s.Door.RefusedPage(r.Context(), x.Name, guard.RemoteAddress(r), "a ticket that does not count in this browser")
		say(w, http.StatusForbidden, "That did not work. Open the address of the page again.")
		return
	}

	setCookie(w, x.visitCookie, x.visits.add(t.guest), http.SameSiteStrictMode, 0)
	httpsec.Page.Set(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// A redirect would not bring the cookie along where the browser comes from another site.
	fmt.Fprintf(w, entered, html.EscapeString(t.to))
}

// entered is the page of who was let in; it has an icon, so that none is asked for.
const entered = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<meta http-equiv="refresh" content="0;url=%[1]s">
<a href="%[1]s">OK</a>
`

func setCookie(w http.ResponseWriter, name, value string, site http.SameSite, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: site, MaxAge: age})
}

// say answers in a sentence of our own.
func say(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	httpsec.API.Set(h)
	h.Del("Content-Length")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// live joins a context with the end of the site.
func (x *site) live(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(x.ended, cancel)
	return ctx, func() { stop(); cancel() }
}
