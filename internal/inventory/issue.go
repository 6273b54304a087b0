package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/finding"
)

// State is where an issue stands.
type State string

// The states. Fixed means that a new look no longer found it.
const (
	Open     State = "open"
	Accepted State = "accepted"
	Fixed    State = "fixed"
)

// Issue is a finding at an asset with its history.
type Issue struct {
	ID    string `json:"id"` // such as I7
	Asset string `json:"asset"`
	State State  `json:"state"`
	finding.Issue
	FirstSeen     time.Time `json:"firstSeen"`
	LastSeen      time.Time `json:"lastSeen"`
	FixedAt       time.Time `json:"fixedAt,omitzero"`
	AcceptedUntil time.Time `json:"acceptedUntil,omitzero"`
	AcceptedBy    string    `json:"acceptedBy,omitempty"`
	AcceptedWhy   string    `json:"acceptedWhy,omitempty"`
	// Lapsed: it was accepted until a day that is over.
	Lapsed bool `json:"lapsed,omitempty"`
}

// Bounds of the evidence of one issue: exchanges, and bytes of each side.
const (
	maxEvidence     = 20
	maxEvidenceText = 2000
)

// Report implements Sink. The place names an asset or has an address; where no
// asset is known there, one is made.
func (r *Register) Report(ctx context.Context, run int64, place finding.Place, checks []string, issues []finding.Issue) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		o := Observation{Source: Scan, Run: run, Asset: place.Asset}
		if place.Address.IsValid() {
			o.Addresses = []netip.Addr{place.Address}
		}

		id, err := r.resolveOrMake(ctx, tx, &o)
		if err != nil {
			return err
		}

		return r.report(ctx, tx, id, run, place, checks, issues)
	})
}

func (r *Register) resolveOrMake(ctx context.Context, tx *db.Tx, o *Observation) (int64, error) {
	if o.Asset != "" {
		return r.named(ctx, tx, o.Asset)
	}
	id, _, err := r.observe(ctx, tx, o)
	return id, err
}

func (r *Register) report(
	ctx context.Context, tx *db.Tx, asset, run int64, place finding.Place, checks []string, issues []finding.Issue,
) error {
	return r.reportPorts(ctx, tx, asset, Look{Run: run, Place: place, Checks: checks, Issues: issues})
}

func (r *Register) reportPorts(ctx context.Context, tx *db.Tx, asset int64, l Look) error {
	issues := l.Issues
	if len(issues) > r.limits.Issues {
		return fault.Newf(fault.TooLarge, "inventory: more than %d issues at one place", r.limits.Issues)
	}

	seen := map[string]bool{}
	for i := range issues {
		issue := bounded(issues[i])

		// The place is part of the key: the number of an asset may change when two are merged.
		keyed := issue
		keyed.Place.Asset = ""
		key := keyed.Key()
		seen[key] = true

		if err := r.upsert(ctx, tx, asset, l.Run, key, &issue); err != nil {
			return err
		}
	}

	return r.settle(ctx, tx, asset, &l, seen)
}

func bounded(i finding.Issue) finding.Issue {
	i.Evidence = slices.Clone(i.Evidence[:min(len(i.Evidence), maxEvidence)])
	for n := range i.Evidence {
		e := &i.Evidence[n]
		e.Sent = strings.ToValidUTF8(e.Sent[:min(len(e.Sent), maxEvidenceText)], "")
		e.Received = strings.ToValidUTF8(e.Received[:min(len(e.Received), maxEvidenceText)], "")
	}
	return i
}

// upsert notes that an issue is there. A new one, and one that had been fixed, is open
// and an event; one that somebody accepted stays accepted.
func (r *Register) upsert(ctx context.Context, tx *db.Tx, asset, run int64, key string, i *finding.Issue) error {
	body, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("inventory: write an issue: %w", err)
	}

	address := ""
	if i.Place.Address.IsValid() {
		address = i.Place.Address.Unmap().String()
	}

	var id int64
	var state string
	err = tx.QueryRow(ctx, `SELECT id, state FROM issue WHERE asset = ?1 AND key = ?2`, asset, key).Scan(&id, &state)

	now := db.Millis(r.now())
	switch {
	case fault.Of(err) == fault.NotFound:
		_, err = tx.Exec(ctx, `INSERT INTO issue (asset, key, check_id, address, port, severity, body, state,
    first_seen, last_seen, fixed, accepted_until, accepted_by, accepted_why)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open', ?8, ?8, 0, 0, '', '')`,
			asset, key, i.Check, address, i.Place.Port, int(i.Severity), string(body), now)
		if err != nil {
			return err
		}
		return r.event(ctx, tx, run, asset, IssueNew, i.Check, "", r.clip(i.Title))
	case err != nil:
		return err
	}

	_, err = tx.Exec(ctx, `UPDATE issue SET body = ?2, severity = ?3, last_seen = ?4, fixed = 0,
    state = CASE WHEN state = 'fixed' THEN 'open' ELSE state END WHERE id = ?1`, id, string(body), int(i.Severity), now)
	if err != nil || State(state) != Fixed {
		return err
	}
	return r.event(ctx, tx, run, asset, IssueAgain, i.Check, "", r.clip(i.Title))
}

// gone is an issue that a look no longer finds.
type gone struct {
	id           int64
	check, title string
}

