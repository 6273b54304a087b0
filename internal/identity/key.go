package identity

import (
	//lint:ignore SA1019 a device may come with such a key, which is named and refused
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"collimator/internal/fault"
)

// Shortest keys of certificates (RFC 9325 4.5), in bits.
const (
	shortestRSA   = 2048
	shortestCurve = 224
)

// shortKey says in words what is wrong with the key of a certificate; empty when
// it is long enough. Who can break the key is taken for the device.
func shortKey(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < shortestRSA {
			return fmt.Sprintf("RSA key of %d bits", n)
		}
	case *ecdsa.PublicKey:
		if n := key.Curve.Params().BitSize; n < shortestCurve {
			return fmt.Sprintf("elliptic curve of %d bits", n)
		}
	case *dsa.PublicKey:
		return "DSA key"
	}
	return ""
}

// checkKey refuses what shortKey finds.
func checkKey(cert *x509.Certificate) error {
	if weakness := shortKey(cert); weakness != "" {
		return fault.Newf(fault.Invalid, "identity: the key of this certificate can be broken: %s; "+
			"want RSA of %d bits or an elliptic curve (RFC 9325 4.5). "+
			"Give the device a new one, or bind it as it is with --insecure-short-key", weakness, shortestRSA)
	}
	return nil
}
