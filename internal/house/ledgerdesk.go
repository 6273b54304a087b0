package house

import (
	"context"
	"io"

	"collimator/internal/api"
	"collimator/internal/archive"
	"collimator/internal/ledger"
	"collimator/internal/verify"
)

// ledgerDesk is the log as the JSON API shows it.
type ledgerDesk struct{ in *Installation }

var _ api.Ledger = ledgerDesk{}

func (d ledgerDesk) Key() string { return d.in.LedgerKey.Public }

func (d ledgerDesk) Checkpoint(ctx context.Context) (signed string, leaves int64, err error) {
	if signed, err = d.in.Ledger.Checkpoint(ctx); err != nil {
		return "", 0, err
	}
	tree, err := ledger.OpenCheckpoint(signed, d.in.LedgerKey.Public)
	return signed, tree.Size, err
}

func (d ledgerDesk) Verify(ctx context.Context, progress func()) (api.Verified, error) {
	r, err := verify.Run(ctx, d.in.Verification(verify.Options{Progress: progress}))
	x := api.Verified{Leaves: r.Leaves, Checkpoints: r.Checkpoints, Problems: []api.Problem{}}
	for _, p := range r.Problems {
		x.Problems = append(x.Problems, api.Problem{Where: p.Where, What: p.What})
	}
	return x, err
}

// heldDesk looks into what is held back.
type heldDesk struct{ s *Server }

var _ api.Held = heldDesk{}

func (d heldDesk) Found(ctx context.Context, q archive.QuarantineEntry) ([]string, error) {
	return HeldFor(ctx, d.s.Archive, q, d.s.in.Config.Inspect)
}

func (d heldDesk) File(ctx context.Context, q archive.QuarantineEntry) ([]byte, error) {
	o, err := d.s.Archive.OpenQuarantined(ctx, q.ID)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	b := make([]byte, o.Size())
	_, err = io.ReadFull(io.NewSectionReader(o, 0, o.Size()), b)
	return b, err
}
