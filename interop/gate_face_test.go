//go:build interop

package interop_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/interop/harness"
)

// facePassword is that of everybody in these tests.
const facePassword = "correct horse battery"

// faced is a server with a route that people reach by DICOMweb.
type faced struct {
	*harness.Server
	t      *testing.T
	behind string
}

// startFaced starts a legacy PACS and a gate in front of it whose face calls it GATEWEB.
func startFaced(t *testing.T, start legacy) *faced {
	t.Helper()
	behind := harness.FreeAddress(t)
	f := gateWithFace(t, "OLDPACS", behind)
	start(t, behind, map[string]string{"GATEWEB": f.Plain, "WS1": f.Plain})
	return f
}

// gateWithFace starts a gate in front of a PACS at an address.
func gateWithFace(t *testing.T, title, behind string, flags ...string) *faced {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("routes:\n  - name: PACS\n    protect: %s@%s\n    dicomweb: true\n    dicomweb_as: GATEWEB\n"+
		"    rules:\n      - {name: registered, registered: true}\n"+
		"      - {name: deflated, registered: true, syntaxes: [Deflated Explicit VR Little Endian]}\n", title, behind)
	if err := os.WriteFile(filepath.Join(data, "routes.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &faced{Server: harness.StartIn(t, data, flags...), t: t, behind: behind}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(facePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Must("init", "--data", data, "--admin", "ada", "--password-file", password)
	for name, role := range map[string]string{"rita": "radiologist", "ron": "referrer", "rosa": "researcher"} {
		f.Must("user", "add", name, "--role", role, "--password-file", password, "--data", data)
	}
	return f
}

// token makes one for somebody.
func (f *faced) token(who, scope string, flags ...string) string {
	f.t.Helper()
	out := f.Must(append([]string{"token", "create", "--data", f.Data, "--user", who, "--scope", scope, "--expires", "24h"}, flags...)...)
	for _, word := range strings.Fields(out) {
		if strings.HasPrefix(word, "clmt_") {
			return word
		}
	}
	f.t.Fatalf("no token: %s", out)
	return ""
}

// client speaks DICOMweb with the route.
func (f *faced) client(token string) *dicomweb.Client {
	return &dicomweb.Client{Base: "https://" + f.HTTP + "/routes/PACS/dicom-web", Token: token, HTTP: f.http()}
}

func (f *faced) http() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

// get asks for something below the root of the route.
func (f *faced) get(token, path string, header ...string) (int, []byte, http.Header) {
	f.t.Helper()
	rq, err := http.NewRequest(http.MethodGet, "https://"+f.HTTP+"/routes/PACS/dicom-web"+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if token != "" {
		rq.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		rq.Header.Set(header[i], header[i+1])
	}
	rs, err := f.http().Do(rq)
	if err != nil {
		f.t.Fatal(err)
	}
	defer rs.Body.Close()
	b, err := io.ReadAll(rs.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return rs.StatusCode, b, rs.Header
}

// files gives what a study has, by SOP Instance UID.
func (f *faced) files(token, study string) map[string]*dicom.File {
	f.t.Helper()
	all := map[string]*dicom.File{}
	for p, err := range f.client(token).Retrieve(f.t.Context(), dicomweb.Resource{StudyUID: study}) {
		if err != nil {
			f.t.Fatal(err)
		}
		b, err := io.ReadAll(p.Data)
		if err != nil {
			f.t.Fatal(err)
		}
		file, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{})
		if err != nil {
			f.t.Fatal(err)
		}
		all[file.DataSet.Text(tag.SOPInstanceUID)] = file
	}
	return all
}

// searched is the study UIDs that a search finds.
func (f *faced) searched(token string, query url.Values) (uids []string) {
	f.t.Helper()
	for ds, err := range f.client(token).Search(f.t.Context(), dicomweb.StudyLevel, dicomweb.Resource{}, query) {
		if err != nil {
			f.t.Fatal(err)
		}
		uids = append(uids, ds.Text(tag.StudyInstanceUID))
	}
	slices.Sort(uids)
	return uids
}

// faces are the systems that DICOMweb is tried in front of, and whether they tell objects of others.
var faces = map[string]legacy{
	"dcmqrscp": startQRSCP, "Orthanc": startOldOrthanc,
	"dcmqrscp without C-GET": func(t *testing.T, address string, hosts map[string]string) {
		startQRSCPWith(t, address, hosts, "--disable-get")
	},
}

// stow stores files by DICOMweb.
func (f *faced) stow(token string, paths ...string) *dicomweb.StoreReport {
	f.t.Helper()
	report, err := f.client(token).Store(f.t.Context(), "", func(yield func(io.Reader, error) bool) {
		for _, path := range paths {
			if !yield(bytes.NewReader(harness.ReadBytes(f.t, path)), nil) {
				return
			}
		}
	})
	if err != nil {
		f.t.Fatalf("%v\n%s", err, f.Output())
	}
	return report
}

func TestPeopleReachALegacyPACSByDICOMweb(t *testing.T) {
	t.Parallel()
	for name, start := range faces {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFaced(t, start)
			write, rita := f.token("ada", "write"), f.token("rita", "read")
			dir := t.TempDir()
			var sent []string
			studies := []string{uid.New(), uid.New()}
			for i, study := range studies {
				for k := range 3 {
					sent = append(sent, harness.Instance{Study: study, Pixels: 64 << 10, Fill: byte(10*i + k)}.Write(t, dir))
				}
			}
			if report := f.stow(write, sent...); len(report.Stored) != len(sent) {
				t.Fatalf("stored %+v\n%s", report, f.Output())
			}

			slices.Sort(studies)
			if got := f.searched(rita, url.Values{"PatientName": {"ZZPHI*"}}); !slices.Equal(got, studies) {
				t.Errorf("found %v, want %v\n%s", got, studies, f.Output())
			}
			status, b, _ := f.get(rita, "/studies/"+studies[0]+"/series")
			if status != http.StatusOK || !bytes.Contains(b, []byte("0020000E")) {
				t.Errorf("series: %d %s", status, b)
			}

			for _, study := range studies {
				got := f.files(rita, study)
				for _, path := range sent {
					want := harness.ReadFile(t, path)
					if want.DataSet.Text(tag.StudyInstanceUID) != study {
						continue
					}
					file := got[want.DataSet.Text(tag.SOPInstanceUID)]
					if file == nil || !withoutLengths(file.DataSet).Equal(withoutLengths(want.DataSet)) {
						t.Errorf("%s is not what went in\n%s", filepath.Base(path), f.Output())
					}
				}
				if len(got) != 3 {
					t.Errorf("%d instances, want 3", len(got))
				}
			}
			if out := f.Output(); strings.Contains(out, "ZZPHI") {
				t.Error("a patient in the log")
			}
		})
	}
}

// TestWhoIsGrantedOneStudyOfALegacyPACSSeesNoOther is a referrer, a link and a token at the face of a PACS
// that tells everybody everything.
func TestWhoIsGrantedOneStudyOfALegacyPACSSeesNoOther(t *testing.T) {
	t.Parallel()
	f := startFaced(t, startQRSCP)
	dir := t.TempDir()
	mine, other := uid.New(), uid.New()
	var sent []string
	for i, study := range []string{mine, other} {
		ds := harness.Instance{Study: study, Series: study + ".1", UID: study + ".1.1", Pixels: 4096, Fill: byte(i)}.DataSet(t)
		if err := ds.SetText(tag.PatientID, fmt.Sprintf("ZZPHI-%d", i)); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, harness.WriteFile(t, dir, ds))
	}
	if report := f.stow(f.token("ada", "write"), sent...); len(report.Stored) != 2 {
		t.Fatalf("%+v", report)
	}
	if out, code := harness.Run(t, "user", "grant", "ron", "--study", "PACS/"+other+".9", "--data", f.Data); code == 0 {
		t.Errorf("a study that the PACS does not have is granted: %s", out)
	}
	f.Must("user", "grant", "ron", "--study", "PACS/"+mine, "--data", f.Data)
	link := strings.TrimSpace(f.Must("share", "create", "--study", "PACS/"+mine, "--data", f.Data))
	link = link[strings.Index(link, "clms_"):]
	link = strings.Fields(link)[0]

	for who, token := range map[string]string{
		"referrer": f.token("ron", "read"), "link": link, "token": f.token("rita", "read", "--study", "PACS/"+mine),
	} {
		t.Run(who, func(t *testing.T) {
			f := &faced{Server: f.Server, t: t}
			if who != "link" { // a link is about its study alone
				if got := f.searched(token, nil); !slices.Equal(got, []string{mine}) {
					t.Errorf("sees %v, want %v", got, mine)
				}
			}
			if got := f.files(token, mine); len(got) != 1 {
				t.Errorf("%d instances of the study that was granted", len(got))
			}
			for _, path := range []string{
				"/studies?PatientID=ZZPHI-1", "/studies?StudyInstanceUID=" + other, "/series?StudyInstanceUID=" + other,
				"/instances?SOPInstanceUID=" + other + ".1.1", "/studies/" + other + "/series", "/studies/" + other + "/instances",
				"/studies/" + other, "/studies/" + other + "/metadata", "/studies/" + other + "/series/" + other + ".1/instances/" + other + ".1.1",
				"/studies/" + other + "/series/" + other + ".1/instances/" + other + ".1.1/rendered",
				"/studies/" + mine + "/series/" + other + ".1/instances/" + other + ".1.1/metadata",
				"/studies/" + mine + "/series/" + other + ".1/metadata",
			} {
				status, b, _ := f.get(token, path)
				if status == http.StatusOK && len(b) > len("[]") || bytes.Contains(b, []byte("ZZPHI-1")) || status >= 500 {
					t.Errorf("%s: %d %.300s", path, status, b)
				}
			}
			at := "https://" + f.HTTP + "/dicom-web"
			for _, base := range []string{at, "https://" + f.HTTP + "/routes/OTHER/dicom-web"} {
				c := &dicomweb.Client{Base: base, Token: token, HTTP: f.http()}
				for range c.Metadata(t.Context(), dicomweb.Resource{StudyUID: mine}) {
					break // an error, or nothing
				}
				for _, err := range c.Retrieve(t.Context(), dicomweb.Resource{StudyUID: mine}) {
					if err == nil {
						t.Errorf("%s gives an instance", base)
					}
				}
			}
		})
	}

	record := f.Must("audit", "search", "--route", "PACS", "--data", f.Data, "-o", "json")
	for _, want := range []string{mine, `"ron"`, "rita", "share "} {
		if !strings.Contains(record, want) {
			t.Errorf("the trail has no %s", want)
		}
	}
	f.pageOfLink(link, mine)
	if out := f.Output(); strings.Contains(out, "ZZPHI") {
		t.Error("a patient in the log")
	}
}

