package posture

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"collimator/internal/alarm"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/finding"
	"collimator/internal/inventory"
	"collimator/internal/phrase"
	"collimator/internal/state"
)

// Teller tells channels what somebody has to look at: new issues, emergency
// access, suspicious objects, scheduled scans that failed. It follows the audit
// trail and the inventory, whoever wrote there, and keeps for each channel how
// far it was told: each event once, over restarts and outages of the channel.
// What happened together goes out as one message.
type Teller struct {
	Posture  *Posture
	Channels []alarm.Channel
	// Severity is the mildest of an issue that is told.
	Severity finding.Severity
	// From names the installation.
	From string
	// Every is how often it looks whether there is something to tell; 0 is two seconds.
	Every time.Duration
	// Quiet is how long no new changes come before those of a run are told; 0 is ten
	// seconds.
	Quiet time.Duration
	// States is told whether each channel works; nil is told nothing.
	States *state.Register
}

// stateOf is the name under which a channel registers its state.
func stateOf(ch alarm.Channel) string {
	kind, _, _ := strings.Cut(ch.Name(), " ")
	return "alarm." + kind
}

// Times and bounds of a Teller.
const (
	tellEvery  = 2 * time.Second  // where Teller.Every says nothing
	tellQuiet  = 10 * time.Second // where Teller.Quiet says nothing
	tellWait   = time.Hour        // most that changes wait for the end of a run
	tellRetry  = 5 * time.Second  // after the first failure; doubles
	tellMost   = 10 * time.Minute // longest wait
	eventsMost = 50               // in one message
	readMost   = 20_000           // records and changes of one look
)

// Begin notes where channels begin that are new: with what happens from now on.
func (t *Teller) Begin(ctx context.Context) error {
	for _, ch := range t.Channels {
		if _, err := t.told(ctx, ch); err != nil {
			return err
		}
	}
	return nil
}

// Run tells until ctx ends.
func (t *Teller) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, ch := range t.Channels {
		wg.Go(func() { t.follow(ctx, ch) })
	}
	wg.Wait()
}

// told is how far a channel was told.
type told struct{ sequence, event int64 }

