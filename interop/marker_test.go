//go:build interop

package interop_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// marked is a server to which a patient is sent through every door.
type marked struct {
	*testing.T
	*harness.Server
	client *http.Client
	plain  *http.Client // without cookies
}

func startMarked(t *testing.T) *marked {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	password := filepath.Join(t.TempDir(), "password")
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(password, []byte("correct horse battery\n"), 0o600))
	run := func(args ...string) {
		if out, code := harness.Run(t, append(args, "--data", data, "--password-file", password)...); code != 0 {
			t.Fatal(out)
		}
	}
	run("init", "--admin", "ada")
	run("user", "add", "grace", "--role", "radiologist")
	run("user", "add", "rosalind", "--role", "researcher")
	must(os.WriteFile(filepath.Join(data, "collimator.yaml"), []byte("log:\n  level: debug\nsignin:\n  second_factor: optional\n"), 0o600))
	s := harness.StartIn(t, data)
	ca, err := os.ReadFile(filepath.Join(data, "keys", "ca.cert.pem"))
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	jar, _ := cookiejar.New(nil)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	t.Cleanup(tr.CloseIdleConnections)
	return &marked{t, s, &http.Client{Transport: tr, Jar: jar, Timeout: time.Minute}, &http.Client{Transport: tr, Timeout: time.Minute}}
}

// command runs one of the program, whose output must not hold the marker.
func (m *marked) command(args ...string) string {
	m.Helper()
	out, _ := harness.Run(m.T, args...)
	m.clean("the output of "+strings.Join(args[:2], " "), out)
	return out
}

func (m *marked) clean(what, text string) {
	m.Helper()
	lower := strings.ToLower(text)
	for _, word := range []string{strings.ToLower(harness.Marker), "markername"} {
		if i := strings.Index(lower, word); i >= 0 {
			m.Errorf("%s holds patient data: %.200q", what, text[max(i-80, 0):])
		}
	}
}

// http sends a request; a refusal, and with hidden any answer, must not hold the
// marker.
func (m *marked) http(c *http.Client, hidden bool, method, path string, body io.Reader, header ...string) (int, string) {
	m.Helper()
	rq, err := http.NewRequestWithContext(m.Context(), method, "https://"+m.HTTP+path, body)
	if err != nil {
		m.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		rq.Header.Set(header[i], header[i+1])
	}
	rsp, err := c.Do(rq)
	if err != nil {
		m.Fatal(err)
	}
	defer rsp.Body.Close()
	b, err := io.ReadAll(rsp.Body)
	if err != nil {
		m.Fatal(err)
	}
	if hidden || rsp.StatusCode >= 400 {
		m.clean(fmt.Sprintf("%s %s: the answer %d", method, path, rsp.StatusCode), string(b)+fmt.Sprint(rsp.Header))
	}
	return rsp.StatusCode, string(b)
}

// patient is an image that says in every way who is on it.
func patient(t *testing.T, n int) *dicom.DataSet {
	in := harness.Instance{PatientName: "ZZPHI^MARKERNAME", PatientID: "ZZPHI-1", Study: "2.25.7001", Series: fmt.Sprintf("2.25.7002%d", n), UID: fmt.Sprintf("2.25.7003%d", n), Modality: "CT",
		Set: map[dicom.Tag]string{tag.AccessionNumber: "ZZPHI-ACC", tag.StudyDescription: "ZZPHI study", tag.SeriesDescription: "ZZPHI series", tag.ReferringPhysicianName: "ZZPHI^REFERRER", tag.StudyID: "ZZPHI",
			tag.BurnedInAnnotation: "NO"}} // else a picture of this class is left out without identity
	ds := in.DataSet(t)
	ds.Set(dicom.NewText(0x00110010, dicom.LO, "ZZPHI CREATOR"))
	ds.Set(dicom.NewElement(0x00111001, dicom.LT, []byte("ZZPHI private ")))
	return ds
}

