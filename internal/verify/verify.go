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

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/ledger"
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

// checkpoints holds the log against the witness.
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

// tree reads every leaf.
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

// registered holds the registers against their leaves.
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

// leaf looks at what a leaf records.
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
		v.add(fmt.Sprintf("ledger leaf %d", l.Position), "the log went on here although its checkpoint did not fit: it was changed or shortened, or the key was replaced")
		return nil
	}

	v.add(fmt.Sprintf("ledger leaf %d", l.Position), "its kind is unknown")
	return nil
}
