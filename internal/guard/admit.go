package guard

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/inventory"
	"collimator/internal/lockout"
	"collimator/internal/places"
	"collimator/internal/tlsprofile"
)

// errCalledAETitle is the cause of a rejection: the caller asked for another AE.
var errCalledAETitle = errors.New("guard: the called AE title is not ours")

// errUserIdentity is the cause of a rejection: the user identity did not verify.
var errUserIdentity = errors.New("guard: the user identity was not verified")

// Admit decides about an association (PS3.8 7.1.1) with the application entity that
// has the called AE title; nil where none has it. Unknown callers, unknown
// called titles and wrong certificates get the same rejection, so that titles
// cannot be guessed; the record and the list of pending devices say more.
func (g *Guard) Admit(ctx context.Context, rq *dimse.AssociateRequest, service *Service) (dimse.Acceptance, error) {
	claim := claimOf(rq)
	who, err := g.identify(ctx, claim, service)
	if err == nil && service == nil {
		err = errCalledAETitle
	}
	if err != nil {
		return dimse.Acceptance{}, g.refuseAssociation(ctx, rq, claim, err)
	}

	c := &Caller{who: who, claim: claim, peer: peerOf(rq, claim), door: doorOf(rq), service: service, guard: g}
	response, err := g.verifyIdentity(ctx, rq.Identity, c)
	if err != nil {
		return dimse.Acceptance{}, g.refuseAssociation(ctx, rq, claim, err)
	}
	if !g.Rooms.of(rq).Admit(rq.RemoteAddr) {
		g.recordRefusedStranger(ctx, c.peer, c.door, "no place is left for another association of this device")
		return dimse.Acceptance{}, &dimse.RejectError{
			Result: ul.RejectedTransient,
			Source: ul.RejectServiceProviderPresentation,
			Reason: ul.PresentationLocalLimitExceeded,
			Cause:  dimse.ErrTooMany,
		}
	}

	acceptance, err := service.Negotiate(ctx, rq, c.who)
	if err != nil {
		return dimse.Acceptance{}, g.refuseService(ctx, c, err)
	}

	acceptance.Identity = response
	acceptance.Principal = c
	g.Record(ctx, c.Entry(audit.UserAuthenticated, audit.Execute, audit.Success, ""))
	g.present.note(c.who.Name, g.Now())
	if service.Grants != nil && !service.Grants(rq, c.who) {
		g.recordNotGranted(ctx, c, nothingGranted, c.who.Name+" asks for nothing that a rule of the route grants")
	}
	g.sight(ctx, rq, claim, inventory.Door)
	return acceptance, nil
}

// refuseService records that the entity behind the door did not answer, or takes
// nobody, and returns the rejection: transient, because the caller is known and did
// nothing wrong (PS3.8 9.3.4). It comes again and again: a flood of like ones is
// counted, not written.
func (g *Guard) refuseService(ctx context.Context, c *Caller, cause error) error {
	reason := fault.Sentence(cause)
	before, write := g.refusedRequests.take(c.who.Name + "\x00" + c.peer.CalledAETitle + "\x00" + reason)
	if write {
		r := c.Entry(audit.UserAuthenticated, audit.Execute, audit.SeriousFailure, reason)
		r.CountLike("refusals", before)
		g.Record(ctx, r)
		g.Log.Warn("association not taken", "device", c.who.Name, "called", c.peer.CalledAETitle, "error", cause)
	}

	return &dimse.RejectError{
		Result: ul.RejectedTransient,
		Source: ul.RejectServiceProviderPresentation,
		Reason: ul.PresentationTemporaryCongestion,
		Cause:  cause,
	}
}

// of is the room behind the door a request came through.
func (r Rooms) of(rq *dimse.AssociateRequest) *places.Room {
	if rq.TLS == nil {
		return r.Plain
	}
	return r.DICOM
}

// refuseAssociation records a refusal, remembers the caller where approving it may make
// sense, and returns the rejection.
func (g *Guard) refuseAssociation(ctx context.Context, rq *dimse.AssociateRequest, claim identity.Caller, cause error) error {
	peer := peerOf(rq, claim)
	refusal, isRefusal := errors.AsType[*identity.Refusal](cause)

	reason := "internal error"
	switch {
	case isRefusal:
		reason = refusal.Text
	case errors.Is(cause, errCalledAETitle):
		reason = "the called AE title is not ours"
	case errors.Is(cause, errUserIdentity):
		reason = "the user identity was not verified"
	case fault.Of(cause) == fault.Busy:
		g.recordRefusedStranger(ctx, peer, doorOf(rq), "many passwords are checked at this moment")
		return &dimse.RejectError{
			Result: ul.RejectedTransient,
			Source: ul.RejectServiceProviderPresentation,
			Reason: ul.PresentationTemporaryCongestion,
			Cause:  cause,
		}
	default:
		// Our own fault: transient, so that the peer tries again (PS3.8 9.3.4).
		g.Log.Error("association not decided", "error", cause)
		return &dimse.RejectError{
			Result: ul.RejectedTransient,
			Source: ul.RejectServiceUser,
			Reason: ul.UserNoReason,
			Cause:  cause,
		}
	}

	g.recordRefusedStranger(ctx, peer, doorOf(rq), reason)
	if isRefusal && refusal.Pending {
		g.remember(ctx, rq, claim, reason)
	}
	g.sight(ctx, rq, claim, inventory.Refused)
	return dimse.Reject(cause)
}

