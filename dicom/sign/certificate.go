package sign

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// certificateType is the one value of Certificate Type (0400,0110) that
// PS3.15 C.1 names.
const certificateType = "X509_1993_SIG"

// Bits of RSA keys.
const (
	fewestBits = 1024     // that are checked at all
	soundBits  = 2048     // below this a signature counts as weak, and none is made
	mostBits   = 16 << 10 // above this checking costs too much
)

// signer reads the certificate. It concludes and returns false when there is
// none to check with.
func (s *signature) signer() bool {
	if strings.TrimSpace(s.item.Text(tag.CertificateType)) != certificateType {
		s.conclude(UnknownAlgorithm, "the certificate type is unknown")
		return false
	}
	el, _ := s.item.Get(tag.CertificateOfSigner)
	c, ok := parseCertificate(el)
	if !ok {
		s.conclude(Unchecked, "the certificate is missing or malformed")
		return false
	}
	s.certificate = c
	s.result.Subject = c.Subject.String()
	s.result.Expires = c.NotAfter

	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		s.conclude(UnknownAlgorithm, "the key of the certificate is not an RSA key")
		return false
	}
	if n := key.N.BitLen(); n < fewestBits || n > mostBits {
		s.conclude(UnknownAlgorithm, "the length of the RSA key is out of range")
		return false
	}

	return true
}

// parseCertificate reads a certificate in DER; one byte of padding may follow.
func parseCertificate(el dicom.Element) (*x509.Certificate, bool) {
	loaded, err := el.Load(certificateLimit)
	if err != nil {
		return nil, false
	}

	var der asn1.RawValue
	rest, err := asn1.Unmarshal(loaded.Bytes(), &der)
	if err != nil || len(rest) > 1 {
		return nil, false
	}
	c, err := x509.ParseCertificate(der.FullBytes)

	return c, err == nil
}

// trust concludes on a signature whose bytes are intact: first by the time, the
// purpose and the issuer of its certificate, then by the strength of algorithm and key.
func (s *signature) trust(a algorithm) {
	c := s.certificate
	claimed := s.result.Time
	switch {
	case s.o.Now.Before(c.NotBefore) || s.o.Now.After(c.NotAfter):
		s.conclude(Expired, "the certificate is not valid now")
		return
	case !claimed.IsZero() && (claimed.Before(c.NotBefore) || claimed.After(c.NotAfter)):
		s.conclude(Expired, "the certificate was not valid when the signer says to have signed")
		return
	case !maySign(c):
		s.conclude(Untrusted, "the certificate is not for signatures")
		return
	}

	roots := s.o.Roots
	if roots == nil {
		roots = x509.NewCertPool() // nil would be the roots of the operating system
	}
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, Intermediates: s.o.Intermediates, CurrentTime: s.o.Now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		s.conclude(Untrusted, "no trusted authority vouches for the certificate")
		return
	}

	if a.weak {
		s.conclude(Weak, "the MAC algorithm is no longer safe")
		return
	}
	if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < soundBits {
		s.conclude(Weak, "the RSA key is shorter than 2048 bits")
		return
	}
	s.conclude(Valid, "")
}

// maySign reports a certificate whose key usage, if it has one, allows signatures.
func maySign(c *x509.Certificate) bool {
	return c.KeyUsage == 0 || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0
}