// pageOfLink opens the page of a link in a browser of sorts.
func (f *faced) pageOfLink(secret, study string) {
	f.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	browser := f.http()
	browser.Jar = jar
	rs, err := browser.PostForm("https://"+f.HTTP+"/share/open", url.Values{"link": {secret}})
	if err != nil {
		f.t.Fatal(err)
	}
	page, err := io.ReadAll(rs.Body)
	rs.Body.Close()
	if err != nil || !bytes.Contains(page, []byte("/share/view/studies/"+study+"/series/")) {
		f.t.Fatalf("the page of the link: %d %s", rs.StatusCode, page)
	}
	rs, err = browser.Get("https://" + f.HTTP + "/share/view/studies/" + study + "/series/" + study + ".1/instances/" + study + ".1.1/rendered")
	if err != nil {
		f.t.Fatal(err)
	}
	defer rs.Body.Close()
	if rs.StatusCode != http.StatusOK {
		f.t.Errorf("the picture: %d", rs.StatusCode)
	}
}

func TestAResearcherSeesNoIdentityOfALegacyPACS(t *testing.T) {
	t.Parallel()
	for name, start := range faces {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFaced(t, start)
			study := uid.New()
			path := harness.Instance{Study: study, Pixels: 4096, Fill: 7, Modality: "CT", Set: map[dicom.Tag]string{
				tag.SOPClassUID: uid.CTImageStorage, tag.BurnedInAnnotation: "NO", tag.ConversionType: "SYN",
			}}.Write(t, t.TempDir())
			if report := f.stow(f.token("ada", "write"), path); len(report.Stored) != 1 {
				t.Fatalf("%+v", report)
			}
			rosa := f.token("rosa", "read")
			found := f.searched(rosa, nil)
			if len(found) != 1 || found[0] == study {
				t.Fatalf("a researcher finds %v\n%s", found, f.Output())
			}
			if got := f.searched(rosa, url.Values{"PatientID": {"ZZPHI-1"}}); len(got) != 0 {
				t.Error("a researcher finds a patient")
			}
			hidden := f.files(rosa, found[0])
			if len(hidden) != 1 {
				t.Fatalf("%d instances", len(hidden))
			}
			for _, path := range []string{"/studies", "/studies/" + found[0] + "/series", "/studies/" + found[0] + "/instances", "/studies/" + found[0] + "/metadata", "/studies/" + found[0]} {
				status, b, _ := f.get(rosa, path)
				if status != http.StatusOK || bytes.Contains(b, []byte("ZZPHI")) || bytes.Contains(b, []byte(study)) {
					t.Errorf("%s: %d, with identity", path, status)
				}
			}
			if status, _, _ := f.get(rosa, "/studies/"+study); status != http.StatusNotFound {
				t.Errorf("by its own UID: %d", status)
			}

			link := f.Must("share", "create", "--deidentified", "--study", "PACS/"+study, "--data", f.Data)
			link = strings.Fields(link[strings.Index(link, "clms_"):])[0]
			status, b, _ := f.get(link, "/studies")
			if status != http.StatusOK || bytes.Contains(b, []byte("ZZPHI")) || bytes.Contains(b, []byte(study)) {
				t.Errorf("by a link without identity: %d %.300s", status, b)
			}
		})
	}
}

// TestWithoutAnArchiveTheOneFaceIsWhereViewersLook is a server with the gate alone.
func TestWithoutAnArchiveTheOneFaceIsWhereViewersLook(t *testing.T) {
	t.Parallel()
	behind := harness.FreeAddress(t)
	f := gateWithFace(t, "OLDPACS", behind, "--only", "gate")
	startQRSCP(t, behind, map[string]string{"GATEWEB": f.Plain})
	study := uid.New()
	path := harness.Instance{Study: study}.Write(t, t.TempDir())
	write := f.token("ada", "write")
	if report := f.stow(write, path); len(report.Stored) != 1 {
		t.Fatalf("%+v", report)
	}
	c := f.client(write)
	c.Base = "https://" + f.HTTP + "/dicom-web"
	n := 0
	for ds, err := range c.Metadata(t.Context(), dicomweb.Resource{StudyUID: study}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; ds.Text(tag.StudyInstanceUID) != study {
			t.Error("another study")
		}
	}
	if n != 1 {
		t.Errorf("%d instances", n)
	}
}
