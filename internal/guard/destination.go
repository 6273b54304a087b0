package guard

import (
	"context"
	"crypto/tls"

	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/tlsprofile"
)

// Egress opens associations to registered devices, and to nothing else: an AE
// title from the wire is looked up, never an address taken from it.
type Egress struct {
	AETitle  string
	Registry *identity.Registry
	// Certificate is the server's own, presented to the device.
	Certificate func() (*tls.Certificate, error)
	Guard       *Guard
}

// Destination finds where a device accepts associations. With TLS its
// certificate must be one that is bound to it; without TLS it needs the
// plaintext exception.
func (e *Egress) Destination(ctx context.Context, aeTitle string) (dimse.Destination, error) {
	d, err := e.Dialer(ctx, aeTitle)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Dialer is Destination as what dials: whoever speaks in another name, or asks for
// more, changes its Config.
func (e *Egress) Dialer(ctx context.Context, aeTitle string) (none dimse.Dialer, err error) {
	d, err := e.Registry.Device(ctx, aeTitle)
	if err != nil {
		return none, err
	}
	if d.Listen == "" {
		return none, fault.Newf(fault.NotFound,
			"guard: %s accepts no associations; say where with 'collimator device set %s --listen HOST:PORT'", aeTitle, aeTitle)
	}

	config := dimse.Config{CallingAETitle: e.AETitle, CalledAETitle: aeTitle}
	if d.Plaintext(e.Guard.Now()) {
		return dimse.Dialer{Address: d.Listen, Config: config}, nil
	}

	own, err := e.Certificate()
	if err != nil {
		return none, err
	}
	var trust tlsprofile.Trust
	for _, c := range d.Certificates {
		if e.Guard.Now().Before(c.NotAfter) {
			trust.Fingerprints = append(trust.Fingerprints, c.Fingerprint)
		}
	}
	config.TLSConfig = tlsprofile.AssociationClient(own, trust)
	return dimse.Dialer{Address: d.Listen, Config: config}, nil
}
