package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/ledger"
)

type verifyCmd struct {
	dataFlags
	outputFlag
	Sample  string `help:"Read only so many of the files, chosen at random." placeholder:"N%"`
	Witness string `help:"File of checkpoints that was kept elsewhere; the default is the setting ledger.witness." placeholder:"FILE"`
	Bundle  string `help:"Only check this proof, without a data directory." placeholder:"FILE"`
	Key     string `help:"Key for --bundle, as 'collimator ledger key' printed it." placeholder:"FILE"`
}

func (verifyCmd) Help() string {
	return `Reads every file, computes the ledger's tree anew, builds the index again from files and ledger,
and names whatever differs. Exit code 1 when something does. It cannot find what somebody changed
who holds the ledger's key and rewrote everything; the checkpoints of a witness can, because they
were written to another place.

With --sample the ledger, the audit trail and the row of every instance are checked in full, the
size of every file, and the content of some files. The rows of patients, studies and series are
then not compared.

Examples:
  collimator verify --data ./data
  collimator verify --sample 5%
  collimator verify --bundle image.tlog-proof --key ledger.pub`
}

func (c *verifyCmd) Run(e *env) error {
	if c.Bundle != "" {
		return checkBundle(e, c.Bundle, c.Key)
	}
	share, err := parseShare(c.Sample)
	if err != nil {
		return err
	}
	return c.withArchive(e, func(in *installation, a *archive.Archive) error {
		if err := in.mayBeJudged(e.ctx, a); err != nil {
			return err
		}
		v := &verification{in: in, archive: a, share: share, witness: c.Witness, progress: newProgress(e, "verified", 0)}
		if v.witness == "" {
			v.witness = in.config.Ledger.Witness
		}
		return v.report(e, c.Output)
	})
}

