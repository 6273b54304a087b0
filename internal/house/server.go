package house

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"collimator/dimse"
	"collimator/internal/api"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/blob"
	"collimator/internal/budget"
	"collimator/internal/config"
	"collimator/internal/disclosure"
	"collimator/internal/fault"
	"collimator/internal/firstwrite"
	"collimator/internal/gate"
	"collimator/internal/gate/face"
	"collimator/internal/gate/maintenance"
	"collimator/internal/gate/messages"
	"collimator/internal/gate/outbound"
	"collimator/internal/gate/reverse"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/outbox"
	"collimator/internal/pacs"
	"collimator/internal/posture"
	"collimator/internal/reserve"
	"collimator/internal/signin"
	"collimator/internal/state"
)

// Server is everything that runs over an installation: the doors, the archive, the
// trail, and what watches them. Make it with NewServer, Prepare it, Run it, Close
// it. Its fields are for tests and tools that start a server in process.
type Server struct {
	Archive     *archive.Archive
	Guard       *guard.Guard
	SignIn      *signin.Service
	Posture     *posture.Posture
	Teller      *posture.Teller // nil: nobody is told
	States      *state.Register
	Doors       *maintenance.Doors
	Certificate *identity.ServerCertificate
	// FileCertificate is that of the HTTPS listener, where it comes from files.
	FileCertificate *identity.FileCertificate

	in        *Installation
	log       *slog.Logger
	blobs     *blob.Dir
	service   *pacs.Service
	egress    *guard.Egress // by which devices are called
	projects  *disclosure.Projects
	faces     *face.Faces
	mux       *dimse.Mux
	gate      *gate.Gate
	outbound  *outbound.Outbound
	outbox    *outbox.Outbox     // what waits for their targets
	messages  *messages.Messages // of its routes
	pages     *reverse.Server    // of systems behind its routes
	webConfig *tls.Config        // of the HTTPS listener; nil before it is open
	bell      *api.Bell          // tells browsers what has changed
	sends     *api.Sends         // what people have sent to devices
	passed    *firstwrite.Memory // what went through its routes
	meter     *meter
	keeper    *audit.Keeper
	reserve   *reserve.Reserve
	inspector *inspector

	scopeFile    sync.Mutex        // held by who writes it
	before       time.Time         // files older than this and without a row are nobody's
	stateChanges chan audit.Record // on their way to the trail
	hangup       chan os.Signal    // SIGHUP, to read the files of the certificate again
}

// NewServer puts a server together over an installation, which outlives it. Nothing
// is served yet. A setting that cannot be is fault.Misused.
func NewServer(in *Installation, log *slog.Logger) (*Server, error) {
	cert, err := identity.NewServerCertificate(in.Authority, ServerHosts(in.Config))
	if err != nil {
		return nil, err
	}
	blobs, err := blob.OpenDir(filepath.Join(in.Config.Data, BlobsDir))
	if err != nil {
		return nil, err
	}

	s := &Server{
		in:           in,
		log:          log,
		before:       time.Now(),
		Certificate:  cert,
		blobs:        blobs,
		States:       state.New(time.Now),
		stateChanges: make(chan audit.Record, 64),
	}
	in.states = s.States

	// In this order: the door asks the archive, and what watches asks both.
	for _, open := range []func() error{s.openArchive, s.openDoor, s.openWatch} {
		if err := open(); err != nil {
			return nil, errors.Join(err, blobs.Close())
		}
	}

	return s, nil
}

// openArchive opens the archive, which inspects what comes in and keeps room on
// the disk.
func (s *Server) openArchive() error {
	look, err := newInspector(s.in.Config.Inspect, s.States, s.log)
	if err != nil {
		return err
	}
	s.inspector = look
	s.reserve = reserve.New(s.in.Config.Data, s.States, s.log)

	watch := &signatureWatch{trail: s.in.Trail, log: s.log}
	o := s.in.archiveOptions(s.blobs)
	o.Inspect = watch.behind(look.look)
	o.Room = s.reserve.Room
	if s.Archive, err = archive.Open(o); err != nil {
		return err
	}
	s.projects, err = OpenProjects(s.in, s.Archive, s.log)

	return err
}

// openDoor opens the door, and the services behind it.
func (s *Server) openDoor() error {
	in := s.in
	tokens, err := tokenVerifier(in.Config)
	if err != nil {
		return err
	}
	people, err := signIn(in, s.States)
	if err != nil {
		return err
	}

	s.keeper = audit.NewKeeper(in.Trail, in.Config.Audit.Wait, s.States, s.log, time.Now)
	s.Guard = guard.New(guard.Options{
		Registry:  in.Registry,
		Trail:     in.Trail,
		Keeper:    s.keeper,
		Inventory: in.Inventory,
		Sessions:  identity.NewSessions(in.Registry, SessionLimits(in.Config)),
		Local:     people.Local,
		Tokens:    tokens,
		Patient:   s.Archive.PatientOf,
		Studies:   s.Archive.StudiesWith,
		Memory:    budget.New(in.Config.Limits.Memory),
		Rooms:     rooms(in.Config.Limits, s.log),
		Pending:   in.Config.Limits.PendingDevices,
		Log:       s.log,
		Now:       time.Now,
	})

	s.SignIn = signin.New(s.Guard, people)
	s.mux = s.Guard.NewMux()
	s.meter = newMeter(s)
	s.Guard.Measure = s.meter.observe

	s.egress = &guard.Egress{
		AETitle:     in.Config.AE,
		Registry:    in.Registry,
		Certificate: s.Certificate.Get,
		Guard:       s.Guard,
	}
	s.service = pacs.New(pacs.Options{
		Scope:        guard.Scope,
		Archive:      s.Archive,
		DB:           in.DB,
		Registers:    in.Registers,
		Log:          s.log,
		AETitle:      in.Config.AE,
		FindMatches:  in.Config.Limits.FindMatches,
		Window:       pacs.DefaultWindow,
		Destinations: s.egress,
	})
	s.service.Register(s.mux)

	if err := s.openGate(s.egress); err != nil {
		return err
	}
	return s.openDoors()
}

// openWatch opens what scans, reports and tells.
func (s *Server) openWatch() error {
	s.tellStates()
	s.Posture = NewPosture(s.in, s.Archive, s.log)
	s.bell = api.NewBell(s.in.Trail, s.Posture, s.log)
	s.sends = api.NewSends(s.Guard, s.service.Delivery, s.bell, time.Now)

	var err error
	if s.Teller, err = NewTeller(s.Posture, s.in, s.Certificate.Get, s.log); err != nil {
		return err
	}
	if s.Teller != nil {
		s.Teller.States = s.States
	}

	return nil
}

// tokenVerifier is for the tokens of the configured issuer; nil without one.
func tokenVerifier(c config.Config) (*identity.TokenVerifier, error) {
	if c.Tokens.Issuer == "" {
		return nil, nil
	}

	keys, err := os.ReadFile(c.Tokens.Keys)
	if err != nil {
		return nil, fault.Usage("tokens.keys: %w", err)
	}

	audience := c.Tokens.Audience
	if audience == "" {
		audience = c.AE
	}
	return identity.NewTokenVerifier(c.Tokens.Issuer, audience, keys, time.Now)
}

// Close ends the server. The installation stays open.
func (s *Server) Close() error {
	s.sends.Close()
	s.Posture.Close()
	s.faces.Close()
	s.Doors.Close()
	s.messages.Close()
	s.pages.Close()
	s.gate.Close()
	s.outbound.Close()

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
