//go:build interop

package interop_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/interop/harness"
)

// startClamd runs a ClamAV daemon that knows one signature, a marker of ours.
func startClamd(t *testing.T, marker string) (socket string) {
	t.Helper()
	daemon := harness.Tool(t, "clamd", "clamav-daemon")
	dir, err := os.MkdirTemp("/tmp", "clamd") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	address := harness.FreeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	for name, text := range map[string]string{
		"marker.ndb": fmt.Sprintf("Test.Marker:0:*:%s\n", hex.EncodeToString([]byte(marker))),
		"clamd.conf": fmt.Sprintf("LocalSocket %s\nTCPSocket %s\nTCPAddr 127.0.0.1\nDatabaseDirectory %s\nForeground yes\nUser root\nTemporaryDirectory %s\n", socket, port, dir, dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	harness.Background(t, address, daemon, "--config-file", filepath.Join(dir, "clamd.conf"))
	return socket
}

// TestWhatClamAVKnowsIsHeldBack sends an object with a marker that a real daemon
// has a signature for; and with the daemon gone, nothing is taken unlooked at.
func TestWhatClamAVKnowsIsHeldBack(t *testing.T) {
	t.Parallel()
	const marker = "ZZMARKER-OF-THE-TEST-0815"
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	socket := startClamd(t, marker)
	settings := func(socket string) {
		if err := os.WriteFile(filepath.Join(data, "collimator.yaml"), []byte("inspect:\n  clamd: "+socket+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settings(socket)
	s := harness.StartIn(t, data)
	keys := s.Device("WS1", harness.All...)
	send := func(patient, text string) (string, int) {
		ds := harness.Instance{PatientID: patient}.DataSet(t)
		ds.Set(dicom.NewText(0x00110010, dicom.LO, "TEST"))
		ds.Set(dicom.NewElement(0x00111001, dicom.OB, []byte(text+" ")))
		return harness.Run(t, "send", s.Peer(), "--as", keys, harness.WriteFile(t, t.TempDir(), ds))
	}
	if out, code := send("ZZPHI-1", "harmless"); code != 0 {
		t.Errorf("harmless: exit code %d: %s", code, out)
	}
	if out, code := send("ZZPHI-2", strings.Repeat("x", 100_000)+marker); code != 3 || !strings.Contains(out, "held") {
		t.Errorf("with the marker: exit code %d: %s", code, out)
	}
	if !s.Says("virus Test.Marker") {
		t.Errorf("the log does not name the signature:\n%s", s.Output())
	}
	s.Stop()
	settings(filepath.Join(data, "no-socket"))
	s = harness.StartIn(t, data)
	if out, code := send("ZZPHI-3", "harmless"); code == 0 || strings.Contains(out, "held") {
		t.Errorf("without the daemon: exit code %d: %s", code, out)
	}
	if out := s.Must("verify", "--data", data); !strings.Contains(out, "as it was recorded") {
		t.Error(out)
	}
}