// parseShare reads a percentage above 0 and up to 100 as a share; none is all.
func parseShare(s string) (float64, error) {
	if s == "" {
		return 1, nil
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(n > 0 && n <= 100) {
		return 0, usageError("--sample: want a percentage above 0 and up to 100, such as 5%%")
	}
	return n / 100, nil
}

// verifyProblem is one thing that is not as it was recorded.
type verifyProblem struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

// verification is one run.
type verification struct {
	in       *installation
	archive  *archive.Archive
	progress *progress
	share    float64            // of the files to read; 0 leaves instances out altogether
	witness  string             // file; empty for none
	replay   *archive.Replay    // of a full verification
	spot     *archive.SpotCheck // of a sample
	problems []verifyProblem
	leaves   int64
	// statements is how many of the leaves are about instances.
	statements int64
	files      int64
	seen       int // checkpoints of the witness
}

// report runs the verification and prints what it found.
func (v *verification) report(e *env, form string) error {
	err := v.run(e.ctx)
	v.progress.end()
	if err != nil {
		return err
	}
	well := fmt.Sprintf("All is as it was recorded: %d leaves, %d files.", v.leaves, v.files)
	if v.share == 0 {
		well = fmt.Sprintf("The audit trail is as it was recorded: %d leaves.", v.leaves)
	}
	if v.witness != "" {
		well += fmt.Sprintf(" It continues all %d checkpoints of the witness.", v.seen)
	}
	if err := v.noteAside(e); err != nil {
		return err
	}
	err = printList(e.stdout, form, v.problems, "WHERE|WHAT", func(p verifyProblem) []string { return []string{p.Where, p.What} }, well)
	if err == nil && len(v.problems) > 0 {
		err = fmt.Errorf("%d things are not as they were recorded", len(v.problems))
	}
	return err
}

// noteAside says how many files wait for somebody to look: that a process was
// killed, or that the index is older than the files, is no tampering.
func (v *verification) noteAside(e *env) error {
	if v.share == 0 {
		return nil // the trail alone
	}
	list, err := v.archive.Aside(e.ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	_, err = fmt.Fprintf(e.stderr, "%d files of which the index knows nothing are set aside; see 'collimator lost list'.\n", len(list))

	return err
}

func (v *verification) add(where, format string, args ...any) {
	v.problems = append(v.problems, verifyProblem{where, fmt.Sprintf(format, args...)})
}

// compareTries is how often the index is compared anew when something was
// stored meanwhile.
const compareTries = 5

func (v *verification) run(ctx context.Context) (err error) {
	switch v.share {
	case 0:
	case 1:
		sweepScratch(v.in.config.Data)
		if v.replay, err = v.archive.NewReplay(ctx, v.in.config.Data); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, v.replay.Close()) }()
	default:
		v.spot = v.archive.NewSpotCheck()
	}
	for _, step := range []func(context.Context) error{v.checkpoints, v.tree, v.strays, v.content, v.index, v.rows} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkpoints holds the log against the witness.
func (v *verification) checkpoints(ctx context.Context) error {
	if v.witness == "" {
		return nil
	}
	f, err := os.Open(v.witness)
	if errors.Is(err, fs.ErrNotExist) {
		v.add("witness", "the file is not there")
		return nil
	}
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	defer f.Close()
	for w, err := range v.in.ledger.CheckWitness(ctx, f) {
		if err != nil {
			return err
		}
		v.seen = w.Number
		if w.Problem != "" {
			v.add(fmt.Sprintf("witness checkpoint %d", w.Number), "%s", w.Problem)
		}
	}
	return nil
}

// tree reads every leaf.
func (v *verification) tree(ctx context.Context) error {
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
	return nil
}

func (v *verification) strays(ctx context.Context) error {
	strays, err := v.in.trail.Strays(ctx, v.leaves)
	for _, s := range strays {
		v.add("audit", "%s", s)
	}
	return err
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
	if l.Kind == ledger.BreakKind {
		v.add(fmt.Sprintf("ledger leaf %d", l.Position), "the log went on here although its checkpoint did not fit: it was changed or shortened, or the key was replaced")
		return nil
	}
	v.add(fmt.Sprintf("ledger leaf %d", l.Position), "its kind is unknown")
	return nil
}

func (v *verification) statement(ctx context.Context, l ledger.Leaf) error {
	v.statements++
	var s archive.Statement
	if err := json.Unmarshal([]byte(l.Data), &s); err != nil {
		v.add(fmt.Sprintf("ledger leaf %d", l.Position), "statement cannot be read")
		return nil
	}
	if v.share == 0 {
		return nil
	}
	apply := v.spot.Apply
	if v.replay != nil {
		apply = v.replay.Apply
	}
	err := apply(ctx, s)
	switch fault.Of(err) {
	case fault.None:
	case fault.NotFound, fault.Invalid, fault.Internal, fault.Conflict:
		v.add(s.SOPInstanceUID, "file %.16s...: %s", s.Digest, fault.Text(err))
		return nil
	}
	return err
}

// content reads the files.
func (v *verification) content(ctx context.Context) error {
	if v.share == 0 {
		return nil
	}
	o := archive.VerifyOptions{Progress: func(n int64) { v.files = n; v.progress.add(0, false) }}
	if v.share < 1 {
		o.Pick = func() bool { return rand.Float64() < v.share }
	}
	for p, err := range v.archive.Verify(ctx, o) {
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

// index holds the rows against those that were built anew. What is stored
// meanwhile does no harm; after a deletion it is compared again.
func (v *verification) index(ctx context.Context) error {
	if v.replay == nil {
		return nil
	}
	var found []verifyProblem
	err := v.settled(ctx, func() (bool, error) {
		found = nil
		err := v.replay.Compare(ctx, func(tx *db.Tx) error { return v.catchUp(ctx, tx) }, func(d archive.Difference) bool {
			found = append(found, verifyProblem{d.Row, d.String()})
			return len(found) < 10_000
		})
		return len(found) > 0 || v.replay.Lost(), err
	})
	if err == nil {
		v.problems = append(v.problems, found...)
		v.missing()
	}
	return err
}

// catchUp applies the leaves that there are in what a transaction sees.
func (v *verification) catchUp(ctx context.Context, tx *db.Tx) error {
	n, err := v.in.ledger.Size(ctx, tx)
	if err != nil {
		return err
	}
	return v.in.ledger.Between(ctx, v.leaves, n, func(l ledger.Leaf) error { return v.leaf(ctx, l) })
}

// settled runs a comparison again while it finds something and instances come
// or go meanwhile.
func (v *verification) settled(ctx context.Context, compare func() (found bool, err error)) error {
	for range compareTries {
		found, err := compare()
		if err != nil || !found {
			return err
		}
		before := v.statements
		if err := v.in.ledger.Since(ctx, v.leaves, func(l ledger.Leaf) error { return v.leaf(ctx, l) }); err != nil {
			return err
		}
		if v.statements == before {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	v.add("index", "differs, but instances were stored and deleted all the time; try again when it is quieter")
	return nil
}

// missing names the files that are gone without a tombstone.
func (v *verification) missing() {
	for uid, digest := range v.replay.Missing() {
		v.add(uid, "file %.16s...: is not there", digest)
	}
}

// rows ends the check of a sample.
func (v *verification) rows(ctx context.Context) error {
	if v.spot == nil {
		return nil
	}
	var uids []string
	var strays int64
	err := v.settled(ctx, func() (_ bool, err error) {
		uids, strays, err = v.spot.Differences(ctx, func(tx *db.Tx) error { return v.catchUp(ctx, tx) })
		return len(uids) > 0 || strays != 0, err
	})
	if err != nil {
		return err
	}
	for _, uid := range uids {
		v.add(uid, "index: row of instance is changed or missing")
	}
	if strays != 0 {
		v.add("index", "%d rows of instance are not accounted for", strays)
	}
	return nil
}
