package house

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"collimator/dimse"
	"collimator/internal/httpsec"
)

// AssociationServer is a server for associations; without a TLS configuration
// it is the one for devices with a plaintext exception.
func (s *Server) AssociationServer(config *tls.Config) *dimse.Server {
	services := s.applicationEntities()
	return &dimse.Server{
		TLSConfig: config,
		Admit: func(ctx context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			return s.Guard.Admit(ctx, rq, services(rq))
		},
		Mux: s.mux,
		Limits: dimse.Limits{
			// The rooms bound connections.
			Connections: unboundedHere, ConnectionsPerAddress: unboundedHere, Idle: s.in.Config.Limits.Idle,
		},
		Log:           s.log,
		OnRefused:     s.Guard.Refused,
		OnAssociation: s.opened,
	}
}

// opened tells the gate of an association that is not with the archive.
func (s *Server) opened(a *dimse.Association) (ended func()) {
	if a.CalledAETitle() == s.in.Config.AE {
		return nil
	}
	if ended, mine := s.outbound.Opened(a); mine {
		return ended
	}
	return s.gate.Opened(a)
}

const unboundedHere = 1 << 20

// plainListener opens the listener without TLS while a device has an exception
// for it, and closes it when the last one ends.
type plainListener struct {
	s *Server

	mu      sync.Mutex
	current *dimse.Server
	done    chan struct{}
}

// plainPart is the state of that listener, while a device has an exception.
const plainPart = "listener.plain"

// exceptionsEvery is how often exceptions are looked for where Installation.LookEvery
// says nothing; 'device add' may change them from another process.
const exceptionsEvery = 2 * time.Second

func (s *Server) newPlainListener() *plainListener { return &plainListener{s: s} }

// Run follows the register until ctx ends.
func (p *plainListener) run(ctx context.Context) {
	if p.s.in.Config.PlainDICOM == "" {
		return
	}

	ticker := time.NewTicker(cmp.Or(p.s.in.LookEvery, exceptionsEvery))
	defer ticker.Stop()
	for {
		open, err := p.s.in.Registry.PlaintextOpen(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.s.log.Error("plaintext exceptions not read", "error", err)
		case open || len(p.s.gate.Routes()) > 0: // what stands behind a route comes without TLS
			p.open(ctx)
		default:
			p.shutdown(ctx)
		}

		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *plainListener) open(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		return
	}
	addr := p.s.in.Config.PlainDICOM
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		// It is tried again at every look; the state is told when it changes alone.
		p.s.States.Failing(plainPart, fmt.Sprintf("the listener without TLS is not open: %v", err),
			"free the address, or set plain_dicom to another one and restart")
		return
	}
	server := p.s.AssociationServer(nil)
	done := make(chan struct{})
	ln = p.s.Guard.Rooms.Plain.Listen(ln)
	p.current = server
	p.done = done
	go func() {
		defer close(done)
		if err := orderly(server.Serve(ctx, ln)); err != nil && ctx.Err() == nil {
			p.s.log.Error("listener without TLS ended", "error", err)
		}
	}()
	p.s.States.Well(plainPart, "devices with an exception and systems behind routes come in without TLS at "+addr)
	p.s.log.Warn("listening WITHOUT TLS for devices with an exception and systems behind routes; "+
		"see 'collimator device list' and 'collimator gate list'", "address", addr)
}

// Shutdown closes the listener and waits for its associations as long as ctx lasts.
func (p *plainListener) shutdown(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.s.States.Forget(plainPart)
	if p.current == nil {
		return nil
	}
	err := orderly(p.current.Shutdown(ctx))
	<-p.done
	p.current = nil
	p.s.log.Info("listener without TLS closed")
	return err
}

// webListener is the HTTPS side.
type webListener struct {
	ln     net.Listener
	server *http.Server
}

// ListenWeb opens the HTTPS listener; nil where it is turned off.
func (s *Server) ListenWeb() (*webListener, error) {
	addr := s.in.Config.HTTP
	if addr == "" {
		return nil, nil
	}

	config, err := s.webTLS()
	if err != nil {
		return nil, err
	}

	s.webConfig = config

	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTPS: %w; choose another address with --http", err)
	}

	server := &http.Server{
		ConnState:         s.Guard.Rooms.Web.ConnState,
		ConnContext:       httpsec.Pace{}.ConnContext,
		Handler:           s.Handler(),
		TLSConfig:         config,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		// Else net/http answers OPTIONS * itself, whoever asks.
		DisableGeneralOptionsHandler: true,

		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: webStreams},
		ErrorLog: quietLog(),
	}
	server.RegisterOnShutdown(s.bell.Close) // those who listen would keep it open
	return &webListener{ln: s.Guard.Rooms.Web.Listen(ln), server: server}, nil
}

func (w *webListener) Serve() error {
	if err := w.server.ServeTLS(w.ln, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (w *webListener) Shutdown(ctx context.Context) error {
	if w == nil {
		return nil
	}
	return w.server.Shutdown(ctx)
}
