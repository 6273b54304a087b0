package house

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/firstwrite"
	"collimator/internal/gate"
	"collimator/internal/gate/face"
	"collimator/internal/gate/outbound"
	"collimator/internal/guard"
	"collimator/internal/outbox"
)

// SpoolDir is where what comes again for a route is kept while it is compared.
const SpoolDir = "spool"

// openGate opens the routes behind the door.
func (s *Server) openGate(egress *guard.Egress) (err error) {
	spool := filepath.Join(s.in.Config.Data, SpoolDir)
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return fmt.Errorf("open the gate: %w", err)
	}

	s.messages = s.newMessages()
	s.pages = s.newPages()
	s.passed = firstwrite.New(s.in.DB, s.log, time.Now)
	if err := s.openOutbound(); err != nil {
		return err
	}
	s.gate, err = gate.New(gate.Options{
		File:        filepath.Join(s.in.Config.Data, gate.File),
		Every:       s.in.LookEvery,
		Mux:         s.Guard.NewMux(),
		Inspect:     s.inspector.look,
		DB:          s.in.DB,
		Registers:   s.in.Registers,
		Outgoing:    s.Guard.Outgoing,
		Destination: egress.Dialer,
		Memory:      s.passed,
		Spool:       spool,
		Room:        s.reserve.Room,
		Hold:        s.holdAtRoute,
		Outbound:    s.outbound,
		Messages:    s.messages,
		Pages:       s.pages,
		States:      s.States,
		Log:         s.log,
		Now:         time.Now,
	})
	if err != nil {
		return fault.Misuse(err) // a bad file is the operator's to mend
	}
	s.faces = face.New(face.Options{Gate: s.gate, Projects: s.projects, Dir: spool, Room: s.reserve.Room, Log: s.log, Now: time.Now})
	return nil
}

// openOutbound opens the routes of modalities that send elsewhere, and what waits for their
// targets.
func (s *Server) openOutbound() (err error) {
	data := s.in.Config.Data
	s.outbox, err = outbox.New(context.Background(), outbox.Options{
		DB:   s.in.DB,
		Dir:  filepath.Join(data, outbox.Dir),
		Keys: filepath.Join(data, KeysDir),
		Room: s.reserve.Room,
		Handed: func(ctx context.Context, tx *db.Tx, list []outbox.Item) error {
			return s.outbound.Handed(ctx, tx, list)
		},
		States: s.States,
		Log:    s.log,
		Now:    time.Now,
	})
	if err != nil {
		return err
	}

	s.outbound = outbound.New(outbound.Options{
		Mux:         s.Guard.NewMux(),
		Judge:       gate.NewJudge(s.inspector.look),
		Outbox:      s.outbox,
		Memory:      s.passed,
		DB:          s.in.DB,
		Trail:       s.in.Trail,
		Certificate: s.Certificate.Get,
		Outgoing:    s.Guard.Outgoing,
		Hold:        s.holdAtRoute,
		Log:         s.log,
		Now:         time.Now,
	})
	return nil
}

// holdAtRoute keeps back what came for a route and contradicts what went through.
func (s *Server) holdAtRoute(ctx context.Context, route string, in archive.Incoming, why archive.Reason) (held bool, err error) {
	in.Source.Route = route
	return s.Archive.HoldBack(ctx, in, why)
}

// letThrough makes the content of an entry of the quarantine the one its route takes.
func letThrough(ctx context.Context, tx *db.Tx, e archive.QuarantineEntry, passes archive.Passing) error {
	return firstwrite.Accept(ctx, tx, gate.Instance(e.Source.Route, passes.Head),
		firstwrite.Content{Syntax: e.Instance.TransferSyntaxUID, Hash: passes.Hash})
}

// applicationEntities finds who an association is for: the archive, a route of the
// gate, or, when the system behind a route asks, those it sends to; nil where nobody has
// the called AE title.
func (s *Server) applicationEntities() func(*dimse.AssociateRequest) *guard.Service {
	own := guard.Offer(s.service.Support())
	return func(rq *dimse.AssociateRequest) *guard.Service {
		if rq.CalledAETitle == s.in.Config.AE && s.in.Config.Only == "" {
			return own
		}
		if out := s.outbound.Service(rq); out != nil {
			return out
		}
		if behind := s.gate.Behind(rq); behind != nil {
			return behind
		}
		return s.gate.Service(rq.CalledAETitle)
	}
}
