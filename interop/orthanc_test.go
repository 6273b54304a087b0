//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/interop/harness"
)

// archiveOf is an Orthanc with its REST interface.
type archiveOf struct {
	t     *testing.T
	dicom string // address
	rest  string // URL

	user, password string // where it wants them
}

// startOrthanc runs Orthanc at addresses until the test ends.
func startOrthanc(t *testing.T, dicom string, settings map[string]any) *archiveOf {
	t.Helper()
	web, dir := harness.FreeAddress(t), t.TempDir()
	all := map[string]any{"Name": "peer", "StorageDirectory": dir, "IndexDirectory": dir, "DicomAet": "ORTHANC",
		"DicomPort": portOf(dicom), "HttpPort": portOf(web), "Plugins": []string{"/usr/share/orthanc/plugins/libOrthancDicomWeb.so"}}
	for k, v := range settings {
		all[k] = v
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "orthanc.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	harness.Background(t, web, harness.Tool(t, "Orthanc", "orthanc"), path)
	if !harness.WaitListening(dicom, 20*time.Second) {
		t.Fatal("Orthanc does not listen")
	}
	return &archiveOf{t: t, dicom: dicom, rest: "http://" + web}
}

// call sends a request and gives the body of a successful answer.
func (o *archiveOf) call(method, path string, body []byte) []byte {
	o.t.Helper()
	rq, err := http.NewRequestWithContext(o.t.Context(), method, o.rest+path, bytes.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	if o.user != "" {
		rq.SetBasicAuth(o.user, o.password)
	}
	rsp, err := http.DefaultClient.Do(rq)
	if err != nil {
		o.t.Fatal(err)
	}
	defer rsp.Body.Close()
	b, err := io.ReadAll(rsp.Body)
	if err != nil || rsp.StatusCode != http.StatusOK {
		o.t.Fatalf("Orthanc: %s %s: %d %v %s", method, path, rsp.StatusCode, err, b)
	}
	return b
}

// field is one field of an answer in JSON.
func (o *archiveOf) field(b []byte, name string) string {
	o.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		o.t.Fatal(err)
	}
	text, _ := m[name].(string)
	return text
}

// put stores a file in Orthanc and gives Orthanc's name of the study.
func (o *archiveOf) put(path string) string {
	o.t.Helper()
	return o.field(o.call("POST", "/instances", harness.ReadBytes(o.t, path)), "ParentStudy")
}

// overTLS are the settings for an Orthanc with the keys of a device.
func overTLS(keys, title string, modalities map[string]any) map[string]any {
	return map[string]any{
		"DicomTlsEnabled": true, "DicomTlsRemoteCertificateRequired": true,
		"DicomTlsCertificate": filepath.Join(keys, title+".cert.pem"), "DicomTlsPrivateKey": filepath.Join(keys, title+".key.pem"),
		"DicomTlsTrustedCertificates": filepath.Join(keys, "ca.pem"), "DicomModalities": modalities,
	}
}

// orthancModality is how Orthanc reaches an AE over TLS.
func orthancModality(title, address string) map[string]any {
	return map[string]any{"AET": title, "Host": "127.0.0.1", "Port": portOf(address), "UseDicomTls": true, "AllowStorageCommitment": true}
}

func TestOrthancStoresFindsMovesAndCommitsOverMutualTLS(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "Orthanc", "orthanc")
	s := harness.Start(t)
	address := harness.FreeAddress(t)
	keys := s.Device("ORTHANC", append(harness.All, "--listen", address)...)
	o := startOrthanc(t, address, overTLS(keys, "ORTHANC", map[string]any{"COLLIMATOR": orthancModality(harness.AETitle, s.Address)}))
	study, dir := uid.New(), t.TempDir()
	sent := []string{harness.Instance{Study: study}.Write(t, dir), harness.Instance{Study: study}.Write(t, dir)}
	o.put(sent[0])
	id := o.put(sent[1])

	o.call("POST", "/modalities/COLLIMATOR/echo", []byte("{}"))
	o.call("POST", "/modalities/COLLIMATOR/store", []byte(id))

	instances := make([]map[string]string, len(sent))
	for i, path := range sent {
		ds := harness.ReadFile(t, path).DataSet
		instances[i] = map[string]string{"SOPClassUID": ds.Text(tag.SOPClassUID), "SOPInstanceUID": ds.Text(tag.SOPInstanceUID)}
	}
	request, err := json.Marshal(map[string]any{"DicomInstances": instances})
	if err != nil {
		t.Fatal(err)
	}
	transaction := o.field(o.call("POST", "/modalities/COLLIMATOR/storage-commitment", request), "ID")
	status := ""
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && status != "Success"; time.Sleep(50 * time.Millisecond) {
		status = o.field(o.call("GET", "/storage-commitment/"+transaction, nil), "Status")
	}
	if status != "Success" {
		t.Errorf("storage commitment is %q", status)
	}

	// Back by C-MOVE, after Orthanc has forgotten it.
	o.call("DELETE", "/studies/"+id, nil)
	query := o.field(o.call("POST", "/modalities/COLLIMATOR/query", []byte(`{"Level":"Study","Query":{"StudyInstanceUID":"`+study+`"}}`)), "ID")
	o.call("POST", "/queries/"+query+"/retrieve", []byte("ORTHANC"))
	var list []string
	if err := json.Unmarshal(o.call("GET", "/instances", nil), &list); err != nil {
		t.Fatal(err)
	}
	got := t.TempDir()
	for _, name := range list {
		path := filepath.Join(got, name+".dcm")
		if err := os.WriteFile(path, o.call("GET", "/instances/"+name+"/file", nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	compareAll(t, sent, harness.Files(t, got))
}

func TestTheClientCommandsWorkWithOrthancOverMutualTLS(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "Orthanc", "orthanc")
	s := harness.Start(t)
	address, listen := harness.FreeAddress(t), harness.FreeAddress(t)
	keys := s.Device("ORTHANC", append(harness.All, "--listen", address)...)
	ws1 := s.Device("WS1", "--allow", "echo", "--listen", listen)
	devices := s.DevicesCA() // Orthanc and WS1 let each other in, and Orthanc the archive
	appendFile(t, filepath.Join(keys, "ca.pem"), devices)
	startOrthanc(t, address, overTLS(keys, "ORTHANC", map[string]any{"WS1": orthancModality("WS1", listen), "COLLIMATOR": orthancModality(harness.AETitle, s.Address)}))
	peer := "ORTHANC@" + address
	study, dir := uid.New(), t.TempDir()
	sent := []string{harness.Instance{Study: study}.Write(t, dir), harness.Instance{Study: study}.Write(t, dir)}

	if out, code := harness.Run(t, "echo", peer, "--as", ws1, "--ca", devices); code != 0 {
		t.Fatalf("echo: %d %s", code, out)
	}
	out, code := harness.Run(t, "send", peer, dir, "--as", ws1, "--ca", devices, "--commit", "--listen", listen, "--wait", "20s")
	if code != 0 || !strings.Contains(out, "0 failed, 2 committed.") {
		t.Errorf("send with storage commitment on Orthanc's association: %d %s", code, out)
	}
	if out, code := harness.Run(t, "send", peer, dir, "--as", ws1, "--ca", devices, "--commit", "--wait", "2s"); code != 3 || !strings.Contains(out, "0 failed, commitment unknown.") {
		t.Errorf("send without a listener: %d %s", code, out)
	}
	if out, code := harness.Run(t, "find", peer, "--as", ws1, "--ca", devices, "-o", "uids"); code != 0 || !strings.Contains(out, study) {
		t.Errorf("find: %d %s", code, out)
	}

	got := t.TempDir()
	if out, code := harness.Run(t, "get", peer, "--as", ws1, "--ca", devices, "--study", study, "--out", got); code != 0 || !strings.Contains(out, "2 received in ") {
		t.Errorf("get: %d %s", code, out)
	}
	compareAll(t, sent, harness.Files(t, got))
	if out, code := harness.Run(t, "move", peer, "--as", ws1, "--ca", devices, "--study", study, "--to", harness.AETitle); code != 0 {
		t.Errorf("move: %d %s", code, out)
	}
}

func TestOrthancStoresByItsDICOMwebClient(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "Orthanc", "orthanc")
	w := harness.StartWeb(t)
	o := startOrthanc(t, harness.FreeAddress(t), map[string]any{"DicomWeb": map[string]any{"Servers": map[string]any{"col": map[string]any{"Url": w.URL + "/"}}}})
	study := uid.New()
	id := o.put(harness.Instance{Study: study}.Write(t, t.TempDir()))

	// Its boundary has 73 characters, three more than RFC 2046 5.1.1 allows.
	o.call("POST", "/dicom-web/servers/col/stow", []byte(`{"Resources":["`+id+`"],"Synchronous":true}`))
	found := 0
	for ds, err := range w.Client.Search(t.Context(), dicomweb.StudyLevel, dicomweb.Resource{}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if ds.Text(tag.StudyInstanceUID) == study {
			found++
		}
	}
	if found != 1 {
		t.Errorf("the study is found %d times", found)
	}
}

// appendFile adds the content of one file to another.
func appendFile(t *testing.T, to, from string) {
	t.Helper()
	both := append(harness.ReadBytes(t, to), harness.ReadBytes(t, from)...)
	if err := os.WriteFile(to, both, 0o600); err != nil {
		t.Fatal(err)
	}
}
