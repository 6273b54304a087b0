package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/house/sitetest"
	"collimator/internal/httpsec"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// Who asks, one letter each: A administrator, R radiologist, T technologist, F
// referrer with the study 2.25.70 granted, S researcher, U auditor, V vendor, each signed
// in; tokens a of the administrator with scope admin, r and w of the radiologist
// with read and write, l of the radiologist with read for 2.25.70; links to
// 2.25.70 that a browser opened, s and d (de-identified), and b, the secret of
// such a link as a bearer token; h a sign-in that waits for its second factor;
// 0 nobody.
const everybody = "ARTFSUVarwlsdbh0"

// walk says of every route who is let in; everybody else gets 401 or 403. A
// route that is missing here fails the test.
var walk = map[string]string{
	"GET /api/v1/tokens": "ARTFSUV", "POST /api/v1/tokens": "ARTFSUV", "DELETE /api/v1/tokens/{id}": "ARTFSUV",
	"GET /api/v1/sessions": "ARTFSUV", "DELETE /api/v1/sessions": "ARTFSUV", "DELETE /api/v1/sessions/{id}": "ARTFSUV",
	"POST /api/v1/password": "ARTFSUV", "POST /api/v1/recovery-codes": "ARTFSUV", "DELETE /api/v1/totp": "ARTFSUV",
	"GET /api/v1/passkeys": "ARTFSUV", "DELETE /api/v1/passkeys/{id}": "ARTFSUV",
	"GET /api/v1/events":       "ARTFUarwl",
	"GET /api/v1/openapi.json": "ARTFSUVarwlsdb",
	"GET /api/v1/people":       "Aa", "POST /api/v1/people": "Aa", "GET /api/v1/people/{name}": "Aa", "POST /api/v1/people/{name}/role": "Aa",
	"POST /api/v1/people/{name}/link": "Aa", "POST /api/v1/people/{name}/disable": "Aa", "POST /api/v1/people/{name}/enable": "Aa",
	"DELETE /api/v1/people/{name}/sessions": "Aa", "POST /api/v1/people/{name}/studies": "Aa", "DELETE /api/v1/people/{name}/studies/{study...}": "Aa",
	"GET /api/v1/access-tokens": "Aa", "DELETE /api/v1/access-tokens/{id}": "Aa", "POST /api/v1/qr": "ARTFSUV", "GET /api/v1/devices/{aet}": "Aa",
	"GET /api/v1/groups": "Aa", "POST /api/v1/groups/studies": "Aa", "POST /api/v1/groups/ungrant": "Aa", "GET /api/v1/links": "Aa", "DELETE /api/v1/links/{id}": "Aa",
	"GET /api/v1/states": "Aa", "GET /api/v1/overview": "Aa", "GET /api/v1/settings": "Aa", "GET /api/v1/scope": "AUa", "POST /api/v1/scope": "Aa",
	"GET /api/v1/sample":  "ARTaw",
	"GET /api/v1/devices": "Aa", "POST /api/v1/devices": "Aa", "PATCH /api/v1/devices/{aet}": "Aa", "DELETE /api/v1/devices/{aet}": "Aa",
	"POST /api/v1/devices/{aet}/certificate": "Aa", "POST /api/v1/devices/{aet}/echo": "Aa", "GET /api/v1/connection": "Aa",
	"GET /api/v1/devices/pending": "Aa", "POST /api/v1/devices/pending/{id}/approve": "Aa", "DELETE /api/v1/devices/pending/{id}": "Aa",
	"GET /api/v1/audit": "AUa", "GET /api/v1/audit/export": "AUa", "GET /api/v1/ledger": "AUa", "GET /api/v1/ledger/verification": "AUa",
	"GET /api/v1/quarantine": "Aa", "GET /api/v1/quarantine/{id}": "Aa", "GET /api/v1/quarantine/{id}/file": "Aa",
	"POST /api/v1/quarantine/{id}/release": "Aa", "DELETE /api/v1/quarantine/{id}": "Aa",
	"GET /api/v1/gate/routes": "Aa", "GET /api/v1/gate/routes/{name}": "Aa", "POST /api/v1/gate/routes/{name}/close": "Aa",
	"POST /api/v1/gate/routes/{name}/reopen": "Aa", "POST /api/v1/gate/routes/{name}/learn": "Aa", "GET /api/v1/gate/routes/{name}/rules": "Aa",
	"POST /api/v1/gate/routes/{name}/enforce": "Aa", "GET /api/v1/gate/routes/{name}/queue": "Aa", "POST /api/v1/gate/routes/{name}/queue/retry": "Aa",
	"DELETE /api/v1/gate/queue/{id}": "Aa", "GET /api/v1/gate/routes/{name}/patches": "Aa", "POST /api/v1/gate/routes/{name}/patches": "Aa",
	"GET /api/v1/assets": "AUa", "GET /api/v1/assets/{id}": "AUa", "POST /api/v1/assets/{id}/merge": "Aa", "GET /api/v1/issues": "AUa", "GET /api/v1/issues/{id}": "AUa", "POST /api/v1/issues/{id}/accept": "Aa",
	"GET /api/v1/assets/{id}/advisories": "AUa", "POST /api/v1/assets/{id}/statements": "Aa", "GET /api/v1/advisories": "AUa",
	"GET /api/v1/changes": "AUa", "GET /api/v1/advisories/{id}": "AUa", "GET /api/v1/report": "AUa",
	"GET /api/v1/scans": "AUa", "POST /api/v1/scans": "Aa", "GET /api/v1/scans/{id}": "AUa", "DELETE /api/v1/scans/{id}": "Aa",
	"POST /api/v1/gate/pages": "ARTFSUV", "GET /api/v1/gate/doors": "Aa", "POST /api/v1/gate/doors": "Aa", "DELETE /api/v1/gate/doors/{id}": "Aa",
	"POST /api/v1/door": "AV", "GET /api/v1/door": "AV", "DELETE /api/v1/door": "AV", "GET /api/v1/door/connection": "AV",
	"GET /api/v1/studies": "ARTFarwl", "GET /api/v1/studies/{uid}": "ARTFarwl", "GET /api/v1/studies/{uid}/instances": "ARTFarwl",
	"GET /api/v1/studies/{uid}/proof": "ARTFarwl", "GET /api/v1/studies/{uid}/accesses": "ARTa", "GET /api/v1/patients/accesses": "AUa",
	"GET /api/v1/studies/{uid}/download": "ARTSarwsdb",
	"POST /api/v1/studies/{uid}/send":    "ARTarw", "GET /api/v1/sends": "ARTFarwl", "GET /api/v1/sends/{id}": "ARTFarwl", "DELETE /api/v1/sends/{id}": "ARTFarwl",
	"GET /api/v1/destinations":     "ARTarw",
	"DELETE /api/v1/studies/{uid}": "Aa", "PUT /api/v1/studies/{uid}/labels": "ARTa", "POST /api/v1/studies/{uid}/open": "ARTF",
	"GET /api/v1/shares": "ARa", "POST /api/v1/shares": "ARa", "DELETE /api/v1/shares/{id}": "ARa",
}

