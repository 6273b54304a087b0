package house

import (
	"context"
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
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/pacs"
	"collimator/internal/policy"
	"collimator/internal/posture"
	"collimator/internal/reserve"
	"collimator/internal/state"
	"collimator/internal/tlsprofile"
)

// Listening is where a server is reached.
type Listening struct {
	DICOM net.Addr
	Web   net.Addr // nil: there is no HTTPS listener
}

// tell says where the server listens.
func (s *Server) tell(started func(Listening), dicom net.Listener, web *webListener) {
	if started == nil {
		return
	}

	at := Listening{DICOM: dicom.Addr()}
	if web != nil {
		at.Web = web.ln.Addr()
	}
	started(at)
}

// shutdownGrace is how long open associations may go on after a signal.
const shutdownGrace = 30 * time.Second

// Server is everything that runs under serve.
type Server struct {
	in          *Installation
	log         *slog.Logger
	Certificate *identity.ServerCertificate
	blobs       *blob.Dir
	Archive     *archive.Archive
	Guard       *guard.Guard
	service     *pacs.Service
	projects    *pacs.Projects
	Posture     *posture.Posture
	before      time.Time       // files older than this and without a row are nobody's
	Teller      *posture.Teller // nil: nobody is told
	mux         *dimse.Mux
	States      *state.Register
	// stateChanges are on their way to the trail.
	stateChanges chan audit.Record
	meter        *meter
	keeper       *audit.Keeper
	reserve      *reserve.Reserve
	inspector    *inspector
	// fileCertificate is that of the HTTPS listener, where it comes from files.
	FileCertificate *identity.FileCertificate
	hangup          chan os.Signal // SIGHUP, to read its files again
}

func NewServer(in *Installation, log *slog.Logger) (*Server, error) {
	cert, err := identity.NewServerCertificate(in.Authority, ServerHosts(in.Config))
	if err != nil {
		return nil, err
	}

	blobs, err := blob.OpenDir(filepath.Join(in.Config.Data, BlobsDir))
	if err != nil {
		return nil, err
	}
	states := state.New(time.Now)
	look, err := newInspector(in.Config.Inspect, states, log)
	if err != nil {
		return nil, errors.Join(err, blobs.Close())
	}

	watch := &signatureWatch{trail: in.Trail, log: log}
	o := in.archiveOptions(blobs)
	o.Inspect = watch.behind(look.look)
	in.states = states
	room := reserve.New(in.Config.Data, states, log)
	o.Room = room.Room
	a, err := archive.Open(o)
	if err != nil {
		return nil, errors.Join(err, blobs.Close())
	}

	tokens, err := tokenVerifier(in.Config)
	if err != nil {
		return nil, errors.Join(err, blobs.Close())
	}
	people, err := signIn(in, states)
	if err != nil {
		return nil, errors.Join(err, blobs.Close())
	}

	keeper := audit.NewKeeper(in.Trail, in.Config.Audit.Wait, states, log, time.Now)
	g := guard.New(guard.Options{
		Keeper: keeper, Patient: a.PatientOf, Studies: a.StudiesWith,
		SignIn: people, Tokens: tokens, AETitle: in.Config.AE, Registry: in.Registry, Trail: in.Trail, Inventory: in.Inventory, Log: log,
		Memory: budget.New(in.Config.Limits.Memory), Rooms: rooms(in.Config.Limits, log), Pending: in.Config.Limits.PendingDevices, Now: time.Now,
	})
	s := &Server{before: time.Now(), in: in, log: log, Certificate: cert, blobs: blobs, Archive: a, Guard: g, mux: g.NewMux(), States: states, keeper: keeper, reserve: room, inspector: look, stateChanges: make(chan audit.Record, 64)}
	s.tellStates()
	s.meter = newMeter(s)
	g.Measure = s.meter.observe
	if s.projects, err = OpenProjects(in, a, log); err != nil {
		return nil, errors.Join(err, blobs.Close())
	}

	s.Posture = NewPosture(in, a, log)
	if s.Teller, err = NewTeller(s.Posture, in, cert.Get); err != nil {
		return nil, errors.Join(err, blobs.Close())
	}
	if s.Teller != nil {
		s.Teller.States = states
	}

	s.service = pacs.New(pacs.Options{
		Scope:   guard.Scope,
		Archive: a, DB: in.DB, Registers: in.Registers, Log: log, AETitle: in.Config.AE, FindMatches: in.Config.Limits.FindMatches, Window: pacs.DefaultWindow,
		Destinations: &guard.Egress{AETitle: in.Config.AE, Registry: in.Registry, Certificate: cert.Get, Guard: g},
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
		return nil, usage("tokens.keys: %w", err)
	}
	audience := c.Tokens.Audience
	if audience == "" {
		audience = c.AE
	}
	return identity.NewTokenVerifier(c.Tokens.Issuer, audience, keys, time.Now)
}

func (s *Server) Close() error {
	s.Posture.Close()
	return s.blobs.Close()
}

// ServerHosts are the names under which the server is reached.
func ServerHosts(c config.Config) []string {
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

// Run listens until the context ends.
//
// started is told where, once; it may be nil.
func (s *Server) Run(ctx context.Context, started func(Listening)) error {
	cfg := s.in.Config
	repository, err := s.newRepository()
	if err != nil {
		return err
	}

	dicomListener, err := net.Listen("tcp", cfg.DICOM)
	if err != nil {
		return fmt.Errorf("listen for DICOM: %w; choose another address with --dicom", err)
	}
	web, err := s.ListenWeb()
	if err != nil {
		return errors.Join(err, dicomListener.Close())
	}

	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	failed := make(chan error, 3)

	bare := &bareAddresses{s: s}
	bare.look(ctx)
	associations := s.AssociationServer(tlsprofile.WithoutCertificate(tlsprofile.AssociationServer(s.Certificate.Get), bare.may))
	s.rememberAddresses(ctx)
	dicom := s.Guard.Rooms.DICOM.Listen(dicomListener)
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
	s.Watch(work, &wg)
	plain := s.newPlainListener()
	wg.Go(func() { plain.run(work) })
	wg.Go(func() { bare.run(work) })
	wg.Go(func() { s.reloads(work) })
	if web != nil {
		wg.Go(func() { failed <- web.Serve() })
	}

	s.record(ctx, audit.ApplicationStart)
	s.tell(started, dicomListener, web)

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
	}

	grace, cancel := context.WithTimeout(work, shutdownGrace)
	defer cancel()
	s.log.Info("stopping; open associations may finish", "seconds", int(shutdownGrace.Seconds()))
	err = errors.Join(cause, orderly(associations.Shutdown(grace)), web.Shutdown(grace), plain.shutdown(grace))

	s.Posture.Close()
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

func (s *Server) record(ctx context.Context, event audit.Event) {
	err := s.in.Trail.Write(context.WithoutCancel(ctx), audit.Record{Event: event, Action: audit.Execute, Door: audit.DoorCommand, Principal: Operator(), Kind: string(policy.Person)})
	if err != nil {
		s.log.Error("audit record lost", "event", string(event), "error", err)
	}
}

// sweep removes what a killed process left behind.
func (s *Server) sweep(ctx context.Context) {
	SweepScratch(s.in.Config.Data)
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
func (s *Server) setAside(ctx context.Context) {
	u, err := s.Archive.SetAside(ctx, s.before, Fate(s.in.Ledger))
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
func (s *Server) settle(ctx context.Context) {
	if err := s.blobs.Settle(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the directories of the store were not synced; each image syncs its own", "error", err)
	}
}
