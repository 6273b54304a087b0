package main

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

// makeShare makes a link with the command and returns its secret, its number and its
// password.
func makeShare(x *sitetest.Site, t *testing.T, flags ...string) (secret, id, password string) {
	t.Helper()
	out, code := runOn(x.In, t, append([]string{"share", "create"}, flags...)...)
	if code != 0 {
		t.Fatal(out)
	}
	link := regexp.MustCompile(`https://\S+`).FindString(out)
	u, err := url.Parse(link)
	if err != nil || u.Path != "/share/open" || !strings.HasPrefix(u.Fragment, "clms_") {
		t.Fatalf("no link in %s", out)
	}
	if m := regexp.MustCompile(`another way: (\S+)`).FindStringSubmatch(out); m != nil {
		password = m[1]
	}
	return u.Fragment, regexp.MustCompile(`Link (\w+)`).FindStringSubmatch(out)[1], password
}

// pressOpen sends the form of the page that opens a link.
func pressOpen(b *sitetest.Browser, secret, password string) sitetest.Answer {
	b.Helper()
	return sitetest.Fill(b, "/share/open", "link", secret, "password", password)
}

func TestALinkShowsOneStudyUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	secret, id, password := makeShare(x, t, "--study", "2.25.70", "--expires", "2d", "--password")
	b := x.Browser()
	b.Must(401, "GET", "/share/", nil)
	if a := b.Send("GET", "/share/"+secret, nil); a.Request.URL.Path != "/share/open" || a.Request.URL.Fragment != secret {
		t.Errorf("an address of the old kind leads to %s", a.Request.URL.Path)
	}
	if a := b.Must(200, "GET", "/share/open", nil); !strings.Contains(a.Text, "<form") || strings.Contains(a.Text, "2.25.7") || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("the page of the link: %s", a.Text)
	}
	if a := b.Send("GET", "/share/open", nil, "Accept-Language", "de-AT,de;q=0.9,en;q=0.8"); !strings.Contains(a.Text, "Untersuchung öffnen") {
		t.Error("it does not speak German")
	}
	for _, wrong := range []string{"", "aaaa-bbbb-cccc-dddd"} {
		if a := pressOpen(b, secret, wrong); a.StatusCode != 401 || b.Cookie() != "" {
			t.Errorf("password %q: status %d", wrong, a.StatusCode)
		}
	}
	a := pressOpen(b, secret, strings.ToUpper(password))
	if a.StatusCode != 200 || a.Request.URL.Path != "/share/" || !strings.Contains(a.Text, "ZZPHI NUMBER0") || strings.Contains(a.Text, "NUMBER1") {
		t.Fatalf("status %d at %s: %s", a.StatusCode, a.Request.URL.Path, a.Text)
	}
	if n := strings.Count(a.Text, `<li><a href="/share/?frame=1&amp;series=`); n != 2 || !strings.Contains(a.Text, "2 images") {
		t.Errorf("%d series on the page, want 2: %s", n, a.Text)
	}
	wantGuessesToLeadNowhere(b, t, "2.25.70", "2.25.71")
	wantOnly(b, t, "2.25.70", "2.25.71")
	if out, code := runOn(x.In, t, "share", "revoke", id); code != 0 {
		t.Fatal(out)
	}
	for _, p := range []string{"/share/", "/dicom-web/studies", "/dicom-web/studies/2.25.70/metadata"} {
		b.Must(401, "GET", p, nil)
	}
	if a := pressOpen(b, secret, password); a.StatusCode != 401 {
		t.Errorf("a revoked link opens: status %d", a.StatusCode)
	}
	wantShareRecorded(t, x, "share "+id)
}

