package house_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"collimator/internal/house/sitetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

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
	w := sitetest.NewWeb(t)
	odd := []string{"/", "/favicon.ico", "/dicom-web", "/dicom-web/", "/dicom-web/nonsense", "/dicom-web/studies/../../etc/passwd", "/admin", "/dicom-web/wado?requestType=WADO&studyUID=2.25.70"}
	for _, path := range append(requests("2.25.70"), odd...) {
		for _, method := range []string{"GET", "POST", "DELETE", "PUT", "OPTIONS", "HEAD", "PATCH"} {
			for _, token := range []string{"", "nonsense", "clmt_" + strings.Repeat("A", 43)} {
				status, body := w.Do(method, path, token, nil, "")
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
	w := sitetest.NewWeb(t)
	for role, cell := range map[policy.Role]string{
		policy.Administrator: "a", policy.Radiologist: "a", policy.Technologist: "a", policy.Referrer: "s", policy.Researcher: "d", policy.Auditor: "-",
	} {
		_, token := w.Token(role, policy.AllVerbs())
		for _, study := range []string{"2.25.70", "2.25.71"} {
			for i, path := range requests(study) {
				status, body := w.Do("GET", path, token, nil, "")
				check(w, fmt.Sprintf("%s GET %s", role, path), cell, paths[i].study != "", study, status, body)
			}
		}
	}
}

func check(w *sitetest.Web, what, cell string, named bool, study string, status int, body string) {
	w.Helper()
	if cell == "d" {
		checkHidden(w, what, named, status, body)
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
	if cell != "a" && (strings.Contains(body, "NUMBER1") || sitetest.HoldsUID(body, "2.25.71") || strings.Contains(body, "ZZPHI-1")) {
		w.Errorf("%s: another patient is in the answer", what)
	}
}

// checkHidden wants searches to answer, real UIDs to be unknown, and no identity.
func checkHidden(w *sitetest.Web, what string, named bool, status int, body string) {
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
	w := sitetest.NewWeb(t)
	_, both := w.Token(policy.Radiologist, policy.AllVerbs(), "2.25.71")
	if status, body := w.Do("GET", "/dicom-web/studies", both, nil, ""); status != 200 || strings.Contains(body, "2.25.70\"") || !strings.Contains(body, "2.25.71") {
		t.Errorf("a token for one study lists: status %d", status)
	}
	if status, _ := w.Do("GET", "/dicom-web/studies/2.25.70/metadata", both, nil, ""); status != http.StatusForbidden {
		t.Errorf("a token for one study reads another one: status %d", status)
	}
	// The owner sees 2.25.70, the token is for 2.25.71: nothing is left.
	_, none := w.Token(policy.Referrer, policy.AllVerbs(), "2.25.71")
	if status, body := w.Do("GET", "/dicom-web/studies", none, nil, ""); status != 200 || strings.TrimSpace(body) != "[]" {
		t.Errorf("a token beyond its owner lists: status %d, %d bytes", status, len(body))
	}
	if status, _ := w.Do("GET", "/dicom-web/studies/2.25.71/metadata", none, nil, ""); status != http.StatusForbidden {
		t.Errorf("a token reaches further than its owner: status %d", status)
	}
	_, read := w.Token(policy.Administrator, []policy.Verb{policy.Query, policy.Retrieve})
	if status, _ := w.Do("POST", "/dicom-web/studies", read, strings.NewReader("x"), "application/dicom"); status != http.StatusForbidden {
		t.Errorf("a token for reading stores: status %d", status)
	}
}

func TestARequestThatMakesNoSenseIsExplainedToWhoMaySearch(t *testing.T) {
	t.Parallel()
	w := sitetest.NewWeb(t)
	_, reader := w.Token(policy.Referrer, policy.AllVerbs())
	_, auditor := w.Token(policy.Auditor, policy.AllVerbs())
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
		if status, body := w.Do(c.method, c.path, reader, nil, ""); status != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%s: status %d, want %d: %s", what, status, c.want, body)
		}
		if status, _ := w.Do(c.method, c.path, auditor, nil, ""); status != http.StatusForbidden {
			t.Errorf("%s of an auditor: status %d", what, status)
		}
		if status, _ := w.Do(c.method, c.path, "", nil, ""); status != http.StatusUnauthorized {
			t.Errorf("%s without a token: status %d", what, status)
		}
	}
}

func TestRevokedExpiredAndOrphanedTokensDoNotCount(t *testing.T) {
	t.Parallel()
	w := sitetest.NewWeb(t)
	ok := func(secret string) bool {
		status, _ := w.Do("GET", "/dicom-web/studies", secret, nil, "")
		return status == 200
	}
	id, secret := w.Token(policy.Radiologist, policy.AllVerbs())
	if !ok(secret) {
		t.Fatal("a good token does not count")
	}
	if err := w.In.Registry.RevokeToken(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if ok(secret) {
		t.Error("a revoked token counts")
	}
	_, secret = w.Token(policy.Radiologist, policy.AllVerbs())
	people, err := w.In.Registry.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if p.Name == "root" {
			continue
		}
		if err := w.In.Registry.DisablePerson(t.Context(), p.Name); err != nil {
			t.Fatal(err)
		}
	}
	if ok(secret) {
		t.Error("the token of a disabled person counts")
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := sitetest.NewWeb(t)
	_, good := w.Token(policy.Radiologist, policy.AllVerbs())
	last := 0
	for i := range 12 {
		last, _ = w.Do("GET", "/dicom-web/studies", fmt.Sprintf("clmt_%043d", i), nil, "")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after twelve guesses the answer is %d, want 429", last)
	}
	if status, _ := w.Do("GET", "/dicom-web/studies", good, nil, ""); status != http.StatusTooManyRequests {
		t.Errorf("a guess that hits is let in at once: status %d", status)
	}
}

func TestWhatGoesInByTheWebIsRecordedAndComesOut(t *testing.T) {
	t.Parallel()
	w := sitetest.NewWeb(t)
	_, token := w.Token(policy.Technologist, policy.AllVerbs())
	in := sitetest.Incoming(t, 42, 7)
	data, err := io.ReadAll(in.Data)
	if err != nil {
		t.Fatal(err)
	}
	body, contentType := sitetest.Multipart(t, sitetest.Part10(data))
	status, answer := w.Do("POST", "/dicom-web/studies", token, body, contentType)
	if status != 200 {
		t.Fatalf("status %d: %.300s", status, answer)
	}
	if status, answer := w.Do("GET", "/dicom-web/studies/2.25.714/metadata", token, nil, ""); status != 200 || !strings.Contains(answer, "2.25.942") {
		t.Errorf("status %d", status)
	}
	var stored, read bool
	for r, err := range w.In.Trail.After(t.Context(), -1) {
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
	w := sitetest.NewWeb(t)
	ctx := t.Context()
	if err := w.In.Registry.AddPerson(ctx, "ada", identity.Administrator, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	if err := w.In.Registry.DisablePerson(ctx, "ada"); err != nil {
		t.Fatal(err)
	}
	if err := w.In.Registry.DisablePerson(ctx, "root"); err == nil {
		t.Error("the last administrator could be taken out")
	}
	if err := w.In.Registry.SetRole(ctx, "root", string(policy.Auditor)); err == nil {
		t.Error("the last administrator could be given another role")
	}
}