func document(t *testing.T) *dicom.DataSet {
	ds := patient(t, 9)
	ds.Delete(tag.PixelData)
	for k, v := range map[dicom.Tag]string{tag.SOPClassUID: uid.EncapsulatedPDFStorage, tag.Modality: "DOC", tag.DocumentTitle: "ZZPHI title", tag.MIMETypeOfEncapsulatedDocument: "application/pdf"} {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	ds.Set(dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, []byte("%PDF-1.7 ZZPHI ")))
	return ds
}

// TestNobodyReadsAPatientWhereNoneBelongs sends a marked patient through every
// door, well formed and not, and looks for the marker in the log, in what
// commands print, in refusals, in the names of files and in /healthz.
func TestNobodyReadsAPatientWhereNoneBelongs(t *testing.T) {
	t.Parallel()
	m := startMarked(t)
	keys := m.Device("WS1", harness.All...)
	dir := t.TempDir()
	var files []string
	for n := range 3 {
		files = append(files, harness.WriteFile(t, dir, patient(t, n)))
	}
	files = append(files, harness.WriteFile(t, dir, document(t)))
	for i, f := range files { // named without a patient
		name := filepath.Join(dir, fmt.Sprintf("%d.dcm", i))
		if err := os.Rename(f, name); err != nil {
			t.Fatal(err)
		}
		files[i] = name
	}
	m.dimse(keys, files)
	m.web(files)
	m.settle()
	filepath.WalkDir(m.Data, func(path string, _ fs.DirEntry, _ error) error {
		m.clean("the name of a file", strings.TrimPrefix(path, m.Data))
		return nil
	})
	m.Stop()
	m.clean("the log", m.Output())
	if !strings.Contains(m.Output(), "refused") {
		t.Error("the log says nothing")
	}
}

// dimse stores, holds back, searches, moves, and asks in ways that are refused.
func (m *marked) dimse(keys string, files []string) {
	peer := []string{m.Peer(), "--as", keys}
	with := func(command string, more ...string) []string {
		return append(append([]string{command}, peer...), more...)
	}
	m.command(with("send", files[0], files[3], "--commit")...)
	other := patient(m.T, 0) // the same instance, other content; and the study of another patient
	other.Set(dicom.NewText(tag.PatientName, dicom.PN, "ZZPHI^OTHER"))
	stranger := patient(m.T, 5)
	stranger.Set(dicom.NewText(tag.PatientID, dicom.LO, "ZZPHI-2"))
	held := filepath.Join(m.TempDir(), "held")
	if err := os.Mkdir(held, 0o700); err != nil {
		m.Fatal(err)
	}
	harness.WriteFile(m.T, held, other)
	harness.WriteFile(m.T, held, stranger)
	m.command(with("send", held)...)
	broken := filepath.Join(m.TempDir(), "broken.dcm")
	b := harness.ReadBytes(m.T, files[1])
	if err := os.WriteFile(broken, b[:len(b)-40], 0o600); err != nil {
		m.Fatal(err)
	}
	m.command(with("send", broken)...)
	for _, query := range []string{"PatientName=ZZPHI*", "PatientID=ZZPHI-1", "AccessionNumber=ZZPHI-ACC", "StudyDescription=*ZZPHI*", "StudyDate=20200101-ZZPHI"} {
		harness.Run(m.T, append(with("find", "-o", "uids"), query)...) // what it prints of a bad key is its user's own
	}
	m.command(with("get", "--study", "2.25.7001", "--out", filepath.Join(m.TempDir(), "back"))...)
	m.command(with("move", "--study", "2.25.7001", "--to", "NOBODY")...)
}

