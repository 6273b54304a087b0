package house_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/tlsprofile"
)

func TestATargetIsMetWithoutShowingOurCertificate(t *testing.T) {
	t.Parallel()
	certPEM, keyPEM, err := sitetest.SelfSigned(11)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	var got atomic.Bool // anything beyond the handshake
	ln, err := tls.Listen("tcp", "127.0.0.1:0", tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return &pair, nil }))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		got.Store(conn.(*tls.Conn).Handshake() == nil)
	}()
	t.Cleanup(func() { ln.Close(); <-ended })

	met, err := house.MeetTarget(t.Context(), ln.Addr().String())
	block, _ := pem.Decode(certPEM)
	leaf, parseErr := x509.ParseCertificate(block.Bytes)
	if err != nil || parseErr != nil || met.Fingerprint != tlsprofile.Fingerprint(leaf) {
		t.Errorf("%+v %v %v", met, err, parseErr)
	}
	<-ended
	if got.Load() {
		t.Error("the handshake went on")
	}
}

func TestATargetThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	ln.Close()
	if _, err := house.MeetTarget(t.Context(), address); err == nil || !strings.Contains(err.Error(), "nobody listens there") {
		t.Errorf("%v", err)
	}
}
