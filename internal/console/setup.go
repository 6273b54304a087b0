package console

import (
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"rsc.io/qr"

	"collimator/internal/signin"
)

// Setup serves the pages of one-time links, and by which somebody signs in
// with a password and an authenticator app, or at the identity provider. They need no script, which adds
// passkeys, and are a face of the JSON API, which decides everything. Safe for concurrent use.
type Setup struct {
	api   http.Handler
	pages *template.Template
	mux   *http.ServeMux
	built bool // the console
}

// SetupPath is where the pages are; SetupAddress is what a one-time link begins with.
const SetupPath = "/setup"

// NewSetup makes the pages over the JSON API. They lead to the console where it was built.
func NewSetup(built bool, api http.Handler) *Setup {
	s := over(api)
	s.built = built
	s.mux.HandleFunc("GET "+SetupPath+openPage, s.invited)
	s.mux.HandleFunc("POST "+SetupPath+openPage, s.use)
	s.mux.HandleFunc("GET "+SetupPath+"/{secret}", moved(SetupAddress))
	s.mux.HandleFunc("GET "+SetupPath+"/{$}", s.next)
	s.mux.HandleFunc("POST "+SetupPath+"/{$}", s.step)
	s.mux.HandleFunc("GET "+SetupPath+"/setup.js", setupScript)
	s.mux.HandleFunc("GET "+SetupPath+"/language/{tag}", chosen)
	s.mux.HandleFunc("GET "+signin.CallbackPath, s.returned)
	return s
}

// over is what every page over the JSON API asks and shows with.
func over(api http.Handler) *Setup {
	return &Setup{api: api, mux: http.NewServeMux(), pages: template.Must(template.ParseFS(pages, "pages/*.html"))} // part of the program
}

// returned is where a browser comes back to from the identity provider. The page
// leads on by itself where there is nothing to read, and does not redirect: who comes
// from another site does not bring the cookie of the session along.
func (s *Setup) returned(w http.ResponseWriter, r *http.Request) {
	status, x := s.ask(w, r, http.MethodGet, r.URL.RequestURI(), nil)
	s.page(w, r, status, "returned.html", x)
}

// ServeHTTP implements http.Handler.
func (s *Setup) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// state is what the API says of a browser, and of a link. Detail is a refusal in
// the language of the browser.
type state struct {
	Purpose, Name, Role, State, Method, Code, Detail string
	Secret, URI                                      string
	RecoveryCodes                                    []string

	Location string // where the browser goes next: the identity provider
	SignIn   struct{ OIDC bool }
}

// ask sends a request to the API and reads its answer.
func (s *Setup) ask(w http.ResponseWriter, r *http.Request, method, path string, body any) (int, state) {
	var b []byte
	if body != nil {
		b, _ = json.Marshal(body) // strings always marshal
	}

	var x state
	a, err := inside(s.api, r, method, path, b, "Content-Type", "application/json")
	if err != nil || a.long {
		return http.StatusInternalServerError, x
	}

	a.cookies(w)
	json.Unmarshal(a.body.Bytes(), &x) // a refusal has a code, else nothing is known
	x.Detail = language(r).refusal(x.Code, x.Detail)
	return a.status, x
}

// invited takes the secret of a link.
func (s *Setup) invited(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, http.StatusOK, "invited.html", map[string]any{"Secret": ""})
}

// use shows the form of a link, and when it is filled in, sets the password and
// goes on to the second factor.
func (s *Setup) use(w http.ResponseWriter, r *http.Request) {
	form, ok := s.form(w, r)
	if !ok {
		return
	}

	if tag := form("language"); tag != "" {
		r = choose(w, r, tag)
	}
	secret := form("link")
	link := map[string]string{"link": secret}
	status, x := s.ask(w, r, http.MethodPost, "/api/v1/setup/look", link)
	if status != http.StatusOK {
		s.page(w, r, status, "linkended.html", x)
		return
	}

	if !r.PostForm.Has("password") {
		s.page(w, r, http.StatusOK, "setup.html", map[string]any{"Secret": secret, "Link": x})
		return
	}

	if form("password") != form("again") {
		s.page(w, r, http.StatusBadRequest, "setup.html", map[string]any{"Secret": secret, "Link": x, "Differ": true})
		return
	}

	link["password"] = form("password")
	if x.Purpose == "first-administrator" {
		link["name"] = form("name")
	}
	status, answered := s.ask(w, r, http.MethodPost, "/api/v1/setup", link)
	if status != http.StatusOK {
		s.page(w, r, status, "setup.html", map[string]any{"Secret": secret, "Link": x, "Detail": answered.Detail})
		return
	}

	http.Redirect(w, r, SetupPath+"/", http.StatusSeeOther)
}

// form reads a form of at most 4 KiB.
func (s *Setup) form(w http.ResponseWriter, r *http.Request) (func(string) string, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, formMost)
	if r.ParseForm() != nil {
		s.page(w, r, http.StatusBadRequest, "linkended.html", state{})
		return nil, false
	}
	return func(name string) string { return r.PostForm.Get(name) }, true
}