// wantGuessesToLeadNowhere wants the pages of a link, and of who is not signed in, to show nothing but its study,
// whatever is written into their addresses.
func wantGuessesToLeadNowhere(b *sitetest.Browser, t *testing.T, mine, other string) {
	t.Helper()
	if a := b.Must(200, "GET", "/share/?series=1&frame=2", nil); !strings.Contains(a.Text, "/share/view/studies/"+mine) {
		t.Errorf("no download on the page of a place: %s", a.Text)
	}
	b.Must(200, "GET", "/share/view/studies/"+mine+"/series/2.25.810/instances/2.25.90/metadata", nil)
	for _, path := range []string{
		"/share/?series=3", "/share/?series=0", "/share/?series=-1", "/share/?series=1&frame=3", "/share/?series=1&frame=0", "/share/?series=x",
		"/share/?series=99999999999999999999&frame=1", "/share/view/studies/" + other, "/share/view/studies/" + other + "/series/2.25.821/instances/2.25.93/metadata",
		"/share/view/studies/" + mine + "/series/2.25.821/instances/2.25.93/metadata", "/share/view/studies/" + other + "/series/2.25.821/instances/2.25.93/frames/1/rendered",
	} {
		if a := b.Must(404, "GET", path, nil); strings.Contains(a.Text, "NUMBER1") {
			t.Errorf("%s shows the other patient", path)
		}
	}
	for _, path := range []string{"/share/?study=" + other, "/share/?series=1&frame=1&study=" + other, "/share/?series=2&frame=1&route=" + other} {
		if a := b.Must(200, "GET", path, nil); strings.Contains(a.Text, other) || strings.Contains(a.Text, "NUMBER1") || !strings.Contains(a.Text, "NUMBER0") {
			t.Errorf("%s shows %s", path, a.Text)
		}
	}
	b.Must(404, "GET", "/view/?study="+other, nil)
	b.Must(404, "GET", "/view/?series=1&frame=1&study="+other, nil)
}

// TestTheLightPageShowsWhatItsReaderMaySee is the page for who is signed in: a radiologist sees every study, a referrer
// the one that was granted.
func TestTheLightPageShowsWhatItsReaderMaySee(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	radiologist, referrer, auditor := x.SignIn("radiologist"), x.SignIn("referrer"), x.SignIn("auditor")
	for _, c := range []struct {
		who    *sitetest.Browser
		query  string
		status int
		shows  string
	}{
		{radiologist, "study=2.25.70", 200, "NUMBER0"},
		{radiologist, "study=2.25.71&series=1&frame=1", 200, "NUMBER1"},
		{radiologist, "study=2.25.72", 404, ""},
		{radiologist, "study=2.25.70&route=NONE", 404, ""},
		{radiologist, "study=2.25.70&route=../../api/v1", 404, ""},
		{radiologist, "study=*", 404, ""},
		{radiologist, "study=2.25.70%5C2.25.71", 404, ""},
		{radiologist, "", 404, ""},
		{referrer, "study=2.25.70", 200, "NUMBER0"},
		{referrer, "study=2.25.70&series=2&frame=1", 200, "NUMBER0"},
		{referrer, "study=2.25.71", 404, ""},
		{referrer, "study=2.25.71&series=1&frame=1", 404, ""},
		{auditor, "study=2.25.70", 401, ""},
	} {
		a := c.who.Send("GET", "/view/?"+c.query, nil)
		if a.StatusCode != c.status || c.shows == "" && strings.Contains(a.Text, "ZZPHI") || !strings.Contains(a.Text, c.shows) {
			t.Errorf("%s: status %d, want %d: %s", c.query, a.StatusCode, c.status, a.Text)
		}
		if title := strings.SplitN(a.Text, "</title>", 2)[0]; strings.Contains(title, "ZZPHI") {
			t.Errorf("%s: the title is of a patient", c.query)
		}
	}
}

// wantOnly wants one study to be seen and nothing else to be possible.
func wantOnly(b *sitetest.Browser, t *testing.T, mine, other string) {
	t.Helper()
	if a := b.Must(200, "GET", "/dicom-web/studies", nil); !strings.Contains(a.Text, mine) || strings.Contains(a.Text, other) {
		t.Errorf("the search shows %s", a.Text)
	}
	b.Must(200, "GET", "/dicom-web/studies/"+mine+"/metadata", nil)
	b.Must(404, "GET", "/dicom-web/studies/"+other+"/metadata", nil)
	for _, p := range []string{"/dicom-web/studies?PatientID=ZZPHI-1", "/dicom-web/series?StudyInstanceUID=" + other, "/dicom-web/instances?PatientName=ZZPHI*"} {
		if a := b.Must(200, "GET", p, nil); strings.Contains(a.Text, other) || strings.Contains(a.Text, "NUMBER1") {
			t.Errorf("%s shows the other patient", p)
		}
	}
	for _, rq := range []struct{ method, path string }{
		{"POST", "/dicom-web/studies"}, {"DELETE", "/dicom-web/studies/" + mine}, {"GET", "/api/v1/people"}, {"GET", "/api/v1/audit"}, {"GET", "/api/v1/tokens"},
		{"POST", "/api/v1/shares"}, {"GET", "/api/v1/shares"}, {"GET", "/api/v1/devices"}, {"GET", "/api/v1/sessions"}, {"POST", "/api/v1/password"},
	} {
		if a := b.Send(rq.method, rq.path, map[string]string{}, "Collimator-Reason", "a good reason"); a.StatusCode != 403 {
			t.Errorf("%s %s: status %d, want 403", rq.method, rq.path, a.StatusCode)
		}
	}
	if a := b.Must(200, "GET", "/api/v1/session", nil); a.JSON["method"] != "share" {
		t.Errorf("the session is %s", a.Text)
	}
}

