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
	"collimator/internal/policy"
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
	plain := s.newPlainListener()

	if repository != nil {
		wg.Go(func() { repository.Run(work) })
	}
	s.Watch(work, &wg)
	for _, run := range []func(context.Context){
		s.service.Deliver, s.keeper.Run, s.keepAddresses, s.recordStates, s.examine, s.reserve.Run, s.inspector.watch,
		s.settle, s.sweep, s.witness, s.reloads, plain.run, bare.run,
	} {
		wg.Go(func() { run(work) })
	}

	s.record(ctx, audit.ApplicationStart)
	s.tell(started, dicomListener, web)

	// Nobody is told that all is well because nobody has looked yet.
	s.look(ctx)
	wg.Go(func() { failed <- associations.Serve(work, dicom) })
	if web != nil {
		wg.Go(func() { failed <- web.Serve() })
	}

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
