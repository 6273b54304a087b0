package house_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

// openService is a DICOM service that takes everybody, made for a test; it ends
// with the function it returns.
func openService(t *testing.T) (address string, end func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dimse.Server{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		var acc dimse.Acceptance
		for _, c := range rq.Contexts {
			answer := ul.AcceptedContext{ID: c.ID, Result: ul.AbstractSyntaxNotSupported}
			if c.AbstractSyntax == "1.2.840.10008.1.1" { // Verification
				answer.Result, answer.TransferSyntax = ul.Acceptance, c.TransferSyntaxes[0]
			}
			acc.Contexts = append(acc.Contexts, answer)
		}
		return acc, nil
	}, Mux: dimse.NewMux(dimse.Unguarded)}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), ln) }()
	end = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.Shutdown(ctx)
		<-done
	})
	t.Cleanup(end)
	return ln.Addr().String(), end
}

// finishedScan asks for a scan until it has ended.
func finishedScan(b *sitetest.Browser, id string) sitetest.Answer {
	b.Helper()
	deadline := time.Now().Add(time.Minute)
	for range 2000 {
		a := b.Must(200, "GET", "/api/v1/scans/"+id, nil)
		if a.JSON["state"] != "running" {
			return a
		}
		if time.Now().After(deadline) {
			break
		}
		select {
		case <-b.Context().Done():
		case <-time.After(25 * time.Millisecond):
		}
	}
	b.Fatal("the scan does not end")
	return sitetest.Answer{}
}

func issuesOf(b *sitetest.Browser, state string) map[string]string {
	b.Helper()
	var page struct {
		Items []struct{ ID, Check, State string }
	}
	if err := json.Unmarshal([]byte(b.Must(200, "GET", "/api/v1/issues?limit=500&state="+state, nil).Text), &page); err != nil {
		b.Fatal(err)
	}
	out := map[string]string{}
	for _, i := range page.Items {
		out[i.Check] = i.ID
	}
	return out
}

func TestAttackSurfaceIsForAdministratorsAndAuditors(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	routes := map[string]policy.Verb{
		"GET /api/v1/assets": policy.Surface, "GET /api/v1/assets/A999": policy.Surface, "GET /api/v1/assets/A1/advisories": policy.Surface, "GET /api/v1/issues/I1": policy.Surface, "GET /api/v1/advisories": policy.Surface, "GET /api/v1/issues": policy.Surface, "GET /api/v1/changes": policy.Surface,
		"GET /api/v1/advisories/ICSMA-18-037-02": policy.Surface, "GET /api/v1/report": policy.Surface, "GET /api/v1/scans": policy.Surface, "GET /api/v1/scans/1": policy.Surface,
		"POST /api/v1/scans": policy.Scan, "DELETE /api/v1/scans/1": policy.Scan, "POST /api/v1/issues/I1/accept": policy.Configure, "POST /api/v1/assets/A1/merge": policy.Configure, "POST /api/v1/assets/A1/statements": policy.Configure,
	}
	for _, role := range policy.Roles() {
		b := x.SignIn(string(role))
		for route, verb := range routes {
			method, path, _ := strings.Cut(route, " ")
			var body any
			if method == "POST" {
				body = map[string]any{}
			}
			a := b.Send(method, path, body)
			may := role == policy.Administrator || role == policy.Auditor && verb == policy.Surface
			if got := a.StatusCode != 403; got != may || a.StatusCode >= 500 {
				t.Errorf("%s, %s: status %d %s", role, route, a.StatusCode, a.Text)
			}
		}
	}
}

