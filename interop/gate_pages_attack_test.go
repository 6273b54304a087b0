//go:build interop

package interop_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// pageAttack is something that a stranger does to the pages of an Orthanc as Debian has it.
type pageAttack struct {
	name         string
	method, path string // STUDY stands for a study that is there
	body         func(t *testing.T, x *pageVictim) []byte
	header       []string
	harm         func(x *pageVictim, status int) bool // what shows that it was done
}

// pageVictim is an Orthanc without a password, and what it has.
type pageVictim struct {
	*archiveOf
	t     *testing.T
	study string
	dir   string // where an export would write
}

func newPageVictim(t *testing.T, o *archiveOf) *pageVictim {
	t.Helper()
	x := &pageVictim{archiveOf: o, t: t, dir: t.TempDir()}
	x.study = o.put(harness.Instance{Study: uid.New(), PatientID: "ZZPHI-1"}.Write(t, t.TempDir()))
	return x
}

func (x *pageVictim) studies() int {
	return strings.Count(string(x.call("GET", "/studies", nil)), `"`) / 2
}

func (x *pageVictim) gone(int) bool { return x.studies() == 0 }

// zipped is another study in an archive.
func zipped(t *testing.T, _ *pageVictim) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("a.dcm")
	if err == nil {
		_, err = f.Write(harness.ReadBytes(t, harness.Instance{Study: uid.New()}.Write(t, t.TempDir())))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zippedForm is such an archive as a form sends it.
func zippedForm(t *testing.T, x *pageVictim) []byte {
	return slices.Concat([]byte("--zz\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.dcm\"\r\nContent-Type: application/octet-stream\r\n\r\n"),
		zipped(t, x), []byte("\r\n--zz--\r\n"))
}

// gzipped is another study, compressed.
func gzipped(t *testing.T, _ *pageVictim) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(harness.ReadBytes(t, harness.Instance{Study: uid.New()}.Write(t, t.TempDir()))); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var pageAttacks = []pageAttack{
	{"a study is deleted", "DELETE", "/studies/STUDY", nil, nil, (*pageVictim).gone},
	{"a study is deleted by looking at it", "GET", "/studies/STUDY?_method=DELETE", nil, nil, (*pageVictim).gone},
	{"a study is deleted by looking at it in other letters", "GET", "/studies/STUDY?x=1&_method=delete", nil, nil, (*pageVictim).gone},
	{"a study is deleted by a method in a header", "POST", "/studies/STUDY", nil, []string{"X-HTTP-Method-Override", "DELETE"}, (*pageVictim).gone},
	{"a study is deleted by a picture in a page of another origin", "GET", "/studies/STUDY?_method=DELETE", nil,
		[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "image", "Sec-Fetch-Mode", "no-cors"}, (*pageVictim).gone},
	{"all there is is listed", "GET", "/studies", nil, nil, func(_ *pageVictim, status int) bool { return status == 200 }},
	{"a file is written", "POST", "/studies/STUDY/export", func(_ *testing.T, x *pageVictim) []byte { return []byte(x.dir) }, nil,
		func(x *pageVictim, status int) bool {
			list, _ := os.ReadDir(x.dir)
			return len(list) > 0 || status == 200
		}},
	{"an archive is unpacked", "POST", "/instances", zipped, nil, func(x *pageVictim, _ int) bool { return x.studies() == 2 }},
	{"an archive is unpacked from a form", "POST", "/instances", zippedForm, []string{"Content-Type", "multipart/form-data; boundary=zz"},
		func(x *pageVictim, _ int) bool { return x.studies() == 2 }},
	{"a body is decompressed", "POST", "/instances", gzipped, []string{"Content-Encoding", "gzip"},
		func(x *pageVictim, _ int) bool { return x.studies() == 2 }},
}

// send does the attack at an origin, and gives the status.
func (a pageAttack) send(x *pageVictim, b *http.Client, origin string) int {
	x.t.Helper()
	var body []byte
	if a.body != nil {
		body = a.body(x.t, x)
	}
	rq, err := http.NewRequest(a.method, origin+strings.Replace(a.path, "STUDY", x.study, 1), bytes.NewReader(body))
	if err != nil {
		x.t.Fatal(err)
	}
	for i := 0; i+1 < len(a.header); i += 2 {
		rq.Header.Set(a.header[i], a.header[i+1])
	}
	rsp, err := b.Do(rq)
	if err != nil {
		x.t.Fatal(err)
	}
	defer rsp.Body.Close()
	io.Copy(io.Discard, rsp.Body)
	return rsp.StatusCode
}

// what a rule could be that grants an administrator everything, and yet not this.
const everythingRule = "      allow:\n        - {name: all, roles: [administrator], methods: [GET, POST, PUT, DELETE], paths: [/**]}\n"

// TestWhatHarmsThePagesOfAnOrthancDoesNotThroughTheGate is each attack at Orthanc itself, where it does its harm; through the gate
// by a stranger, by a person with the ready-made rules, and, but for what a rule names, by an administrator who may everything.
func TestWhatHarmsThePagesOfAnOrthancDoesNotThroughTheGate(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "Orthanc", "orthanc")
	for _, a := range pageAttacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			bare := newPageVictim(t, startOrthanc(t, harness.FreeAddress(t), map[string]any{"RemoteAccessAllowed": true, "AuthenticationEnabled": false, "Plugins": []string{}}))
			if status := a.send(bare, http.DefaultClient, bare.rest); !a.harm(bare, status) {
				t.Logf("at this Orthanc it does nothing by itself: %d", status)
				if a.name != "a file is written" { // Debian has closed that in its version
					t.Errorf("no harm is shown, status %d", status)
				}
			}

			p := startPaged(t, everythingRule)
			guarded := newPageVictim(t, p.o)
			rita, ada := p.browser(), p.browser()
			p.signIn(rita, "rita")
			p.signIn(ada, "ada")
			p.open(rita, p.at+"/system")
			p.open(ada, p.at+"/system")
			for who, b := range map[string]*http.Client{"a stranger": p.browser(), "rita": rita, "ada": ada} {
				if who == "ada" && a.method == "DELETE" || who != "a stranger" && a.path == "/studies" {
					continue // a rule grants it
				}
				status := a.send(guarded, b, p.at)
				if status != 401 && status != 403 && !(a.header != nil && a.header[0] == "X-HTTP-Method-Override" && who == "ada") {
					t.Errorf("%s: %d", who, status)
				}
				if guarded.studies() != 1 || len(harness.Files(t, guarded.dir)) > 0 {
					t.Errorf("%s did harm", who)
				}
			}
			if a.name == "a file is written" && !strings.Contains(p.Must("audit", "search", "--door", "page", "--failed", "--data", p.Data, "-o", "json"), "CVE-2023-33466") {
				t.Error("the patch does not stand in the trail")
			}
		})
	}
}

