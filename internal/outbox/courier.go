package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/outward"
	"collimator/internal/tlsprofile"
)

// How often a courier looks by itself, and how long it waits for more before it ends an
// association.
const (
	lookEvery = 5 * time.Second
	linger    = time.Second
)

// batchMost is how many objects are looked at together, and contextsMost how many contexts
// an association proposes for them (PS3.8 9.3.2).
const (
	batchMost    = 500
	contextsMost = 100
)

// Pauses between attempts.
const (
	pauseFirst = 10 * time.Second
	pauseMost  = time.Hour

	pauseLongest = 2 * pauseMost // no pause ends later
)

// How often an object is tried that the destination does not understand, or over
// which associations end, before it is set aside.
const (
	misreadMost = 3
	brokenMost  = 8
)

// pause is how long to wait after so many attempts that failed; no two destinations that
// failed together come back together.
func pause(tries int) time.Duration {
	d := pauseMost
	if tries < 10 {
		d = min(pauseFirst<<max(tries-1, 0), pauseMost)
	}
	return d*3/4 + rand.N(d/2)
}

// courier sends to one destination.
type courier struct {
	b    *Outbox
	name string
	way  Way
	wake chan struct{}

	once sync.Once
	stop context.CancelFunc
	done chan struct{}

	session Session
	ended   bool // the last association, over an object
}

// start begins to send; called with mu of the outbox held.
func (c *courier) start(ctx context.Context) {
	c.once.Do(func() {
		ctx, c.stop = context.WithCancel(ctx)
		go c.run(ctx) // ends with end
	})
}

// end stops at once, and waits for it.
func (c *courier) end() {
	started := true
	c.once.Do(func() { started = false })
	if !started {
		return
	}
	c.stop()
	<-c.done
}

func (c *courier) run(ctx context.Context) {
	defer close(c.done)
	defer c.drop()
	unhook := context.AfterFunc(ctx, func() { nudge(c.wake) })
	defer unhook()

	timer := time.NewTimer(0)
	defer timer.Stop()
	if err := c.b.stranded(ctx, c.name, c.way.Target); err != nil && ctx.Err() == nil {
		c.b.Log.Error("what waits for another target is not marked", "destination", c.name, "error", err)
	}
	for ctx.Err() == nil {
		select {
		case <-c.wake:
		case <-timer.C:
		}
		if err := c.round(ctx); err != nil && ctx.Err() == nil {
			c.b.Log.Error("what waits is not sent now", "destination", c.name, "error", err)
		}
		timer.Reset(lookEvery)
	}
}

// round sends what is due, and asks for commitment. What comes meanwhile is sent before more
// is asked about.
func (c *courier) round(ctx context.Context) error {
	if due, err := c.b.dueAt(ctx, c.name); err != nil || c.b.Now().Before(due) {
		return err
	}

	for more := true; more; {
		going, err := c.deliverAll(ctx)
		if err != nil || !going {
			c.drop()
			return err
		}
		if more, err = c.commit(ctx); err != nil {
			c.release(ctx)
			return err
		}
	}
	c.release(ctx)
	return nil
}

// deliverAll sends until nothing is due.
func (c *courier) deliverAll(ctx context.Context) (going bool, err error) {
	for {
		list, err := c.b.due(ctx, c.name, c.way.Target)
		if err != nil {
			return false, err
		}
		if len(list) == 0 {
			if c.session == nil || !c.more(ctx) {
				return ctx.Err() == nil, nil
			}
			continue
		}
		if going, err := c.deliver(ctx, list); err != nil || !going {
			return going, err
		}
	}
}

// more waits a moment for another object while an association is open.
func (c *courier) more(ctx context.Context) bool {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	select {
	case <-c.wake:
		return ctx.Err() == nil
	case <-timer.C:
		return false
	}
}

// deliver sends objects study by study. going is false where the destination is not
// reached, and nothing else can be done now.
func (c *courier) deliver(ctx context.Context, list []Item) (going bool, err error) {
	for _, study := range byStudy(list) {
		if going, err = c.deliverStudy(ctx, study); err != nil || !going {
			return going, err
		}
		if c.ended { // it took its time: what came meanwhile is looked at first
			c.ended = false
			return true, nil
		}
	}
	return true, nil
}

// byStudy parts objects by study, in the order in which the studies began. Those over whose first
// object an association ended come last: another such end holds up nobody else.
func byStudy(list []Item) (studies [][]Item) {
	at := map[string]int{}
	for _, i := range list {
		n, known := at[i.Study]
		if !known {
			n = len(studies)
			at[i.Study] = n
			studies = append(studies, nil)
		}
		studies[n] = append(studies[n], i)
	}
	slices.SortStableFunc(studies, func(x, y []Item) int { return cmp.Compare(min(x[0].Broken, 1), min(y[0].Broken, 1)) })
	return studies
}