// stow makes a body of parts.
func stow(partType string, parts ...[]byte) (io.Reader, string) {
	var b bytes.Buffer
	for _, p := range parts {
		fmt.Fprintf(&b, "--ZZPHIboundary\r\nContent-Type: %s\r\nContent-Location: ZZPHI\r\n\r\n%s\r\n", partType, p)
	}
	b.WriteString("--ZZPHIboundary--\r\n")
	return &b, `multipart/related; type="` + partType + `"; boundary=ZZPHIboundary`
}

func (m *marked) web(files []string) {
	token := func(name string) string {
		out := m.command("token", "create", "--user", name, "--scope", "admin", "--expires", "1h", "--data", m.Data)
		for _, f := range strings.Fields(out) {
			if strings.HasPrefix(f, "clmt_") {
				return "Bearer " + f
			}
		}
		m.Fatal(out)
		return ""
	}
	ada, researcher := token("ada"), token("rosalind")
	for name, body := range map[string][]byte{"good": harness.ReadBytes(m.T, files[1]), "cut": harness.ReadBytes(m.T, files[2])[:700], "no file": []byte("ZZPHI")} {
		r, contentType := stow("application/dicom", body)
		if status, text := m.http(m.plain, true, "POST", "/dicom-web/studies", r, "Authorization", ada, "Content-Type", contentType); (status == 200) != (name == "good") {
			m.Errorf("%s: status %d %.300s", name, status, text)
		}
	}
	for _, metadata := range []string{`[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"ZZPHI^MARKERNAME"}]}}]`, `[{"ZZPHI":{"vr":"ZZPHI"}}]`, `ZZPHI`, `[{"00100020":{"vr":"LO","Value":["ZZPHI-1"]},"00080018":{"vr":"UI","Value":["ZZPHI"]}}]`} {
		r, contentType := stow("application/dicom+json", []byte(metadata))
		m.http(m.plain, true, "POST", "/dicom-web/studies", r, "Authorization", ada, "Content-Type", contentType)
	}
	for _, path := range []string{"/studies?PatientName=ZZPHI*", "/studies?PatientNme=ZZPHI", "/studies?limit=ZZPHI", "/studies?StudyDate=ZZPHI", "/studies?includefield=0010001",
		"/studies/ZZPHI", "/studies/ZZPHI/series/ZZPHI", "/ZZPHI", "/studies/2.25.7001/ZZPHI", "/studies/2.25.7001/metadata", "/studies/2.25.7001/rendered?viewport=ZZPHI",
		"/studies/2.25.7001/series/2.25.70021/instances/2.25.70031/frames/ZZPHI", "/studies/2.25.7001/series/2.25.70021/instances/2.25.70031/bulkdata/ZZPHI",
		"/wado?requestType=ZZPHI", "/wado?requestType=WADO&studyUID=ZZPHI&seriesUID=1&objectUID=1", "/wado?requestType=WADO&studyUID=2.25.7001&seriesUID=2.25.70021&objectUID=2.25.70031&ZZPHI=ZZPHI",
		"/wado?requestType=WADO&studyUID=2.25.7001&seriesUID=2.25.70021&objectUID=2.25.70031&contentType=application/dicom"} {
		m.http(m.plain, false, "GET", "/dicom-web"+path, nil, "Authorization", ada)
		m.http(m.plain, false, "GET", "/dicom-web"+path, nil, "Authorization", ada, "Accept", "ZZPHI/ZZPHI")
		m.http(m.plain, true, "GET", "/dicom-web"+path, nil, "Authorization", researcher)
		m.http(m.plain, true, "GET", "/dicom-web"+path, nil)
	}
	m.researcher(researcher)
	m.people(ada)
}

