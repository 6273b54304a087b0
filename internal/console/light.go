package console

import (
	"html/template"
	"net/http"
	"net/url"
	"path"
	"regexp"

	"collimator/internal/fault"
	"collimator/internal/httpsec"
)

// LightPath is where the light viewing page stands for who is signed in. The query names the study, and of a route
// of the gate the route: "/view/?study=UID".
const LightPath = "/view"

// Light is the viewing page for who is signed in, for telephones and slow machines: what Share shows of the study of
// a link, it shows of any study that its reader may see. Safe for concurrent use.
type Light struct {
	setup  *Setup
	images http.Handler // DICOMweb, behind the guard
	root   func(route string) string
	mux    *http.ServeMux
}

// NewLight makes the page over a DICOMweb handler and the JSON API. root is the path of DICOMweb of a route, and
// of the archive for the empty one.
func NewLight(images http.Handler, root func(route string) string, api http.Handler) *Light {
	l := &Light{setup: over(api), images: images, root: root, mux: http.NewServeMux()}
	l.mux.HandleFunc("GET "+LightPath+"/{$}", l.show)
	return l
}

// ServeHTTP implements http.Handler.
func (l *Light) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.mux.ServeHTTP(w, r) }

// routeForm is what the name of a route looks like in an address.
var routeForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{0,16}$`)

func (l *Light) show(w http.ResponseWriter, r *http.Request) {
	if !l.setup.signedIn(w, r) {
		l.setup.signInFirst(w, r, path.Clean(r.URL.Path))
		return
	}

	q := r.URL.Query()
	route := q.Get("route")
	if !routeForm.MatchString(route) || q.Get("study") == "" {
		l.setup.page(w, r, http.StatusNotFound, "nostudy.html", lightOf(r))
		return
	}

	keep := url.Values{"study": {q.Get("study")}}
	if route != "" {
		keep.Set("route", route)
	}
	root := l.root(route)
	s := &showing{images: l.images, own: r, root: root, base: root, page: LightPath + "/", keep: keep}
	s.answer(l.setup.pages, w, r, "nostudy.html")
}

// signedIn asks the API whether the browser has a whole session.
func (s *Setup) signedIn(w http.ResponseWriter, r *http.Request) bool {
	status, x := s.ask(w, r, http.MethodGet, "/api/v1/session", nil)
	return status == http.StatusOK && x.State == "complete"
}

// answer is the page of the address: the study, or one place of a series. without is the page for who may see nothing.
func (s *showing) answer(pages *template.Template, w http.ResponseWriter, r *http.Request, without string) {
	httpsec.Light.Set(w.Header())
	fail := func(err error) {
		status := http.StatusServiceUnavailable
		switch fault.Of(err) {
		case fault.Denied:
			status = http.StatusUnauthorized
		case fault.NotFound:
			status = http.StatusNotFound
		}
		write(pages, w, r, status, without, lightOf(r))
	}

	q := r.URL.Query()
	if !q.Has("series") {
		v, err := s.overview(lightOf(r))
		if err != nil {
			fail(err)
			return
		}
		write(pages, w, r, http.StatusOK, "study.html", v)
		return
	}

	v, err := s.place(lightOf(r), number(q.Get("series")), number(q.Get("frame")))
	if err != nil {
		fail(err)
		return
	}
	write(pages, w, r, http.StatusOK, "light.html", v)
}
