package house

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"collimator/dimse"
	"collimator/internal/audit"
	"collimator/internal/gate"
	"collimator/internal/policy"
	"collimator/internal/tlsprofile"
)

// Listening is where a server is reached.
type Listening struct {
	DICOM net.Addr
	Web   net.Addr // nil: there is no HTTPS listener
	// Routes of the gate, as they are at the start, by name.
	Routes []gate.Route
}

// shutdownGrace is how long open associations may go on after a signal.
const shutdownGrace = 30 * time.Second

// Run listens until the context ends.
//
// started is told where, once; it may be nil.
func (s *Server) Run(ctx context.Context, started func(Listening)) error {
	if err := s.Doors.Begin(ctx); err != nil { // nobody is let through one; everybody else is served
		s.log.Error("maintenance doors from before are not ended yet", "error", err)
	}
	o, err := s.open(ctx)
	if err != nil {
		return err
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	s.work(work, &wg, o)

	s.record(ctx, audit.ApplicationStart)
	if started != nil {
		at := o.listening()
		at.Routes = s.gate.Routes()
		started(at)
	}

	// Nobody is told that all is well because nobody has looked yet.
	s.look(ctx)
	failed := make(chan error, 2)
	wg.Go(func() { failed <- o.associations.Serve(work, o.dicom) })
	if o.web != nil {
		wg.Go(func() { failed <- o.web.Serve() })
	}

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
	}
	s.log.Info("stopping; open associations may finish", "seconds", int(shutdownGrace.Seconds()))
	s.messages.Close()
	s.pages.Close()
	s.Doors.Close() // who maintains is told at once; associations may finish
	err = errors.Join(cause, o.shutdown(work))

	s.sends.Close() // each writes down what it sent
	s.Posture.Close()
	s.Guard.Settle()
	stop()
	wg.Wait()
	s.record(work, audit.ApplicationStop)
	return err
}

// opened is what a server that runs has open.
type opened struct {
	associations *dimse.Server
	dicom        net.Listener
	plain        *plainListener
	bare         *bareAddresses
	web          *webListener      // nil: there is no HTTPS listener
	repository   *audit.Repository // nil: records are sent nowhere
}

// open takes the addresses of the server. What is wrong with the settings comes
// before the first of them.
func (s *Server) open(ctx context.Context) (*opened, error) {
	repository, err := s.newRepository()
	if err != nil {
		return nil, err
	}

	dicom, err := net.Listen("tcp", s.in.Config.DICOM)
	if err != nil {
		return nil, fmt.Errorf("listen for DICOM: %w; choose another address with --dicom", err)
	}
	web, err := s.ListenWeb()
	if err != nil {
		return nil, errors.Join(err, dicom.Close())
	}

	bare := &bareAddresses{s: s}
	bare.look(ctx)
	secure := tlsprofile.WithoutCertificate(tlsprofile.AssociationServer(s.Certificate.Get), bare.may)
	associations := s.AssociationServer(secure)
	s.rememberAddresses(ctx)

	return &opened{
		associations: associations,
		dicom:        s.Guard.Rooms.DICOM.Listen(dicom),
		plain:        s.newPlainListener(),
		bare:         bare,
		web:          web,
		repository:   repository,
	}, nil
}

// listening says where the server is reached.
func (o *opened) listening() Listening {
	at := Listening{DICOM: o.dicom.Addr()}
	if o.web != nil {
		at.Web = o.web.ln.Addr()
	}

	return at
}

// work starts what goes on besides requests, until the context ends.
func (s *Server) work(ctx context.Context, wg *sync.WaitGroup, o *opened) {
	if o.repository != nil {
		wg.Go(func() { o.repository.Run(ctx) })
	}

	s.Watch(ctx, wg)
	for _, run := range []func(context.Context){
		s.service.Deliver, s.keeper.Run, s.keepAddresses, s.recordStates, s.examine, s.reserve.Run, s.inspector.watch,
		s.settle, s.sweep, s.witness, s.reloads, s.gate.Run, s.gate.Count, s.passed.Run,
		s.outbox.Run, s.outbound.Run, s.Doors.Run, s.messages.Run, s.pages.Run, o.plain.run, o.bare.run,
	} {
		wg.Go(func() { run(ctx) })
	}
}

// shutdown takes no new connections, and gives those that are open a while.
func (o *opened) shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()

	return errors.Join(orderly(o.associations.Shutdown(grace)), o.web.Shutdown(grace), o.plain.shutdown(grace))
}

// orderly drops the errors by which a server says that it was stopped.
func orderly(err error) error {
	if errors.Is(err, dimse.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func (s *Server) record(ctx context.Context, event audit.Event) {
	err := s.in.Trail.Write(context.WithoutCancel(ctx), audit.Record{
		Event:     event,
		Action:    audit.Execute,
		Door:      audit.DoorCommand,
		Principal: Operator(),
		Kind:      string(policy.Person),
	})
	if err != nil {
		s.log.Error("audit record lost", "event", string(event), "error", err)
	}
}