// researcher looks at everything there is.
func (m *marked) researcher(token string) {
	_, list := m.http(m.plain, true, "GET", "/dicom-web/instances?includefield=all", nil, "Authorization", token, "Accept", "application/dicom+json")
	var found []map[string]struct{ Value []any }
	if err := json.Unmarshal([]byte(list), &found); err != nil || len(found) < 2 { // the document is left out
		m.Fatalf("%d instances, %v", len(found), err)
	}
	for _, f := range found {
		path := fmt.Sprintf("/dicom-web/studies/%s/series/%s/instances/%s", f["0020000D"].Value[0], f["0020000E"].Value[0], f["00080018"].Value[0])
		for _, part := range []string{"", "/metadata", "/bulkdata", "/frames/1", "/bulkdata/00111001", "/bulkdata/00420011"} {
			m.http(m.plain, true, "GET", path+part, nil, "Authorization", token)
		}
	}
}

// people sign in, break the glass, make links, delete, and get it wrong.
func (m *marked) people(ada string) {
	m.http(m.plain, true, "GET", "/dicom-web/studies", nil, "Authorization", "Bearer ZZPHI")
	m.http(m.plain, true, "GET", "/dicom-web/studies", nil, "Cookie", "__Host-session=ZZPHI")
	m.http(m.plain, true, "ZZPHI", "/dicom-web/studies", nil, "Authorization", ada)
	m.http(m.plain, true, "POST", "/api/v1/session/password", strings.NewReader(`{"name":"ZZPHI","password":"ZZPHI"}`), "Content-Type", "application/json")
	m.http(m.plain, true, "POST", "/api/v1/session/password", strings.NewReader(`{"ZZPHI":"ZZPHI"}`), "Content-Type", "application/json")
	m.http(m.plain, true, "GET", "/api/v1/people/ZZPHI", nil, "Authorization", ada)
	m.http(m.plain, true, "GET", "/api/v1/audit?after=ZZPHI", nil, "Authorization", ada)
	m.http(m.plain, true, "POST", "/share/open", strings.NewReader("link=clms_ZZPHI&password=ZZPHI"), "Content-Type", "application/x-www-form-urlencoded")
	if status, text := m.http(m.client, true, "POST", "/api/v1/session/password", strings.NewReader(`{"name":"grace","password":"correct horse battery"}`), "Content-Type", "application/json"); status != 200 {
		m.Fatal(text)
	}
	if status, _ := m.http(m.client, false, "GET", "/dicom-web/studies/2.25.7001/metadata", nil, "Collimator-Emergency", "ZZPHI^MARKERNAME is unconscious"); status != 200 {
		m.Errorf("emergency: status %d", status)
	}
	m.http(m.client, true, "GET", "/dicom-web/studies/2.25.7001/metadata", nil, "Collimator-Emergency", "ZZP")
	link := m.command("share", "create", "--study", "2.25.7001", "--expires", "1d", "--deidentified", "--data", m.Data)
	if _, after, found := strings.Cut(link, "/share/open#"); !found {
		m.Errorf("no link in %d bytes", len(link))
	} else {
		secret := strings.Fields(after)[0]
		if status, _ := m.http(m.client, true, "POST", "/share/open", strings.NewReader("link="+secret+"&password="), "Content-Type", "application/x-www-form-urlencoded"); status != 200 {
			m.Errorf("the page of the link: status %d", status)
		}
	}
	for _, reason := range []string{"ZZP", "ZZPHI^MARKERNAME went to the wrong archive"} {
		m.http(m.plain, true, "DELETE", "/dicom-web/studies/2.25.7001/series/2.25.70021", nil, "Authorization", ada, "Collimator-Reason", reason)
	}
	m.http(m.plain, true, "GET", "/healthz", nil)
}

// settle asks the commands about what is left. The audit trail is not among
// them: it holds the reasons of deletions and of emergencies, and is where they
// belong.
func (m *marked) settle() {
	for _, args := range [][]string{{"quarantine", "list"}, {"share", "list"}, {"device", "pending"}, {"device", "list"}, {"user", "sessions", "grace"}, {"verify"}, {"verify", "--sample", "50%"}, {"audit", "verify"}} {
		m.command(append(args, "--data", m.Data)...)
	}
}
