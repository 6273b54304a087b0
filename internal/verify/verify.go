// Package verify holds what is stored against what was recorded: every leaf of
// the ledger against its tree and the checkpoints of a witness, the rows of the
// audit trail and of the registers against their leaves, every file against its
// digest, the index against one that is built anew of files and leaves, and its
// schema against what the migrations make. And it checks the digital signatures of
// images. It changes nothing and prints nothing.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/ledger"
	"collimator/internal/phrase"
	"collimator/internal/registers"
)

// Options are what is verified. DB, Ledger and Trail are needed.
type Options struct {
	DB     *db.DB
	Ledger *ledger.Log
	Trail  *audit.Trail
	// Archive is whose files and index are verified too; nil leaves them out.
	Archive *archive.Archive
	// Share of the files to read, above 0 and below 1. Anything else reads all of them
	// and builds the index anew.
	Share float64
	// Data is the directory in which that index is built.
	Data string
	// Witness is a file of checkpoints that was kept elsewhere; empty for none.
	Witness string
	// Progress, where it is not nil, is called for each leaf and file.
	Progress func()
}

// Problem is one thing that is not as it was recorded.
type Problem struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

// Result is what a verification found.
type Result struct {
	Problems    []Problem
	Leaves      int64
	Files       int64 // that were read
	Stored      int64 // that there are; more than Files where a share was read
	Checkpoints int   // of the witness, with which the log was compared
}

// Run verifies. What is stored, deleted and recorded meanwhile does no harm.
func Run(ctx context.Context, o Options) (Result, error) {
	v := &verification{Options: o, registers: registers.NewCheck()}
	if v.Share <= 0 || v.Share > 1 {
		v.Share = 1
	}
	err := v.run(ctx)
	v.Leaves = v.leaves

	return v.Result, err
}

// verification is one run.
type verification struct {
	Options
	Result
	registers *registers.Check
	replay    *archive.Replay     // of a full verification
	spot      *archive.SpotCheck  // of a sample
	waiting   []archive.Statement // that were read and not yet followed
	leaves    int64
	// statements is how many of the leaves are about instances.
	statements int64
}

func (v *verification) progress() {
	if v.Progress != nil {
		v.Progress()
	}
}

func (v *verification) add(where, format string, args ...any) {
	v.Problems = append(v.Problems, Problem{where, fmt.Sprintf(format, args...)})
}

// compareTries is how often the index is compared anew when something was
// stored meanwhile.
const compareTries = 5

func (v *verification) run(ctx context.Context) (err error) {
	switch {
	case v.Archive == nil:
	case v.Share == 1:
		if v.replay, err = v.Archive.NewReplay(ctx, v.Data); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, v.replay.Close()) }()
	default:
		v.spot = v.Archive.NewSpotCheck()
	}

	steps := []func(context.Context) error{
		v.checkpoints, v.tree, v.strays, v.schema, v.registered, v.content, v.index, v.rows,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkpoints holds the log against the checkpoints in the file of the witness, and
// reports those that were removed from it.
func (v *verification) checkpoints(ctx context.Context) error {
	if v.Witness == "" {
		return nil
	}

	f, err := os.Open(v.Witness)
	if errors.Is(err, fs.ErrNotExist) {
		v.add("witness", "the file is not there")
		return nil
	}
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	defer f.Close()

	for w, err := range v.Ledger.CheckWitness(ctx, f) {
		if err != nil {
			return err
		}
		v.Checkpoints = w.Number
		if w.Problem != "" {
			v.add(fmt.Sprintf("witness checkpoint %d", w.Number), "%s", w.Problem)
		}
	}

	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("witness: %w", err)
	}

	loss, err := v.Ledger.WitnessLoss(ctx, f, v.Witness)
	if loss != "" {
		v.add("witness", "%s", loss)
	}
	return err
}

// tree reads every leaf, checks the hashes over them, and hands each to leaf.
func (v *verification) tree(ctx context.Context) error {
	for p, err := range v.Ledger.Verify(ctx, func(l ledger.Leaf) error { return v.leaf(ctx, l) }) {
		if err != nil {
			return err
		}

		where := "ledger"
		if p.Position >= 0 {
			where = fmt.Sprintf("ledger leaf %d", p.Position)
		}

		v.add(where, "%s", p.Text)
	}

	return v.follow(ctx)
}

