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
