package dimse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"collimator/dicom"
	"collimator/dimse/ul"
)

// opening is a connection until it is an association.
type opening struct {
	s       *Server
	conn    net.Conn
	state   *tls.ConnectionState
	link    *link
	machine ul.Machine
	due     time.Time // ARTIM, absolute
	refuse  bool      // only to be told no: plain DICOM on a TLS port
}

// serveConn takes one connection from its first byte to its end.
func (s *Server) serveConn(ctx context.Context, conn net.Conn) {
	conn = tuned(conn)
	s.mu.Lock()
	s.conns[conn] = struct{}{}
	s.mu.Unlock()

	defer func() {
		conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()

	o := &opening{s: s, conn: conn, due: time.Now().Add(s.Limits.ARTIM)}
	if ctx.Err() != nil {
		return
	}

	defer func() { // Admit and the hooks are not ours
		if v := recover(); v != nil {
			s.panicked.Add(1)
			if s.Log != nil {
				s.Log.ErrorContext(ctx, "admission panicked", "remote", conn.RemoteAddr().String(), "panic", fmt.Sprintf("%T", v))
			}
		}
	}()

	conn.SetDeadline(o.due)
	if !o.secure(ctx) {
		return
	}
	o.link.pace.until(o.due)
	o.step(ul.Input{Event: ul.Evt5}, nil) // AE-5: the timer runs already

	rq, ok := o.request()
	if !ok {
		return
	}
	if ctx, a, ok := o.decide(ctx, rq); ok {
		o.attend(ctx, a)
	}
}

// secure looks at the first byte and does the TLS handshake where it is due. It
// reports false when the connection is at its end.
func (o *opening) secure(ctx context.Context) bool {
	first := make([]byte, 1)
	if _, err := io.ReadFull(o.conn, first); err != nil {
		o.report(o.early(err), nil, readError(err))
		return false
	}

	const tlsHandshake = 0x16 // RFC 8446 5.1
	seen := &prefixed{Conn: o.conn, prefix: first}
	associate := first[0] == byte(ul.TypeAssociateRQ)

	switch {
	case o.s.TLSConfig == nil && first[0] >= byte(ul.TypeAssociateRQ) && first[0] <= byte(ul.TypeAbort):
		o.link = newLink(seen, o.s.Limits)
		return true
	case o.s.TLSConfig != nil && associate:
		o.link = newLink(seen, o.s.Limits)
		o.refuse = true
		return true
	case o.s.TLSConfig == nil || first[0] != tlsHandshake:
		o.report(RefusedGarbage, nil, ErrNotDICOM)
		return false
	}

	secured := tls.Server(seen, o.s.TLSConfig)
	if err := secured.HandshakeContext(ctx); err != nil {
		kind := RefusedTLS
		if errors.Is(readError(err), ErrTimeout) {
			kind = RefusedTimeout
		}
		state := secured.ConnectionState()
		o.state = &state
		o.report(kind, nil, fmt.Errorf("dimse: TLS handshake: %w", err))
		return false
	}

	// The handshake is done: from here on the link reads what TLS decrypts.
	state := secured.ConnectionState()
	o.state = &state
	o.conn = secured
	o.link = newLink(secured, o.s.Limits)
	return true
}

// early is the kind of a read that ended before the request was complete.
func (o *opening) early(err error) RefusalKind {
	switch {
	case errors.Is(readError(err), ErrTimeout):
		return RefusedTimeout
	case errors.Is(readError(err), ErrClosed):
		return RefusedClosed
	}
	return RefusedMalformed
}

func (o *opening) report(kind RefusalKind, rq *AssociateRequest, err error) {
	o.s.refuse(Refusal{Kind: kind, RemoteAddr: o.conn.RemoteAddr(), LocalAddr: o.conn.LocalAddr(), TLS: o.state, Request: rq, Err: err})
}

// step takes an input through the state machine and sends what it says; pdu is the
// PDU of a send effect other than A-ABORT.
func (o *opening) step(in ul.Input, pdu ul.PDU) ul.Step {
	m, step, ok := o.machine.Next(in)
	if !ok {
		return step
	}

	o.machine = m
	for _, e := range step.Effects {
		switch e {
		case ul.SendAssociateAC, ul.SendAssociateRJ:
			o.send(pdu)
		case ul.SendAbortByUser:
			o.send(ul.Abort{Source: ul.AbortServiceUser})
		case ul.SendAbortByProvider:
			o.send(ul.Abort{Source: ul.AbortServiceProvider, Reason: ul.ReasonUnexpectedPDU})
		case ul.CloseConnection:
			o.conn.Close()
		}
	}

	if step.To == ul.Sta13 { // the peer closes, within ARTIM
		o.link.pace.until(time.Now().Add(min(o.s.Limits.ARTIM, 5*time.Second)))
		o.link.drain()
		o.conn.Close()
	}
	return step
}

func (o *opening) send(pdu ul.PDU) {
	if b, err := pdu.AppendTo(nil); err == nil {
		_ = o.link.write(b, o.s.Limits.ARTIM) // what does not get through shows at the next read
	}
}

// request reads the A-ASSOCIATE-RQ (PS3.8 9.3.2). It reports false when none came.
func (o *opening) request() (*AssociateRequest, bool) {
	h, err := o.link.header(o.s.Limits.Associate)
	if err == nil && h.Type != ul.TypeAssociateRQ {
		o.report(RefusedMalformed, nil, invalidPDU(ul.ReasonUnexpectedPDU, "PS3.8 9.2", h.Type.String()+" before an association"))
		o.step(ul.Input{Event: ul.Received(h.Type)}, nil)
		return nil, false
	}

	var body []byte
	if err == nil {
		body, err = o.link.body(h.Length)
	}
	if err != nil {
		o.report(o.early(err), nil, err)
		if o.early(err) == RefusedMalformed {
			o.step(ul.Input{Event: ul.Evt19}, nil)
		}
		return nil, false
	}

	raw, err := ul.DecodeAssociateRQ(body, o.s.Limits.Associate)
	if err != nil {
		return nil, o.unreadable(err)
	}

	rq := newAssociateRequest(raw, o.conn.RemoteAddr(), o.conn.LocalAddr(), o.state)
	reject := o.formal(raw)
	if reject == nil {
		return rq, true
	}

	kind := RefusedRejected
	if o.refuse {
		kind = RefusedPlaintext
	}
	o.report(kind, rq, reject.Cause)
	o.step(ul.Input{Event: ul.Evt6, Refuse: true}, reject.pdu())
	return nil, false
}

// unreadable answers a request that cannot be decoded: an invalid title by
// rejection, the rest by abort.
func (o *opening) unreadable(err error) bool {
	kind := RefusedMalformed
	if o.refuse {
		kind = RefusedPlaintext
	}

	o.report(kind, nil, err)
	var title *ul.AETitleError
	switch {
	case o.refuse:
		o.step(ul.Input{Event: ul.Evt6, Refuse: true}, plaintextReject().pdu())
	case errors.As(err, &title):
		o.step(ul.Input{Event: ul.Evt6, Refuse: true}, Reject(err).pdu())
	default:
		o.step(ul.Input{Event: ul.Evt19}, nil)
	}
	return false
}

func plaintextReject() *RejectError {
	return &RejectError{Result: ul.RejectedPermanent, Source: ul.RejectServiceProviderACSE, Reason: ul.ACSENoReason, Cause: ErrPlaintext}
}

// formal is what the service provider rejects by itself (AE-6).
func (o *opening) formal(rq *ul.AssociateRQ) *RejectError {
	switch {
	case o.refuse:
		return plaintextReject()
	case rq.ProtocolVersion&1 == 0:
		return &RejectError{Result: ul.RejectedPermanent, Source: ul.RejectServiceProviderACSE, Reason: ul.ProtocolVersionNotSupported,
			Cause: errors.New("dimse: protocol version not supported")}
	case rq.ApplicationContext != ul.DICOMApplicationContext:
		return &RejectError{Result: ul.RejectedPermanent, Source: ul.RejectServiceUser, Reason: ul.ApplicationContextNotSupported,
			Cause: errors.New("dimse: application context not supported")}
	case rq.User.MaxPDULength != 0 && rq.User.MaxPDULength < leastPDU:
		return Reject(errors.New("dimse: maximum length leaves no room for data"))
	case o.s.isClosing():
		return &RejectError{
			Result: ul.RejectedTransient,
			Source: ul.RejectServiceProviderPresentation,
			Reason: ul.PresentationTemporaryCongestion,
			Cause:  ErrServerClosed,
		}
	}
	return nil
}

// decide asks Admit and answers.
func (o *opening) decide(ctx context.Context, rq *AssociateRequest) (context.Context, *Association, bool) {
	o.step(ul.Input{Event: ul.Evt6}, nil)
	o.conn.SetDeadline(time.Time{})

	acc, err := o.admit(ctx, rq)
	var contexts []PresentationContext
	if err == nil {
		contexts, err = settle(rq.Contexts, rq.Roles, acc.Contexts, acc.Roles, false)
	}
	if err == nil {
		err = truthful(rq, acc)
	}
	if err == nil && len(contexts) == 0 {
		err = errors.New("dimse: no acceptable presentation context")
	}

	if err != nil {
		var reject *RejectError
		if !errors.As(err, &reject) {
			reject = Reject(err)
		}
		o.report(RefusedRejected, rq, err)
		o.step(ul.Input{Event: ul.Evt8}, reject.pdu())
		return nil, nil, false
	}

	mux := acc.Mux
	if mux == nil {
		mux = o.s.Mux
	}

	acc.AsyncWindow = grantWindow(rq.AsyncWindow, acc.AsyncWindow, o.s.Limits)
	o.step(ul.Input{Event: ul.Evt7}, o.acceptPDU(rq, acc))

	actx, a := establish(ctx, parts{
		rq:       rq,
		contexts: contexts,
		extended: acc.Extended,
		link:     o.link,
		lim:      o.s.Limits,
		mux:      mux,
		log:      o.s.Log,
		buffers:  &o.s.buffers,
		panics:   func(any) { o.s.panicked.Add(1) },
		window:   acc.AsyncWindow,
		machine:  o.machine,
		peer: &ul.UserInformation{
			MaxPDULength:              rq.MaxPDULength,
			ImplementationClassUID:    rq.ImplementationClassUID,
			ImplementationVersionName: rq.ImplementationVersionName,
		},
		principal: acc.Principal,
	})
	return actx, a, true
}

// truthful fails when an extended negotiation answers what was not asked (PS3.7 D.3.3.5).
func truthful(rq *AssociateRequest, acc Acceptance) error {
	for _, x := range acc.Extended {
		if !slices.ContainsFunc(rq.Extended, func(a ul.ExtendedNegotiation) bool { return a.SOPClassUID == x.SOPClassUID }) {
			return errors.New("dimse: extended negotiation answered for a SOP Class that was not asked for")
		}
	}
	return nil
}

// grantWindow never grants more than was asked for or Limits allow; nil when nothing was asked.
func grantWindow(asked, granted *ul.AsyncWindow, lim Limits) *ul.AsyncWindow {
	if asked == nil || granted == nil {
		return nil
	}
	bound := uint16(min(lim.Window, 0xFFFF))
	return &ul.AsyncWindow{
		Invoked:   smaller(asked.Invoked, smaller(granted.Invoked, bound)),
		Performed: smaller(asked.Performed, smaller(granted.Performed, bound)),
	}
}

func (o *opening) admit(ctx context.Context, rq *AssociateRequest) (Acceptance, error) {
	if o.s.Admit == nil {
		return Acceptance{}, errors.New("dimse: no Admit")
	}
	ctx, cancel := context.WithTimeout(ctx, o.s.Limits.Admit)
	defer cancel()
	return o.s.Admit(ctx, rq)
}

// acceptPDU puts together the A-ASSOCIATE-AC: every proposed context has an answer.
func (o *opening) acceptPDU(rq *AssociateRequest, acc Acceptance) *ul.AssociateAC {
	ac := &ul.AssociateAC{CalledAETitle: rq.CalledAETitle, CallingAETitle: rq.CallingAETitle}
	for _, pc := range rq.Contexts {
		answer := ul.AcceptedContext{ID: pc.ID, Result: ul.AbstractSyntaxNotSupported}
		for _, a := range acc.Contexts {
			if a.ID == pc.ID {
				answer = a
			}
		}
		ac.Contexts = append(ac.Contexts, answer)
	}

	ac.User = ul.UserInformation{
		MaxPDULength:           o.s.Limits.ReceivePDU,
		ImplementationClassUID: dicom.ImplementationClassUID, ImplementationVersionName: dicom.ImplementationVersionName,
		AsyncWindow: acc.AsyncWindow, Roles: acc.Roles, Extended: acc.Extended,
	}

	if rq.Identity != nil && rq.Identity.PositiveResponseRequested {
		ac.User.IdentityResponse = acc.Identity
	}
	return ac
}

// attend counts the association among the open ones, tells OnAssociation of it, and
// runs it. It returns when the association has ended.
func (o *opening) attend(ctx context.Context, a *Association) {
	s := o.s
	s.accepted.Add(1)
	s.mu.Lock()
	s.open[a] = struct{}{}
	s.mu.Unlock()

	defer func() {
		s.mu.Lock()
		delete(s.open, a)
		s.mu.Unlock()
	}()

	if len(a.rq.Tolerated) > 0 && s.Log != nil {
		s.Log.LogAttrs(ctx, slog.LevelInfo, "association request tolerated",
			a.attrsWith(slog.String("irregular", strings.Join(a.rq.Tolerated, "; ")))...)
	}

	if s.OnAssociation != nil {
		if ended := s.OnAssociation(a); ended != nil {
			defer ended()
		}
	}
	a.run(ctx)
}

// prefixed is a connection of which some bytes were read already.
type prefixed struct {
	net.Conn
	prefix []byte
}

// Read implements net.Conn.
func (c *prefixed) Read(p []byte) (int, error) {
	if len(c.prefix) > 0 {
		n := copy(p, c.prefix)
		c.prefix = c.prefix[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}