func (v *verification) strays(ctx context.Context) error {
	strays, err := v.Trail.Strays(ctx, v.leaves)
	for _, s := range strays {
		v.add("audit", "%s", s)
	}
	return err
}

// schema names what is not as the program makes it, and would have statements of
// the index do something else than they say.
func (v *verification) schema(ctx context.Context) error {
	found, err := v.DB.Drift(ctx)
	for _, text := range found {
		v.add("index", "%s", text)
	}
	return err
}

// registered holds the rows of the registers against their last leaves, both in one
// state of the database.
func (v *verification) registered(ctx context.Context) error {
	return v.DB.Read(ctx, func(tx *db.Tx) error {
		if err := v.catchUp(ctx, tx); err != nil {
			return err
		}

		problems, err := v.registers.Compare(ctx, tx)
		for _, p := range problems {
			v.add(p.Where, "%s", p.What)
		}
		return err
	})
}

// leaf remembers a leaf for the checks to come, and holds an audit record against it. A
// problem goes into the report; an error ends the verification.
func (v *verification) leaf(ctx context.Context, l ledger.Leaf) error {
	v.leaves = l.Position + 1
	v.progress()

	switch l.Kind {
	case audit.LeafKind:
		problem, err := v.Trail.CheckLeaf(ctx, l)
		if err == nil && problem != "" {
			v.add(fmt.Sprintf("audit record %d", l.Position), "%s", problem)
		}
		return err
	case archive.LeafKind:
		return v.statement(ctx, l)
	case registers.LeafKind:
		if p := v.registers.Apply(l); p != nil {
			v.add(p.Where, "%s", p.What)
		}
		return nil
	case ledger.KeyKind: // the checkpoint over it was signed by both keys
		return nil
	case ledger.BreakKind:
		v.add(fmt.Sprintf("ledger leaf %d", l.Position), "the log went on here although its checkpoint did not fit: "+
			"it was changed or shortened, or the key was replaced")
		return nil
	}

	v.add(fmt.Sprintf("ledger leaf %d", l.Position), "its kind is unknown")
	return nil
}

// Verdict is the error of a verification that found so many things; nil for none.
func Verdict(problems int) error {
	if problems == 0 {
		return nil
	}
	return fmt.Errorf("%s recorded", phrase.Count(problems, "thing is not as it was", "things are not as they were"))
}

// ParseShare reads a percentage above 0 and up to 100 as a share; none is all.
func ParseShare(s string) (float64, error) {
	if s == "" {
		return 1, nil
	}

	n, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(n > 0 && n <= 100) {
		return 0, fault.Usage("--sample: want a percentage above 0 and up to 100, such as 5%%")
	}
	return n / 100, nil
}

// Well is the sentence where nothing differs, which claims no more than was looked at.
func (r Result) Well(o Options) string {
	leaves := phrase.Count(r.Leaves, "leaf", "leaves")
	well := fmt.Sprintf("All is as it was recorded: %s, %s.", leaves, phrase.Count(r.Files, "file", "files"))

	switch {
	case o.Archive == nil:
		well = fmt.Sprintf("The audit trail and the registers are as they were recorded: %s.", leaves)
	case o.Sample():
		well = fmt.Sprintf("The sample is as it was recorded: %s, and the content of %s. Without --sample every file is read.",
			leaves, r.Sampled())
	}

	if o.Witness != "" {
		well += fmt.Sprintf(" It continues all %d %s of the witness.",
			r.Checkpoints, phrase.Of(r.Checkpoints, "checkpoint", "checkpoints"))
	}
	return well
}

// Sample reports that not every file is read.
func (o Options) Sample() bool { return o.Archive != nil && o.Share < 1 }

// Sampled says how many of the files were read.
func (r Result) Sampled() string {
	return fmt.Sprintf("%d of %s", r.Files, phrase.Count(r.Stored, "file", "files"))
}