func (t *Teller) follow(ctx context.Context, ch alarm.Channel) {
	wait := tellRetry
	for ctx.Err() == nil {
		err := t.once(ctx, ch)

		pause := cmp.Or(t.Every, tellEvery)
		if err != nil && ctx.Err() == nil {
			t.Posture.Log.Error("alarm not sent; it will be tried again", "channel", ch.Name(), "again", wait, "error", err)
			pause = wait
			wait = min(2*wait, tellMost)
		} else {
			wait = tellRetry
		}

		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// once tells a channel what is new, in one message, and notes how far the channel has
// been told. After an error the same comes again with the next message.
func (t *Teller) once(ctx context.Context, ch alarm.Channel) error {
	from, err := t.told(ctx, ch)
	if err != nil {
		return err
	}

	events, to, err := t.collect(ctx, from)
	if err != nil || to == from {
		return err
	}

	if len(events) > 0 {
		if err := t.send(ctx, ch, t.message(events, to)); err != nil {
			return err
		}
	}

	return t.note(ctx, ch, to)
}

// send sends a message, and keeps the state of the channel. What not everybody
// took counts as sent: it would come twice to the others.
func (t *Teller) send(ctx context.Context, ch alarm.Channel, m alarm.Message) error {
	err := ch.Send(ctx, m)
	partial, some := errors.AsType[*alarm.PartialError](err)

	switch {
	case err == nil:
		t.States.Well(stateOf(ch), "the last message was taken")
		return nil
	case some:
		t.Posture.Log.Warn("alarm sent, though not to everybody", "channel", ch.Name(), "error", partial)
		t.States.Degraded(stateOf(ch), partial.Error(), "correct alarms.mail.to; collimator alarm test tries again")
		return nil
	}

	t.States.Failing(stateOf(ch), "alarms do not arrive: "+fault.Text(err), "collimator alarm test; docs/alarms.md")
	return err
}

// collect lists what is new, and how far it looked.
func (t *Teller) collect(ctx context.Context, from told) (events []alarm.Event, to told, err error) {
	to = from
	n := 0
	for r, err := range t.Posture.Trail.After(ctx, from.sequence) {
		if err != nil {
			return nil, to, err
		}
		if e, ok := alarming(r); ok {
			events = append(events, e)
		}

		to.sequence = r.Sequence
		n++
		if n >= readMost {
			break
		}
	}

	changes, err := t.Posture.Inventory.EventsAfter(ctx, from.event, readMost)
	if err != nil || len(changes) == 0 || t.unsettled(changes) {
		return events, to, err
	}

	to.event = changes[len(changes)-1].ID
	issues, err := t.issues(ctx, changes)
	return append(events, issues...), to, err
}

// unsettled reports changes of a run that goes on.
func (t *Teller) unsettled(changes []inventory.Event) bool {
	now := t.Posture.Now()
	if len(changes) >= readMost || now.Sub(changes[0].At) > tellWait {
		return false
	}

	return t.Posture.Busy() || now.Sub(changes[len(changes)-1].At) < cmp.Or(t.Quiet, tellQuiet)
}

// alarming turns a record into an event, where somebody has to look at it. What
// a person typed and what names a study stay in the trail.
func alarming(r audit.Record) (alarm.Event, bool) {
	e := alarm.Event{Severity: "high", At: r.Time}

	switch {
	case r.Event == audit.EmergencyAccess:
		e.Kind = "emergency-access"
		e.Severity = "critical"
		e.Text = fmt.Sprintf("Emergency access by %s from %s; the audit trail has the reason", r.Principal, r.Peer.Address)
	case r.Code == audit.HeldSuspicious:
		e.Kind = "quarantine"
		e.Text = fmt.Sprintf("A suspicious object from %s was held back; see collimator quarantine list", r.Peer.Address)
	case r.Code == audit.StateChanged:
		e.Kind = "state"
		e.Text = r.Reason
		if r.Outcome == audit.Success {
			e.Severity = "info"
		}
	case r.Code == audit.PasskeyCopied:
		e.Kind = "passkey-copied"
		e.Severity = "critical"
		e.Text = fmt.Sprintf("A passkey of %s was copied and counts no more: it was used from %s with a counter that went back",
			r.Principal, r.Peer.Address)
	case r.Code == audit.GlassBroken:
		e.Kind = "break-glass"
		e.Text = fmt.Sprintf("%s signed in from %s past the identity provider, as a break-glass account", r.Principal, r.Peer.Address)
	case r.Code == audit.ScheduledScanFailed:
		e.Kind = "scan-failed"
		e.Text = "A scheduled scan failed: " + strings.TrimPrefix(r.Principal, "schedule ")
	default:
		return alarm.Event{}, false
	}

	return e, true
}

// issues are the ones of changes that are open and bad enough.
func (t *Teller) issues(ctx context.Context, changes []inventory.Event) (out []alarm.Event, err error) {
	fresh := map[string]time.Time{} // asset and check, with the first moment
	for _, c := range changes {
		key := c.Asset + " " + c.Field
		if _, ok := fresh[key]; !ok && (c.Kind == inventory.IssueNew || c.Kind == inventory.IssueAgain) {
			fresh[key] = c.At
		}
	}

	if len(fresh) == 0 {
		return nil, nil
	}

	all, err := t.Posture.Inventory.Issues(ctx, "")
	if err != nil {
		return nil, err
	}

	for _, i := range all {
		at, ok := fresh[i.Asset+" "+i.Check]
		if !ok || i.State != inventory.Open || i.Severity < t.Severity || i.LastSeen.Before(at.Add(-time.Second)) {
			continue
		}

		place := i.Asset
		if i.Place.Address.IsValid() {
			place += " at " + i.Place.String()
		}

		words := i.Severity.String()
		out = append(out, alarm.Event{
			Kind: "issue", Severity: words, At: at,
			Text: fmt.Sprintf("%s %s: %s (%s, %s)", i.ID, place, i.Title, i.Check, words),
		})
	}
	return out, nil
}

// message makes one message of events; like ones are counted.
func (t *Teller) message(events []alarm.Event, to told) alarm.Message {
	var list []alarm.Event
	count := map[string]int{}
	for _, e := range events {
		count[e.Text]++
		if count[e.Text] == 1 {
			list = append(list, e)
		}
	}

	m := alarm.Message{Kind: "events", Severity: "info", From: t.From, At: t.Posture.Now()}
	by := map[string]int{}
	for i := range list {
		if n := count[list[i].Text]; n > 1 {
			list[i].Text += fmt.Sprintf(" (%d times)", n)
		}
		by[list[i].Severity]++
	}

	var words []string
	for _, s := range []string{"critical", "high", "medium", "low", "info"} {
		if by[s] == 0 {
			continue
		}
		if len(words) == 0 {
			m.Severity = s
		}
		words = append(words, fmt.Sprintf("%d %s", by[s], s))
	}

	m.Title = list[0].Text
	if len(list) > 1 {
		m.Title = fmt.Sprintf("%s to look at: %s", phrase.Count(len(list), "thing", "things"), strings.Join(words, ", "))
	}

	m.Events = list[:min(len(list), eventsMost)]
	m.Left = max(0, len(list)-eventsMost)

	// The same events have the same ID, so that who is told twice can see it.
	sum := sha256.Sum256(fmt.Append(nil, t.From, to.sequence, to.event))
	m.ID = hex.EncodeToString(sum[:8])
	return m
}

// told is how far a channel was told; a new one begins now.
func (t *Teller) told(ctx context.Context, ch alarm.Channel) (at told, err error) {
	d := t.Posture.DB
	err = d.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx,
			`SELECT sequence, event FROM posture_told WHERE channel = ?1`, ch.Name()).Scan(&at.sequence, &at.event)
	})
	if fault.Of(err) != fault.NotFound {
		return at, err
	}

	// A new channel is told what happens from now on.
	if at.sequence, err = t.Posture.Trail.Last(ctx); err != nil {
		return at, err
	}

	if at.event, err = t.Posture.Inventory.LastEvent(ctx); err != nil {
		return at, err
	}
	return at, t.note(ctx, ch, at)
}

