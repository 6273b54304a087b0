package identity_test

import (
	"crypto/x509"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"collimator/internal/identity"
)

// TestACertificateOfADeviceDoesNotPassForTheArchive verifies as other software
// does that is given ca.pem and asks no more.
func TestACertificateOfADeviceDoesNotPassForTheArchive(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	a, err := identity.OpenAuthority(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	trusted := func(c *x509.Certificate, usage x509.ExtKeyUsage) bool {
		_, err := c.Verify(x509.VerifyOptions{Roots: a.Pool(), KeyUsages: []x509.ExtKeyUsage{usage}})
		return err == nil
	}

	for _, called := range []bool{false, true} {
		device, err := a.IssueDevice("CT1", 0, called)
		if err != nil {
			t.Fatal(err)
		}
		for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageAny} {
			if trusted(device.Certificate, usage) {
				t.Errorf("called %t: the certificate of a device is trusted for usage %d", called, usage)
			}
		}
		if slices.Contains(device.Certificate.ExtKeyUsage, x509.ExtKeyUsageServerAuth) != called {
			t.Errorf("called %t: usages %v", called, device.Certificate.ExtKeyUsage)
		}
	}

	server, err := identity.NewServerCertificate(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := server.Get()
	if err != nil || !trusted(own.Leaf, x509.ExtKeyUsageServerAuth) || !trusted(own.Leaf, x509.ExtKeyUsageClientAuth) {
		t.Errorf("the archive's own certificate is not trusted: %v", err)
	}

	// Both authorities last: the next start signs with the same ones.
	again, err := identity.OpenAuthority(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := a.IssueDevice("CT1", 0, false)
	two, err := again.IssueDevice("CT2", 0, false)
	if err != nil || one.Certificate.Issuer.String() != two.Certificate.Issuer.String() || again.CertPEM() == nil {
		t.Errorf("other authorities after a restart: %v", err)
	}
}
