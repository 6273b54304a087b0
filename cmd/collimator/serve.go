package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/blob"
	"collimator/internal/budget"
	"collimator/internal/config"
	"collimator/internal/db"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/ledger"
	"collimator/internal/pacs"
	"collimator/internal/policy"
	"collimator/internal/posture"
	"collimator/internal/reserve"
	"collimator/internal/state"
	"collimator/internal/tlsprofile"
)

type serveCmd struct {
	dataFlags
	HTTP       *string `name:"http" help:"Address of the HTTPS listener; empty turns it off." placeholder:"HOST:PORT"`
	DICOM      *string `name:"dicom" help:"Address of the TLS listener for associations." placeholder:"HOST:PORT"`
	PlainDICOM *string `name:"plain-dicom" help:"Address of the listener without TLS; open only while a device has an exception." placeholder:"HOST:PORT"`
	AE         *string `name:"ae" help:"The server's AE title." placeholder:"AET"`
}

func (serveCmd) Help() string {
	return `Makes the data directory and its keys at the first start. Listens on loopback until told
otherwise. Ends in order on SIGINT and SIGTERM: associations that are open may finish first.

Example:
  collimator serve --data ./data --dicom 192.168.1.10:2762 --ae ARCHIVE`
}

// shutdownGrace is how long open associations may go on after a signal.
const shutdownGrace = 30 * time.Second

func (c *serveCmd) Run(e *env) error {
	cfg, err := c.settings()
	if err != nil {
		return err
	}
	log, err := newLog(e, cfg.Log)
	if err != nil {
		return err
	}
	in, err := openInstallation(e.ctx, cfg, true)
	if err != nil {
		return err
	}

	lock, err := lockData(cfg.Data)
	if err != nil {
		return errors.Join(err, in.close())
	}
	defer lock.Close()

	if in.copied != "" {
		log.Info(copiedText(in.copied))
	}
	boundMemory(cfg.Limits)

	s, err := newServer(in, log)
	if err != nil {
		return errors.Join(err, in.close())
	}
	if err := s.prepare(e); err != nil {
		return errors.Join(err, s.archiveClose(), in.close())
	}

	return errors.Join(s.run(e), s.archiveClose(), in.close())
}

// settings lays the flags over the file.
func (c *serveCmd) settings() (config.Config, error) {
	cfg, err := c.load()
	if err != nil {
		return cfg, err
	}
	for _, f := range []struct{ from, to *string }{{c.HTTP, &cfg.HTTP}, {c.DICOM, &cfg.DICOM}, {c.PlainDICOM, &cfg.PlainDICOM}, {c.AE, &cfg.AE}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if err := cfg.Check(); err != nil {
		return cfg, &exitError{exitUsage, err}
	}
	return cfg, nil
}

func newLog(e *env, l config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return nil, usageError("log.level: %w", err)
	}
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(e.stderr, opts)), nil
	}
	return slog.New(slog.NewTextHandler(e.stderr, opts)), nil
}

// server is everything that runs under serve.
type server struct {
	in          *installation
	log         *slog.Logger
	certificate *identity.ServerCertificate
	blobs       *blob.Dir
	archive     *archive.Archive
	guard       *guard.Guard
	service     *pacs.Service
	projects    *pacs.Projects
	posture     *posture.Posture
	before      time.Time       // files older than this and without a row are nobody's
	teller      *posture.Teller // nil: nobody is told
	mux         *dimse.Mux
	states      *state.Register
	// stateChanges are on their way to the trail.
	stateChanges chan audit.Record
	meter        *meter
	keeper       *audit.Keeper
	reserve      *reserve.Reserve
	inspector    *inspector
	// fileCertificate is that of the HTTPS listener, where it comes from files.
	fileCertificate *identity.FileCertificate
	hangup          chan os.Signal // SIGHUP, to read its files again
}