func (t *Teller) note(ctx context.Context, ch alarm.Channel, at told) error {
	return t.Posture.DB.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		_, err := t.Posture.Registers.Exec(ctx, tx, `INSERT INTO posture_told (channel, sequence, event) VALUES (?1, ?2, ?3)
    ON CONFLICT (channel) DO UPDATE SET sequence = ?2, event = ?3`, ch.Name(), at.sequence, at.event)
		return err
	})
}

// Test sends a test to every channel and says what came of each.
func (t *Teller) Test(ctx context.Context) []Tried {
	out := make([]Tried, len(t.Channels))
	var wg sync.WaitGroup
	for i, ch := range t.Channels {
		wg.Go(func() {
			now := time.Now()
			m := alarm.Message{
				ID: fmt.Sprintf("test-%d", now.UnixNano()), Kind: "test", Severity: "info",
				Title: "Test of alarms: nothing has happened", At: now, From: t.From,
				Events: []alarm.Event{{Kind: "test", Severity: "info", At: now, Text: "This is a test. Nothing has happened."}},
			}

			out[i] = Tried{Channel: ch.Name(), OK: true}
			if err := ch.Send(ctx, m); err != nil {
				out[i].OK = false
				out[i].Error = fault.Text(err)
				if partial, ok := errors.AsType[*alarm.PartialError](err); ok {
					out[i].Error = partial.Error()
				}
			}
		})
	}

	wg.Wait()
	return out
}

// Tried is what came of a test.
type Tried struct {
	Channel string `json:"channel"`
	OK      bool   `json:"ok"`
	Error   string `json:"error,omitempty"`
}
