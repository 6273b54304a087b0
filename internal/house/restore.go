package house

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/backup"
	"collimator/internal/config"
	"collimator/internal/durable"
	"collimator/internal/terminal"
	"collimator/internal/verify"
)

// RestoreSteps are told how far a restore has come, one after the other; each may
// be nil.
type RestoreSteps struct {
	Restored func(bytes int64) // a file
	Indexed  func(done, all int64)
	Verified func() // a leaf or a file
}

// StepsOn shows on a terminal how far a restore has come.
func StepsOn(s *terminal.Stages) RestoreSteps {
	return RestoreSteps{
		Restored: func(bytes int64) { s.At("files restored").Count(bytes) },
		Indexed:  func(done, all int64) { s.At("instances indexed").Reach(done, all) },
		Verified: func() { s.At("verified").Tick() },
	}
}

// Restore brings a copy back into r.Data, verifies all of it and records that. What is
// not as it was recorded is not an error: it is listed.
func Restore(ctx context.Context, d *backup.Dir, r backup.Restoring, steps RestoreSteps) (backup.Restored, []verify.Problem, error) {
	out, err := bringBack(ctx, d, r, steps)
	if err != nil {
		return out, nil, err
	}
	problems, err := verifyData(ctx, r.Data, out, steps)
	return out, problems, err
}

func bringBack(ctx context.Context, d *backup.Dir, r backup.Restoring, steps RestoreSteps) (backup.Restored, error) {
	r.Progress = steps.Restored
	return d.Restore(ctx, r)
}

// verifyData holds a restored archive against its ledger, and records the restore.
func verifyData(ctx context.Context, data string, r backup.Restored, steps RestoreSteps) ([]verify.Problem, error) {
	c, err := config.Load("", data)
	if err != nil {
		return nil, err
	}
	c.Data = data

	if err := forgetBackups(data); err != nil {
		return nil, err
	}

	in, err := Open(ctx, c, false)
	if err != nil {
		return nil, err
	}

	problems, err := verifyRestored(ctx, in, r, steps)
	if err == nil {
		err = in.Record(ctx, audit.Record{Event: audit.Maintained, Action: audit.Create, Reason: "restored from backup " + r.Name})
	}

	return problems, errors.Join(err, in.Close())
}

// forgetBackups takes away what the old place knew of its backups: it says
// nothing of this one.
func forgetBackups(data string) error { return durable.Remove(filepath.Join(data, backup.RecordFile)) }

// verifyRestored verifies what was brought back of a backup.
func verifyRestored(ctx context.Context, in *Installation, r backup.Restored, steps RestoreSteps) (problems []verify.Problem, err error) {
	err = WithBlobs(in, func(a *archive.Archive) error {
		indexed := steps.Indexed
		if indexed == nil {
			indexed = func(int64, int64) {}
		}
		if err := in.BringUpToDate(ctx, a, indexed); err != nil {
			return err
		}
		found, err := verify.Run(ctx, in.Verification(verify.Options{Archive: a, Progress: steps.Verified}))
		if err != nil {
			return err
		}
		problems = found.Problems
		for _, l := range r.Missing {
			where := fmt.Sprintf("file %.16s...", l.Digest)
			problems = append(problems, verify.Problem{Where: where, What: "not in the backup: " + l.What})
		}

		return nil
	})

	return problems, err
}

// Verification completes the options of a verification with what belongs to the
// installation, and removes what verifications left that were killed.
func (in *Installation) Verification(o verify.Options) verify.Options {
	if o.Archive != nil {
		SweepScratch(in.Config.Data)
	}
	o.DB = in.DB
	o.Ledger = in.Ledger
	o.Trail = in.Trail
	o.Data = in.Config.Data
	o.Witness = cmp.Or(o.Witness, in.Config.Ledger.Witness)
	return o
}
