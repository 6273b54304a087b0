//go:build interop

package interop_test

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// dcmtk is a tool of DCMTK with the keys of a device.
type dcmtk struct {
	t      *testing.T
	server *harness.Server
	aet    string
	keys   string // directory
	called string // AE title; empty is that of the archive
}

func (d dcmtk) calls() string { return cmp.Or(d.called, harness.AETitle) }

// tls are the options for the tools that speak TLS.
func (d dcmtk) tls() []string {
	return []string{"+tls", filepath.Join(d.keys, d.aet+".key.pem"), filepath.Join(d.keys, d.aet+".cert.pem"), "+cf", filepath.Join(d.keys, "ca.pem")}
}

// run calls a tool over mutual TLS.
func (d dcmtk) run(tool string, args ...string) (string, int) {
	d.t.Helper()
	host, port, _ := strings.Cut(d.server.Address, ":")
	all := append(append([]string{"-v"}, d.tls()...), "-aet", d.aet, "-aec", d.calls(), host, port)
	return harness.Exec(d.t, time.Minute, nil, dcmtktest.Find(d.t, tool), append(all, args...)...)
}

// relay starts a TLS relay for tools without TLS of their own and returns where
// it listens.
func (d dcmtk) relay() string {
	d.t.Helper()
	address := harness.FreeAddress(d.t)
	host, port, _ := strings.Cut(address, ":")
	harness.Background(d.t, address, harness.Tool(d.t, "socat", "socat"),
		fmt.Sprintf("TCP-LISTEN:%s,bind=%s,fork,reuseaddr,nodelay", port, host),
		fmt.Sprintf("OPENSSL:%s,cert=%s,key=%s,cafile=%s,verify=1,nodelay", d.server.Address,
			filepath.Join(d.keys, d.aet+".cert.pem"), filepath.Join(d.keys, d.aet+".key.pem"), filepath.Join(d.keys, "ca.pem")))
	return address
}

// relayed calls a tool through a relay.
func (d dcmtk) relayed(tool, relay string, args ...string) (string, int) {
	d.t.Helper()
	host, port, _ := strings.Cut(relay, ":")
	all := append([]string{"-v", "-aet", d.aet, "-aec", d.calls(), host, port}, args...)
	return harness.Exec(d.t, time.Minute, nil, dcmtktest.Find(d.t, tool), all...)
}

func newDCMTK(t *testing.T, s *harness.Server, aet string, flags ...string) dcmtk {
	t.Helper()
	return dcmtk{t: t, server: s, aet: aet, keys: s.Device(aet, flags...)}
}

func mustSucceed(t *testing.T, out string, code int) {
	t.Helper()
	if code != 0 || strings.Contains(out, "Unknown Status") || strings.Contains(out, "(Failed") || strings.Contains(out, "(Refused") || strings.Contains(out, "E: ") {
		t.Fatalf("exit code %d\n%s", code, out)
	}
}

func TestDCMTKStoresFindsAndRetrievesOverMutualTLS(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	d := newDCMTK(t, s, "WS1", harness.All...)
	study, dir := uid.New(), t.TempDir()
	var sent []string
	for i := range 3 {
		sent = append(sent, harness.Instance{Study: study, Fill: byte(i)}.Write(t, dir))
	}

	out, code := d.run("echoscu")
	mustSucceed(t, out, code)
	out, code = d.run("storescu", sent...)
	mustSucceed(t, out, code)
	if n := strings.Count(out, "Received Store Response (Success)"); n != 3 {
		t.Errorf("storescu saw %d successes, want 3:\n%s", n, out)
	}
	out, code = d.run("findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=zzphi*", "-k", "StudyInstanceUID", "-k", "NumberOfStudyRelatedInstances")
	mustSucceed(t, out, code)
	if !strings.Contains(out, study) || !strings.Contains(out, "[3 ]") {
		t.Errorf("findscu does not find the study with its 3 instances:\n%s", out)
	}

	relay := d.relay()
	got := t.TempDir()
	out, code = d.relayed("getscu", relay, "-S", "-od", got, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+study)
	mustSucceed(t, out, code)
	compareAll(t, sent, harness.Files(t, got))
}

func TestMovescuSendsToStorescpOverTLS(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	address := harness.FreeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	scp := newDCMTK(t, s, "STORE1", "--allow", "echo", "--listen", address)
	d := newDCMTK(t, s, "WS1", append(harness.All, "--move-to", "STORE1")...)
	study, dir, got := uid.New(), t.TempDir(), t.TempDir()
	sent := []string{harness.Instance{Study: study}.Write(t, dir), harness.Instance{Study: study}.Write(t, dir)}
	harness.Background(t, address, dcmtktest.Find(t, "storescp"), append(scp.tls(), "-rc", "-aet", "STORE1", "-od", got, "+xa", port)...)

	out, code := d.run("storescu", sent...)
	mustSucceed(t, out, code)
	relay := d.relay()
	out, code = d.relayed("movescu", relay, "-S", "-aem", "STORE1", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+study)
	mustSucceed(t, out, code)
	compareAll(t, sent, harness.Files(t, got))

	out, _ = d.relayed("movescu", relay, "-S", "-aem", "NOBODY", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+study)
	if !strings.Contains(out, "MoveDestinationUnknown") {
		t.Errorf("an unknown destination is not refused as such:\n%s", out)
	}
}

func TestSendReachesStorescpThatChecksWhoCalls(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	address := harness.FreeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	scp := newDCMTK(t, s, "STORE1", "--allow", "echo", "--listen", address)
	ws1, dir, got := s.Device("WS1"), t.TempDir(), t.TempDir()
	sent := []string{harness.Instance{}.Write(t, dir), harness.Instance{}.Write(t, dir)}
	devices := s.DevicesCA()
	harness.Background(t, address, dcmtktest.Find(t, "storescp"), append(scp.tls(), "+cf", devices, "-rc", "-aet", "STORE1", "-od", got, "+xa", port)...)

	if out, code := harness.Run(t, "send", "STORE1@"+address, dir, "--as", ws1, "--ca", devices); code != 0 || !strings.Contains(out, "2 stored ") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	compareAll(t, sent, harness.Files(t, got))

	// Without a certificate storescp cuts off, and the hint says where to look.
	out, code := harness.Run(t, "echo", "STORE1@"+address, "--ca", devices, "--aet", "WS1")
	if code == 0 || !strings.Contains(out, "own certificate") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// compareAll holds received files against sent ones by SOP Instance UID: the
// same elements with the same bytes.
func compareAll(t *testing.T, sent, received []string) {
	t.Helper()
	byUID := map[string]string{}
	for _, path := range received {
		byUID[harness.ReadFile(t, path).DataSet.Text(tag.SOPInstanceUID)] = path
	}
	if len(byUID) != len(sent) {
		t.Errorf("received %d instances, want %d", len(byUID), len(sent))
	}
	for _, path := range sent {
		want := harness.ReadFile(t, path)
		got, ok := byUID[want.DataSet.Text(tag.SOPInstanceUID)]
		if !ok {
			t.Errorf("%s did not arrive", filepath.Base(path))
			continue
		}
		if !harness.ReadFile(t, got).DataSet.Equal(want.DataSet) {
			t.Errorf("%s arrived changed", filepath.Base(path))
		}
	}
}
