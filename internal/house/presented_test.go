package house

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/internal/config"
	"collimator/internal/state"
)

// HospitalPair is for tests of the package from outside.
var HospitalPair = hospitalPair

// hospitalPair writes a certificate of another authority, valid for so long.
func hospitalPair(t *testing.T, valid time.Duration) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{CommonName: "pacs.example.org"}, DNSNames: []string{"pacs.example.org"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(valid),
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestServicesAreShownTheCertificateOfTheSettings(t *testing.T) {
	t.Parallel()
	own := func() (*tls.Certificate, error) { return &tls.Certificate{}, nil }
	quiet := slog.New(slog.DiscardHandler)
	var c config.Config
	c.Audit.Certificate, c.Audit.Key = hospitalPair(t, 90*24*time.Hour)

	for setting, serial := range map[string]int64{"audit.certificate": 77, "alarms.syslog.certificate": 0} {
		get, err := certificateFor(c, setting, own, quiet)
		if err != nil {
			t.Fatal(err)
		}
		got, err := get()
		if err != nil || (got.Leaf != nil) != (serial != 0) || serial != 0 && got.Leaf.SerialNumber.Int64() != serial {
			t.Errorf("%s: %v, %v", setting, got.Leaf, err)
		}
	}
}

func TestTheEndOfACertificateForAServiceIsWatched(t *testing.T) {
	t.Parallel()
	for valid, level := range map[time.Duration]state.Level{90 * 24 * time.Hour: state.Well, 20 * 24 * time.Hour: state.Degraded, 24 * time.Hour: state.Failing} {
		var c config.Config
		c.Alarms.Syslog.Certificate, c.Alarms.Syslog.Key = hospitalPair(t, valid)
		states := state.New(time.Now)
		examinePresented(c, states)
		if list := states.All(); len(list) != 1 || list[0].Name != "certificate.syslog" || list[0].Level != level {
			t.Errorf("valid for %v: %+v", valid, list)
		}
	}
}

func TestAPairThatDoesNotFitIsASettingThatIsWrong(t *testing.T) {
	t.Parallel()
	var c config.Config
	c.Audit.Certificate, _ = hospitalPair(t, time.Hour)
	_, c.Audit.Key = hospitalPair(t, time.Hour)

	if err := CheckOutside(c); err == nil || !strings.Contains(err.Error(), "audit.certificate") {
		t.Errorf("config check says %v", err)
	}
	states := state.New(time.Now)
	examinePresented(c, states)
	if list := states.All(); len(list) != 1 || list[0].Level != state.Failing {
		t.Errorf("%+v", list)
	}
	if _, err := certificateFor(c, "audit.certificate", nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a server starts with it")
	}
}