// walkOpen are the routes to sign in: they answer everybody, and never break.
var walkOpen = []string{
	"DELETE /api/v1/session", "GET /api/v1/session", "GET /api/v1/session/oidc/callback", "POST /api/v1/session/enrol/passkey/begin",
	"POST /api/v1/session/enrol/passkey/finish", "POST /api/v1/session/enrol/totp", "POST /api/v1/session/enrol/totp/confirm",
	"POST /api/v1/session/oidc", "POST /api/v1/session/oidc/logout", "POST /api/v1/session/passkey/begin", "POST /api/v1/session/passkey/finish", "POST /api/v1/session/password",
	"POST /api/v1/session/recovery", "POST /api/v1/session/share", "POST /api/v1/session/totp", "POST /api/v1/setup", "POST /api/v1/setup/look",
}

// walkImages are requests of DICOMweb and the pages of links. A link is let in
// to everything that is read, and sees its study alone.
var walkImages = map[string]string{
	"GET /dicom-web/": "ARTFSarwlsdb", "OPTIONS /dicom-web/studies": "ARTFSarwlsdb",
	"GET /dicom-web/studies": "ARTFSarwlsdb", "HEAD /dicom-web/studies": "ARTFSarwlsdb", "GET /dicom-web/series": "ARTFSarwlsdb",
	"GET /dicom-web/instances?includefield=all":                                                  "ARTFSarwlsdb",
	"GET /dicom-web/studies?00201200=&00201202=&includefield=all":                                "ARTFSarwlsdb",
	"GET /dicom-web/studies/2.25.70":                                                             "ARTFSarwlsdb",
	"GET /dicom-web/studies/2.25.70/series":                                                      "ARTFSarwlsdb",
	"GET /dicom-web/studies/2.25.70/metadata":                                                    "ARTFSarwlsdb",
	"GET /dicom-web/studies/2.25.70/bulkdata":                                                    "ARTFSarwlsdb",
	"GET /dicom-web/studies/2.25.70/rendered":                                                    "ARTFSarwlsdb",
	"GET /dicom-web/studies/2.25.70/series/2.25.8/instances/2.25.9/frames/1":                     "ARTFSarwlsdb",
	"GET /dicom-web/wado?requestType=WADO&studyUID=2.25.70&seriesUID=2.25.810&objectUID=2.25.90": "ARTFSarwlsdb",
	"GET /dicom-web/wado?requestType=WADO&studyUID=2.25.71&seriesUID=2.25.821&objectUID=2.25.93": "ARTSarwsdb",
	"GET /api/v1/studies/2.25.70/download":                                                       "ARTFSarwlsdb",
	"GET /api/v1/studies/2.25.71/download?format=iso":                                            "ARTSarwsdb",
	"GET /dicom-web/studies/2.25.71":                                                             "ARTSarwsdb",
	"GET /dicom-web/studies/2.25.71/series?includefield=all":                                     "ARTSarwsdb",
	"GET /dicom-web/studies/2.25.71/metadata":                                                    "ARTSarwsdb",
	"GET /dicom-web/studies/2.25.71/series/2.25.821/instances/2.25.93/metadata":                  "ARTSarwsdb",
	"GET /dicom-web/studies/2.25.70/series/2.25.821/instances/2.25.93/metadata":                  "ARTFSarwlsdb", // of another study
	"POST /dicom-web/studies":                                                                    "ARTaw",
	"POST /dicom-web/studies/2.25.70":                                                            "ARTaw",
	"DELETE /dicom-web/studies/2.25.70":                                                          "Aa",
	"DELETE /dicom-web/studies/2.25.70/series/2.25.810":                                          "Aa",
	"GET /share/": "Fsd", // whoever sees exactly one study
	"GET /setup/": everybody,
}

