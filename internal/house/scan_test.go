package house

import (
	"crypto/x509"
	"net/netip"
	"path/filepath"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/scan"
)

// made is a new installation in a directory of the test.
func made(t *testing.T) *Installation {
	t.Helper()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	in, err := Open(t.Context(), c, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

// recorded are the reasons of the records of an event, in order.
func recorded(t *testing.T, in *Installation, event audit.Event) (reasons []string) {
	t.Helper()
	for r, err := range in.Trail.After(t.Context(), -1) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Event == event {
			reasons = append(reasons, r.Reason)
		}
	}
	return reasons
}

func TestAScanKnowsTheAuthorityOfItsDataDirectory(t *testing.T) {
	t.Parallel()
	in := made(t)
	server, err := identity.NewServerCertificate(in.Authority, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := server.Get()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	known := func(roots *x509.CertPool) bool {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		return err == nil
	}

	alone, given := &scan.Options{}, &scan.Options{Roots: x509.NewCertPool()}
	if known(given.Roots) {
		t.Fatal("an empty pool knows the certificate")
	}
	for _, opt := range []*scan.Options{alone, given} {
		scanTrail{in}.trust(opt)
		if opt.Roots == nil || !known(opt.Roots) {
			t.Error("a scan by command does not know the authority")
		}
	}
	if p := NewPosture(in, nil, nil); !known(p.Roots) {
		t.Error("a scan by schedule or API does not know the authority")
	}

	none := &scan.Options{}
	if (scanTrail{}).trust(none); none.Roots != nil {
		t.Error("without a data directory somebody is trusted")
	}
}

func TestAScanOutOfScopeIsRefusedAndRecorded(t *testing.T) {
	t.Parallel()
	in := made(t)
	opt := &scan.Options{Scope: &scan.Scope{}, Targets: []scan.Target{{Prefix: netip.MustParsePrefix("192.0.2.1/32")}}}
	result, err := Scan(t.Context(), in, Scanning{Targets: []string{"192.0.2.1"}}, opt)
	if result != nil || fault.EndingOf(err) != fault.Misused {
		t.Errorf("%v, %v", result, err)
	}
	if got := recorded(t, in, audit.Scanned); len(got) != 2 || got[1] != "scan refused" {
		t.Errorf("recorded: %q", got)
	}

	if _, err := Scan(t.Context(), nil, Scanning{Record: true}, opt); fault.EndingOf(err) != fault.Misused {
		t.Errorf("recorded without an inventory: %v", err)
	}
}