func newServer(in *installation, log *slog.Logger) (*server, error) {
	cert, err := identity.NewServerCertificate(in.authority, serverHosts(in.config))
	if err != nil {
		return nil, err
	}

	blobs, err := blob.OpenDir(filepath.Join(in.config.Data, blobsDir))
	if err != nil {
		return nil, err
	}
	states := state.New(time.Now)
	look, err := newInspector(in.config.Inspect, states, log)
	if err != nil {
		return nil, errors.Join(err, blobs.Close())
	}

	watch := &signatureWatch{trail: in.trail, log: log}
	o := in.archiveOptions(blobs)
	o.Inspect = watch.behind(look.look)
	in.states = states
	room := reserve.New(in.config.Data, states, log)
	o.Room = room.Room
	a, err := archive.Open(o)
	if err != nil {
		return nil, errors.Join(err, blobs.Close())
	}

	tokens, err := tokenVerifier(in.config)
	if err != nil {
		return nil, errors.Join(err, blobs.Close())
	}
	people, err := signIn(in, states)
	if err != nil {
		return nil, errors.Join(err, blobs.Close())
	}

	keeper := audit.NewKeeper(in.trail, in.config.Audit.Wait, states, log, time.Now)
	g := guard.New(guard.Options{
		Keeper: keeper, Patient: a.PatientOf, Studies: a.StudiesWith,
		SignIn: people, Tokens: tokens, AETitle: in.config.AE, Registry: in.registry, Trail: in.trail, Inventory: in.inventory, Log: log,
		Memory: budget.New(in.config.Limits.Memory), Rooms: rooms(in.config.Limits, log), Pending: in.config.Limits.PendingDevices, Now: time.Now,
	})
	s := &server{before: time.Now(), in: in, log: log, certificate: cert, blobs: blobs, archive: a, guard: g, mux: g.NewMux(), states: states, keeper: keeper, reserve: room, inspector: look, stateChanges: make(chan audit.Record, 64)}
	s.tellStates()
	s.meter = newMeter(s)
	g.Measure = s.meter.observe
	if s.projects, err = openProjects(in, a, log); err != nil {
		return nil, errors.Join(err, blobs.Close())
	}

	s.posture = newPosture(in, a, log)
	if s.teller, err = newTeller(s.posture, in, cert.Get); err != nil {
		return nil, errors.Join(err, blobs.Close())
	}
	if s.teller != nil {
		s.teller.States = states
	}

	s.service = pacs.New(pacs.Options{
		Scope:   guard.Scope,
		Archive: a, DB: in.db, Registers: in.registers, Log: log, AETitle: in.config.AE, FindMatches: in.config.Limits.FindMatches, Window: pacs.DefaultWindow,
		Destinations: &guard.Egress{AETitle: in.config.AE, Registry: in.registry, Certificate: cert.Get, Guard: g},
	})
	s.service.Register(s.mux)
	return s, nil
}

// tokenVerifier is for the tokens of the configured issuer; nil without one.
func tokenVerifier(c config.Config) (*identity.TokenVerifier, error) {
	if c.Tokens.Issuer == "" {
		return nil, nil
	}
	keys, err := os.ReadFile(c.Tokens.Keys)
	if err != nil {
		return nil, usageError("tokens.keys: %w", err)
	}
	audience := c.Tokens.Audience
	if audience == "" {
		audience = c.AE
	}
	return identity.NewTokenVerifier(c.Tokens.Issuer, audience, keys, time.Now)
}

func (s *server) archiveClose() error {
	s.posture.Close()
	return s.blobs.Close()
}

