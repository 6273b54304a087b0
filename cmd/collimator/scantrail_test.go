package main

import (
	"crypto/x509"
	"testing"

	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/scan"
)

func TestAScanKnowsTheAuthorityOfItsDataDirectory(t *testing.T) {
	t.Parallel()
	w := newWebServer(t)
	server, err := identity.NewServerCertificate(w.in.Authority, []string{"localhost"})
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
		(&scanTrail{w.in}).trust(opt)
		if opt.Roots == nil || !known(opt.Roots) {
			t.Error("a scan by command does not know the authority")
		}
	}
	if p := house.NewPosture(w.in, nil, nil); !known(p.Roots) {
		t.Error("a scan by schedule or API does not know the authority")
	}
	none := &scan.Options{}
	if (&scanTrail{}).trust(none); none.Roots != nil {
		t.Error("without a data directory somebody is trusted")
	}
}
