//go:build interop

package interop_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"collimator/dicom/dcmtktest"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/interop/harness"
)

// site is a network of real targets on loopback, each behind a relay that
// keeps all bytes.
type site struct {
	t       *testing.T
	dir     string
	ca      *x509.Certificate
	caKey   *ecdsa.PrivateKey
	relays  map[string]*harness.Relay // by "address:port" as scanned
	targets []string
	alive   []func() error
	roots   []byte
}

func newSite(t *testing.T) *site {
	s := &site{t: t, dir: t.TempDir(), relays: map[string]*harness.Relay{}}
	var err error
	if s.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Site CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.caKey.Public(), s.caKey)
	if err != nil {
		t.Fatal(err)
	}
	s.ca, _ = x509.ParseCertificate(der)
	s.roots = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return s
}

// certificate issues one for an address and writes certificate and key.
func (s *site) certificate(name, address string) (certFile, keyFile string) {
	s.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.ParseIP(address)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 3, 0), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, s.ca, key.Public(), s.caKey)
	if err != nil {
		s.t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(s.dir, name+".crt"), filepath.Join(s.dir, name+".key")
	s.write(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	s.write(keyFile, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	return certFile, keyFile
}

func (s *site) write(path string, b []byte) string {
	s.t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *site) path(parts ...string) string {
	s.t.Helper()
	p := filepath.Join(append([]string{s.dir}, parts...)...)
	if err := os.MkdirAll(p, 0o755); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// relay makes a target of the scan that leads to a real service.
func (s *site) relay(scanned, real string) {
	s.t.Helper()
	s.relays[scanned] = harness.StartRelay(s.t, scanned, real)
	s.targets = append(s.targets, scanned)
}

// echo checks that a service still answers C-ECHO.
func (s *site) echo(title, address string, conf *tls.Config) {
	s.alive = append(s.alive, func() error {
		a, err := dimse.Dial(s.t.Context(), address, dimse.Config{CalledAETitle: title, CallingAETitle: "ALIVE", TLSConfig: conf,
			Contexts: dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false)})
		if err != nil {
			return err
		}
		defer a.Abort()
		return a.Echo(s.t.Context())
	})
}

// connects checks that a service still accepts connections.
func (s *site) connects(address string) {
	s.alive = append(s.alive, func() error {
		c, err := net.DialTimeout("tcp", address, 5*time.Second)
		if errors.Is(err, syscall.ECONNRESET) {
			return nil // it took the call, and hung up before we had noticed
		}
		if err == nil {
			c.Close()
		}
		return err
	})
}

// orthanc starts Orthanc with settings.
func (s *site) orthanc(name string, settings map[string]any) (dicom, web string) {
	s.t.Helper()
	dicom, web = harness.FreeAddress(s.t), harness.FreeAddress(s.t)
	all := map[string]any{"Name": name, "StorageDirectory": s.path(name), "IndexDirectory": s.path(name),
		"DicomPort": portOf(dicom), "HttpPort": portOf(web), "Plugins": []string{"/usr/share/orthanc/plugins/libOrthancDicomWeb.so"}}
	for k, v := range settings {
		all[k] = v
	}
	b, err := json.Marshal(all)
	if err != nil {
		s.t.Fatal(err)
	}
	harness.Background(s.t, web, harness.Tool(s.t, "Orthanc", "orthanc"), s.write(filepath.Join(s.dir, name+".json"), b))
	if !harness.WaitListening(dicom, 20*time.Second) {
		s.t.Fatal("Orthanc does not listen")
	}
	return dicom, web
}

func portOf(address string) int {
	var port int
	fmt.Sscanf(address[strings.LastIndexByte(address, ':')+1:], "%d", &port)
	return port
}

// store puts a patient with the marker into an archive.
func (s *site) store(title, address string) {
	s.t.Helper()
	file := harness.Instance{}.Write(s.t, s.t.TempDir())
	out, code := harness.Exec(s.t, time.Minute, nil, dcmtktest.Find(s.t, "storescu"), "-aec", title, "127.0.0.1", fmt.Sprint(portOf(address)), file)
	if code != 0 {
		s.t.Fatalf("storescu: %d %s", code, out)
	}
}

// peers starts Orthanc twice, dcmqrscp, storescp, nginx and openssl.
func (s *site) peers() {
	dicom, web := s.orthanc("default", nil)
	s.store("ORTHANC", dicom)
	s.relay("127.0.10.1:4242", dicom)
	s.relay("127.0.10.1:8042", web)
	s.echo("ORTHANC", dicom, nil)
	s.page("http://" + web + "/system")

	cert, key := s.certificate("hardened", "127.0.10.2")
	trusted := s.write(filepath.Join(s.dir, "trusted.pem"), s.roots)
	dicom, web = s.orthanc("hardened", map[string]any{
		"RemoteAccessAllowed": true, "AuthenticationEnabled": true, "RegisteredUsers": map[string]string{"operator": fmt.Sprint(time.Now().UnixNano())},
		"DicomTlsEnabled": true, "DicomTlsCertificate": cert, "DicomTlsPrivateKey": key, "DicomTlsTrustedCertificates": trusted,
		"DicomTlsRemoteCertificateRequired": true, "DicomCheckCalledAet": true, "DicomAlwaysAllowStore": false,
	})
	s.relay("127.0.10.2:2762", dicom)
	s.relay("127.0.10.2:8443", s.https(web, cert, key))
	s.echo("ORTHANC", dicom, s.client("ALIVE"))

	address := harness.FreeAddress(s.t)
	config := fmt.Sprintf("NetworkTCPPort = %d\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\nAETable BEGIN\nQRSCP %s RW (200,1024mb) ANY\nAETable END\n", portOf(address), s.path("qr"))
	harness.Background(s.t, address, dcmtktest.Find(s.t, "dcmqrscp"), "-c", s.write(filepath.Join(s.dir, "qr.cfg"), []byte(config)))
	s.store("QRSCP", address)
	s.relay("127.0.10.3:104", address)
	s.echo("QRSCP", address, nil)

	address = harness.FreeAddress(s.t)
	harness.Background(s.t, address, dcmtktest.Find(s.t, "storescp"), "-od", s.path("store"), fmt.Sprint(portOf(address)))
	s.store("ANY", address)
	s.relay("127.0.10.4:11112", address)
	s.echo("ANY", address, nil)

	s.nginx()
	s.oldTLS()
}

// https puts nginx with TLS in front of a web server: Debian's Orthanc 1.10.1
// ends with a segmentation fault at any request over its own HTTPS.
func (s *site) https(web, cert, key string) string {
	address := harness.FreeAddress(s.t)
	s.web("https", fmt.Sprintf(`server { listen %s ssl; ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.2 TLSv1.3;
		ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384;
		add_header Content-Security-Policy "default-src 'self'" always; add_header X-Content-Type-Options nosniff always;
		location / { proxy_pass http://%s; } }`, address, cert, key, web), address)
	return address
}

// web runs nginx with one server.
func (s *site) web(name, server, address string) {
	s.t.Helper()
	dir := s.path(name)
	config := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/log; events {}\nhttp { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; %[2]s }\n", dir, server)
	harness.Background(s.t, address, harness.Tool(s.t, "nginx", "nginx-light"), "-c", s.write(filepath.Join(dir, "conf"), []byte(config)))
	scheme := "http"
	if name == "https" {
		scheme = "https"
	}
	s.page(scheme + "://" + address + "/")
}

// nginx lists a directory of DICOM files.
func (s *site) nginx() {
	address := harness.FreeAddress(s.t)
	files := s.path("www")
	harness.Instance{}.Write(s.t, files)
	s.web("listing", fmt.Sprintf("server { listen %s; root %s; autoindex on; }", address, files), address)
	s.relay("127.0.10.5:80", address)
}

// oldTLS speaks TLS 1.0 and every suite that OpenSSL still has.
func (s *site) oldTLS() {
	address := harness.FreeAddress(s.t)
	cert, key := s.certificate("old", "127.0.10.6")
	harness.Background(s.t, address, harness.Tool(s.t, "openssl", "openssl"), "s_server", "-accept", address, "-cert", cert, "-key", key,
		"-cipher", "ALL:eNULL:@SECLEVEL=0", "-min_protocol", "TLSv1", "-quiet", "-www")
	s.relay("127.0.10.6:443", address)
	s.page("https://" + address + "/")
}

// scanned is the part of the output that the test reads.
type scanned struct {
	Sentence string
	Hosts    []struct {
		Facts  struct{ Stopped string }
		Issues []struct {
			Check, Severity string
			Possible        bool
			Place           struct {
				Address string
				Port    int
			}
		}
	}
}

// table is one line for each issue above information.
func (s *scanned) table() string {
	var lines []string
	for _, h := range s.Hosts {
		for _, i := range h.Issues {
			if i.Severity == "info" {
				continue
			}
			certainty := "proven"
			if i.Possible {
				certainty = "possible"
			}
			lines = append(lines, fmt.Sprintf("%s:%d\t%s\t%s\t%s", i.Place.Address, i.Place.Port, i.Check, i.Severity, certainty))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

func TestScanFindsWhatIsExposedAndInventsNothing(t *testing.T) {
	s := newSite(t)
	s.peers()
	own := harness.Start(t)
	s.targets = append(s.targets, own.Address, own.HTTP, own.Plain)
	own.Must("init", "--data", own.Data, "--admin", "administrator", "--password-file", s.write(filepath.Join(s.dir, "word"), []byte(rand.Text())))
	s.echo(harness.AETitle, own.Address, deviceOf(t, own, "ALIVE"))
	s.page("https://" + own.HTTP + "/")
	for i, talk := range strangers() {
		real := harness.FreeAddress(t)
		serve(t, real, talk)
		s.relay(fmt.Sprintf("127.0.10.%d:11112", 10+i), real)
		s.connects(real)
	}
	ca := s.write(filepath.Join(s.dir, "ca.pem"), s.roots) // our own is known by --data
	capture := harness.StartCapture(t, "tcp and net 127.0.10.0/24")
	start := time.Now()
	out, code := harness.Run(t, append(append([]string{"scan"}, s.targets...), "-o", "json", "--ca", ca, "--called-aet", "QRSCP", "--data", own.Data, "--timeout", "3s")...)
	if code != 0 {
		t.Fatalf("exit code %d\n%.3000s", code, out)
	}
	t.Logf("%d targets in %s", len(s.targets), time.Since(start).Round(time.Millisecond))
	s.captured(capture)
	var got scanned
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	for _, h := range got.Hosts {
		if h.Facts.Stopped != "" {
			t.Errorf("a host was left: %s", h.Facts.Stopped)
		}
	}
	expected := filepath.Join("testdata", "scan_expected.tsv")
	if os.Getenv("COLLIMATOR_UPDATE") != "" {
		s.write(expected, []byte(got.table()))
	}
	if diff := cmp.Diff(string(harness.ReadBytes(t, expected)), got.table()); diff != "" {
		t.Errorf("issues (-expected +found):\n%s", diff)
	}
	s.unharmed(out)
	s.everyFormIsFreeOfPatients(ca)
	if trail := own.Must("audit", "search", "--data", own.Data, "--event", "network-scan"); !strings.Contains(trail, "scan ends") || !strings.Contains(trail, "127.0.10.3") {
		t.Errorf("the audit trail does not name the scan:\n%.1000s", trail)
	}
}

// unharmed looks at the targets and at all that passed.
func (s *site) unharmed(output string) {
	s.t.Helper()
	for i, alive := range s.alive {
		if err := alive(); err != nil {
			s.t.Errorf("target %d does not answer after the scan: %v", i, err)
		}
	}
	if strings.Contains(output, harness.Marker) {
		s.t.Error("the output holds patient data")
	}
	for name, r := range s.relays {
		if bytes.Contains(r.Recorded(), []byte(harness.Marker)) {
			s.t.Errorf("%s: patient data crossed the wire", name)
		}
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			open, most, total := r.Connections()
			if open > 0 && time.Now().Before(end) {
				continue
			}
			if open > 0 || most > 1 || total == 0 {
				s.t.Errorf("%s: %d of %d connections were left open, %d were open at a time", name, open, total, most)
			}
			break
		}
	}
}

// everyFormIsFreeOfPatients writes the other forms, of the archives that hold patients.
func (s *site) everyFormIsFreeOfPatients(ca string) {
	s.t.Helper()
	for _, form := range []string{"table", "csv", "sarif", "html", "pdf"} {
		path := filepath.Join(s.t.TempDir(), "scan."+form)
		out, code := harness.Run(s.t, "scan", "127.0.10.1:4242,8042", "127.0.10.3:104", "--called-aet", "QRSCP", "--ca", ca, "-o", form, "--out", path, "--fail-on", "critical")
		if code != 5 {
			s.t.Errorf("%s: exit code %d, want 5\n%s", form, code, out)
		}
		if b := harness.ReadBytes(s.t, path); bytes.Contains(b, []byte(harness.Marker)) || len(b) < 1000 {
			s.t.Errorf("%s: %d bytes, or patient data", form, len(b))
		}
	}
}
