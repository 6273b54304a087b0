package house

import (
	"context"
	"crypto/x509"
	"errors"
	"net/netip"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate/messages"
	"collimator/internal/identity"
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
	d, err := s.in.Registry.AuthenticateCertificate(ctx, cert, from)
	if refusal, refused := errors.AsType[*identity.Refusal](err); refused {
		return "", fault.Newf(fault.Denied, "%v", refusal)
	}
	if err != nil {
		return "", err
	}
	return d.AETitle, nil
}
