package kind

import (
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"

	"collimator/internal/fault"
	"collimator/internal/tlsprofile"
)

// FingerprintPrefix stands in front of the fingerprint of a certificate.
const FingerprintPrefix = "sha256:"

// Trust is what a block says of how a system is known that is reached by TLS: one of the
// two, or none where it is reached without.
type Trust struct {
	// CA is a file with the authorities that vouch for it, in PEM form.
	CA string
	// Fingerprint is FingerprintPrefix and the hash of its certificate, in hex of either
	// case, with or without colons.
	Fingerprint string
}

// Set reports that one of the two is said.
func (t Trust) Set() bool { return t.CA != "" || t.Fingerprint != "" }

// Check fails with a fingerprint that is none. The file is read by Profile alone.
func (t Trust) Check() error {
	if t.Fingerprint != "" && t.Pin() == "" {
		return errors.New("fingerprint: want sha256: and 64 hexadecimal digits")
	}
	return nil
}

// Pin is the fingerprint as tlsprofile has it; empty where it is none.
func (t Trust) Pin() string {
	hash, ok := strings.CutPrefix(strings.ToLower(t.Fingerprint), FingerprintPrefix)
	hash = strings.ReplaceAll(hash, ":", "")
	notHex := func(c rune) bool { return !strings.ContainsRune("0123456789abcdef", c) }
	if !ok || len(hash) != 64 || strings.ContainsFunc(hash, notHex) {
		return ""
	}
	return hash
}

// Text says in words by what a system is known.
func (t Trust) Text() string {
	switch {
	case t.CA != "":
		return "with TLS, whose certificate has to be vouched for by " + t.CA
	case t.Fingerprint != "":
		return "with TLS, whose certificate has to have the fingerprint " + FingerprintPrefix + t.Pin()
	}
	return "without TLS"
}

// Profile says which certificate the system at host:port has: the pinned one, or one of
// that host for which the file vouches. It fails where that cannot be read.
func (t Trust) Profile(address string) (p tlsprofile.Trust, err error) {
	if t.CA == "" {
		return tlsprofile.Trust{Fingerprints: []string{t.Pin()}}, nil
	}

	text, err := os.ReadFile(t.CA)
	if err != nil {
		return p, fault.Wrap(fault.Unavailable, err, "gate: the file of ca cannot be read")
	}
	p.Roots = x509.NewCertPool()
	if !p.Roots.AppendCertsFromPEM(text) {
		return p, fault.New(fault.Invalid, "gate: the file of ca holds no certificate in PEM form")
	}
	p.ServerName, _, err = net.SplitHostPort(address)
	return p, err
}

// Public reports an address that is not within a network of one's own, or every one there
// is.
func Public(ip netip.Addr) bool {
	return !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast()
}
