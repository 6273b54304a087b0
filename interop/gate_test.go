//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// legacy is a PACS that nobody can patch: it starts at an address, and knows further AE
// titles at the addresses of hosts.
type legacy func(t *testing.T, address string, hosts map[string]string)

// legacies are those the gate is tried in front of.
var legacies = map[string]legacy{"dcmqrscp": startQRSCP, "Orthanc": startOldOrthanc}

// startQRSCP starts dcmqrscp with one storage area that takes everybody.
func startQRSCP(t *testing.T, address string, hosts map[string]string) {
	t.Helper()
	startQRSCPWith(t, address, hosts)
}

// startQRSCPWith is startQRSCP with further flags.
func startQRSCPWith(t *testing.T, address string, hosts map[string]string, flags ...string) {
	t.Helper()
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
	harness.Background(t, address, dcmtktest.Find(t, "dcmqrscp"), append(flags, "-c", file)...)
}

// startOldOrthanc starts Orthanc without TLS.
func startOldOrthanc(t *testing.T, address string, hosts map[string]string) {
	t.Helper()
	modalities := map[string]any{}
	for title, at := range hosts {
		modalities[title] = map[string]any{
			"AET": title, "Host": "127.0.0.1", "Port": portOf(at), "AllowFind": true, "AllowMove": true, "AllowGet": true, "AllowStore": true,
			"AllowStorageCommitment": true,
		}
	}
	startOrthanc(t, address, map[string]any{"DicomAet": "OLDPACS", "DicomModalities": modalities})
}

// startGate starts a server with one route, PACS, in front of a PACS at an address.
func startGate(t *testing.T, behind, rules string) *harness.Server {
	t.Helper()
	return startGateTo(t, "OLDPACS", behind, rules)
}

// startGateTo is startGate for a PACS of another AE title.
func startGateTo(t *testing.T, title, behind, rules string) *harness.Server {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	return startGateIn(t, data, title, behind, rules)
}

// startGateIn is startGateTo on a data directory that is there.
func startGateIn(t *testing.T, data, title, behind, rules string) *harness.Server {
	t.Helper()
	if rules == "" {
		rules = "      - {name: registered, registered: true}\n"
	}
	text := fmt.Sprintf("routes:\n  - name: PACS\n    protect: %s@%s\n    rules:\n%s", title, behind, rules)
	if err := os.WriteFile(filepath.Join(data, "routes.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return harness.StartIn(t, data)
}

func TestUnchangedClientsGetThroughTheGateWhatTheyGetWithoutIt(t *testing.T) {
	t.Parallel()
	for name, start := range legacies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind := harness.FreeAddress(t)
			s := startGate(t, behind, "")
			start(t, behind, map[string]string{"WS1": s.Plain, "STORE1": s.Plain})
			address := harness.FreeAddress(t)
			_, port, _ := strings.Cut(address, ":")
			scp := newDCMTK(t, s, "STORE1", "--allow", "echo", "--listen", address)
			d := newDCMTK(t, s, "WS1", append(harness.All, "--move-to", "STORE1")...)
			d.called = "PACS"
			study, dir, moved := uid.New(), t.TempDir(), t.TempDir()
			var sent []string
			for i := range 3 {
				sent = append(sent, harness.Instance{Study: study, Fill: byte(i)}.Write(t, dir))
			}
			harness.Background(t, address, dcmtktest.Find(t, "storescp"), append(scp.tls(), "-rc", "-aet", "STORE1", "-od", moved, "+xa", port)...)

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

			out, code = d.relayed("movescu", relay, "-S", "-aem", "STORE1", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+study)
			mustSucceed(t, out, code)
			compareAll(t, sent, harness.Files(t, moved))
			for _, nowhere := range []string{"NOBODY", "WS2"} {
				out, _ = d.relayed("movescu", relay, "-S", "-aem", nowhere, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+study)
				if !strings.Contains(out, "MoveDestinationUnknown") {
					t.Errorf("%s:\n%s", nowhere, out)
				}
			}
			if out := s.Output(); strings.Contains(out, "ZZPHI") {
				t.Error("a patient in the log")
			}
		})
	}
}

