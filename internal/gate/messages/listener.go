package messages

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/hl7"
	"collimator/internal/places"
	"collimator/internal/tlsprofile"
)

// Bounds of connections of senders.
const (
	fromMost      = 16               // connections of one address
	handshakeMost = 10 * time.Second // for TLS
	idleMost      = time.Hour        // between two messages
	arriveMost    = time.Minute      // from the first byte of a message to its last
	writeMost     = 30 * time.Second // for an answer to be taken
)

// rooms are the places of one listener: strangers keep nobody out who was let in before.
func rooms() places.Limits {
	return places.Limits{
		Strangers: 32, Known: 32, StrangersPerAddress: fromMost, Admitted: 64, AdmittedPerAddress: fromMost,
		FirstByte: 3 * time.Second, Ask: handshakeMost,
	}
}

// listener takes the senders of one route.
type listener struct {
	m     *Messages
	name  string
	route atomic.Pointer[Route]
	ln    net.Listener
	room  *places.Room
	end   context.CancelFunc // of all connections
	going sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (m *Messages) start(r *Route, ln net.Listener) *listener {
	ctx, end := context.WithCancel(context.Background())
	l := &listener{m: m, name: r.Name, room: places.New(rooms()), end: end, conns: map[net.Conn]bool{}}
	l.room.Refused = func(remote net.Addr, reason string) { l.recordRefused(addressIn(remote), reason) }
	l.ln = l.room.Listen(ln)
	l.route.Store(r)
	l.going.Go(func() { l.accept(ctx) })
	return l
}

// Close ends the listener and what came through it, and waits for that.
func (l *listener) Close() {
	l.end()
	l.ln.Close()
	l.mu.Lock()
	for conn := range l.conns {
		conn.Close()
	}
	l.mu.Unlock()
	l.going.Wait()
}

func (l *listener) accept(ctx context.Context) {
	for {
		conn, err := l.ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			l.m.Log.Error("no connection taken", "route", l.name, "error", err)
			time.Sleep(100 * time.Millisecond) // descriptors may be few for a moment
			continue
		}

		if !l.enter(ctx, conn) {
			conn.Close()
			return
		}
		l.going.Go(func() {
			defer l.leave(conn)
			l.serve(ctx, conn)
		})
	}
}

func addressIn(remote net.Addr) netip.Addr {
	at, _ := netip.ParseAddrPort(remote.String()) // of TCP it is one
	return at.Addr().Unmap()
}

// enter makes a connection one that close closes; false where that has been.
func (l *listener) enter(ctx context.Context, conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	l.conns[conn] = true
	return true
}

func (l *listener) leave(conn net.Conn) {
	conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}

// refuse closes a connection, and records why.
func (l *listener) refuse(conn net.Conn, ip netip.Addr, reason string) {
	conn.Close()
	l.recordRefused(ip, reason)
}

// recordRefused records why somebody was refused; a flood of like ones is counted.
func (l *listener) recordRefused(ip netip.Addr, reason string) {
	before, write := l.m.Repeated(ip.String(), l.name+"\x00"+reason)
	if !write {
		return
	}

	r := audit.Record{
		Event: audit.SecurityAlert, Action: audit.Execute, Outcome: audit.MinorFailure, Reason: reason, Door: audit.DoorHL7,
		Peer: audit.Peer{Address: ip.String(), CalledAETitle: l.name},
	}
	r.CountLike("refusals", before)
	l.m.Keep(context.Background(), r)
}

// serve has one sender until it ends.
func (l *listener) serve(ctx context.Context, plain net.Conn) {
	c := &connection{l: l, conn: plain, from: sender{address: addressIn(plain.RemoteAddr())}}
	defer c.dropBehind()
	if err := c.identify(ctx, plain); err != nil {
		l.refuse(plain, c.from.address, fault.Text(err))
		return
	}
	if lacks := l.route.Load().may(c.from); lacks != "" {
		l.refuse(plain, c.from.address, lacks)
		return
	}
	if !l.room.Admit(plain.RemoteAddr()) {
		l.refuse(plain, c.from.address, "too many connections")
		return
	}

	c.in = hl7.NewReader(c.conn)
	for c.next(ctx) {
	}
}

