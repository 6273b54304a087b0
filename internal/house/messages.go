package house

import (
	"context"
	"crypto/x509"
	"net/netip"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate/messages"
	"collimator/internal/identity"
	"collimator/internal/tlsprofile"
)

// newMessages makes the server of messages of HL7 v2. It listens when it runs, where the
// routes of the gate say.
func (s *Server) newMessages() *messages.Messages {
	return messages.New(messages.Options{
		Certificate: s.Certificate.Get,
		Device:      s.deviceOf,
		Ready:       s.keeper.Ready,
		Keep:        s.keeper.Write,
		Repeated:    s.Guard.Repeated,
		Memory:      s.Guard.Memory,
		States:      s.States,
		Log:         s.log,
		Now:         time.Now,
		Retry:       s.in.LookEvery,
	})
}

// deviceOf is the registered device to which a certificate is bound, as it may come in
// from an address now.
func (s *Server) deviceOf(ctx context.Context, cert *x509.Certificate, from netip.Addr) (string, error) {
	devices, err := s.in.Registry.Devices(ctx)
	if err != nil {
		return "", err
	}
	fingerprint := tlsprofile.Fingerprint(cert)
	for _, d := range devices {
		for _, c := range d.Certificates {
			if c.Fingerprint != fingerprint {
				continue
			}
			claim := identity.Caller{CallingAETitle: d.AETitle, Address: from, Certificate: cert, TLS: true}
			if _, err := s.in.Registry.Authenticate(ctx, claim); err != nil {
				return "", fault.Newf(fault.Denied, "%v", err)
			}
			return d.AETitle, nil
		}
	}
	return "", fault.New(fault.Denied, "identity: the certificate is not that of a registered device")
}
