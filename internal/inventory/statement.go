package inventory

import (
	"context"
	"fmt"
	"strings"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Question is one the warning asks about each system.
type Question string

// The questions that people answer; whether it is affected is computed.
const (
	Patched   Question = "patched"   // is the fix in?
	Protected Question = "protected" // is it protected from public access?
	Gated     Question = "gate"      // does it stand behind a gate?
)

// Statement is the answer of a person to a question.
type Statement struct {
	Question Question  `json:"question"`
	Answer   bool      `json:"answer"`
	Since    time.Time `json:"since,omitzero"`
	Who      string    `json:"who"`
	Note     string    `json:"note,omitempty"`
	Made     time.Time `json:"made"`
}

// Warning is what the warning asks about a system, as far as it is answered. A
// nil statement is an open question.
type Warning struct {
	Patched   *Statement `json:"patched,omitempty"`
	Protected *Statement `json:"protected,omitempty"`
	Gate      *Statement `json:"gate,omitempty"`
	// Open, Accepted and Fixed count the issues.
	Open     int `json:"open"`
	Accepted int `json:"accepted"`
	Fixed    int `json:"fixed"`
}

// Questions lists what nobody has answered yet, in words.
func (w *Warning) Questions() []string {
	var out []string
	for _, q := range []struct {
		s    *Statement
		text string
	}{
		{s: w.Patched, text: "patched?"},
		{s: w.Protected, text: "protected from public access?"},
		{s: w.Gate, text: "behind a gate?"},
	} {
		if q.s == nil {
			out = append(out, q.text)
		}
	}
	return out
}

// State notes an answer. Who and, for a yes to patched, Since are needed.
func (r *Register) State(ctx context.Context, asset string, s Statement) error {
	switch s.Question {
	case Patched, Protected, Gated:
	default:
		return fault.Newf(fault.Invalid,
			"inventory: %q is not a question; choose patched, protected or gate", string(s.Question))
	}

	s.Who = r.clip(s.Who)
	if s.Who == "" {
		return fault.New(fault.Invalid, "inventory: say who says so")
	}
	if s.Question == Patched && s.Answer && s.Since.IsZero() {
		return fault.New(fault.Invalid, "inventory: say since when it is patched")
	}

	answer := "no"
	if s.Answer {
		answer = "yes"
	}

	return r.db.Write(ctx, func(tx *db.Tx) error {
		id, err := r.named(ctx, tx, asset)
		if err != nil {
			return err
		}

		_, err = tx.Exec(ctx, `INSERT INTO asset_statement (asset, question, answer, since, who, note, made)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
			id, string(s.Question), answer, db.Millis(s.Since), s.Who, r.clip(s.Note), db.Millis(r.now()))
		if err != nil {
			return err
		}

		return r.event(ctx, tx, 0, id, Answered, string(s.Question), "", answer+" ("+s.Who+")")
	})
}

func (r *Register) loadStatements(ctx context.Context, tx *db.Tx, only int64, byID map[int64]*Asset) error {
	return db.Each(ctx, tx, func(scan db.Scan) error {
		var id, since, made int64
		var answer string
		s := &Statement{}
		if err := scan(&id, &s.Question, &answer, &since, &s.Who, &s.Note, &made); err != nil {
			return err
		}
		a := byID[id]
		if a == nil {
			return nil
		}

		s.Answer = answer == "yes"
		s.Since = db.Instant(since)
		s.Made = db.Instant(made)
		switch s.Question {
		case Patched:
			a.Warning.Patched = s
		case Protected:
			a.Warning.Protected = s
		case Gated:
			a.Warning.Gate = s
		}

		return nil
	}, `SELECT asset, question, answer, since, who, note, made FROM asset_statement WHERE ?1 = 0 OR asset = ?1 ORDER BY id`, only)
}

func (r *Register) loadIssueCounts(ctx context.Context, tx *db.Tx, only int64, byID map[int64]*Asset) error {
	return db.Each(ctx, tx, func(scan db.Scan) error {
		var id int64
		var state string
		var n int
		if err := scan(&id, &state, &n); err != nil {
			return err
		}
		a := byID[id]
		if a == nil {
			return nil
		}

		switch State(state) {
		case Open:
			a.Warning.Open = n
		case Accepted:
			a.Warning.Accepted = n
		case Fixed:
			a.Warning.Fixed = n
		}

		return nil
	}, `SELECT asset, CASE WHEN state = 'accepted' AND accepted_until <= ?2 THEN 'open' ELSE state END, COUNT(*) FROM issue
		WHERE ?1 = 0 OR asset = ?1 GROUP BY 1, 2`, only, db.Millis(r.now()))
}

// ChangeKind is what changed. It is written into the register of changes and into
// answers as it is.
type ChangeKind string

// The kinds of changes.
const (
	AssetNew      ChangeKind = "asset new"
	AssetChanged  ChangeKind = "asset changed"
	AssetMerged   ChangeKind = "asset merged"
	AssetSplit    ChangeKind = "asset split"
	AssetRemoved  ChangeKind = "asset removed"
	Answered      ChangeKind = "answer"
	IssueNew      ChangeKind = "issue new"
	IssueAgain    ChangeKind = "issue again"
	IssueFixed    ChangeKind = "issue fixed"
	IssueAccepted ChangeKind = "issue accepted"
)

// Change is one difference between two looks.
type Change struct {
	At    time.Time  `json:"at"`
	Run   int64      `json:"run,omitempty"`
	Asset string     `json:"asset"`
	Kind  ChangeKind `json:"kind"`
	Field string     `json:"field,omitempty"`
	Old   string     `json:"old,omitempty"`
	New   string     `json:"new,omitempty"`
}

// String is the change in a line.
func (c Change) String() string {
	switch {
	case c.Old != "" && c.New != "":
		return strings.TrimSpace(fmt.Sprintf("%s %s: %s -> %s", c.Kind, c.Field, c.Old, c.New))
	case c.Old+c.New != "":
		return strings.TrimSpace(fmt.Sprintf("%s %s: %s", c.Kind, c.Field, c.Old+c.New))
	}
	return strings.TrimSpace(string(c.Kind) + " " + c.Field)
}

// Changes lists what changed since a time, the oldest first, at most most.
func (r *Register) Changes(ctx context.Context, since time.Time, most int) (list []Change, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanChange,
			`SELECT at, run, asset, kind, field, old, new FROM inventory_event WHERE at >= ?1 ORDER BY id LIMIT ?2`, db.Millis(since), most)

		return err
	})

	return list, err
}

func scanChange(scan db.Scan) (c Change, err error) {
	var at, asset int64
	err = scan(&at, &c.Run, &asset, &c.Kind, &c.Field, &c.Old, &c.New)
	c.At = db.Instant(at)
	c.Asset = assetName(asset)

	return c, err
}