// connection is one sender, whose messages are taken one after the other.
type connection struct {
	l           *listener
	conn        net.Conn
	in          *hl7.Reader
	from        sender
	fingerprint string
	behind      *behind // nil while there is no connection to the system behind
}

// identify finds who sends, by the certificate that TLS proved.
func (c *connection) identify(ctx context.Context, plain net.Conn) error {
	if c.l.route.Load().Plain {
		return nil
	}

	ctx, cancel := context.WithTimeout(ctx, handshakeMost)
	defer cancel()
	secure := tls.Server(plain, tlsprofile.AssociationServer(c.l.m.Certificate))
	if err := secure.HandshakeContext(ctx); err != nil {
		return fault.New(fault.Denied, "messages: no TLS with a certificate of its own")
	}
	c.conn = secure
	c.fingerprint = tlsprofile.Fingerprint(secure.ConnectionState().PeerCertificates[0])
	return c.registered(ctx)
}

// registered asks whose certificate it is now.
func (c *connection) registered(ctx context.Context) (err error) {
	secure, ok := c.conn.(*tls.Conn)
	if !ok {
		return nil
	}
	c.from.device, err = c.l.m.Device(ctx, secure.ConnectionState().PeerCertificates[0], c.from.address)
	return err
}

// next takes one message; false where it was the last.
func (c *connection) next(ctx context.Context) bool {
	_ = c.conn.SetReadDeadline(c.l.m.Now().Add(idleMost)) // of a connection that is closed: reading says so
	if err := c.in.Begin(); err != nil {
		if errors.Is(err, hl7.ErrFraming) {
			c.l.refuse(c.conn, c.from.address, "what comes is not in frames of MLLP")
		}
		return false
	}

	_ = c.conn.SetReadDeadline(c.l.m.Now().Add(arriveMost))
	account := c.l.m.Memory.Open("messages " + c.from.address.String())
	defer account.Close()
	c.in.Grow = func(n int) error { return account.Grow(2 * int64(n)) } // and its frame
	r := c.l.route.Load()
	message, err := c.in.Message(r.most())
	if err != nil && !answerable(err) {
		c.record(taken{size: len(message), ours: true}, "the message did not arrive whole")
		return false
	}
	return c.answer(c.take(ctx, r, message, err, account))
}

// answerable reports an error after which the sender is still there.
func answerable(err error) bool {
	noMemory := fault.Of(err) == fault.Busy || fault.Of(err) == fault.TooLarge
	return errors.Is(err, hl7.ErrFraming) || errors.Is(err, hl7.ErrTooLong) || noMemory
}

// answer sends an answer, where there is one; open says whether another message may
// come.
func (c *connection) answer(message []byte, open bool) bool {
	if message == nil {
		return open
	}
	framed, err := hl7.Frame(message)
	if err != nil {
		return false
	}
	_ = c.conn.SetWriteDeadline(c.l.m.Now().Add(writeMost))
	_, err = c.conn.Write(framed)
	return err == nil && open
}

// taken is a message in a record: nothing of what it says but its type.
type taken struct {
	kind string // empty where the header cannot be read
	size int
	rule string
	code string // with which it was answered; empty: not at all
	ours bool   // the gate answered, or nobody
}

// record writes down what became of a message.
func (c *connection) record(t taken, what string) {
	kind := t.kind
	if kind == "" {
		kind = "what cannot be read"
	}

	r := audit.Record{
		Event: audit.MessagePassed, Action: audit.Execute, Door: audit.DoorHL7, Rule: t.rule,
		Principal: c.from.device, Peer: audit.Peer{Address: c.from.address.String(), CalledAETitle: c.l.name, Fingerprint: c.fingerprint},
		Objects: []audit.Object{{Detail: fmt.Sprintf("%s, %d bytes", kind, t.size)}},
	}
	if c.from.device != "" {
		r.Kind = "device"
	}

	if t.code != "" {
		r.Objects[0].Detail += ", answered " + t.code
	}

	if t.ours {
		r.Outcome = audit.MinorFailure
		r.Reason = what
		before, write := c.l.m.Repeated(c.from.address.String(), c.l.name+"\x00"+kind+"\x00"+what)
		if !write {
			return
		}
		r.CountLike("refusals", before)
	}
	c.l.m.Keep(context.Background(), r)
}
