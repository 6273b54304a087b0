package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/internal/config"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// webServer is the HTTPS side of serve, without TLS, over an archive with two
// studies of two patients.
type webServer struct {
	*testing.T
	in  *house.Installation
	url string
	log *bytes.Buffer
}

func newWebServer(t *testing.T, change ...func(*config.Config)) *webServer {
	t.Helper()
	c := config.Default()
	for _, f := range change {
		f(&c)
	}
	c.Data = filepath.Join(t.TempDir(), "data")
	in := openNew(t, c)
	w := &webServer{T: t, in: in, log: &bytes.Buffer{}}
	s, err := house.NewServer(in, slog.New(slog.NewTextHandler(w.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Registry.AddPerson(t.Context(), "root", identity.Administrator, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	for i := range 6 { // studies 2.25.70 and 2.25.71
		ingest(t, s.Archive, i, byte(i))
	}
	h := httptest.NewServer(s.Handler())
	w.url = h.URL
	t.Cleanup(func() {
		h.Close()
		if strings.Contains(w.log.String(), "ZZPHI") {
			t.Error("the log holds patient data")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// token registers a person, with the study 2.25.70 granted, and makes a token.
func (w *webServer) token(role policy.Role, verbs []policy.Verb, studies ...string) (id, secret string) {
	w.Helper()
	name := fmt.Sprintf("%s-%d", role, time.Now().UnixNano())
	if err := w.in.Registry.AddPerson(w.Context(), name, string(role), "correct horse battery"); err != nil {
		w.Fatal(err)
	}
	if err := w.in.Registry.GrantStudy(w.Context(), name, "2.25.70"); err != nil {
		w.Fatal(err)
	}
	t, secret, err := w.in.Registry.CreateToken(w.Context(), name, verbs, studies, time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	return t.ID, secret
}

// do makes a request and returns status and body.
func (w *webServer) do(method, path, token string, body io.Reader, contentType string) (int, string) {
	w.Helper()
	rq, err := http.NewRequestWithContext(w.Context(), method, w.url+path, body)
	if err != nil {
		w.Fatal(err)
	}
	if token != "" {
		rq.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		rq.Header.Set("Content-Type", contentType)
	}
	rsp, err := http.DefaultClient.Do(rq)
	if err != nil {
		w.Fatal(err)
	}
	defer rsp.Body.Close()
	b, err := io.ReadAll(rsp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return rsp.StatusCode, string(b)
}

// paths are requests of every kind, about the granted study and the other one.
// QIDO is a search over everything; the rest names one study.
var paths = []struct {
	path  string
	study string // that is asked about; empty for a search over all
}{
	{"/dicom-web/studies", ""}, {"/dicom-web/series", ""}, {"/dicom-web/instances", ""},
	{"/dicom-web/studies?PatientName=ZZPHI*", ""}, {"/dicom-web/studies?00100020=ZZPHI-1", ""},
	{"/dicom-web/studies/%s/series", "x"}, {"/dicom-web/studies/%s/instances", "x"}, {"/dicom-web/studies/%s/metadata", "x"}, {"/dicom-web/studies/%s", "x"},
	{"/dicom-web/studies/%s/thumbnail", "x"},
}

func requests(study string) (list []string) {
	for _, p := range paths {
		if p.study == "" {
			list = append(list, p.path)
		} else {
			list = append(list, fmt.Sprintf(p.path, study))
		}
	}
	return list
}

func TestWithoutATokenEveryURLAnswers401(t *testing.T) {
	t.Parallel()
	w := newWebServer(t)
	odd := []string{"/", "/favicon.ico", "/dicom-web", "/dicom-web/", "/dicom-web/nonsense", "/dicom-web/studies/../../etc/passwd", "/admin", "/dicom-web/wado?requestType=WADO&studyUID=2.25.70"}
	for _, path := range append(requests("2.25.70"), odd...) {
		for _, method := range []string{"GET", "POST", "DELETE", "PUT", "OPTIONS", "HEAD", "PATCH"} {
			for _, token := range []string{"", "nonsense", "clmt_" + strings.Repeat("A", 43)} {
				status, body := w.do(method, path, token, nil, "")
				if status != http.StatusUnauthorized && status != http.StatusTooManyRequests {
					t.Errorf("%s %s with %d characters of token: status %d", method, path, len(token), status)
				}
				if strings.Contains(body, "ZZPHI") || strings.Contains(body, "2.25.7") {
					t.Errorf("%s %s: the refusal tells something", method, path)
				}
			}
		}
	}
}

// TestRolesSeeWhatTheirRoleAllows is the matrix of role by request: a for
// everything, s for the granted study alone, d for what is de-identified, under
// other UIDs, - for nothing.
func TestRolesSeeWhatTheirRoleAllows(t *testing.T) {
	t.Parallel()
	w := newWebServer(t)
	for role, cell := range map[policy.Role]string{
		policy.Administrator: "a", policy.Radiologist: "a", policy.Technologist: "a", policy.Referrer: "s", policy.Researcher: "d", policy.Auditor: "-",
	} {
		_, token := w.token(role, policy.AllVerbs())
		for _, study := range []string{"2.25.70", "2.25.71"} {
			for i, path := range requests(study) {
				status, body := w.do("GET", path, token, nil, "")
				w.check(fmt.Sprintf("%s GET %s", role, path), cell, paths[i].study != "", study, status, body)
			}
		}
	}
}

func (w *webServer) check(what, cell string, named bool, study string, status int, body string) {
	w.Helper()
	if cell == "d" {
		w.checkHidden(what, named, status, body)
		return
	}
	granted := cell == "a" || cell == "s" && (!named || study == "2.25.70")
	switch {
	case granted && status != http.StatusOK && status != http.StatusNotAcceptable && status != http.StatusNotFound:
		w.Errorf("%s: status %d, want the result", what, status)
	case !granted && status != http.StatusForbidden:
		w.Errorf("%s: status %d, want 403", what, status)
	}
	// Study 2.25.71 is of the second patient.
	if cell != "a" && (strings.Contains(body, "NUMBER1") || holdsUID(body, "2.25.71") || strings.Contains(body, "ZZPHI-1")) {
		w.Errorf("%s: another patient is in the answer", what)
	}
}

// checkHidden wants searches to answer, real UIDs to be unknown, and no identity.
func (w *webServer) checkHidden(what string, named bool, status int, body string) {
	w.Helper()
	if want := map[bool]int{false: http.StatusOK, true: http.StatusNotFound}[named]; status != want && strings.TrimSpace(body) != "[]" {
		w.Errorf("%s: status %d, want %d", what, status, want)
	}
	for _, leak := range []string{"NUMBER", "ZZPHI", "2.25.70\"", "2.25.71\"", "2.25.70/", "2.25.71/", "2.25.90\""} {
		if strings.Contains(body, leak) {
			w.Errorf("%s: the answer holds %q", what, leak)
		}
	}
}

func TestATokenReachesNoFurtherThanItsStudiesAndItsOwner(t *testing.T) {
	t.Parallel()
	w := newWebServer(t)
	_, both := w.token(policy.Radiologist, policy.AllVerbs(), "2.25.71")
	if status, body := w.do("GET", "/dicom-web/studies", both, nil, ""); status != 200 || strings.Contains(body, "2.25.70\"") || !strings.Contains(body, "2.25.71") {
		t.Errorf("a token for one study lists: status %d", status)
	}
	if status, _ := w.do("GET", "/dicom-web/studies/2.25.70/metadata", both, nil, ""); status != http.StatusForbidden {
		t.Errorf("a token for one study reads another one: status %d", status)
	}
	// The owner sees 2.25.70, the token is for 2.25.71: nothing is left.
	_, none := w.token(policy.Referrer, policy.AllVerbs(), "2.25.71")
	if status, body := w.do("GET", "/dicom-web/studies", none, nil, ""); status != 200 || strings.TrimSpace(body) != "[]" {
		t.Errorf("a token beyond its owner lists: status %d, %d bytes", status, len(body))
	}
	if status, _ := w.do("GET", "/dicom-web/studies/2.25.71/metadata", none, nil, ""); status != http.StatusForbidden {
		t.Errorf("a token reaches further than its owner: status %d", status)
	}
	_, read := w.token(policy.Administrator, []policy.Verb{policy.Query, policy.Retrieve})
	if status, _ := w.do("POST", "/dicom-web/studies", read, strings.NewReader("x"), "application/dicom"); status != http.StatusForbidden {
		t.Errorf("a token for reading stores: status %d", status)
	}
}

func TestARequestThatMakesNoSenseIsExplainedToWhoMaySearch(t *testing.T) {
	t.Parallel()
	w := newWebServer(t)
	_, reader := w.token(policy.Referrer, policy.AllVerbs())
	_, auditor := w.token(policy.Auditor, policy.AllVerbs())
	for _, c := range []struct {
		method, path string
		want         int
		says         string
	}{
		{"GET", "/dicom-web/studies/1.2.a/metadata", http.StatusBadRequest, "is invalid"},
		{"GET", "/dicom-web/studies/2.25.70/series/1.3/instances/1.4/frames/0", http.StatusBadRequest, "numbers from 1 on"},
		{"GET", "/dicom-web/studies?a=%zz", http.StatusBadRequest, "Percent-encode"},
		{"GET", "/dicom-web/nonsense", http.StatusNotFound, "nothing under this address"},
		{"PUT", "/dicom-web/studies/2.25.70", http.StatusMethodNotAllowed, "Use GET"},
	} {
		what := c.method + " " + c.path
		if status, body := w.do(c.method, c.path, reader, nil, ""); status != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%s: status %d, want %d: %s", what, status, c.want, body)
		}
		if status, _ := w.do(c.method, c.path, auditor, nil, ""); status != http.StatusForbidden {
			t.Errorf("%s of an auditor: status %d", what, status)
		}
		if status, _ := w.do(c.method, c.path, "", nil, ""); status != http.StatusUnauthorized {
			t.Errorf("%s without a token: status %d", what, status)
		}
	}
}

func TestRevokedExpiredAndOrphanedTokensDoNotCount(t *testing.T) {
	t.Parallel()
	w := newWebServer(t)
	ok := func(secret string) bool {
		status, _ := w.do("GET", "/dicom-web/studies", secret, nil, "")
		return status == 200
	}
	id, secret := w.token(policy.Radiologist, policy.AllVerbs())
	if !ok(secret) {
		t.Fatal("a good token does not count")
	}
	if err := w.in.Registry.RevokeToken(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if ok(secret) {
		t.Error("a revoked token counts")
	}
	_, secret = w.token(policy.Radiologist, policy.AllVerbs())
	people, err := w.in.Registry.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if p.Name == "root" {
			continue
		}
		if err := w.in.Registry.DisablePerson(t.Context(), p.Name); err != nil {
			t.Fatal(err)
		}
	}
	if ok(secret) {
		t.Error("the token of a disabled person counts")
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWebServer(t)
	_, good := w.token(policy.Radiologist, policy.AllVerbs())
	last := 0
	for i := range 12 {
		last, _ = w.do("GET", "/dicom-web/studies", fmt.Sprintf("clmt_%043d", i), nil, "")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after twelve guesses the answer is %d, want 429", last)
	}
	if status, _ := w.do("GET", "/dicom-web/studies", good, nil, ""); status != http.StatusTooManyRequests {
		t.Errorf("a guess that hits is let in at once: status %d", status)
	}
}

func TestWhatGoesInByTheWebIsRecordedAndComesOut(t *testing.T) {
	t.Parallel()
	w := newWebServer(t)
	_, token := w.token(policy.Technologist, policy.AllVerbs())
	in := incoming(t, 42, 7)
	data, err := io.ReadAll(in.Data)
	if err != nil {
		t.Fatal(err)
	}
	body, contentType := multipartOf(t, part10(data))
	status, answer := w.do("POST", "/dicom-web/studies", token, body, contentType)
	if status != 200 {
		t.Fatalf("status %d: %.300s", status, answer)
	}
	if status, answer := w.do("GET", "/dicom-web/studies/2.25.714/metadata", token, nil, ""); status != 200 || !strings.Contains(answer, "2.25.942") {
		t.Errorf("status %d", status)
	}
	var stored, read bool
	for r, err := range w.in.Trail.After(t.Context(), -1) {
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range r.Objects {
			if o.Study == "2.25.714" && strings.HasPrefix(r.Principal, "token ") {
				stored, read = stored || r.Action == "C", read || r.Action == "R"
				if r.Door != "dicomweb" || r.Kind != "service" || !strings.Contains(r.Rule, "is a technologist") {
					t.Errorf("recorded by %s %s, rule %q", r.Door, r.Kind, r.Rule)
				}
			}
		}
	}
	if !stored || !read {
		t.Errorf("recorded: stored %v, read %v", stored, read)
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	w := newWebServer(t)
	ctx := t.Context()
	if err := w.in.Registry.AddPerson(ctx, "ada", identity.Administrator, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	if err := w.in.Registry.DisablePerson(ctx, "ada"); err != nil {
		t.Fatal(err)
	}
	if err := w.in.Registry.DisablePerson(ctx, "root"); err == nil {
		t.Error("the last administrator could be taken out")
	}
	if err := w.in.Registry.SetRole(ctx, "root", string(policy.Auditor)); err == nil {
		t.Error("the last administrator could be given another role")
	}
}
