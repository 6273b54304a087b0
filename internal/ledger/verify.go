package ledger

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Problem is something in the log that is not as it was recorded.
type Problem struct {
	Position int64 // of the leaf; -1 for the log as a whole
	Text     string
}

// verifyPage is how many leaves one read transaction fetches.
const verifyPage = 1000

// Verify computes the whole tree anew from its leaves and holds it against the
// stored hashes and the signed checkpoint. Every leaf is given to each, which
// may be nil, and may be compared there with what it records. It ends after the
// first error.
func (l *Log) Verify(ctx context.Context, each func(Leaf) error) iter.Seq2[Problem, error] {
	return func(yield func(Problem, error) bool) {
		v := &verification{log: l, each: each, yield: yield}
		if err := v.begin(ctx); err != nil {
			yield(Problem{}, err)
			return
		}

		if err := v.leaves(ctx); err != nil {
			yield(Problem{}, err)
			return
		}

		if !v.stopped {
			v.root()
		}

		if err := v.foreign(ctx); err != nil {
			yield(Problem{}, err)
		}
	}
}

// begin reads the checkpoint. Without one that can be trusted the leaves are
// still held against their stored hashes.
func (v *verification) begin(ctx context.Context) error {
	return v.log.db.Read(ctx, func(tx *db.Tx) error {
		n, err := size(ctx, tx)
		if err != nil {
			return err
		}

		_, v.tree, err = v.log.current(ctx, tx)
		v.signed = err == nil
		switch {
		case fault.Of(err) == fault.NotFound && n == 0:
		case fault.Of(err) == fault.NotFound, fault.Of(err) == fault.Invalid:
			v.tree.Size = n
			v.report(-1, "the checkpoint is missing, malformed, or not signed with the key of this log")
		default:
			return err
		}
		return nil
	})
}

// verification is one run over the leaves. It keeps the right edge of the tree:
// the roots of the complete subtrees, one for each level.
type verification struct {
	log     *Log
	each    func(Leaf) error
	yield   func(Problem, error) bool
	tree    Tree
	signed  bool        // tree comes from a checkpoint with a good signature
	edge    []tlog.Hash // of the complete subtrees that the leaves so far make up, largest first
	sizes   []int64
	next    int64 // position that must come now
	stopped bool
}

func (v *verification) report(position int64, format string, args ...any) {
	if !v.stopped && !v.yield(Problem{position, fmt.Sprintf(format, args...)}, nil) {
		v.stopped = true
	}
}

// leaves walks the leaves of the checkpoint; what was appended after it was
// read is left for the next time.
func (v *verification) leaves(ctx context.Context) error {
	for !v.stopped {
		page, err := v.page(ctx)
		if err != nil {
			return err
		}

		for _, p := range page {
			if v.stopped {
				return nil
			}
			if err := v.leaf(p); err != nil {
				return err
			}
		}

		if len(page) < verifyPage {
			break
		}
	}

	if v.next < v.tree.Size {
		v.report(v.next, "%d leaves are missing at the end", v.tree.Size-v.next)
	}
	return nil
}

type pageEntry struct {
	leaf   Leaf
	stored [][]byte // hashes kept for it, lowest level first; nil where one is missing
}

func (v *verification) page(ctx context.Context) (page []pageEntry, err error) {
	err = v.log.db.Read(ctx, func(tx *db.Tx) error {
		err := eachLeaf(ctx, tx, func(l Leaf) error {
			page = append(page, pageEntry{leaf: l})
			return nil
		}, `position >= ?1 AND position < ?2 ORDER BY position LIMIT ?3`, v.next, v.tree.Size, verifyPage)
		if err != nil {
			return err
		}

		for i := range page {
			if page[i].stored, err = storedHashes(ctx, tx, page[i].leaf.Position); err != nil {
				return err
			}
		}
		return nil
	})
	return page, err
}

// storedHashes are the hashes that were added together with a leaf.
func storedHashes(ctx context.Context, tx *db.Tx, position int64) ([][]byte, error) {
	from := tlog.StoredHashIndex(0, position)
	to := tlog.StoredHashIndex(0, position+1)
	out := make([][]byte, to-from)

	err := db.Each(ctx, tx, func(scan db.Scan) error {
		var at int64
		var b []byte
		if err := scan(&at, &b); err != nil {
			return err
		}
		out[at-from] = b

		return nil
	}, `SELECT position, hash FROM ledger_hash WHERE position >= ?1 AND position < ?2`, from, to)

	return out, err
}

// leaf adds one to the edge and compares the hashes that were stored with it.
func (v *verification) leaf(e pageEntry) error {
	if e.leaf.Position != v.next {
		v.report(v.next, "%d leaves are missing", e.leaf.Position-v.next)
	}
	v.next = e.leaf.Position + 1

	h := tlog.RecordHash(e.leaf.bytes())
	n := int64(1)
	v.compare(e, 0, h)
	for level := 1; len(v.sizes) > 0 && v.sizes[len(v.sizes)-1] == n; level++ { // two of a size become one above them
		h = tlog.NodeHash(v.edge[len(v.edge)-1], h)
		n *= 2
		v.edge, v.sizes = v.edge[:len(v.edge)-1], v.sizes[:len(v.sizes)-1]
		v.compare(e, level, h)
	}

	v.edge = append(v.edge, h)
	v.sizes = append(v.sizes, n)

	if v.each != nil {
		return v.each(e.leaf)
	}
	return nil
}

func (v *verification) compare(e pageEntry, level int, want tlog.Hash) {
	if level >= len(e.stored) || !bytes.Equal(e.stored[level], want[:]) {
		if level == 0 {
			v.report(e.leaf.Position, "leaf was changed: it does not have the hash it had")
			return
		}
		v.report(e.leaf.Position, "hash of level %d does not fit the leaves below it", level)
	}
}

// root holds the edge against the checkpoint.
func (v *verification) root() {
	if !v.signed || len(v.edge) == 0 || v.next != v.tree.Size {
		return
	}

	h := v.edge[len(v.edge)-1]
	for i := len(v.edge) - 2; i >= 0; i-- {
		h = tlog.NodeHash(v.edge[i], h)
	}

	if h != v.tree.Root {
		v.report(-1, "the leaves do not have the root of the signed checkpoint: the log was rewritten")
	}
}

// foreign names rows that no log has: leaves before the first, and hashes that
// belong to no leaf. What the log is now is read again: it may have grown.
func (v *verification) foreign(ctx context.Context) error {
	var leaves, hashes []int64
	err := v.log.db.Read(ctx, func(tx *db.Tx) error {
		n, err := size(ctx, tx)
		if err != nil {
			return err
		}
		leaves, err = db.Column[int64](ctx, tx,
			`SELECT position FROM ledger_leaf WHERE position < 0 ORDER BY 1 LIMIT ?1`, foreignMost)
		if err != nil {
			return err
		}

		hashes, err = db.Column[int64](ctx, tx,
			`SELECT position FROM ledger_hash WHERE position < 0 OR position >= ?1 ORDER BY 1 LIMIT ?2`,
			tlog.StoredHashIndex(0, max(n, 0)), foreignMost)
		return err
	})

	for _, at := range leaves {
		v.report(-1, "a leaf at position %d was added from outside: the log begins at 0", at)
	}
	for _, at := range hashes {
		v.report(-1, "a hash at position %d was added from outside: it does not belong to a leaf", at)
	}
	return err
}

// foreignMost is how many of such rows are named.
const foreignMost = 100
