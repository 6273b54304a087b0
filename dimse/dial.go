package dimse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"collimator/dicom"
	"collimator/dimse/ul"
)

// Dial opens an association to addr (host:port). It fails with *RejectError when the
// peer rejects it, *AbortError when it aborts, ErrTimeout when it takes longer than
// Limits.ARTIM. ctx bounds the opening only. Release or Abort the association in the end.
func Dial(ctx context.Context, addr string, cfg Config) (*Association, error) {
	cfg.Limits = cfg.Limits.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.Limits.ARTIM)
	defer cancel()

	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dimse: connect: %w", err)
	}

	if cfg.TLSConfig != nil && cfg.TLSConfig.ServerName == "" && !cfg.TLSConfig.InsecureSkipVerify {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			conn.Close()
			return nil, fmt.Errorf("dimse: address: %w", err)
		}
		cfg.TLSConfig = cfg.TLSConfig.Clone()
		cfg.TLSConfig.ServerName = host
	}

	a, err := Open(ctx, conn, cfg)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Open asks for an association over a connection that is there already; TLS is put on
// it when cfg says so. It closes conn when it fails.
func Open(ctx context.Context, conn net.Conn, cfg Config) (*Association, error) {
	cfg.Limits = cfg.Limits.withDefaults()

	due := time.Now().Add(cfg.Limits.ARTIM)
	if d, ok := ctx.Deadline(); ok && d.Before(due) {
		due = d
	}

	conn = tuned(conn)
	conn.SetDeadline(due)
	unhook := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer unhook()

	a, run, err := open(ctx, conn, cfg, due)
	if err != nil {
		conn.Close()
		if ctx.Err() != nil && errors.Is(err, ErrTimeout) {
			return nil, fmt.Errorf("%w: %w", err, context.Cause(ctx))
		}
		return nil, err
	}

	// The end of ctx has set a deadline that nobody takes back.
	if !unhook() {
		conn.Close()
		return nil, context.Cause(ctx)
	}

	conn.SetDeadline(time.Time{})
	go a.run(run) // ends with the association: Release, Abort, or the peer
	return a, nil
}

// open secures the connection where TLS is configured, asks for an association, and
// waits until due for the answer. Where it fails the connection is left to the caller.
// The context is for run.
func open(ctx context.Context, conn net.Conn, cfg Config, due time.Time) (*Association, context.Context, error) {
	rq, err := cfg.request()
	if err != nil {
		return nil, nil, err
	}

	conn, state, err := secure(ctx, conn, cfg.TLSConfig)
	if err != nil {
		return nil, nil, err
	}

	l := newLink(conn, cfg.Limits)
	l.pace.until(due)

	m := ul.NewMachine(true)
	m, _, _ = m.Next(ul.Input{Event: ul.Evt1})
	m, _, _ = m.Next(ul.Input{Event: ul.Evt2})

	b, err := rq.AppendTo(nil)
	if err != nil {
		return nil, nil, err
	}
	if err := l.write(b, time.Until(due)); err != nil {
		return nil, nil, err
	}

	ac, m, err := answer(l, m, cfg.Limits)
	if err != nil {
		return nil, nil, err
	}

	contexts, err := settle(rq.Contexts, rq.User.Roles, ac.Contexts, ac.User.Roles, true)
	if err == nil && ac.User.MaxPDULength != 0 && ac.User.MaxPDULength < leastPDU {
		err = errors.New("dimse: maximum length leaves no room for data")
	}

	// The peer has accepted: it is owed an abort.
	if err != nil {
		abort, _ := ul.Abort{Source: ul.AbortServiceUser}.AppendTo(nil)
		l.write(abort, time.Second)
		return nil, nil, err
	}

	run, a := establish(context.WithoutCancel(ctx), parts{
		rq:       newAssociateRequest(rq, conn.RemoteAddr(), conn.LocalAddr(), state),
		contexts: contexts,
		extended: ac.User.Extended,
		link:     l,
		lim:      cfg.Limits,
		mux:      cfg.Mux,
		log:      cfg.Log,
		buffers:  &buffers{},
		peer:     &ac.User,
		window:   grantWindow(rq.User.AsyncWindow, ac.User.AsyncWindow, cfg.Limits),
		machine:  m,

		principal: cfg.Principal,
	})
	return a, run, nil
}