func wantShareRecorded(t *testing.T, x *sitetest.Site, who string) {
	t.Helper()
	seen := map[audit.Event]int{}
	for _, r := range x.Records() {
		if r.Principal == who {
			seen[r.Event]++
		}
	}
	if seen[audit.UserAuthenticated] == 0 || seen[audit.Query] == 0 || seen[audit.Transferred] == 0 || seen[audit.SecurityAlert] == 0 {
		t.Errorf("recorded of the link: %v", seen)
	}
}

func TestADeidentifiedLinkNamesNobody(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	secret, _, _ := makeShare(x, t, "--study", "2.25.70", "--deidentified")
	b := x.Browser()
	a := pressOpen(b, secret, "")
	if a.StatusCode != 200 {
		t.Fatal(a.StatusCode, a.Text)
	}
	list := b.Must(200, "GET", "/dicom-web/studies?includefield=all", nil)
	for _, text := range []string{a.Text, list.Text} {
		if strings.Contains(text, "ZZPHI") || strings.Contains(text, `2.25.70"`) || strings.Contains(text, "2.25.70/") || strings.Contains(text, "NUMBER") {
			t.Errorf("the link names the patient: %s", text)
		}
	}
	if strings.Count(list.Text, "0020000D") != 1 {
		t.Errorf("not one study: %s", list.Text)
	}
	b.Must(404, "GET", "/dicom-web/studies/2.25.70/metadata", nil)
	b.Must(404, "GET", "/dicom-web/studies/2.25.71/metadata", nil)
}

// A program can use the secret of a link without a password in the place of a
// token; a link is of use only as long as its maker is.
func TestWhoMakesLinksAndWhatBecomesOfThem(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	for _, role := range []policy.Role{policy.Technologist, policy.Referrer, policy.Researcher, policy.Auditor} {
		x.SignIn(string(role)).Must(403, "POST", "/api/v1/shares", map[string]any{"study": "2.25.70", "days": 7})
	}
	b := x.SignIn("radiologist")
	b.Must(404, "POST", "/api/v1/shares", map[string]any{"study": "2.25.79", "days": 7})
	b.Must(400, "POST", "/api/v1/shares", map[string]any{"study": "2.25.70", "days": 93})
	a := b.Must(200, "POST", "/api/v1/shares", map[string]any{"study": "2.25.70", "days": 7})
	link, _ := a.JSON["link"].(string)
	_, secret, _ := strings.Cut(link, "/share/open#")
	stranger := x.BrowserAt("127.0.0.2")
	bearer := []string{"Authorization", "Bearer " + secret}
	if a := stranger.Must(200, "GET", "/dicom-web/studies", nil, bearer...); sitetest.HoldsUID(a.Text, "2.25.71") {
		t.Errorf("the link shows %s", a.Text)
	}
	if a := b.Must(200, "GET", "/api/v1/shares", nil); strings.Contains(a.Text, secret) || !strings.Contains(a.Text, "2.25.70") {
		t.Errorf("the list of links is %s", a.Text)
	}
	x.SignIn("administrator").Must(200, "GET", "/api/v1/shares", nil)
	if err := x.In.Registry.DisablePerson(t.Context(), "radiologist"); err != nil {
		t.Fatal(err)
	}
	stranger.Must(401, "GET", "/dicom-web/studies", nil, bearer...)
}

func TestLinksAreNotGuessed(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	secret, _, password := makeShare(x, t, "--study", "2.25.70", "--password")
	b := x.BrowserAt("127.0.0.3")
	status := 0
	for range 30 {
		if status = pressOpen(b, secret, "aaaa-bbbb-cccc-dddd").StatusCode; status == 429 {
			break
		}
	}
	if status != 429 {
		t.Errorf("guessing goes on: status %d", status)
	}
	if a := pressOpen(b, secret, password); a.StatusCode != 429 {
		t.Errorf("the right password counts during the lock-out: status %d", a.StatusCode)
	}
	if a := x.Browser().Send("POST", "/share/open", "link="+secret+"&password="+password, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); a.StatusCode != 401 {
		t.Errorf("a page of another origin opens the link: status %d", a.StatusCode)
	}
}
