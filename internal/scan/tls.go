package scan

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"time"

	"collimator/internal/finding"
)

// ask sends one ClientHello and reads what comes back, then says goodbye with
// an alert and closes.
func (v *visit) ask(ctx context.Context, port uint16, h hello) (serverAnswer, error) {
	l, err := v.dial(ctx, port)
	if err != nil {
		return serverAnswer{}, err
	}
	defer l.Close()

	if _, err := l.Write(h.encode()); err != nil {
		return serverAnswer{}, nil
	}

	a, err := readServer(l)
	if a.version != 0 || a.alert {
		l.answered("tls")
	} else {
		l.unanswered("tls")
	}

	if a.version != 0 && !a.alert {
		l.Write([]byte{21, 3, 1, 0, 2, 2, 90}) // fatal alert user_canceled (RFC 5246 7.2)
	}

	if err != nil && a.version == 0 && !a.alert {
		return serverAnswer{}, nil // closed, silent or not TLS
	}
	return a, nil
}

// speaksTLS asks once whether a port speaks TLS and notes what it takes. It
// reports false where it does not.
func (v *visit) speaksTLS(ctx context.Context, s *finding.Service) (bool, error) {
	a, err := v.ask(ctx, s.Port, hello{version: tls12, suites: allSuites(), name: v.serverName(), tls13: true})
	if err != nil || a.version == 0 && !a.alert {
		return false, err
	}

	t := &finding.TLSFacts{}
	s.TLS = t

	leaf := a.leaf
	t.ClientRequested = a.requests
	if a.version >= tls12 {
		t.Versions = append(t.Versions, versionName(a.version))
	}

	for _, version := range []uint16{tls11, tls10, ssl30} {
		a, err := v.ask(ctx, s.Port, hello{version: version, suites: allSuites(), name: v.serverName()})
		if err != nil {
			return true, err
		}

		if a.version == version {
			t.Versions = append(t.Versions, versionName(version))
			t.ClientRequested = t.ClientRequested || a.requests
			if leaf == nil {
				leaf = a.leaf
			}
		}
	}

	for _, class := range weakClasses() {
		a, err := v.ask(ctx, s.Port, hello{version: tls12, suites: class.ids(), name: v.serverName()})
		if err != nil {
			return true, err
		}

		if name, ok := class.suites[a.suite]; ok && a.version != 0 {
			if t.Weak == nil {
				t.Weak = map[string]string{}
			}
			t.Weak[class.name] = name
		}
	}

	return len(t.Versions) > 0 || a.alert, v.handshake(ctx, s, leaf)
}

// handshake makes one whole handshake with the throwaway certificate at hand
// and closes.
func (v *visit) handshake(ctx context.Context, s *finding.Service, leaf []byte) error {
	l, err := v.dial(ctx, s.Port)
	if err != nil {
		return err
	}
	defer l.Close()

	cfg, err := v.keys.config(v.serverName(), func() { s.TLS.ClientRequested = true })
	if err != nil {
		return err
	}

	cfg.NextProtos = []string{"http/1.1"} // a web server says so, others say nothing (RFC 7301 3.1)
	conn := tls.Client(l, cfg)

	var chain []*x509.Certificate
	if err := conn.HandshakeContext(ctx); err == nil {
		state := conn.ConnectionState()
		s.TLS.Completed = true
		s.TLS.ALPN = clean(state.NegotiatedProtocol, 16)
		s.TLS.Suite = tls.CipherSuiteName(state.CipherSuite)
		chain = state.PeerCertificates
		conn.CloseWrite()
	} else {
		s.TLS.Refused = "handshake not completed"
	}

	if len(chain) == 0 && leaf != nil {
		if c, err := x509.ParseCertificate(leaf); err == nil {
			chain = []*x509.Certificate{c}
		}
	}

	if len(chain) > 0 {
		s.TLS.Certificate = v.certificate(chain)
	}
	return nil
}

// certificate notes what the rules of the TLS group need.
func (v *visit) certificate(chain []*x509.Certificate) *finding.Certificate {
	leaf := chain[0]
	sum := sha256.Sum256(leaf.Raw)
	key := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)

	c := &finding.Certificate{
		Fingerprint:    hex.EncodeToString(sum[:]),
		Subject:        clean(leaf.Subject.CommonName, 64),
		Issuer:         clean(leaf.Issuer.CommonName, 64),
		NotBefore:      leaf.NotBefore,
		NotAfter:       leaf.NotAfter,
		SelfSigned:     leaf.CheckSignatureFrom(leaf) == nil || leaf.Subject.String() == leaf.Issuer.String(),
		Signature:      leaf.SignatureAlgorithm.String(),
		PublicKeyKnown: v.opt.KnownKeys[hex.EncodeToString(key[:])],
	}

	host := v.facts.Name
	if host == "" {
		host = v.facts.Address.String()
	}
	c.NameMatches = leaf.VerifyHostname(host) == nil || leaf.VerifyHostname(v.facts.Address.String()) == nil

	switch k := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		c.KeyType, c.KeyBits = "RSA", k.N.BitLen()
	case *ecdsa.PublicKey:
		c.KeyType, c.KeyBits = "ECDSA", k.Curve.Params().BitSize
	case ed25519.PublicKey:
		c.KeyType, c.KeyBits = "Ed25519", 256
	default:
		c.KeyType = leaf.PublicKeyAlgorithm.String()
	}

	// Expiry is judged on its own: the chain is verified at a time when the leaf is valid.
	at := v.facts.At
	if at.After(leaf.NotAfter) || at.Before(leaf.NotBefore) {
		at = leaf.NotBefore.Add(time.Second)
	}

	opts := x509.VerifyOptions{
		Intermediates: x509.NewCertPool(),
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	for _, i := range chain[1:] {
		opts.Intermediates.AddCert(i)
	}

	if v.opt.Roots != nil {
		opts.Roots = v.opt.Roots
		if _, err := leaf.Verify(opts); err == nil {
			c.Authority = "given"
			return c
		}
	}

	opts.Roots = nil
	if _, err := leaf.Verify(opts); err == nil {
		c.Authority = "system"
	}
	return c
}