// next shows what is next for this browser.
func (s *Setup) next(w http.ResponseWriter, r *http.Request) {
	status, x := s.ask(w, r, http.MethodGet, "/api/v1/session", nil)
	if x.Method == methodLink { // that signs nobody in, and another may be needed
		stranger := r.Clone(r.Context())
		stranger.Header.Del("Cookie")
		status, x = s.ask(w, stranger, http.MethodGet, "/api/v1/session", nil)
	}

	switch {
	case status == http.StatusOK && x.State == "enrol":
		s.enrol(w, r, "")
	case status == http.StatusOK && x.State == "complete" && s.onward(w, r):
	case status == http.StatusOK && x.State == "complete" && s.built && r.URL.RawQuery == onToConsole:
		s.page(w, r, http.StatusOK, "onward.html", ConsolePath+"/")
	case status == http.StatusOK:
		s.page(w, r, status, "account.html", map[string]any{"Session": x, "Console": s.built})
	case status == http.StatusUnauthorized:
		s.page(w, r, http.StatusOK, "signin.html", map[string]any{"Provider": x.SignIn.OIDC})
	default:
		s.page(w, r, status, "linkended.html", x)
	}
}

// onToConsole is the query of who has set up an account, and wants to begin.
const onToConsole = "console"

// first is where somebody goes who has kept the recovery codes.
func (s *Setup) first() string {
	if s.built {
		return SetupPath + "/?" + onToConsole
	}
	return SetupPath + "/"
}

// enrol shows the secret for an authenticator app.
func (s *Setup) enrol(w http.ResponseWriter, r *http.Request, detail string) {
	status, x := s.ask(w, r, http.MethodPost, "/api/v1/session/enrol/totp", nil)
	if status != http.StatusOK {
		s.page(w, r, status, "linkended.html", x)
		return
	}
	code, err := qr.Encode(x.URI, qr.M)
	if err != nil {
		s.page(w, r, http.StatusInternalServerError, "linkended.html", x)
		return
	}
	code.Scale = 5
	s.page(w, r, http.StatusOK, "enrol.html", map[string]any{
		"Secret": x.Secret,
		"Detail": detail,
		"Next":   s.first(),
		// The picture is ours, not from a peer.
		"QR": template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())),
	})
}

// step takes a password, a code of the second factor, or the wish to leave.
func (s *Setup) step(w http.ResponseWriter, r *http.Request) {
	form, ok := s.form(w, r)
	if !ok {
		return
	}

	code := strings.ReplaceAll(strings.TrimSpace(form("code")), " ", "")

	switch form("step") {
	case "password":
		s.try(w, r, "signin.html", "/api/v1/session/password",
			map[string]string{"name": form("name"), "password": form("password")})
	case "code":
		s.try(w, r, "account.html", "/api/v1/session/totp", map[string]string{"code": code})
	case "recovery":
		s.try(w, r, "account.html", "/api/v1/session/recovery", map[string]string{"code": code})
	case "confirm":
		status, x := s.ask(w, r, http.MethodPost, "/api/v1/session/enrol/totp/confirm", map[string]string{"code": code})
		if status != http.StatusOK {
			s.enrol(w, r, x.Detail)
			return
		}
		s.page(w, r, status, "codes.html", map[string]any{"RecoveryCodes": x.RecoveryCodes, "Next": s.first()})
	case "provider":
		status, x := s.ask(w, r, http.MethodPost, "/api/v1/session/oidc", nil)
		if status != http.StatusOK {
			s.refused(w, r, status, "signin.html", x.Detail)
			return
		}
		s.page(w, r, status, "provider.html", x)
	case "leave":
		status, x := s.ask(w, r, http.MethodDelete, "/api/v1/session", nil)
		if status == http.StatusOK && x.Location != "" {
			s.page(w, r, status, "provider.html", x)
			return
		}
		http.Redirect(w, r, SetupPath+"/", http.StatusSeeOther)
	default:
		s.page(w, r, http.StatusBadRequest, "linkended.html", state{})
	}
}

// try sends a step to the API and shows its refusal on the page it came from.
func (s *Setup) try(w http.ResponseWriter, r *http.Request, page, path string, body any) {
	status, x := s.ask(w, r, http.MethodPost, path, body)
	if status == http.StatusOK {
		http.Redirect(w, r, SetupPath+"/", http.StatusSeeOther)
		return
	}
	s.refused(w, r, status, page, x.Detail)
}

// refused shows why a step did not count. The other ways to sign in are asked for:
// not every refusal names them, and who has to wait with a password needs them.
func (s *Setup) refused(w http.ResponseWriter, r *http.Request, status int, page, detail string) {
	_, ways := s.ask(w, r, http.MethodGet, "/api/v1/session", nil)

	s.page(w, r, status, page, map[string]any{
		"Session": state{State: "second-factor"}, "Detail": detail, "Provider": ways.SignIn.OIDC,
	})
}

func (s *Setup) page(w http.ResponseWriter, r *http.Request, status int, name string, v any) {
	write(s.pages, w, r, status, name, v)
}