// settle makes those issues of the place fixed that the checks no longer find.
func (r *Register) settle(ctx context.Context, tx *db.Tx, asset int64, l *Look, seen map[string]bool) error {
	list, err := r.missing(ctx, tx, asset, l, seen)
	if err != nil {
		return err
	}

	for _, g := range list {
		_, err := tx.Exec(ctx, `UPDATE issue SET state = 'fixed', fixed = ?2 WHERE id = ?1`, g.id, db.Millis(r.now()))
		if err != nil {
			return err
		}
		if err := r.event(ctx, tx, l.Run, asset, IssueFixed, g.check, "", r.clip(g.title)); err != nil {
			return err
		}
	}
	return nil
}

// missing lists the issues that the look covers and did not find.
func (r *Register) missing(ctx context.Context, tx *db.Tx, asset int64, l *Look, seen map[string]bool) (list []gone, err error) {
	address := ""
	if l.Place.Address.IsValid() {
		address = l.Place.Address.Unmap().String()
	}

	others := false // an issue stays at a port that was not looked at
	err = db.Each(ctx, tx, func(scan db.Scan) error {
		var g gone
		var key, body string
		var port int
		if err := scan(&g.id, &key, &g.check, &port, &body); err != nil {
			return err
		}
		if !l.covers(port, others) {
			others = true
			return nil
		}
		if seen[key] || !slices.Contains(l.Checks, g.check) {
			return nil
		}

		var i finding.Issue
		if json.Unmarshal([]byte(body), &i) == nil {
			g.title = i.Title
		}
		list = append(list, g)

		return nil
	}, `SELECT id, key, check_id, port, body FROM issue WHERE asset = ?1 AND state <> 'fixed' AND address = ?2
		ORDER BY port DESC, id`, asset, address)

	return list, err
}

// Issues lists issues, the worst first; of one asset, or of all where asset is
// empty. An acceptance whose day is over counts as open.
func (r *Register) Issues(ctx context.Context, asset string) (list []Issue, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		var id int64
		if asset != "" {
			if id, err = r.named(ctx, tx, asset); err != nil {
				return err
			}
		}

		list, err = db.All(ctx, tx, r.scanIssue, `SELECT id, asset, body, state, first_seen, last_seen, fixed,
   accepted_until, accepted_by, accepted_why FROM issue
   WHERE ?1 = 0 OR asset = ?1
   ORDER BY CASE state WHEN 'open' THEN 0 WHEN 'accepted' THEN 1 ELSE 2 END, severity DESC, asset, id`, id)

		return err
	})
	return list, err
}

func (r *Register) scanIssue(scan db.Scan) (Issue, error) {
	var i Issue
	var id, asset, first, last, fixed, until int64
	var body string
	if err := scan(&id, &asset, &body, &i.State, &first, &last, &fixed, &until, &i.AcceptedBy, &i.AcceptedWhy); err != nil {
		return i, err
	}
	if err := json.Unmarshal([]byte(body), &i.Issue); err != nil {
		return i, fmt.Errorf("inventory: read an issue: %w", err)
	}

	i.ID = "I" + strconv.FormatInt(id, 10)
	i.Asset = assetName(asset)
	i.FirstSeen, i.LastSeen = db.Instant(first), db.Instant(last)
	i.FixedAt, i.AcceptedUntil = db.Instant(fixed), db.Instant(until)

	if i.State == Accepted && !r.now().Before(i.AcceptedUntil) {
		i.State = Open
		i.Lapsed = true
	}
	return i, nil
}

// Accept says that an issue is lived with until a day, by whom and why.
func (r *Register) Accept(ctx context.Context, issue string, until time.Time, by, why string) error {
	id, err := strconv.ParseInt(strings.TrimLeft(strings.TrimSpace(issue), "Ii"), 10, 64)
	if err != nil || id <= 0 {
		return fault.Newf(fault.Invalid,
			"inventory: %q is not an issue; issues are written like I7, see 'collimator inventory show ASSET'", issue)
	}

	by, why = r.clip(by), r.clip(why)
	if by == "" || why == "" {
		return fault.New(fault.Invalid, "inventory: say who accepts it and why")
	}
	if !until.After(r.now()) {
		return fault.New(fault.Invalid, "inventory: the day until which it is accepted is over")
	}

	return r.db.Write(ctx, func(tx *db.Tx) error {
		var asset int64
		var state string
		var check string
		err := tx.QueryRow(ctx, `SELECT asset, state, check_id FROM issue WHERE id = ?1`, id).Scan(&asset, &state, &check)
		if fault.Of(err) == fault.NotFound {
			return fault.Newf(fault.NotFound,
				"inventory: there is no issue %s; see 'collimator inventory show ASSET'", issue)
		}
		if err != nil {
			return err
		}

		if State(state) == Fixed {
			return fault.Newf(fault.Conflict, "inventory: %s is fixed; there is nothing to accept", issue)
		}

		_, err = tx.Exec(ctx,
			`UPDATE issue SET state = 'accepted', accepted_until = ?2, accepted_by = ?3, accepted_why = ?4 WHERE id = ?1`,
			id, db.Millis(until), by, why)
		if err != nil {
			return err
		}

		lastDay := until.Add(-time.Nanosecond).Format(time.DateOnly)
		return r.event(ctx, tx, 0, asset, IssueAccepted, check, "", fmt.Sprintf("until %s by %s", lastDay, by))
	})
}
