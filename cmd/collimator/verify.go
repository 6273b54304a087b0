package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/ledger"
)

type verifyCmd struct {
	dataFlags
	outputFlag
	Bundle string `help:"Only check this proof, without a data directory." placeholder:"FILE"`
	Key    string `help:"Key for --bundle, as 'collimator ledger key' printed it." placeholder:"FILE"`
}

func (verifyCmd) Help() string {
	return `Reads every file, computes the ledger's tree anew, builds the index again from files and ledger,
and names whatever differs. Exit code 1 when something does. It cannot find what somebody changed
who holds the ledger's key and rewrote everything; an older checkpoint that was kept elsewhere can
('collimator ledger consistency').

Examples:
  collimator verify --data ./data
  collimator verify --bundle image.tlog-proof --key ledger.pub`
}

// verifyProblem is one thing that is not as it was recorded.
type verifyProblem struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

func (c *verifyCmd) Run(e *env) error {
	if c.Bundle != "" {
		return checkBundle(e, c.Bundle, c.Key)
	}
	return c.withArchive(e, func(in *installation, a *archive.Archive) error {
		v := &verification{in: in, archive: a, progress: newProgress(e, "verified", 0)}
		err := v.run(e.ctx)
		v.progress.end()
		if err != nil {
			return err
		}
		return c.report(e, v)
	})
}

func (c *verifyCmd) report(e *env, v *verification) error {
	err := printList(e.stdout, c.Output, v.problems, "WHERE|WHAT", func(p verifyProblem) []string { return []string{p.Where, p.What} },
		fmt.Sprintf("All is as it was recorded: %d leaves, %d files.", v.leaves, v.files))
	if err == nil && len(v.problems) > 0 {
		err = fmt.Errorf("%d things are not as they were recorded", len(v.problems))
	}
	return err
}

// verification is one run.
type verification struct {
	in       *installation
	archive  *archive.Archive
	progress *progress
	replay   *archive.Replay
	problems []verifyProblem
	leaves   int64
	files    int64
}

func (v *verification) add(where, format string, args ...any) {
	v.problems = append(v.problems, verifyProblem{where, fmt.Sprintf(format, args...)})
}

// compareTries is how often the index is compared anew when something was
// stored meanwhile.
const compareTries = 5

func (v *verification) run(ctx context.Context) (err error) {
	if v.replay, err = v.archive.NewReplay(ctx, v.in.config.Data); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.replay.Close()) }()
	for p, err := range v.in.ledger.Verify(ctx, func(l ledger.Leaf) error { return v.leaf(ctx, l) }) {
		if err != nil {
			return err
		}
		where := "ledger"
		if p.Position >= 0 {
			where = fmt.Sprintf("ledger leaf %d", p.Position)
		}
		v.add(where, "%s", p.Text)
	}
	strays, err := v.in.trail.Strays(ctx, v.leaves)
	if err != nil {
		return err
	}
	for _, s := range strays {
		v.add("audit", "%s", s)
	}
	if err := v.content(ctx); err != nil {
		return err
	}
	if err := v.index(ctx); err != nil {
		return err
	}
	for uid, digest := range v.replay.Missing() {
		v.add(uid, "file %.16s...: is not there", digest)
	}
	return nil
}

// leaf looks at what a leaf records.
func (v *verification) leaf(ctx context.Context, l ledger.Leaf) error {
	v.leaves = l.Position + 1
	v.progress.add(0, false)
	switch l.Kind {
	case audit.LeafKind:
		problem, err := v.in.trail.CheckLeaf(ctx, l)
		if err == nil && problem != "" {
			v.add(fmt.Sprintf("audit record %d", l.Position), "%s", problem)
		}
		return err
	case archive.LeafKind:
		return v.statement(ctx, l)
	}
	v.add(fmt.Sprintf("ledger leaf %d", l.Position), "its kind is unknown")
	return nil
}

func (v *verification) statement(ctx context.Context, l ledger.Leaf) error {
	var s archive.Statement
	if err := json.Unmarshal([]byte(l.Data), &s); err != nil {
		v.add(fmt.Sprintf("ledger leaf %d", l.Position), "statement cannot be read")
		return nil
	}
	err := v.replay.Apply(ctx, s)
	switch fault.Of(err) {
	case fault.None:
	case fault.NotFound, fault.Invalid, fault.Internal, fault.Conflict:
		v.add(s.SOPInstanceUID, "file %.16s...: %s", s.Digest, fault.Text(err))
		return nil
	}
	return err
}

// content reads every file.
func (v *verification) content(ctx context.Context) error {
	for p, err := range v.archive.Verify(ctx, func(n int64) { v.files = n; v.progress.add(0, false) }) {
		if err != nil {
			return err
		}
		where := "index"
		if p.Digest != "" {
			where = fmt.Sprintf("file %.16s...", p.Digest)
		}
		v.add(where, "%s", p.Kind)
	}
	return nil
}

// index holds the rows against those that were built anew. What was stored
// since the ledger was read is taken along and compared again.
func (v *verification) index(ctx context.Context) error {
	for range compareTries {
		var found []verifyProblem
		err := v.replay.Compare(ctx, func(d archive.Difference) bool {
			found = append(found, verifyProblem{d.Row, d.String()})
			return len(found) < 10_000
		})
		if err != nil {
			return err
		}
		before := v.leaves
		if err := v.in.ledger.Since(ctx, before, func(l ledger.Leaf) error { return v.leaf(ctx, l) }); err != nil {
			return err
		}
		if v.leaves == before {
			v.problems = append(v.problems, found...)
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	v.add("index", "not compared, because instances were stored all the time; try again when it is quieter")
	return nil
}
