//go:build interop

package interop_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom/dcmtktest"
	"collimator/interop/harness"
)

// page checks that a web server still answers a request.
func (s *site) page(url string) {
	s.alive = append(s.alive, func() error {
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		rsp, err := client.Get(url)
		if err != nil {
			return err
		}
		defer rsp.Body.Close()
		if rsp.StatusCode >= 500 {
			return fmt.Errorf("%s: HTTP %d", url, rsp.StatusCode)
		}
		_, err = io.Copy(io.Discard, rsp.Body)
		return err
	})
}

// client is a TLS configuration with a certificate of the site's authority.
func (s *site) client(name string) *tls.Config {
	s.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 3, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, s.ca, key.Public(), s.caKey)
	if err != nil {
		s.t.Fatal(err)
	}
	return &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// deviceOf registers a device at a server and gives its TLS configuration.
func deviceOf(t *testing.T, s *harness.Server, title string) *tls.Config {
	t.Helper()
	dir := s.Device(title, harness.All...)
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, title+".cert.pem"), filepath.Join(dir, title+".key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{cert}}
}

// captured holds the packets of the scan against its promises: one connection to a
// host at a time, and no byte of a patient on any plain connection.
func (s *site) captured(c *harness.Capture) {
	s.t.Helper()
	if c == nil {
		return
	}
	segments := c.Stop(s.t)
	hosts := harness.MostAtATime(segments)
	for _, target := range s.targets {
		a := netip.MustParseAddrPort(target)
		if !strings.HasPrefix(a.Addr().String(), "127.0.10.") {
			continue
		}
		if n := hosts[a.Addr()]; n[1] == 0 || n[0] > 1 {
			s.t.Errorf("capture: %s: %d of %d connections were open at a time", a.Addr(), n[0], n[1])
		}
	}
	streams, payload := harness.Streams(segments), 0
	for ends, b := range streams {
		if payload += len(b); bytes.Contains(b, []byte(harness.Marker)) {
			s.t.Errorf("capture: patient data from %s to %s", ends[0], ends[1])
		}
	}
	if payload < 10_000 {
		s.t.Errorf("capture: only %d bytes were seen", payload)
	}
	s.t.Logf("capture: %d segments, %d streams, %d bytes, %d hosts", len(segments), len(streams), payload, len(hosts))
}

// TestACaptureShowsPatientsAndConnectionsSideBySide shows that the two checks of
// the capture can fail.
func TestACaptureShowsPatientsAndConnectionsSideBySide(t *testing.T) {
	c := harness.StartCapture(t, "tcp and host 127.0.12.1")
	if c == nil {
		t.Skip("left out: no capture here")
	}
	s := newSite(t)
	address := harness.FreeAddress(t)
	harness.Background(t, address, dcmtktest.Find(t, "storescp"), "-od", s.path("store"), fmt.Sprint(portOf(address)))
	s.relay("127.0.12.1:104", address)
	s.relay("127.0.12.1:105", address)
	file := harness.Instance{}.Write(t, t.TempDir())
	done := make(chan int, 2)
	for _, port := range []string{"104", "105"} {
		go func() {
			_, code := harness.Exec(t, time.Minute, nil, "storescu", "127.0.12.1", port, file, file, file)
			done <- code
		}()
	}
	if a, b := <-done, <-done; a != 0 || b != 0 {
		t.Fatalf("storescu: %d %d", a, b)
	}
	segments := c.Stop(t)
	if n := harness.MostAtATime(segments)[netip.MustParseAddr("127.0.12.1")]; n != [2]int{2, 2} {
		t.Errorf("%v connections, want 2 of 2 at a time", n)
	}
	seen := 0
	for _, b := range harness.Streams(segments) {
		if bytes.Contains(b, []byte(harness.Marker)) {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("the patient was seen in %d streams, want 2", seen)
	}
}

// TestEveryExpectedIssueHasAReason holds the table of the scan against what must
// and must not be found by the configuration of each target.
func TestEveryExpectedIssueHasAReason(t *testing.T) {
	rows := func(name string) [][]string {
		var out [][]string
		for line := range strings.Lines(string(harness.ReadBytes(t, filepath.Join("testdata", name)))) {
			out = append(out, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
		return out
	}
	verdicts := map[string]string{}
	for _, r := range rows("scan_reasons.tsv")[1:] {
		if len(r) != 4 || r[3] == "" {
			t.Fatalf("%q is not a target, a check, a verdict and a reason", r)
		}
		verdicts[r[0]+" "+r[1]] = map[string]string{"must": "proven", "possible": "possible", "never": "never"}[r[2]]
	}
	found := map[string]bool{}
	for _, r := range rows("scan_expected.tsv") {
		key := r[0] + " " + r[1]
		found[key] = true
		if verdicts[key] != r[3] {
			t.Errorf("%s is expected as %s, by its reasons it is %q", key, r[3], verdicts[key])
		}
	}
	for key, verdict := range verdicts {
		if verdict != "never" && !found[key] {
			t.Errorf("%s must be found and is not expected", key)
		}
	}
}
