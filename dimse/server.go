package dimse

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Server accepts associations. Set its fields before Serve; do not change them after.
type Server struct {
	// TLSConfig, when set, makes every connection TLS. A peer that sends a plain
	// A-ASSOCIATE-RQ is answered with A-ASSOCIATE-RJ, never served, and reported.
	TLSConfig *tls.Config
	// Admit decides on each association that is asked for. Any error rejects it;
	// a *RejectError says how. nil rejects everything.
	Admit func(ctx context.Context, rq *AssociateRequest) (Acceptance, error)
	// Mux answers the requests, where Acceptance names no other. nil refuses everything.
	Mux    *Mux
	Limits Limits
	// Log gets association ends, panics and, at debug level, operations; nil is silent.
	Log *slog.Logger
	// OnRefused is told of every connection that did not become an association.
	// It must be safe for concurrent use and be quick.
	OnRefused func(Refusal)
	// OnAssociation is told of every association once it is established; the
	// function it returns, when not nil, runs at its end.
	OnAssociation func(a *Association) (ended func())

	once     sync.Once
	buffers  buffers
	caps     *caps
	mu       sync.Mutex
	closing  bool
	stop     []context.CancelFunc
	open     map[*Association]struct{}
	conns    map[net.Conn]struct{}
	running  sync.WaitGroup
	accepted atomic.Int64
	refused  atomic.Int64
	panicked atomic.Int64
}

// RefusalKind says at which step a connection was refused.
type RefusalKind uint8

// Steps of refusal.
const (
	RefusedCap       RefusalKind = iota + 1 // cap on connections or their rate
	RefusedTimeout                          // no complete A-ASSOCIATE-RQ in time
	RefusedTLS                              // the TLS handshake did not succeed
	RefusedPlaintext                        // plain DICOM on a TLS port; Request says what was asked
	RefusedGarbage                          // first bytes that are neither DICOM nor TLS, or TLS on a plain port
	RefusedMalformed                        // an A-ASSOCIATE-RQ that cannot be read, or another PDU in its place
	RefusedRejected                         // A-ASSOCIATE-RJ: Admit said no, or nothing acceptable was asked
	RefusedClosed                           // the peer closed before it asked for anything
)

// String is the step in a word.
func (k RefusalKind) String() string {
	switch k {
	case RefusedCap:
		return "cap"
	case RefusedTimeout:
		return "timeout"
	case RefusedTLS:
		return "tls"
	case RefusedPlaintext:
		return "plaintext"
	case RefusedGarbage:
		return "garbage"
	case RefusedMalformed:
		return "malformed"
	case RefusedRejected:
		return "rejected"
	case RefusedClosed:
		return "closed"
	}
	return "unknown"
}

// Refusal is a connection that did not become an association.
type Refusal struct {
	Kind       RefusalKind
	RemoteAddr net.Addr
	LocalAddr  net.Addr
	// TLS is the state of the connection as far as it got; nil without TLS.
	TLS *tls.ConnectionState
	// Request is what was asked, when it could be read.
	Request *AssociateRequest
	Err     error
}

// Stats counts since the start.
type Stats struct {
	// Connections and Associations are open now.
	Connections, Associations int
	Accepted, Refused, Panics int64
}

// Stats of the server; safe for concurrent use.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Connections:  len(s.conns),
		Associations: len(s.open),
		Accepted:     s.accepted.Load(),
		Refused:      s.refused.Load(),
		Panics:       s.panicked.Load(),
	}
}

func (s *Server) init() {
	s.once.Do(func() {
		s.Limits = s.Limits.withDefaults()
		s.caps = newCaps(s.Limits)
		s.open = make(map[*Association]struct{})
		s.conns = make(map[net.Conn]struct{})
	})
}

// Serve accepts connections until ctx ends, Shutdown is called or the listener
// fails; it closes ln and returns once every connection it accepted has ended. When
// ctx ends, associations are aborted. After Shutdown it returns ErrServerClosed.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	s.init()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		ln.Close()
		return ErrServerClosed
	}
	listening, stopListening := context.WithCancel(ctx)
	s.stop = append(s.stop, stopListening)
	s.mu.Unlock()

	unhook := context.AfterFunc(listening, func() { ln.Close() })
	defer unhook()
	defer stopListening()
	abort := context.AfterFunc(ctx, s.abortAll)
	defer abort()

	var conns sync.WaitGroup
	defer conns.Wait()

	for delay := time.Duration(0); ; {
		conn, err := ln.Accept()
		if err != nil {
			switch {
			case s.isClosing():
				return ErrServerClosed
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, net.ErrClosed):
				return err
			}

			delay = min(max(2*delay, 5*time.Millisecond), time.Second) // out of descriptors: wait for some to close
			select {
			case <-listening.Done():
			case <-time.After(delay):
			}
			continue
		}

		delay = 0
		if !s.caps.take(conn.RemoteAddr()) {
			s.refuse(Refusal{Kind: RefusedCap, RemoteAddr: conn.RemoteAddr(), LocalAddr: conn.LocalAddr(), Err: ErrTooMany})
			conn.Close()
			continue
		}

		conns.Add(1)
		s.running.Add(1)
		go func() { // ends with the connection, which has deadlines throughout
			defer conns.Done()
			defer s.running.Done()
			defer s.caps.give(conn.RemoteAddr())
			s.serveConn(ctx, conn)
		}()
	}
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// Shutdown stops accepting, aborts associations as soon as they are between
// operations, and at the end of ctx all that are left. It returns when every
// connection has ended: nil, or the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.init()

	s.mu.Lock()
	s.closing = true
	for _, stop := range s.stop {
		stop()
	}
	s.mu.Unlock()

	ended := make(chan struct{})
	go func() { // ends when the connections have
		s.running.Wait()
		close(ended)
	}()

	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()

	for {
		s.abortIdle()
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			s.abortAll()
			s.closeAll()
			<-ended
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (s *Server) each() []*Association {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Association, 0, len(s.open))
	for a := range s.open {
		out = append(out, a)
	}
	return out
}

func (s *Server) abortIdle() {
	s.abort(func(a *Association) bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.inbound) == 0 && len(a.pending) == 0
	})

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		for c := range s.conns { // still asking, or lingering
			c.SetReadDeadline(time.Now())
		}
	}
}

func (s *Server) abortAll() {
	s.abort(func(*Association) bool { return true })
	s.closeAll()
}

// abort aborts the associations that meet the condition, all at a time: a peer that
// does not read holds up no other.
func (s *Server) abort(which func(*Association) bool) {
	var all sync.WaitGroup
	for _, a := range s.each() {
		if which(a) {
			all.Go(func() { a.abortWith(ErrServerClosed) })
		}
	}
	all.Wait()
}

func (s *Server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// refuse counts and reports.
func (s *Server) refuse(r Refusal) {
	s.refused.Add(1)
	if s.OnRefused != nil {
		s.OnRefused(r)
	}
}