// secure makes the TLS handshake, and returns the connection to go on with. Without a
// configuration that is conn itself, and there is no state.
func secure(ctx context.Context, conn net.Conn, c *tls.Config) (net.Conn, *tls.ConnectionState, error) {
	if c == nil {
		return conn, nil, nil
	}

	secured := tls.Client(conn, c)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, nil, fmt.Errorf("dimse: TLS handshake: %w", err)
	}

	state := secured.ConnectionState()
	return secured, &state, nil
}

// answer reads what the acceptor says to the request (PS3.8 9.2, Sta5).
func answer(l *link, m ul.Machine, lim Limits) (*ul.AssociateAC, ul.Machine, error) {
	h, err := l.header(lim.Associate)
	if err != nil {
		return nil, m, err
	}

	body, err := l.body(min(h.Length, lim.Associate.AssociatePDU|1<<20))
	if err != nil {
		return nil, m, err
	}

	pdu, err := ul.DecodeBody(h.Type, body, lim.Associate)
	if err != nil {
		return nil, m, err
	}

	m, step, _ := m.Next(ul.Input{Event: ul.Received(h.Type)})
	switch p := pdu.(type) {
	case *ul.AssociateAC:
		return p, m, nil
	case ul.AssociateRJ:
		return nil, m, &RejectError{Result: p.Result, Source: p.Source, Reason: p.Reason}
	case ul.Abort:
		return nil, m, &AbortError{Remote: true, Source: p.Source, Reason: p.Reason}
	}

	if step.Action == ul.AA8 {
		abort, _ := ul.Abort{Source: ul.AbortServiceProvider, Reason: ul.ReasonUnexpectedPDU}.AppendTo(nil)
		l.write(abort, time.Second)
	}
	return nil, m, invalidPDU(ul.ReasonUnexpectedPDU, "PS3.8 9.2", h.Type.String()+" in answer to a request")
}

// request is the A-ASSOCIATE-RQ of cfg.
func (cfg *Config) request() (*ul.AssociateRQ, error) {
	if len(cfg.Contexts) == 0 || len(cfg.Contexts) > mostContexts {
		return nil, fmt.Errorf("dimse: %d presentation contexts to propose, 1 to %d are possible", len(cfg.Contexts), mostContexts)
	}

	if cfg.Identity != nil && cfg.TLSConfig == nil {
		return nil, ErrInsecureIdentity
	}

	for _, t := range []string{cfg.CalledAETitle, cfg.CallingAETitle} {
		if _, err := ul.ParseAETitle(t); err != nil {
			return nil, fmt.Errorf("dimse: %w", err)
		}
	}

	contexts := make([]ul.ProposedContext, len(cfg.Contexts))
	copy(contexts, cfg.Contexts)

	var ids [256]bool
	unnumbered := contexts[0].ID == 0
	for i := range contexts {
		if unnumbered {
			contexts[i].ID = uint8(2*i + 1)
		}
		if id := contexts[i].ID; id%2 == 0 || ids[id] {
			return nil, errors.New("dimse: presentation context identifiers are not odd and unique")
		}
		ids[contexts[i].ID] = true
	}

	return &ul.AssociateRQ{
		CalledAETitle: cfg.CalledAETitle, CallingAETitle: cfg.CallingAETitle,
		ApplicationContext: ul.DICOMApplicationContext, Contexts: contexts,
		User: ul.UserInformation{
			MaxPDULength:              cfg.Limits.ReceivePDU,
			ImplementationClassUID:    dicom.ImplementationClassUID,
			ImplementationVersionName: dicom.ImplementationVersionName,
			AsyncWindow:               cfg.AsyncWindow,
			Roles:                     cfg.Roles,
			Extended:                  cfg.Extended,
			CommonExtended:            cfg.CommonExtended,
			Identity:                  cfg.Identity,
		},
	}, nil
}
