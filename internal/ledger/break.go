package ledger

import (
	"context"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// BreakKind is the kind of a leaf that says: here the log went on although the
// checkpoint it had did not fit. Its data are that checkpoint. The log was
// changed or shortened, or the key is another one. Images are taken in all the
// same; what happened can not be papered over, because the leaf stays.
const BreakKind = "break"

// broken is the leaf to put in front when the checkpoint that is there does not
// fit a log of n leaves; nil when it does.
func (l *Log) broken(ctx context.Context, tx *db.Tx, n int64) (*Leaf, error) {
	signed, err := checkpoint(ctx, tx)
	if fault.Of(err) == fault.NotFound {
		if n == 0 {
			return nil, nil
		}
		return &Leaf{Kind: BreakKind}, nil
	}

	if err != nil {
		return nil, err
	}

	tree, err := l.opened(signed)
	if err != nil || tree.Size != n {
		return &Leaf{Kind: BreakKind, Data: signed}, nil
	}
	return nil, nil
}

// opened reads a checkpoint. The signature of the one that was written last is
// not verified again.
func (l *Log) opened(signed string) (Tree, error) {
	if last := l.signed.Load(); last != nil && *last == signed {
		return parseTree(signed, l.key.signer.Name())
	}

	tree, err := OpenCheckpoint(signed, l.key.Public)
	if err == nil {
		l.signed.Store(&signed)
	}
	return tree, err
}