// TestJSONWithoutEndEndsAnOrthancAndNotBehindTheGate is 4 KiB of brackets as a search, which the ready-made rules let everybody do who
// may look: at Orthanc itself, and through the gate.
func TestJSONWithoutEndEndsAnOrthancAndNotBehindTheGate(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "Orthanc", "orthanc")
	nested := bytes.Repeat([]byte("["), 4096)
	bare := startOrthanc(t, harness.FreeAddress(t), map[string]any{"RemoteAccessAllowed": true, "AuthenticationEnabled": false, "Plugins": []string{}})
	if rsp, err := http.Post(bare.rest+"/tools/find", "application/json", bytes.NewReader(nested)); err == nil {
		rsp.Body.Close()
		t.Logf("this Orthanc bears it: %d", rsp.StatusCode)
	}

	p := startPaged(t, "")
	rita := p.browser()
	p.signIn(rita, "rita")
	p.open(rita, p.at+"/system")
	for name, body := range map[string][]byte{"at once": nested, "behind a comment": append([]byte("/* \" */"), nested...)} {
		if rsp, text := p.do(rita, "POST", "/tools/find", body, "Content-Type", "text/plain"); rsp.StatusCode != 403 || !strings.Contains(text, "json-nesting") {
			t.Errorf("%s: %d %s", name, rsp.StatusCode, text)
		}
	}
	if rsp, text := p.do(rita, "POST", "/tools/find", []byte(`{"Level":"Study","Query":{}}`)); rsp.StatusCode != 200 {
		t.Errorf("a search: %d %s", rsp.StatusCode, text)
	}
}