// TestAnOverwritingPACSKeepsWhatItHadBehindTheGate shows the harm first: storescp
// takes a stranger's image for the one it had, and says that all is well.
func TestAnOverwritingPACSKeepsWhatItHadBehindTheGate(t *testing.T) {
	t.Parallel()
	study, first, second := uid.New(), t.TempDir(), t.TempDir()
	original := harness.Instance{Study: study, Fill: 1}.Write(t, first)
	ds := harness.ReadFile(t, original).DataSet.Clone()
	if err := ds.SetText(tag.StudyDescription, "forged"); err != nil {
		t.Fatal(err)
	}
	forged := harness.WriteFile(t, second, ds)

	area := t.TempDir()
	behind := harness.FreeAddress(t)
	_, port, _ := strings.Cut(behind, ":")
	harness.Background(t, behind, dcmtktest.Find(t, "storescp"), "-od", area, "-aet", "OLDPACS", port)
	has := func() string {
		t.Helper()
		files := harness.Files(t, area)
		if len(files) != 1 {
			t.Fatalf("the PACS has %d files", len(files))
		}
		return harness.ReadFile(t, files[0]).DataSet.Text(tag.StudyDescription)
	}
	direct := func(file string) {
		t.Helper()
		out, code := harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "storescu"), "-v", "-aec", "OLDPACS", "127.0.0.1", port, file)
		mustSucceed(t, out, code)
	}
	direct(original)
	direct(forged)
	if has() != "forged" {
		t.Fatal("this storescp does not overwrite: there is no harm to keep away")
	}
	direct(original)

	s := startGate(t, behind, "")
	ct := newDCMTK(t, s, "CT1", "--allow", "store")
	evil := newDCMTK(t, s, "EVIL", "--allow", "store")
	ct.called, evil.called = "PACS", "PACS"
	out, code := ct.run("storescu", original)
	mustSucceed(t, out, code)
	out, _ = evil.run("storescu", forged)
	if !strings.Contains(out, "0x111") || has() == "forged" {
		t.Errorf("the PACS has %q\n%s", has(), out)
	}
	out, code = ct.run("storescu", original) // an answer may be lost: it is sent again
	mustSucceed(t, out, code)

	list := s.Must("quarantine", "list", "--data", s.Data)
	if !strings.Contains(list, "other-content-at-route") {
		t.Fatalf("not held:\n%s", list)
	}
	out = s.Must("quarantine", "release", strings.Fields(strings.Split(list, "\n")[1])[0], "--data", s.Data)
	if !strings.Contains(out, "goes through the route PACS when its device sends it again") {
		t.Errorf("released:\n%s", out)
	}
	out, code = evil.run("storescu", forged)
	mustSucceed(t, out, code)
	if has() != "forged" {
		t.Error("what somebody let through does not get through")
	}
	s.Must("verify", "--data", s.Data)
}

// archiveBehind is an archive without TLS behind a gate: what our own software is to others.
func archiveBehind(t *testing.T) place {
	t.Helper()
	inner := harness.Start(t)
	until := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	plain := func(title string, flags ...string) {
		t.Helper()
		inner.Must(append([]string{"device", "add", title, "--data", inner.Data, "--plaintext", "--address", "127.0.0.1", "--until", until}, flags...)...)
	}
	plain("WS1", append(harness.All, "--move-to", "DEST1")...)
	outer := startGateTo(t, harness.AETitle, inner.Plain, `      - {name: registered, registered: true}
      - {name: deflated, registered: true, syntaxes: [Deflated Explicit VR Little Endian]}
`)
	plain("DEST1", "--allow", "echo", "--listen", outer.Plain)
	if !harness.WaitListening(inner.Plain, 10*time.Second) {
		t.Fatal("the archive behind does not listen without TLS")
	}

	address := harness.FreeAddress(t)
	dest := outer.Device("DEST1", "--allow", "echo", "--listen", address)
	keys := outer.Device("WS1", append(harness.All, "--move-to", "DEST1")...)
	return place{
		peer: "PACS@" + outer.Address, keys: keys, server: outer, receiver: harness.StartReceiver(t, address, "DEST1", dest),
		mayRefuse: []string{
			"gate: the data set cannot be read", // elements twice or out of order, of which readers take either
			"gate: patch geometry",              // a number of frames that is none
		},
	}
}

// TestCorpusGoesThroughTheGateAndComesBackUnchanged: in full by hand, with
// COLLIMATOR_CORPUS=all.
func TestCorpusGoesThroughTheGateAndComesBackUnchanged(t *testing.T) {
	most := 2
	if os.Getenv("COLLIMATOR_CORPUS") == "all" {
		most = corpusRounds
	}
	corpusThrough(t, most, archiveBehind)
}
