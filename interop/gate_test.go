//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom/dcmtktest"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// legacy is a PACS that nobody can patch, and the AE title and address by which it is
// reached without the gate.
type legacy struct{ title, address string }

// startQRSCP starts dcmqrscp with one storage area that takes everybody; hosts are further
// AE titles and where they are.
func startQRSCP(t *testing.T, hosts map[string]string) legacy {
	t.Helper()
	address := harness.FreeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	var table strings.Builder
	for title, at := range hosts {
		host, port, _ := strings.Cut(at, ":")
		fmt.Fprintf(&table, "%s = (%s, %s, %s)\n", strings.ToLower(title), title, host, port)
	}

	area := t.TempDir()
	config := fmt.Sprintf("NetworkTCPPort = %s\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\n%sHostTable END\n"+
		"VendorTable BEGIN\nVendorTable END\nAETable BEGIN\nOLDPACS %s RW (200,1024mb) ANY\nAETable END\n", port, table.String(), area)
	file := filepath.Join(t.TempDir(), "dcmqrscp.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	harness.Background(t, address, dcmtktest.Find(t, "dcmqrscp"), "-c", file)
	return legacy{title: "OLDPACS", address: address}
}

// startGate starts a server with one route, PACS, in front of a PACS.
func startGate(t *testing.T, behind legacy, rules string) *harness.Server {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if rules == "" {
		rules = "      - {name: registered, registered: true}\n"
	}
	text := fmt.Sprintf("routes:\n  - name: PACS\n    protect: %s@%s\n    rules:\n%s", behind.title, behind.address, rules)
	if err := os.WriteFile(filepath.Join(data, "routes.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return harness.StartIn(t, data)
}

func TestUnchangedClientsGetThroughTheGateWhatTheyGetWithoutIt(t *testing.T) {
	t.Parallel()
	behind := startQRSCP(t, nil)
	s := startGate(t, behind, "")
	d := newDCMTK(t, s, "WS1", harness.All...)
	d.called = "PACS"
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
	out, code = d.run("findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=ZZPHI*", "-k", "StudyInstanceUID")
	mustSucceed(t, out, code)
	if !strings.Contains(out, study) {
		t.Errorf("findscu does not find the study:\n%s", out)
	}

	relay := d.relay()
	got := t.TempDir()
	out, code = d.relayed("getscu", relay, "-S", "-od", got, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+study)
	mustSucceed(t, out, code)
	compareAll(t, sent, harness.Files(t, got))
	t.Log(s.Must("audit", "tail", "--data", s.Data))
	t.Log(out)
}