// recordRefusedStranger writes a security alert about who was not let in, which may
// be a known device without a place; a flood of like ones is counted, not written.
func (g *Guard) recordRefusedStranger(ctx context.Context, peer audit.Peer, door audit.Door, reason string) {
	before, write := g.refusedStrangers.take(lockout.Origin(peer.Address) + "\x00" + reason)
	if !write {
		return
	}

	r := audit.Record{
		Event:     audit.SecurityAlert,
		Action:    audit.Execute,
		Outcome:   audit.MinorFailure,
		Reason:    reason,
		Door:      door,
		Peer:      peer,
		Principal: peer.CallingAETitle,
	}
	r.CountLike("refusals", before)
	g.Record(ctx, r)
	g.Log.Info("refused", "address", peer.Address, "calling", peer.CallingAETitle, "called", peer.CalledAETitle,
		"door", door, "reason", reason)
}

func (g *Guard) remember(ctx context.Context, rq *dimse.AssociateRequest, claim identity.Caller, reason string) {
	p := identity.Pending{
		CallingAETitle: rq.CallingAETitle,
		CalledAETitle:  rq.CalledAETitle,
		Address:        claim.Address.Unmap().String(),
		Certificate:    claim.Certificate,
		Reason:         reason,
		Implementation: rq.ImplementationClassUID + " " + rq.ImplementationVersionName,
	}
	for _, pc := range rq.Contexts {
		p.Contexts = append(p.Contexts, pc.AbstractSyntax)
	}

	if err := g.Registry.Remember(context.WithoutCancel(ctx), p, g.Pending); err != nil {
		g.Log.Error("refused caller not remembered", "error", err)
	}
}

// verifyIdentity checks the user identity of an association (PS3.7 D.3.3.7).
// A name without proof is left unanswered; a passcode must be right; what we
// cannot verify is refused, so that nobody takes silence for consent.
func (g *Guard) verifyIdentity(ctx context.Context, id *ul.UserIdentity, c *Caller) (*ul.UserIdentityResponse, error) {
	if id == nil || id.Kind == ul.IdentityUsername {
		return nil, nil
	}

	var err error
	switch {
	case id.Kind == ul.IdentityUsernamePasscode:
		c.person = string(id.Primary.Reveal())
		err = g.checkPasscode(ctx, c, string(id.Secondary.Reveal()))
	case id.Kind == ul.IdentityJWT && g.Tokens != nil:
		if c.person, err = g.Tokens.Verify(string(id.Primary.Reveal())); err != nil {
			err = errUserIdentity
		}
	default:
		err = errUserIdentity
	}
	if err != nil {
		return nil, err
	}

	if !id.PositiveResponseRequested {
		return nil, nil
	}
	return &ul.UserIdentityResponse{}, nil
}

// checkPasscode slows a device down that guesses passcodes, whoever's: it has to
// wait as a browser has to.
func (g *Guard) checkPasscode(ctx context.Context, c *Caller, passcode string) error {
	ok, _, err := lockout.Try(ctx, func() (bool, error) {
		end, err := g.signing.take(ctx, signDevice, c.who.Name)
		if err != nil {
			return false, err
		}
		defer end()
		ok, err := g.Registry.CheckPassword(ctx, c.person, passcode)
		return ok && (g.Local == nil || g.Local(c.person)), err
	}, lockout.Slot{Table: g.attempts.devices, Key: c.who.Name})
	if _, wait := errors.AsType[*lockout.WaitError](err); wait || err == nil && !ok {
		err = errUserIdentity
	}
	return err
}

func claimOf(rq *dimse.AssociateRequest) identity.Caller {
	c := identity.Caller{CallingAETitle: rq.CallingAETitle, Address: AddressOf(rq.RemoteAddr), TLS: rq.TLS != nil}
	if rq.TLS != nil && len(rq.TLS.PeerCertificates) > 0 {
		c.Certificate = rq.TLS.PeerCertificates[0]
	}
	return c
}

func peerOf(rq *dimse.AssociateRequest, claim identity.Caller) audit.Peer {
	return audit.Peer{
		Address: claim.Address.Unmap().String(), CallingAETitle: rq.CallingAETitle, CalledAETitle: rq.CalledAETitle,
		Fingerprint: fingerprintOf(claim.Certificate),
	}
}

func fingerprintOf(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	return tlsprofile.Fingerprint(cert)
}

func doorOf(rq *dimse.AssociateRequest) audit.Door {
	if rq.TLS == nil {
		return doorPlain
	}
	return doorDIMSE
}

// AddressOf is the IP address of a peer; invalid where it has none.
func AddressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