// deliverStudy sends objects of one study, up to the first that has to wait.
func (c *courier) deliverStudy(ctx context.Context, study []Item) (going bool, err error) {
	for n, i := range study {
		next, going, err := c.deliverOne(ctx, study[n:], i)
		if err != nil || !going || !next || c.ended {
			return going, err
		}
	}
	return true, nil
}

// deliverOne sends the first of some objects of a study. next reports that the study goes on.
func (c *courier) deliverOne(ctx context.Context, study []Item, i Item) (next, going bool, err error) {
	if err := c.reach(ctx, study); err != nil {
		return false, false, c.unreached(ctx, err)
	}

	status, v, why := c.attempt(ctx, i)
	doubtful := v == ended && i.Broken+1 >= brokenMost
	if doubtful {
		if c.answers(ctx, study[1:]) && c.reach(ctx, study) == nil {
			status, v, why = c.attempt(ctx, i) // the destination may have come back just now
		} else {
			i.Broken = brokenMost - 2 // it is not for this object that nothing goes
		}
	}
	if ctx.Err() != nil {
		return false, false, nil // it is sent again
	}

	c.ended = v == ended
	if next, err = c.b.settle(ctx, i, status, v, why); err != nil {
		return false, false, err
	}
	if c.session != nil && c.broken() {
		c.drop()
	}
	return next && !doubtful, true, nil // the one behind went already
}

// attempt sends one object, and gives the verdict about that.
func (c *courier) attempt(ctx context.Context, i Item) (status dimse.Status, v verdict, why string) {
	status, err := c.send(ctx, i)
	if v, why = judge(status, err); v == ended {
		c.drop()
	}
	return status, v, why
}

// answers reports whether the destination answers for the object behind one over which it never
// does: only then is it for that one. It is sent by that.
func (c *courier) answers(ctx context.Context, behind []Item) bool {
	if len(behind) == 0 || c.reach(ctx, behind) != nil {
		return false
	}

	status, v, why := c.attempt(ctx, behind[0])
	if v == ended || ctx.Err() != nil {
		return false
	}
	if v == stored {
		_, err := c.b.settle(ctx, behind[0], status, v, why)
		return err == nil
	}
	return true
}

// broken reports an association that is over.
func (c *courier) broken() bool {
	a, ok := c.session.(interface{ Err() error })
	return ok && a.Err() != nil
}

// reach sees to an association on which the first of the objects goes.
func (c *courier) reach(ctx context.Context, list []Item) error {
	if c.session != nil && !c.broken() && c.proposed(list[0]) {
		return nil
	}
	c.release(ctx)

	contexts := proposals(list, c.way.Commit)
	s, err := c.way.Open(ctx, contexts)
	if err != nil {
		return err
	}
	c.session = s
	return c.b.reached(ctx, c.name)
}

// proposed reports whether the association has a context for an object.
func (c *courier) proposed(i Item) bool {
	return slices.ContainsFunc(c.session.Contexts(), func(pc dimse.PresentationContext) bool {
		return pc.AbstractSyntax == i.SOPClassUID && pc.TransferSyntax == i.TransferSyntax
	})
}

// proposals are contexts for objects, each in the transfer syntax it has, and one for
// storage commitment.
func proposals(list []Item, commit Commit) []ul.ProposedContext {
	var out []ul.ProposedContext
	seen := map[[2]string]bool{}
	add := func(class string, syntaxes ...string) {
		out = append(out, ul.ProposedContext{ID: uint8(2*len(out) + 1), AbstractSyntax: class, TransferSyntaxes: syntaxes})
	}
	for _, i := range list {
		key := [2]string{i.SOPClassUID, i.TransferSyntax}
		if !seen[key] && len(out) < contextsMost {
			seen[key] = true
			add(i.SOPClassUID, i.TransferSyntax)
		}
	}
	if commit != No {
		add(uid.StorageCommitmentPushModel, uid.NativeSyntaxes()[:2]...)
	}
	return out
}

// send sends one object.
func (c *courier) send(ctx context.Context, i Item) (dimse.Status, error) {
	if !c.proposed(i) {
		return dimse.Status{}, dimse.ErrNoContext
	}
	r, err := c.b.Open(i)
	if err != nil {
		return dimse.Status{}, err
	}
	defer r.Close()

	return c.session.Store(ctx, dimse.StoreRequest{
		SOPClassUID: i.SOPClassUID, SOPInstanceUID: i.SOPInstanceUID, TransferSyntax: i.TransferSyntax, Data: r,
	})
}

