//go:build interop

package interop_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom/dcmtktest"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

type pendingEntry struct {
	ID             int64
	CallingAETitle string
	Fingerprint    string
	Reason         string
}

func pending(t *testing.T, s *harness.Server) map[string]pendingEntry {
	t.Helper()
	var list []pendingEntry
	if err := json.Unmarshal([]byte(s.Must("device", "pending", "--data", s.Data, "-o", "json")), &list); err != nil {
		t.Fatal(err)
	}
	out := map[string]pendingEntry{}
	for _, p := range list {
		out[p.CallingAETitle] = p
	}
	return out
}

func TestStrangersAreRejectedRecordedAndPending(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	d := newDCMTK(t, s, "WS1", harness.All...)
	gone := newDCMTK(t, s, "GONE", harness.All...)
	s.Must("device", "remove", "GONE", "--data", s.Data)
	other := harness.Start(t)
	foreign := newDCMTK(t, other, "FOREIGN")
	foreign.server = s
	host, port, _ := strings.Cut(s.Address, ":")

	for name, tc := range map[string]struct {
		call    func() (string, int)
		title   string // pending under this title; empty: not pending
		reason  string
		rejects string
	}{
		"plain connection": {func() (string, int) {
			return harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "echoscu"), "-v", "-aet", "PLAIN", "-aec", harness.AETitle, host, port)
		}, "PLAIN", "without TLS", "Association Rejected"},
		"certificate of another authority": {func() (string, int) {
			// Our server's certificate is of no authority that the stranger knows.
			return harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "echoscu"), append(append([]string{"-v", "-ic"}, foreign.tls()...), "-aet", "FOREIGN", "-aec", harness.AETitle, host, port)...)
		}, "FOREIGN", "not registered", "Association Rejected"},
		"known certificate, other title": {func() (string, int) { x := d; x.aet = "WS1"; return asTitle(t, x, "WS9") }, "WS9", "not registered", "Association Rejected"},
		"removed device":                 {func() (string, int) { return gone.run("echoscu") }, "GONE", "not registered", "Association Rejected"},
		"wrong called title": {func() (string, int) {
			return harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "echoscu"), append(append([]string{"-v"}, d.tls()...), "-aet", "WS1", "-aec", "WRONG", host, port)...)
		}, "", "called AE title is not ours", "Association Rejected"},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := tc.call()
			if code == 0 || !strings.Contains(out, tc.rejects) {
				t.Errorf("exit code %d, want a rejection:\n%s", code, out)
			}
			if tc.title != "" {
				if p, ok := pending(t, s)[tc.title]; !ok || !strings.Contains(p.Reason, tc.reason) {
					t.Errorf("pending entry is %+v, want one with %q", p, tc.reason)
				}
			}
			if !s.Says(tc.reason) {
				t.Errorf("the log does not say %q", tc.reason)
			}
		})
	}
	if _, there := pending(t, s)["WS1"]; there {
		t.Error("a registered device is pending although it only called a wrong title")
	}
}

// asTitle calls with the keys of one device under the title of another.
func asTitle(t *testing.T, d dcmtk, title string) (string, int) {
	t.Helper()
	host, port, _ := strings.Cut(d.server.Address, ":")
	return harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "echoscu"), append(append([]string{"-v"}, d.tls()...), "-aet", title, "-aec", harness.AETitle, host, port)...)
}

func TestOneCommandApprovesARefusedCaller(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	other := harness.Start(t)
	d := newDCMTK(t, other, "NEW1")
	d.server = s
	call := func() (string, int) {
		host, port, _ := strings.Cut(s.Address, ":")
		return harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "echoscu"), append(append([]string{"-v", "-ic"}, d.tls()...), "-aet", "NEW1", "-aec", harness.AETitle, host, port)...)
	}
	if out, code := call(); code == 0 {
		t.Fatalf("a stranger was let in:\n%s", out)
	}
	s.Must("device", "approve", "NEW1", "--data", s.Data, "--allow", "echo")
	out, code := call()
	mustSucceed(t, out, code)
}

