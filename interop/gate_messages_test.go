//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/interop/harness"
)

// OpenSSL sends messages with the certificate of a device, and socat is a system behind
// that takes them without TLS.
func TestMessagesOfOpenSSLReachASystemWithoutTLSByRule(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got, answer := filepath.Join(dir, "got"), filepath.Join(dir, "answer")
	ack := "\x0BMSH|^~\\&|RIS|RAD|SIS|WARD|1||ACK^A01|9|P|2.5\rMSA|AA|77\r\x1C\r"
	if err := os.WriteFile(answer, []byte(ack), 0o600); err != nil {
		t.Fatal(err)
	}
	behind, listen := harness.FreeAddress(t), harness.FreeAddress(t)
	_, port, _ := strings.Cut(behind, ":")
	harness.Background(t, behind, harness.Tool(t, "socat", "socat"), "TCP-LISTEN:"+port+",fork,reuseaddr,bind=127.0.0.1",
		fmt.Sprintf("SYSTEM:cat %s; cat >> %s", answer, got))

	s := startGate(t, "127.0.0.1:104", "")
	keys := s.Device("SIS1")
	s.Must("gate", "add", "HL7", "--messages", "--listen", listen, "--to", behind, "--allow", "SIS1:ADT^A01", "--data", s.Data)
	if !harness.WaitListening(listen, 10*time.Second) {
		t.Fatalf("nobody listens: %s", s.Output())
	}

	admit := "MSH|^~\\&|SIS|WARD|RIS|RAD|20261130||ADT^A01|77|P|2.5\rPID|1||ZZPHI-1||ZZPHI^ONE\r"
	if out := openssl(t, listen, keys, "SIS1", admit); !strings.Contains(out, "MSA|AA|77") {
		t.Errorf("%q", out)
	}
	other := strings.Replace(admit, "ADT^A01", "ORM^O01", 1)
	if out := openssl(t, listen, keys, "SIS1", other); !strings.Contains(out, "MSA|AR|77|gate, route HL7: rule SIS1 grants other types of messages than ORM O01") {
		t.Errorf("%q", out)
	}
	if out := openssl(t, listen, "", "", admit); strings.Contains(out, "MSA") {
		t.Errorf("without a certificate: %q", out)
	}

	time.Sleep(100 * time.Millisecond) // socat writes what it got
	if b, err := os.ReadFile(got); err != nil || string(b) != "\x0B"+admit+"\x1C\r" {
		t.Errorf("the system behind got %q, %v", b, err)
	}
	told := s.Must("audit", "search", "--event", "message-passed", "--data", s.Data)
	if strings.Contains(told, "ZZPHI") || !strings.Contains(told, "ADT^A01, 79 bytes, answered AA") || !strings.Contains(told, "ORM^O01") {
		t.Errorf("%s", told)
	}

	s.Must("gate", "close", "HL7", "--data", s.Data)
	for end := time.Now().Add(5 * time.Second); harness.WaitListening(listen, 50*time.Millisecond); {
		if time.Now().After(end) {
			t.Fatal("it listens after it was closed")
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// socat with OpenSSL is a system behind that takes TLS alone: it is known by a fingerprint,
// by who vouches for it, or not at all.
func TestMessagesReachASystemBehindWithTLSByItsCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got, answer, cert, key := filepath.Join(dir, "got"), filepath.Join(dir, "answer"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if out, code := harness.Exec(t, time.Minute, nil, harness.Tool(t, "openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=ris", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert); code != 0 {
		t.Fatal(out)
	}
	pin, code := harness.Exec(t, time.Minute, nil, harness.Tool(t, "openssl", "openssl"), "x509", "-in", cert, "-noout", "-fingerprint", "-sha256")
	_, pin, _ = strings.Cut(strings.TrimSpace(pin), "=")
	pin = strings.ReplaceAll(pin, ":", "")
	if code != 0 || len(pin) != 64 {
		t.Fatal(pin)
	}
	ack := "\x0BMSH|^~\\&|RIS|RAD|SIS|WARD|1||ACK^A01|9|P|2.5\rMSA|AA|77\r\x1C\r"
	if err := os.WriteFile(answer, []byte(ack), 0o600); err != nil {
		t.Fatal(err)
	}
	behind := harness.FreeAddress(t)
	_, port, _ := strings.Cut(behind, ":")
	harness.Background(t, behind, harness.Tool(t, "socat", "socat"),
		fmt.Sprintf("OPENSSL-LISTEN:%s,fork,reuseaddr,bind=127.0.0.1,cert=%s,key=%s,verify=0", port, cert, key),
		fmt.Sprintf("SYSTEM:cat %s; cat >> %s", answer, got))

	s := startGate(t, "127.0.0.1:104", "")
	keys := s.Device("SIS1")
	pinned, wrong, vouched := harness.FreeAddress(t), harness.FreeAddress(t), harness.FreeAddress(t)
	for name, c := range map[string]struct{ listen, trust string }{"PINNED": {pinned, pin}, "WRONG": {wrong, strings.Repeat("a", 64)}} {
		s.Must("gate", "add", name, "--messages", "--listen", c.listen, "--to", behind, "--trust", c.trust, "--allow", "SIS1:ADT^A01", "--data", s.Data)
	}
	addRoute(t, s.Data, fmt.Sprintf("  - name: VOUCHED\n    messages: {listen: %q, to: %q, ca: %q, rules: [{name: adt, who: [SIS1], types: [ADT]}]}\n", vouched, behind, cert))

	admit := "MSH|^~\\&|SIS|WARD|RIS|RAD|20261130||ADT^A01|77|P|2.5\rPID|1||ZZPHI-1||ZZPHI^ONE\r"
	for _, c := range []struct{ listen, want string }{{pinned, "MSA|AA|77"}, {wrong, "MSA|AE|77"}, {vouched, "MSA|AA|77"}} {
		if !harness.WaitListening(c.listen, 10*time.Second) {
			t.Fatalf("nobody listens: %s", s.Output())
		}
		if out := openssl(t, c.listen, keys, "SIS1", admit); !strings.Contains(out, c.want) {
			t.Errorf("%q, want %s", out, c.want)
		}
	}
	time.Sleep(100 * time.Millisecond) // socat writes what it got
	if b, err := os.ReadFile(got); err != nil || string(b) != strings.Repeat("\x0B"+admit+"\x1C\r", 2) {
		t.Errorf("the system behind got %q, %v", b, err)
	}
}

// addRoute writes a route at the end of the file.
func addRoute(t *testing.T, data, block string) {
	t.Helper()
	path := filepath.Join(data, "routes.yaml")
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(b, block...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// openssl sends a message with TLS, and gives what came back within two seconds.
func openssl(t *testing.T, address, keys, title, message string) string {
	t.Helper()
	args := []string{"s_client", "-quiet", "-connect", address}
	if keys != "" {
		args = append(args, "-cert", filepath.Join(keys, title+".cert.pem"), "-key", filepath.Join(keys, title+".key.pem"))
	}
	cmd := exec.Command(harness.Tool(t, "openssl", "openssl"), args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(in, "\x0B%s\x1C\r", message)
	time.Sleep(2 * time.Second)
	in.Close()
	done := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer done.Stop()
	cmd.Wait()
	return out.String()
}