// walker is somebody who asks.
type walker struct {
	name byte
	*sitetest.Browser
}

func walkers(x *sitetest.Site, t *testing.T) (list []walker) {
	t.Helper()
	for _, r := range policy.Roles() {
		list = append(list, walker{map[policy.Role]byte{policy.Administrator: 'A', policy.Radiologist: 'R', policy.Technologist: 'T', policy.Referrer: 'F', policy.Researcher: 'S', policy.Auditor: 'U', policy.Vendor: 'V'}[r], x.SignIn(string(r))})
	}
	bearer := func(name byte, secret string) {
		b := x.Browser()
		b.Header.Set("Authorization", "Bearer "+secret)
		list = append(list, walker{name, b})
	}
	for _, k := range []struct {
		name         byte
		owner, scope string
		studies      []string
	}{{'a', "administrator", "admin", nil}, {'r', "radiologist", "read", nil}, {'w', "radiologist", "write", nil}, {'l', "radiologist", "read", []string{"2.25.70"}}} {
		verbs, _ := policy.Scope(k.scope)
		_, secret, err := x.In.Registry.OperatorToken(t.Context(), k.owner, verbs, k.studies, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		bearer(k.name, secret)
	}
	for _, k := range []struct {
		name  byte
		flags []string
	}{{'s', nil}, {'d', []string{"--deidentified"}}} {
		secret, _, _ := makeShare(x, t, append([]string{"--study", "2.25.70", "--expires", "1d"}, k.flags...)...)
		b := x.Browser()
		pressOpen(b, secret, "")
		list = append(list, walker{k.name, b})
	}
	_, secret, _, err := x.In.Registry.CreateShare(t.Context(), identity.NewShare{Study: "2.25.70", Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	bearer('b', secret)
	half := x.Browser()
	half.Must(200, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": sitetest.Password})
	return append(list, walker{'h', half}, walker{'0', x.Browser()})
}

// ask sends the request of a route.
func (w walker) ask(route string, header ...string) sitetest.Answer {
	method, path, _ := strings.Cut(route, " ")
	return w.Send(method, sitetest.At(path), nil, header...)
}

// judge holds an answer against who is let in.
func (w walker) judge(route, in string, a sitetest.Answer) {
	w.Helper()
	let := a.StatusCode != 401 && a.StatusCode != 403
	if let != strings.ContainsRune(in, rune(w.name)) || a.StatusCode >= 500 || a.StatusCode == 429 {
		w.Errorf("%c %s: status %d %.200s", w.name, route, a.StatusCode, a.Text)
	}
	seen := a.Text + fmt.Sprint(a.Header)
	if strings.HasPrefix(route, "GET /api/v1/audit") {
		return // it names studies, to whom it is for
	}
	if strings.ContainsRune("Flsdbh0UV", rune(w.name)) && (sitetest.HoldsUID(seen, "2.25.71") || strings.Contains(seen, "NUMBER1") || strings.Contains(seen, "ZZPHI-1")) {
		w.Errorf("%c %s: another study is in the answer", w.name, route)
	}
	if strings.ContainsRune("Sdh0UV", rune(w.name)) && (strings.Contains(seen, "ZZPHI") || strings.Contains(seen, "2.25.70\"") || strings.Contains(seen, "20260102")) {
		w.Errorf("%c %s: a patient is in the answer", w.name, route)
	}
	for _, h := range httpsec.Page {
		if a.Header.Get(h.Name) == "" && (h.Name != "X-Frame-Options" || !strings.Contains(route, "/dicom-web")) {
			w.Errorf("%c %s: no header %s", w.name, route, h.Name)
		}
	}
}

func TestEverybodyAtEveryDoor(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	api := x.Server.SignIn.NewAPI()
	x.Server.Services().Register(api)
	if got := slices.Sorted(maps.Keys(walk)); !slices.Equal(got, api.Routes()) {
		t.Fatalf("the table has %v, the server %v", got, api.Routes())
	}
	if !slices.Equal(walkOpen, api.OpenRoutes()) {
		t.Fatalf("the table has %v, the server %v", walkOpen, api.OpenRoutes())
	}
	wantDocumented(t, append(api.Routes(), walkOpen...))
	who := walkers(x, t)
	if len(who) != len(everybody) {
		t.Fatalf("%d people, want %d", len(who), len(everybody))
	}
	for _, w := range who {
		for _, route := range slices.Sorted(maps.Keys(walkImages)) {
			w.judge(route, walkImages[route], w.ask(route))
		}
		w.emergency()
		for _, route := range slices.Sorted(maps.Keys(walk)) {
			if !strings.HasPrefix(route, "DELETE /api/v1/sessions") && !strings.HasPrefix(route, "DELETE /api/v1/totp") {
				w.judge(route, walk[route], w.ask(route))
			}
		}
		w.redirected()
	}
	for _, w := range who { // what ends a session comes last
		for _, route := range []string{"DELETE /api/v1/sessions/{id}", "DELETE /api/v1/totp", "DELETE /api/v1/sessions"} {
			if b := w.Send("GET", "/api/v1/tokens", nil); b.StatusCode == http.StatusOK || !strings.ContainsRune(walk[route], rune(w.name)) {
				w.judge(route, walk[route], w.ask(route))
			}
		}
	}
}

// The routes to sign in stand what anybody sends, in any state.
func TestTheRoutesToSignInStandEverybody(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	for _, w := range walkers(x, t) {
		for _, route := range walkOpen[1:] {
			a := w.ask(route)
			broken := a.StatusCode >= 500 && a.StatusCode != http.StatusNotImplemented // there is no identity provider here
			if broken || strings.Contains(a.Text, "ZZPHI") || sitetest.HoldsUID(a.Text, `2.25.7\d`) {
				t.Errorf("%c %s: status %d %.200s", w.name, route, a.StatusCode, a.Text)
			}
		}
	}
}

// emergency is for people who treat patients: everybody else gets no further
// by it, and tokens and links are refused.
func (w walker) emergency() {
	w.Helper()
	want := map[byte]int{'A': 200, 'R': 200, 'T': 200, 'F': 200, 'S': 404, 'U': 403, 'V': 403, 'h': 401, '0': 401}[w.name]
	if want == 0 {
		want = 400
	}
	a := w.ask("GET /dicom-web/studies/2.25.71/metadata", "Collimator-Emergency", "unconscious, prior CT needed")
	if a.StatusCode != want {
		w.Errorf("%c in an emergency: status %d, want %d", w.name, a.StatusCode, want)
	}
	for _, route := range []string{"DELETE /dicom-web/studies/2.25.71", "GET /api/v1/people", "POST /dicom-web/studies"} {
		plain, more := w.ask(route), w.ask(route, "Collimator-Emergency", "unconscious, prior CT needed")
		if (plain.StatusCode == 401 || plain.StatusCode == 403) && more.StatusCode != plain.StatusCode && more.StatusCode != 400 {
			w.Errorf("%c %s: an emergency makes %d of %d", w.name, route, more.StatusCode, plain.StatusCode)
		}
	}
}

// redirected asks for an address that is written in an odd way.
func (w walker) redirected() {
	w.Helper()
	w.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { w.Client.CheckRedirect = nil }()
	for _, path := range []string{"/dicom-web//studies", "/share//x", "//evil.example/", "/share", "/dicom-web/./studies"} {
		a := w.ask("GET https://" + w.Host + path)
		if to := a.Header.Get("Location"); strings.HasPrefix(to, "//") || strings.HasPrefix(to, "http") {
			w.Errorf("%s leads to %s", path, to)
		}
		for _, h := range httpsec.API {
			if a.Header.Get(h.Name) == "" {
				w.Errorf("%c %s: status %d without %s", w.name, path, a.StatusCode, h.Name)
			}
		}
	}
}

// wantDocumented wants docs/api.md to name each route.
func wantDocumented(t *testing.T, routes []string) {
	t.Helper()
	b, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		_, path, _ := strings.Cut(r, " /api/v1")
		if !strings.Contains(string(b), "`"+path+"`") {
			t.Errorf("docs/api.md does not name %s", r)
		}
	}
}

// A one-time link is opened from a mail in a browser, which is a page of
// another origin; a form of such a page signs nobody in.
func TestALinkInAMailOpensAndAFormElsewhereDoesNot(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	_, secret, err := x.In.Registry.PersonLink(t.Context(), "grace", "radiologist", false)
	if err != nil {
		t.Fatal(err)
	}
	b := x.Browser()
	b.Must(200, "GET", "/setup/open", nil, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")
	if a := sitetest.Fill(b, "/setup/open", "link", secret); a.StatusCode != 200 || !strings.Contains(a.Text, "grace") {
		t.Errorf("status %d: %s", a.StatusCode, a.Text)
	}
	b.Must(200, "GET", "/setup/", nil, "Sec-Fetch-Site", "cross-site")
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		b.Must(403, "POST", "/setup/", "step=password&name=auditor&password="+sitetest.Password, append(form, h...)...)
		b.Must(403, "POST", "/setup/open", "link="+secret+"&password="+sitetest.Password+"&again="+sitetest.Password, append(form, h...)...)
	}
	if b.Cookie() != "" {
		t.Error("a page of another origin signed somebody in")
	}
	a := b.Must(200, "POST", "/setup/open", "link="+secret+"&password="+sitetest.Password+"&again="+sitetest.Password, append(form, "Sec-Fetch-Site", "same-origin")...)
	if a.Request.URL.Path != "/setup/" || strings.Contains(a.Header.Get("Referrer-Policy")+a.Header.Get("Cache-Control"), "origin") {
		t.Errorf("it ends at %s", a.Request.URL.Path)
	}
}
