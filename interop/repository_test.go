//go:build interop

package interop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/interop/harness"
)

// serverPair makes a self-signed certificate for 127.0.0.1.
func serverPair(t *testing.T) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(8), Subject: pkix.Name{CommonName: "repository"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")}
	for path, block := range map[string]*pem.Block{p.keyFile: {Type: "EC PRIVATE KEY", Bytes: ec}, p.certFile: {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// startRsyslog runs rsyslogd as an audit record repository that writes the text
// of each message on a line.
func startRsyslog(t *testing.T, address string) (certFile, out string) {
	t.Helper()
	daemon := harness.Tool(t, "rsyslogd", "rsyslog")
	keys := serverPair(t)
	dir := t.TempDir()
	out = filepath.Join(dir, "messages")
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf(`global(workDirectory=%q DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile=%q DefaultNetstreamDriverCertFile=%q
  DefaultNetstreamDriverKeyFile=%q maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" address="127.0.0.1" port=%q)
template(name="raw" type="string" string="%%app-name%% %%msgid%% %%msg%%\n")
action(type="omfile" file=%q template="raw")
`, dir, keys.certFile, keys.certFile, keys.keyFile, port, out)
	file := filepath.Join(dir, "rsyslog.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	harness.Background(t, address, daemon, "-n", "-f", file, "-i", filepath.Join(dir, "pid"))
	return keys.certFile, out
}

// TestTheTrailReachesRsyslog is ITI-20: every record of the trail, refusals
// too, arrives at a repository that nobody here wrote, as a message that parses.
func TestTheTrailReachesRsyslog(t *testing.T) {
	t.Parallel()
	address := harness.FreeAddress(t)
	cert, out := startRsyslog(t, address)
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("audit:\n  repository: %s\n  roots: %s\n", address, cert)
	if err := os.WriteFile(filepath.Join(data, "collimator.yaml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	s := harness.StartIn(t, data)
	keys := s.Device("WS1", harness.All...)
	in := harness.Instance{PatientID: "ZZPHI-1"}
	s.Must("send", s.Peer(), "--as", keys, in.Write(t, t.TempDir()))
	s.Must("find", s.Peer(), "--as", keys, "PatientName=ZZPHI*")
	harness.Run(t, "echo", "WRONG@"+s.Address, "--as", keys)

	want := strings.Count(s.Must("audit", "export", "--data", data), "\n") + 1 // that it was read
	var got []string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && len(got) < want; time.Sleep(50 * time.Millisecond) {
		b, _ := os.ReadFile(out) // it is not there before the first message
		got = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
	if len(got) != want || want < 6 {
		t.Fatalf("%d of %d records arrived\n%s", len(got), want, s.Output())
	}
	for _, line := range got {
		text, ok := strings.CutPrefix(line, "collimator DICOM+RFC3881 ")
		text = strings.TrimPrefix(strings.TrimSpace(text), "\xEF\xBB\xBF")
		if !ok || xml.Unmarshal([]byte(text), &struct {
			XMLName xml.Name `xml:"AuditMessage"`
		}{}) != nil {
			t.Errorf("got %.300q", line)
		}
		// The Patient ID belongs into it (PS3.15 A.5.3.7); the name does not.
		if strings.Contains(line, harness.Marker+"^") {
			t.Errorf("a message holds a name: %.300q", line)
		}
	}
}
