//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/house/sitetest"
	"collimator/interop/harness"
)

// paged is a gate in front of the pages of an Orthanc.
type paged struct {
	*harness.Server
	t  *testing.T
	o  *archiveOf
	at string // origin of the pages
}

// pageUser and pagePassword are those of the gate at Orthanc.
const (
	pageUser     = "gate"
	pagePassword = "zz-secret-of-the-gate"
)

// startPaged starts an Orthanc that wants a password, and a gate in front of its pages. Further lines
// of the block are indented by six.
func startPaged(t *testing.T, more string) *paged {
	t.Helper()
	behind := harness.FreeAddress(t)
	o := startOrthanc(t, behind, map[string]any{
		"DicomAet": "OLDPACS", "RemoteAccessAllowed": true, "AuthenticationEnabled": true,
		"RegisteredUsers": map[string]string{pageUser: pagePassword}, "Plugins": []string{},
	})
	o.user, o.password = pageUser, pagePassword
	web := harness.FreeAddress(t)
	_, port, _ := strings.Cut(web, ":")
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("routes:\n  - name: PACS\n    protect: OLDPACS@%s\n    web:\n      to: %s\n      at: https://pacs.localhost:%s\n      product: orthanc\n%s"+
		"    rules:\n      - {name: registered, registered: true}\n", behind, o.rest, port, more)
	if err := os.WriteFile(filepath.Join(data, "routes.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &paged{Server: harness.StartIn(t, data), t: t, o: o, at: "https://pacs.localhost:" + port}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(facePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Must("init", "--data", data, "--admin", "ada", "--password-file", password)
	for name, role := range map[string]string{"rita": "radiologist", "ron": "referrer"} {
		p.Must("user", "add", name, "--role", role, "--password-file", password, "--data", data)
	}
	set := exec.Command(harness.Binary(t), "gate", "password", "PACS", "--user", pageUser, "--data", data)
	set.Stdin = strings.NewReader(pagePassword + "\n")
	if out, err := set.CombinedOutput(); err != nil || bytes.Contains(out, []byte(pagePassword)) {
		t.Fatalf("%v %s", err, out)
	}
	if !harness.WaitListening(web, 20*time.Second) {
		t.Fatalf("the pages are not there: %s", p.Output())
	}
	return p
}

// browser is one that keeps cookies, and knows where hosts of this machine are.
func (p *paged) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address)
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
	}
	return &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DialContext: dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// do sends a request as a page of the origin does, and gives status and body.
func (p *paged) do(b *http.Client, method, address string, body []byte, header ...string) (*http.Response, string) {
	p.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = p.at + address
	}
	rq, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		rq.Header.Set(header[i], header[i+1])
	}
	rsp, err := b.Do(rq)
	if err != nil {
		p.t.Fatal(err)
	}
	defer rsp.Body.Close()
	text, err := io.ReadAll(rsp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return rsp, string(text)
}

// console is the origin of the gate's own pages.
func (p *paged) console() string {
	_, port, _ := strings.Cut(p.HTTP, ":")
	return "https://localhost:" + port
}

// signIn signs a browser in at the console, with an authenticator app.
func (p *paged) signIn(b *http.Client, name string) {
	p.t.Helper()
	post := func(path string, body any) map[string]any {
		text, _ := json.Marshal(body)
		rsp, answer := p.do(b, "POST", p.console()+"/api/v1"+path, text, "Content-Type", "application/json")
		if rsp.StatusCode != 200 {
			p.t.Fatalf("%s: %d %s", path, rsp.StatusCode, answer)
		}
		var x map[string]any
		_ = json.Unmarshal([]byte(answer), &x)
		return x
	}
	post("/session/password", map[string]string{"name": name, "password": facePassword})
	secret := post("/session/enrol/totp", nil)["secret"].(string)
	post("/session/enrol/totp/confirm", map[string]string{"code": sitetest.Code(secret, sitetest.NowStep())})
}

var refresh = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]*)"`)