// serverHosts are the names under which the server is reached.
func serverHosts(c config.Config) []string {
	hosts := append([]string{}, c.Hosts...)
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, strings.ToLower(name))
	}
	for _, addr := range []string{c.DICOM, c.HTTP} {
		if host, _, err := net.SplitHostPort(addr); err == nil && net.ParseIP(host) != nil && !net.ParseIP(host).IsUnspecified() {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// recordInstance writes what happens to instances into the trail, in the
// transaction in which it happens.
func recordInstance(log *ledger.Log, trail *audit.Trail, registry *identity.Registry) func(context.Context, *db.Tx, archive.Event) error {
	return func(ctx context.Context, tx *db.Tx, ev archive.Event) error {
		if err := instanceLeaf(ctx, log, tx, ev); err != nil {
			return err
		}

		r := audit.Record{
			Event: audit.Transferred, Action: audit.Create, Door: ev.Source.Door, Principal: ev.Source.Principal, Kind: ev.Source.Kind, Rule: ev.Source.Rule, Time: ev.Time,
			Peer: audit.Peer{Address: ev.Source.Address, CallingAETitle: ev.Source.AETitle}, Association: ev.Source.Association,
			Objects: []audit.Object{{
				Study: ev.Instance.StudyUID, Patient: ev.Whose.Patient, PatientIssuer: ev.Whose.PatientIssuer,
				SOPClasses: map[string]int{ev.Instance.SOPClassUID: 1}, Instances: 1,
				Detail: ev.Instance.SOPInstanceUID,
			}},
		}

		switch ev.Kind {
		case archive.Stored:
			o := &r.Objects[0]
			var err error
			if o.Patient, o.PatientIssuer, err = archive.PatientIn(ctx, tx, o.Study); err != nil {
				return err
			}
		case archive.Refused:
			r.Event, r.Outcome, r.Reason = audit.SecurityAlert, audit.SeriousFailure, "refused, the quarantine has no room: "+string(ev.Reason)+found(ev)
		case archive.Quarantined:
			r.Event, r.Outcome, r.Reason = audit.SecurityAlert, audit.SeriousFailure, "held back: "+string(ev.Reason)+found(ev)
			if ev.Reason == archive.Suspicious {
				r.Code = audit.HeldSuspicious
			}
		case archive.Deleted:
			if ev.Together == nil {
				return nil
			}
			if err := endAccess(ctx, registry, tx, ev); err != nil {
				return err
			}
			r = deletionRecord(r, ev)
		case archive.Released, archive.Destroyed:
			r.Event, r.Reason, r.Door, r.Kind = audit.QuarantineChanged, string(ev.Kind)+" from quarantine: "+string(ev.Reason), audit.DoorCommand, string(policy.Person)
			if ev.Reason == archive.Unneeded {
				r.Reason = "set aside, and removed: " + ev.Why
			}
		}

		if ev.Source.Person != "" {
			r.Objects = append([]audit.Object{{Person: ev.Source.Person}}, r.Objects...)
		}
		return trail.WriteTx(ctx, tx, r)
	}
}

// found is what an inspection found, behind the reason.
func found(ev archive.Event) string {
	if ev.Why == "" {
		return ""
	}
	return ": " + ev.Why
}

// instanceLeaf writes what happened to an instance into the ledger: which bytes
// are stored under its UID, or that they were held back, released or destroyed.
func instanceLeaf(ctx context.Context, log *ledger.Log, tx *db.Tx, ev archive.Event) error {
	b, err := json.Marshal(ev.Statement())
	if err != nil {
		return fmt.Errorf("encode ledger leaf: %w", err)
	}
	_, err = log.Append(ctx, tx, ledger.Leaf{Kind: archive.LeafKind, Ref: ev.Instance.SOPInstanceUID, Data: string(b)})
	return err
}

// run listens until the context ends.
func (s *server) run(e *env) error {
	cfg := s.in.config
	repository, err := s.newRepository()
	if err != nil {
		return err
	}

	dicomListener, err := net.Listen("tcp", cfg.DICOM)
	if err != nil {
		return fmt.Errorf("listen for DICOM: %w; choose another address with --dicom", err)
	}
	web, err := s.listenWeb()
	if err != nil {
		return errors.Join(err, dicomListener.Close())
	}

	work, stop := context.WithCancel(context.WithoutCancel(e.ctx))
	defer stop()
	var wg sync.WaitGroup
	failed := make(chan error, 3)

	bare := &bareAddresses{s: s}
	bare.look(e.ctx)
	associations := s.associationServer(tlsprofile.WithoutCertificate(tlsprofile.AssociationServer(s.certificate.Get), bare.may))
	s.rememberAddresses(e.ctx)
	dicom := s.guard.Rooms.DICOM.Listen(dicomListener)
	wg.Go(func() { failed <- associations.Serve(work, dicom) })
	wg.Go(func() { s.service.Deliver(work) })
	wg.Go(func() { s.keeper.Run(work) })
	wg.Go(func() { s.keepAddresses(work) })
	wg.Go(func() { s.recordStates(work) })
	wg.Go(func() { s.examine(work) })
	wg.Go(func() { s.reserve.Run(work) })
	wg.Go(func() { s.inspector.watch(work) })
	wg.Go(func() { s.settle(work) })
	wg.Go(func() { s.sweep(work) })
	wg.Go(func() { s.witness(work) })
	if repository != nil {
		wg.Go(func() { repository.Run(work) })
	}
	s.watch(work, &wg)
	plain := s.newPlainListener()
	wg.Go(func() { plain.run(work) })
	wg.Go(func() { bare.run(work) })
	wg.Go(func() { s.reloads(work) })
	if web != nil {
		wg.Go(func() { failed <- web.serve() })
	}

	s.record(e.ctx, audit.ApplicationStart)
	s.welcome(e, dicomListener.Addr(), web)

	var cause error
	select {
	case <-e.ctx.Done():
	case cause = <-failed:
	}

	grace, cancel := context.WithTimeout(work, shutdownGrace)
	defer cancel()
	s.log.Info("stopping; open associations may finish", "seconds", int(shutdownGrace.Seconds()))
	err = errors.Join(cause, orderly(associations.Shutdown(grace)), web.shutdown(grace), plain.shutdown(grace))

	s.posture.Close()
	stop()
	wg.Wait()
	s.record(work, audit.ApplicationStop)
	return err
}

// orderly drops the errors by which a server says that it was stopped.
func orderly(err error) error {
	if errors.Is(err, dimse.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func (s *server) record(ctx context.Context, event audit.Event) {
	err := s.in.trail.Write(context.WithoutCancel(ctx), audit.Record{Event: event, Action: audit.Execute, Door: audit.DoorCommand, Principal: operator(), Kind: string(policy.Person)})
	if err != nil {
		s.log.Error("audit record lost", "event", string(event), "error", err)
	}
}

// sweep removes what a killed process left behind.
func (s *server) sweep(ctx context.Context) {
	sweepScratch(s.in.config.Data)
	for {
		s.setAside(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(setAsideEvery):
			s.before = time.Now().Add(-archive.InProgress)
		}
	}
}

// setAsideEvery is how often files without a row are looked for.
const setAsideEvery = 24 * time.Hour

// setAside puts files aside of which the index knows nothing.
func (s *server) setAside(ctx context.Context) {
	u, err := s.archive.SetAside(ctx, s.before, fateOf(s.in.ledger))
	if err != nil && ctx.Err() == nil {
		s.log.Error("files without a row not looked for", "error", err)
	}
	if u.Deleted > 0 {
		s.log.Info("files removed whose deletion was recorded and cut off", "files", u.Deleted)
	}
	if u.SetAside > 0 {
		s.log.Warn("files of which the index knows nothing were set aside; a killed process leaves a few, an index that is older than the files many: "+
			"see 'collimator lost list' and docs/operate.md, \"The index is gone\"", "files", u.SetAside)
	}
}

// settle makes sure of the directories that are there, so that images do not
// pay for it one by one.
func (s *server) settle(ctx context.Context) {
	if err := s.blobs.Settle(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the directories of the store were not synced; each image syncs its own", "error", err)
	}
}
