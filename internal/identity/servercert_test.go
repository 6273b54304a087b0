package identity_test

import (
	"testing"
	"time"

	"collimator/internal/identity"
)

// The certificate of another host leaves that of the server as it is, which others pin.
func TestACertificateForAHostIsBesideThatOfTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := identity.OpenAuthority(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server, err := identity.NewServerCertificate(a, []string{"gate.example"})
	if err != nil {
		t.Fatal(err)
	}
	before, err := server.Get()
	if err != nil {
		t.Fatal(err)
	}
	host, err := identity.NewHostCertificate(a, "pacs.example")
	if err != nil {
		t.Fatal(err)
	}
	own, err := host.Get()
	if err != nil || own.Leaf.VerifyHostname("pacs.example") != nil || own.Leaf.VerifyHostname("gate.example") == nil {
		t.Errorf("%v, %v", own.Leaf.DNSNames, err)
	}
	after, err := server.Get()
	if err != nil || !after.Leaf.Equal(before.Leaf) {
		t.Errorf("the server's own certificate is another one: %v", err)
	}
	again, err := identity.NewHostCertificate(a, "pacs.example")
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := again.Get(); err != nil || !kept.Leaf.Equal(own.Leaf) {
		t.Errorf("it is made anew at each start: %v", err)
	}
}