func TestVerbsThatAreNotGrantedAreRefusedWithStatus(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	file := harness.Instance{}.Write(t, t.TempDir())
	onlyEcho := newDCMTK(t, s, "ECHO1", "--allow", "echo")
	out, code := onlyEcho.run("echoscu")
	mustSucceed(t, out, code)
	if out, _ := onlyEcho.run("storescu", file); !notAuthorised(out) {
		t.Errorf("C-STORE is not refused as not authorised:\n%s", out)
	}
	if out, _ := onlyEcho.run("findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID"); !notAuthorised(out) {
		t.Errorf("C-FIND is not refused as not authorised:\n%s", out)
	}
	onlyStore := newDCMTK(t, s, "STORE1", "--allow", "store")
	out, code = onlyStore.run("storescu", file)
	mustSucceed(t, out, code)
	if out, _ := onlyStore.run("echoscu"); !notAuthorised(out) {
		t.Errorf("C-ECHO is not refused:\n%s", out)
	}
	relay := onlyStore.relay()
	if out, _ := onlyStore.relayed("getscu", relay, "-S", "-od", t.TempDir(), "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+uid.New()); !notAuthorised(out) {
		t.Errorf("C-GET is not refused:\n%s", out)
	}
}

// notAuthorised reports status 0124H in the output of a DCMTK tool, which knows
// no word for it.
func notAuthorised(out string) bool {
	return strings.Contains(out, "0x124") || strings.Contains(out, "0x0124")
}

func TestARemovedDeviceIsRefusedAtItsNextRequest(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	keys := s.Device("WS1", harness.All...)
	if out, code := harness.Run(t, "echo", s.Peer(), "--as", keys); code != 0 {
		t.Fatal(out)
	}
	s.Must("device", "remove", "WS1", "--data", s.Data)
	if out, code := harness.Run(t, "echo", s.Peer(), "--as", keys); code != 4 {
		t.Errorf("exit code %d, want 4 (refused):\n%s", code, out)
	}
}

func TestPlaintextIsOpenForTheNamedDeviceAtItsAddressOnly(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	if harness.WaitListening(s.Plain, 0) {
		t.Fatal("the listener without TLS is open although nobody needs it")
	}
	s.Must("device", "add", "OLD1", "--data", s.Data, "--plaintext", "--address", "127.0.0.1", "--until", time.Now().AddDate(0, 0, 2).Format(time.DateOnly))
	if !harness.WaitListening(s.Plain, 10*time.Second) {
		t.Fatal("the listener without TLS did not open")
	}
	host, port, _ := strings.Cut(s.Plain, ":")
	echo := func(title string) (string, int) {
		return harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "echoscu"), "-v", "-aet", title, "-aec", harness.AETitle, host, port)
	}
	out, code := echo("OLD1")
	mustSucceed(t, out, code)
	if out, code := echo("OLD2"); code == 0 {
		t.Errorf("another title was let in without TLS:\n%s", out)
	}
	s.Must("device", "set", "OLD1", "--data", s.Data, "--only-tls")
	if out, code := echo("OLD1"); code == 0 {
		t.Errorf("the device was let in after its exception ended:\n%s", out)
	}
}

func TestAnExpiredCertificateIsRefused(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	keys := s.Device("WS1", harness.All...)
	cert := expired(t, "WS1")
	s.Must("device", "add", "OLD1", "--data", s.Data, "--cert", cert.certFile)
	out, code := harness.Run(t, "echo", s.Peer(), "--key", cert.keyFile, "--cert", cert.certFile, "--ca", filepath.Join(keys, "ca.pem"), "--aet", "OLD1")
	if code != 4 {
		t.Errorf("exit code %d, want 4 (refused):\n%s", code, out)
	}
	if !s.Says("expired") {
		t.Error("the log does not say that the certificate has expired")
	}
}