func TestScanByAPIEndsInInventoryAndReport(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b, auditor := x.SignIn("administrator"), x.SignIn("auditor")
	address, end := openService(t)
	b.Must(403, "POST", "/api/v1/scans", map[string]any{"targets": []string{"10.99.99.0/30"}})
	b.Must(400, "POST", "/api/v1/scans", map[string]any{"targets": []string{"nowhere/else"}})
	b.Must(400, "POST", "/api/v1/scans", map[string]any{"targets": []string{}})
	if x.Recorded(audit.Scanned, "administrator", "scan refused") == 0 {
		t.Error("a refused scan is not recorded")
	}
	id := b.Must(200, "POST", "/api/v1/scans", map[string]any{"targets": []string{address}}).JSON["id"].(string)
	a := finishedScan(b, id)
	if a.JSON["state"] != "done" || a.JSON["hosts"] != 1.0 || a.JSON["looked"] != 1.0 || a.JSON["addresses"] != 1.0 {
		t.Fatalf("scan: %s", a.Text)
	}
	open := issuesOf(b, "open")
	if open["ASC-001"] == "" || open["DIC-002"] == "" {
		t.Fatalf("open issues: %v", open)
	}
	if a := auditor.Must(200, "GET", "/api/v1/report", nil); !strings.HasPrefix(a.JSON["sentence"].(string), "1 of 1 system is reachable without authentication") {
		t.Errorf("sentence: %v", a.JSON["sentence"])
	}
	if a := b.Must(200, "POST", "/api/v1/issues/"+open["DIC-002"]+"/accept", map[string]any{"until": "2999-12-31", "reason": "replaced soon"}); a.JSON["state"] != "accepted" || a.JSON["acceptedBy"] != "administrator" {
		t.Errorf("accepted: %s", a.Text)
	}
	page := auditor.Must(200, "GET", "/api/v1/report?format=html", nil)
	if d := page.Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; filename=posture-") || !strings.Contains(page.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("report: %s", d)
	}
	for _, want := range []string{"Get further into the network", "replaced soon", "2999-12-31", "164.312", "PR.AC-1", "SR 1.2", "not an attestation", "affected?", "ARC-004"} {
		if !strings.Contains(page.Text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	pdf := auditor.Must(200, "GET", "/api/v1/report?format=pdf", nil)
	checkPDF(t, pdf.Text)
	// The service goes; a second run sees it.
	end()
	if a := finishedScan(b, b.Must(200, "POST", "/api/v1/scans", map[string]any{"targets": []string{address}}).JSON["id"].(string)); a.JSON["state"] != "done" {
		t.Fatalf("second scan: %s", a.Text)
	}
	fixed := issuesOf(b, "fixed")
	if fixed["ASC-001"] != open["ASC-001"] || fixed["DIC-002"] == "" || fixed["TLS-001"] == "" {
		t.Errorf("fixed: %v", fixed)
	}
	if a := auditor.Must(200, "GET", "/api/v1/report", nil); !strings.Contains(a.Text, "issue fixed ASC-001") || strings.Contains(a.Text, "issue new ASC-001") {
		t.Errorf("the report says since the last one: %.2000s", a.Text)
	}
	if x.Recorded(audit.Scanned, "administrator", "scan ends") != 2 || x.Recorded(audit.Scanned, "administrator", "host asked") != 1 {
		t.Error("the trail does not hold both scans")
	}
	for _, a := range []sitetest.Answer{page, pdf} {
		if strings.Contains(a.Text, "ZZPHI") {
			t.Error("a report holds patient data")
		}
	}
}

// checkPDF looks whether a PDF opens.
func checkPDF(t *testing.T, text string) {
	t.Helper()
	if !strings.HasPrefix(text, "%PDF-") || !strings.Contains(text[max(0, len(text)-64):], "%%EOF") {
		t.Fatal("this is no whole PDF")
	}
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Log("left out: pdftotext is not here")
		return
	}
	name := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, name, "-").Output()
	if err != nil || !strings.Contains(string(out), "reachable without authentication") {
		t.Errorf("pdftotext: %v %.300s", err, out)
	}
}

func TestOneScanAtATimeThatCanBeStopped(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	// A range that takes long: addresses of this machine without services.
	id := b.Must(200, "POST", "/api/v1/scans", map[string]any{"targets": []string{"127.64.0.0/12"}}).JSON["id"].(string)
	b.Must(409, "POST", "/api/v1/scans", map[string]any{"targets": []string{"127.0.0.9"}})
	a := b.Must(200, "DELETE", "/api/v1/scans/"+id, nil)
	if a.JSON["state"] != "stopped" {
		t.Errorf("stopped: %s", a.Text)
	}
	b.Must(409, "DELETE", "/api/v1/scans/"+id, nil)
	b.Must(404, "DELETE", "/api/v1/scans/99", nil)
	b.Must(404, "GET", "/api/v1/scans/99", nil)
	if a := b.Must(200, "GET", "/api/v1/scans", nil); !strings.Contains(a.Text, `"stopped"`) {
		t.Errorf("list: %s", a.Text)
	}
}

func TestReadingOfRegistersByAPIHasPages(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	b.Must(200, "GET", "/api/v1/report", nil) // notes the archive itself
	a := b.Must(200, "GET", "/api/v1/issues?limit=1", nil)
	if len(a.JSON["items"].([]any)) != 1 || a.JSON["next"] != 1.0 {
		t.Errorf("page: %s", a.Text)
	}
	for path, status := range map[string]int{
		"/api/v1/issues?severity=dreadful": 400, "/api/v1/issues?state=gone": 400, "/api/v1/issues?asset=A999": 404, "/api/v1/changes?since=yesterday": 400,
		"/api/v1/changes?since=2026-01-01": 200, "/api/v1/report?format=exe": 400, "/api/v1/assets/A1": 200, "/api/v1/advisories/NOPE": 404, "/api/v1/advisories/ICSMA-18-037-02": 200,
		"/api/v1/report?format=csv": 200, "/api/v1/report?format=sarif": 200,
	} {
		if a := b.Send("GET", path, nil); a.StatusCode != status {
			t.Errorf("%s: status %d, want %d: %.300s", path, a.StatusCode, status, a.Text)
		}
	}
	b.Must(400, "POST", "/api/v1/issues/I1/accept", map[string]any{"until": "soon", "reason": "x"})
	b.Must(404, "POST", "/api/v1/issues/I999/accept", map[string]any{"until": "2999-12-31", "reason": "x"})
	b.Must(404, "POST", "/api/v1/assets/A1/merge", map[string]any{"from": "A999"})
}
