package messages

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/hl7"
	"collimator/internal/tlsprofile"
)

// passage is one message on its way.
type passage struct {
	*connection
	route   *Route
	message []byte
	header  hl7.Header
	as      answering
	account *budget.Account // of what it holds in memory
	taken   taken
}

// take judges a message and passes it on where a rule grants it. It gives the answer,
// nil for none, and whether another message may come.
func (c *connection) take(ctx context.Context, r *Route, message []byte, read error, account *budget.Account) (answer []byte, open bool) {
	h, err := hl7.ReadHeader(message)
	p := &passage{
		connection: c, route: r, message: message, header: h, as: expects(&h), account: account,
		taken: taken{kind: h.Type(), size: len(message), ours: true},
	}
	if errors.Is(read, hl7.ErrFraming) || h.Code == "" {
		c.record(p.taken, "no message of HL7 v2 in a frame of MLLP that can be read")
		return nil, false
	}

	switch {
	case errors.Is(read, hl7.ErrTooLong):
		return p.refuse(p.as.rejected(), fmt.Sprintf("no rule grants messages of more than %d KiB", r.most()>>10), false)
	case read != nil: // no memory
		return p.refuse(p.as.failed(), "too much is on its way; send it again later", false)
	case err != nil:
		return p.refuse(p.as.rejected(), "more than one message, or a batch, in one frame", true)
	case p.as == unclear:
		return p.refuse(p.as.rejected(), "acknowledgments of kind ER and SU are not passed on: set AL or NE", true)
	}
	return p.pass(ctx)
}

// refuse answers in the place of the system behind, where the sender waits for an answer;
// who waits for none is told by the end of the connection.
func (p *passage) refuse(code, what string, open bool) ([]byte, bool) {
	if p.as == silent {
		p.record(p.taken, what)
		return nil, false
	}
	p.taken.code = code
	p.record(p.taken, what)
	return p.header.Answer(code, newID(), "gate, route "+p.l.name+": "+what, p.l.m.Now()), open
}

// pass passes on what a rule grants, and gives the answer of the system behind.
func (p *passage) pass(ctx context.Context) (answer []byte, open bool) {
	if err := p.registered(ctx); err != nil { // it may have been removed meanwhile
		return p.refuse(p.as.rejected(), "this sender is not registered any more", false)
	}
	rule, lacks := p.route.judge(p.from, &p.header, len(p.message), p.l.m.Now())
	if lacks != "" {
		return p.refuse(p.as.rejected(), lacks, true)
	}
	p.taken.rule = rule
	if err := p.l.m.Ready(); err != nil {
		return p.refuse(p.as.failed(), "nothing can be recorded, so nothing is passed on", true)
	}

	answer, code, err := p.ask(ctx)
	if ctx.Err() != nil {
		p.record(p.taken, "the route was closed")
		return nil, false
	}
	if err != nil {
		p.dropBehind()
		return p.refuse(p.as.failed(), strings.TrimPrefix(fault.Text(err), "messages: "), true)
	}

	p.taken.ours = false
	p.taken.code = code
	p.record(p.taken, "")
	return answer, true
}

// behind is a connection to the system behind.
type behind struct {
	conn net.Conn
	in   *hl7.Reader
	to   *Route // as it was when it was opened
	stop func() bool
	// unanswered: a message went on it for which no answer was waited. One may come all
	// the same, and be taken for that of the next: where senders number none, or all alike.
	unanswered bool
}

// dropBehind ends the connection to the system behind: after an answer that did not come
// in time nobody knows what the next one answers.
func (c *connection) dropBehind() {
	if c.behind != nil {
		c.behind.stop()
		c.behind.conn.Close()
		c.behind = nil
	}
}

// The refusals of the system behind, and what is done for them.
var (
	errAway   = fault.New(fault.Unavailable, "messages: the system behind does not answer; send it again")
	errAnswer = fault.New(fault.Unavailable,
		"messages: the system behind answered with something else than the acknowledgment of this message")
)

// ask sends the message to the system behind, and gives the answer with its code: one
// that answers this message, in the way that is expected.
func (p *passage) ask(ctx context.Context) (answer []byte, code string, err error) {
	b, err := p.reach(ctx, p.route, p.as)
	if err != nil {
		return nil, "", err
	}
	framed, err := hl7.Frame(p.message)
	if err != nil {
		return nil, "", err
	}
	b.in.Grow = func(n int) error { return p.account.Grow(2 * int64(n)) }
	answer, err = b.exchange(framed, p.route.wait(), p.as != silent)
	if err != nil {
		return nil, "", errAway
	}
	if p.as == silent {
		return nil, "", nil
	}

	a, err := hl7.ReadAck(answer)
	if err != nil || a.ControlID != p.header.ControlID || !p.as.fits(a.Code) || b.in.Waiting() {
		return nil, "", errAnswer
	}
	return answer, a.Code, nil
}

// exchange writes a frame and, where an answer is waited for, reads that: both within a
// time.
func (b *behind) exchange(framed []byte, within time.Duration, answered bool) (answer []byte, err error) {
	if err := b.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	if _, err := b.conn.Write(framed); err != nil {
		return nil, err
	}
	if !answered {
		b.unanswered = true
		return nil, nil
	}

	if err := b.in.Begin(); err != nil {
		return nil, err
	}
	return b.in.Message(mostKiBMost << 10)
}

// reach gives the connection to the system behind: the one of before where it is whole
// and nothing has come on it meanwhile, or can still come, else a new one.
func (c *connection) reach(ctx context.Context, r *Route, as answering) (*behind, error) {
	if b := c.behind; b != nil && (!sameWay(b.to, r) || b.unanswered && as != silent || !b.quiet()) {
		c.dropBehind()
	}
	if c.behind != nil {
		return c.behind, nil
	}

	within, cancel := context.WithTimeout(ctx, r.wait())
	defer cancel()
	conn, err := c.l.m.Dial(within, r.To)
	if err != nil {
		return nil, errAway
	}
	secure, err := c.secure(within, r, conn)
	if err != nil {
		conn.Close()
		c.l.m.Log.Warn("system behind not reached with TLS", "route", c.l.name, "error", err)
		return nil, errAway
	}

	stop := context.AfterFunc(ctx, func() { conn.Close() }) // when the route is closed
	c.behind = &behind{conn: secure, in: hl7.NewReader(secure), to: r, stop: stop}
	return c.behind, nil
}

// quietFor is how long it is looked whether something has come that nobody asked for.
const quietFor = time.Millisecond

// quiet reports that nothing has come, not even the end.
func (b *behind) quiet() bool {
	if b.in.Waiting() || b.conn.SetReadDeadline(time.Now().Add(quietFor)) != nil {
		return false
	}
	return isTimeout(b.in.Begin())
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// secure makes TLS of a connection, where the route says by what the system is known.
func (c *connection) secure(ctx context.Context, r *Route, conn net.Conn) (net.Conn, error) {
	if !r.trust().Set() {
		return conn, nil
	}
	trust, err := r.trust().Profile(r.To)
	if err != nil {
		return nil, err
	}

	own, err := c.l.m.Certificate()
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, tlsprofile.AssociationClient(own, trust))
	return secure, secure.HandshakeContext(ctx)
}

// newID is the control ID of an answer of the gate.
func newID() string {
	b := make([]byte, 8)
	rand.Read(b) // never returns an error (crypto/rand)
	return "G" + hex.EncodeToString(b)
}