// open goes to a page as a browser does that is led from one to the other, and gives the last
// answer.
func (p *paged) open(b *http.Client, address string) (*http.Response, string) {
	p.t.Helper()
	for range 12 {
		rsp, text := p.do(b, "GET", address, nil, "Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
		next := rsp.Header.Get("Location")
		if m := refresh.FindStringSubmatch(text); m != nil && rsp.StatusCode == 200 {
			next = strings.ReplaceAll(m[1], "&amp;", "&")
		}
		if next == "" {
			return rsp, text
		}
		u, err := rsp.Request.URL.Parse(next)
		if err != nil {
			p.t.Fatal(err)
		}
		address = u.String()
	}
	p.t.Fatal("led in a circle")
	return nil, ""
}

func TestPeopleLookAtOrthancExplorerThroughTheGateAndDoNothingElse(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "Orthanc", "orthanc")
	p := startPaged(t, "")
	study := p.o.put(harness.Instance{Study: uid.New(), PatientID: "ZZPHI-8042"}.Write(t, t.TempDir()))

	b := p.browser()
	p.signIn(b, "rita")
	rsp, text := p.open(b, "/app/explorer.html")
	if rsp.StatusCode != 200 || !strings.Contains(text, "Orthanc Explorer") {
		t.Fatalf("%d %.300s\n%s", rsp.StatusCode, text, p.Output())
	}
	if rsp, text := p.do(b, "GET", "/studies?expand", nil); rsp.StatusCode != 200 || !strings.Contains(text, study) {
		t.Errorf("%d %.300s", rsp.StatusCode, text)
	}
	for _, c := range [][2]string{
		{"DELETE", "/studies/" + study}, {"POST", "/studies/" + study + "/anonymize"}, {"POST", "/tools/execute-script"}, {"POST", "/instances"},
		{"POST", "/studies/" + study + "/export"}, {"PUT", "/patients/x/protected"}, {"GET", "/studies/" + study + "/archive"}, {"POST", "/tools/find?_method=DELETE"},
	} {
		rsp, text := p.do(b, c[0], c[1], []byte("{}")[:2*len(c[0])%3], "Sec-Fetch-Site", "same-origin")
		if rsp.StatusCode != 403 {
			t.Errorf("%v: %d %.200s", c, rsp.StatusCode, text)
		}
	}
	p.o.call("GET", "/studies/"+study, nil)
}

// TestOrthancExplorerWorksInChromiumAndCanDoNothingMore is a person who opens the address of the pages: led to the
// console, signed in there, and led back; what its scripts may do, and what they see of sessions.
func TestOrthancExplorerWorksInChromiumAndCanDoNothingMore(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "Orthanc", "orthanc")
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	dir := npmInstall(t, "browser")
	p := startPaged(t, "")
	study := p.o.put(harness.Instance{Study: uid.New(), PatientID: "ZZPHI-8042", Pixels: 4096}.Write(t, t.TempDir()))
	pictures := os.Getenv("COLLIMATOR_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}

	out, code := harness.Exec(t, 2*time.Minute, []string{"CHROMIUM=" + chromium}, node, filepath.Join(dir, "gatepages.mjs"),
		p.at, "rita", facePassword, study, pictures)
	if code != 0 {
		t.Fatalf("the pages do not work: %s\n%s", out, p.Output())
	}
	p.judgeChromium(out, study)
}

// chromiumSaw is what the script prints.
type chromiumSaw struct {
	Looking                                                    []string
	Hosts                                                      map[string]bool
	Statuses                                                   map[string]int
	Headers                                                    []string
	AskedAt, Title, List, Study, ScriptCookies, Worker, Socket string
	Remove, Exported, Elsewhere, After                         any
	Cookies                                                    []struct {
		Name, Domain, SameSite string
		HTTPOnly, Secure       bool
	}
}

// judgeChromium wants that everything was seen, and nothing more.
func (p *paged) judgeChromium(out, study string) {
	t := p.t
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var seen chromiumSaw
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(seen.Looking) > 0 || len(seen.Hosts) != 2 || seen.AskedAt != strings.TrimPrefix(p.console(), "https://") {
		t.Errorf("troubles %q, hosts %v, answers %v", seen.Looking, seen.Hosts, seen.Statuses)
	}
	if !strings.Contains(seen.List, "ZZPHI") || !strings.Contains(seen.Study, "ZZPHI") {
		t.Errorf("no study is seen: %q, %q", seen.List, seen.Study)
	}
	if fmt.Sprint(seen.Remove, seen.Exported, seen.After) != "403 403 401" || seen.Socket != "refused" ||
		!strings.Contains(fmt.Sprint(seen.Elsewhere), "TypeError") || !strings.Contains(seen.Worker, "Error") {
		t.Errorf("more can be done: %v, %v, %v, %q, %q, %v", seen.Remove, seen.Exported, seen.Elsewhere, seen.Worker, seen.Socket, seen.After)
	}

	if seen.ScriptCookies != "" || len(seen.Cookies) == 0 {
		t.Errorf("scripts see %q; %+v", seen.ScriptCookies, seen.Cookies)
	}
	for _, c := range seen.Cookies {
		if !c.HTTPOnly || !c.Secure || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("%+v", c)
		}
	}
	all := strings.Join(seen.Headers, "\n") + out
	for _, secret := range []string{pagePassword, "www-authenticate", "x-powered-by", "server:", "basic "} {
		if strings.Contains(strings.ToLower(all), secret) {
			t.Errorf("a browser sees %q", secret)
		}
	}
	p.o.call("GET", "/studies/"+study, nil)
	if trail := p.Must("audit", "search", "--route", "PACS", "--data", p.Data, "-o", "json"); strings.Contains(trail, study) || !strings.Contains(trail, "GET /studies/*") {
		t.Errorf("the trail: %.2000s", trail)
	}
}