// unreached keeps why the destination is not reached, and until when it is left alone.
func (c *courier) unreached(ctx context.Context, why error) error {
	if ctx.Err() != nil {
		return nil
	}
	c.b.Log.Info("a destination is not reached", "destination", c.name, "error", why)
	return c.b.missed(ctx, c.name, reasonOf(why))
}

// reasonOf is why something did not work, without words of the peer.
func reasonOf(err error) string {
	if errors.Is(err, tlsprofile.ErrUntrusted) {
		return "its certificate is another one than is trusted; nothing was sent"
	}
	if text := outward.Reason(err); text != "" {
		return text
	}
	if r, ok := errors.AsType[*dimse.RejectError](err); ok {
		return "the association was rejected: " + r.Result.String()
	}
	if _, ok := errors.AsType[*dimse.AbortError](err); ok {
		return "the association was aborted"
	}
	if errors.Is(err, dimse.ErrTimeout) {
		return "it does not answer in time"
	}
	return cmp.Or(fault.Text(err), "the association ended")
}

// release ends the association in order, or at once where the destination does not answer.
func (c *courier) release(ctx context.Context) {
	if c.session == nil {
		return
	}
	s := c.session
	c.session = nil
	ctx, cancel := context.WithTimeout(ctx, releaseWait)
	defer cancel()
	if err := s.Release(ctx); err != nil {
		s.Abort()
	}
}

// releaseWait is how long a destination may take to answer a release.
const releaseWait = 5 * time.Second

// drop ends the association at once.
func (c *courier) drop() {
	if c.session != nil {
		c.session.Abort()
		c.session = nil
	}
}

// dueAt is until when a destination is left alone.
func (b *Outbox) dueAt(ctx context.Context, name string) (at time.Time, err error) {
	err = b.DB.Read(ctx, func(tx *db.Tx) error {
		var due int64
		err := tx.QueryRow(ctx, `SELECT due FROM outbox_destination WHERE destination = ?1`, name).Scan(&due)
		if fault.Of(err) == fault.NotFound {
			return nil
		}
		if at = instant(due); at.Sub(b.Now()) > pauseLongest {
			at = time.Time{} // of a clock that was wrong
		}
		return err
	})
	return at, failed(err, "look at a destination")
}

// missed counts an attempt that came to nothing.
func (b *Outbox) missed(ctx context.Context, name, reason string) error {
	return failed(b.DB.Write(ctx, func(tx *db.Tx) error {
		var tries int
		err := tx.QueryRow(ctx, `SELECT tries FROM outbox_destination WHERE destination = ?1`, name).Scan(&tries)
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		tries++
		_, err = tx.Exec(ctx, `INSERT INTO outbox_destination (destination, tries, due, reason, tried) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (destination) DO UPDATE SET tries = ?2, due = ?3, reason = ?4, tried = ?5`,
			name, tries, db.Millis(b.Now().Add(pause(tries))), reason, db.Millis(b.Now()))
		return err
	}), "keep why a destination is not reached")
}

// reached forgets what was wrong with a destination.
func (b *Outbox) reached(ctx context.Context, name string) error {
	return failed(b.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM outbox_destination WHERE destination = ?1`, name)
		return err
	}), "keep that a destination is reached")
}

// due lists what may be sent now, in order: of each study all that waits, where its
// first may go. A pause longer than any is of a clock that was wrong.
func (b *Outbox) due(ctx context.Context, name, target string) (list []Item, err error) {
	now := b.Now()
	err = b.DB.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanItem, `SELECT `+columns+` FROM outbox AS o
			WHERE destination = ?1 AND target = ?2 AND state = 'waiting'
			AND NOT EXISTS (SELECT 1 FROM outbox AS f WHERE f.destination = o.destination AND f.target = o.target
				AND f.study = o.study
				AND f.state = 'waiting' AND f.due > ?3 AND f.due < ?4 AND f.id <= o.id)
			ORDER BY id LIMIT ?5`, name, target, db.Millis(now), db.Millis(now.Add(pauseLongest)), batchMost)
		return err
	})
	return list, failed(err, "look what is due")
}

// stranded says of what came while a destination led elsewhere why it waits.
func (b *Outbox) stranded(ctx context.Context, name, target string) error {
	return b.update(ctx, `UPDATE outbox SET reason = ?3 WHERE destination = ?1 AND target <> ?2 AND state <> 'aside'`,
		name, target, fmt.Sprintf("the route leads elsewhere now; 'collimator gate queue retry %s --redirect' sends it there", name))
}
