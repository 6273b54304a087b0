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

// take judges a message and passes it on where a rule grants it. It gives the answer,
// nil for none, and whether another message may come.
func (c *connection) take(ctx context.Context, r *Route, message []byte, read error, account *budget.Account) (answer []byte, open bool) {
	t := taken{size: len(message), ours: true}
	h, err := hl7.ReadHeader(message)
	t.kind = h.Type()
	if errors.Is(read, hl7.ErrFraming) || h.Code == "" {
		c.record(t, "no message of HL7 v2 in a frame of MLLP that can be read")
		return nil, false
	}

	as := expects(&h)
	refuse := func(code, what string, open bool) ([]byte, bool) {
		if as == silent { // who waits for no answer is told by the end of the connection
			c.record(t, what)
			return nil, false
		}
		t.code = code
		c.record(t, what)
		return h.Answer(code, newID(), "gate, route "+c.l.name+": "+what, c.l.m.Now()), open
	}

	switch {
	case read != nil && errors.Is(read, hl7.ErrTooLong):
		return refuse(as.rejected(), fmt.Sprintf("no rule grants messages of more than %d KiB", r.most()>>10), false)
	case read != nil: // no memory
		return refuse(as.failed(), "too much is on its way; send it again later", false)
	case err != nil:
		return refuse(as.rejected(), "more than one message, or a batch, in one frame", true)
	case as == unclear:
		return refuse(as.rejected(), "acknowledgments of kind ER and SU are not passed on: set AL or NE", true)
	}
	return c.pass(ctx, r, &h, message, as, &t, refuse, account)
}

// pass passes on what a rule grants, and gives the answer of the system behind.
func (c *connection) pass(ctx context.Context, r *Route, h *hl7.Header, message []byte, as answering, t *taken,
	refuse func(code, what string, open bool) ([]byte, bool), account *budget.Account) ([]byte, bool) {

	if err := c.registered(ctx); err != nil { // it may have been removed meanwhile
		return refuse(as.rejected(), "this sender is not registered any more", false)
	}
	rule, lacks := r.judge(c.from, h, len(message), c.l.m.Now())
	if lacks != "" {
		return refuse(as.rejected(), lacks, true)
	}
	t.rule = rule
	if err := c.l.m.Ready(); err != nil {
		return refuse(as.failed(), "nothing can be recorded, so nothing is passed on", true)
	}

	answer, code, err := c.ask(ctx, r, h, message, as, account)
	if ctx.Err() != nil {
		t.rule = rule
		c.record(*t, "the route was closed")
		return nil, false
	}
	if err != nil {
		c.dropBehind()
		return refuse(as.failed(), strings.TrimPrefix(fault.Text(err), "messages: "), true)
	}

	t.ours = false
	t.code = code
	c.record(*t, "")
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

// ask sends a message to the system behind in a frame of its own, and gives the answer
// with its code: one that answers this message, in the way that is expected.
func (c *connection) ask(ctx context.Context, r *Route, h *hl7.Header, message []byte, as answering,
	account *budget.Account) (answer []byte, code string, err error) {

	b, err := c.reach(ctx, r, as)
	if err != nil {
		return nil, "", err
	}
	framed, err := hl7.Frame(message)
	if err != nil {
		return nil, "", err
	}
	if err := b.conn.SetDeadline(time.Now().Add(r.wait())); err != nil {
		return nil, "", errAway
	}
	if _, err := b.conn.Write(framed); err != nil {
		return nil, "", errAway
	}
	if as == silent {
		b.unanswered = true
		return nil, "", nil
	}

	b.in.Grow = func(n int) error { return account.Grow(2 * int64(n)) }
	if err := b.in.Begin(); err != nil {
		return nil, "", errAway
	}
	if answer, err = b.in.Message(mostKiBMost << 10); err != nil {
		return nil, "", errAway
	}
	a, err := hl7.ReadAck(answer)
	if err != nil || a.ControlID != h.ControlID || !as.fits(a.Code) || b.in.Waiting() {
		return nil, "", errAnswer
	}
	return answer, a.Code, nil
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
