package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// First lines of the two kinds of proofs. The inclusion proof is C2SP
// tlog-proof; for consistency proofs, which C2SP only has as part of a
// protocol, the lines are the same.
const (
	inclusionHeader   = "c2sp.org/tlog-proof@v1"
	consistencyHeader = "collimator consistency proof v1"
)

// Prove makes the inclusion proof of the newest leaf about ref, in the form of
// C2SP tlog-proof with the leaf as extra data. It is checked without the log.
func (l *Log) Prove(ctx context.Context, ref string) (proof string, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		leaf := Leaf{Ref: ref}
		err := tx.QueryRow(ctx, `SELECT position, kind, data FROM ledger_leaf WHERE ref = ?1 AND ref <> ''
    ORDER BY position DESC LIMIT 1`, ref).Scan(&leaf.Position, &leaf.Kind, &leaf.Data)
		if fault.Of(err) == fault.NotFound {
			return fault.New(fault.NotFound, "ledger: nothing in the log is about that")
		}
		if err != nil {
			return err
		}

		signed, tree, err := l.current(ctx, tx)
		if err != nil {
			return err
		}

		path, err := tlog.ProveRecord(tree.Size, leaf.Position, hashes{ctx: ctx, tx: tx})
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}

		var b strings.Builder
		fmt.Fprintf(&b, "%s\nextra %s\nindex %d\n",
			inclusionHeader, base64.StdEncoding.EncodeToString(leaf.bytes()), leaf.Position)
		writeHashes(&b, path)
		b.WriteString("\n" + signed)

		proof = b.String()
		return nil
	})
	return proof, err
}

// current is the checkpoint with what it says.
func (l *Log) current(ctx context.Context, tx *db.Tx) (signed string, tree Tree, err error) {
	if signed, err = checkpoint(ctx, tx); err != nil {
		return "", Tree{}, err
	}
	tree, err = OpenCheckpoint(signed, l.key.Public)
	return signed, tree, err
}

func writeHashes(b *strings.Builder, list []tlog.Hash) {
	for _, h := range list {
		fmt.Fprintln(b, base64.StdEncoding.EncodeToString(h[:]))
	}
}

// Consistency proves that the log has only grown since an older checkpoint of
// it. It fails with kind Conflict where the log does not contain the tree of
// that checkpoint.
func (l *Log) Consistency(ctx context.Context, older string) (proof string, err error) {
	old, err := l.openOlder(ctx, older)
	if err != nil {
		return "", err
	}

	err = l.db.Read(ctx, func(tx *db.Tx) error {
		signed, tree, err := l.current(ctx, tx)
		if err != nil {
			return err
		}

		if old.Size > tree.Size {
			return fault.Newf(fault.Conflict,
				"ledger: the log has %d leaves and had %d: leaves were removed", tree.Size, old.Size)
		}

		var path tlog.TreeProof
		if old.Size > 0 {
			root, err := tlog.TreeHash(old.Size, hashes{ctx: ctx, tx: tx})
			if err != nil {
				return fmt.Errorf("ledger: %w", err)
			}

			if root != old.Root {
				return fault.Newf(fault.Conflict,
					"ledger: the first %d leaves are not what they were: the log was rewritten", old.Size)
			}

			if path, err = tlog.ProveTree(tree.Size, old.Size, hashes{ctx: ctx, tx: tx}); err != nil {
				return fmt.Errorf("ledger: %w", err)
			}
		}

		var b strings.Builder
		fmt.Fprintf(&b, "%s\n", consistencyHeader)
		writeHashes(&b, path)
		fmt.Fprintf(&b, "\n%s\n%s", strings.TrimSuffix(older, "\n"), "\n"+signed)

		proof = b.String()
		return nil
	})
	return proof, err
}

// Checked is what a proof that holds says.
type Checked struct {
	// Leaf of an inclusion proof; nil for a consistency proof.
	Leaf *Leaf
	// Tree is the newest checkpoint in the proof, Older the one it continues.
	Tree, Older Tree
}

// errProof is a proof that does not hold.
var errProof = fault.New(fault.Conflict, "ledger: the proof does not hold")

// Check checks a proof of Prove or Consistency with the key alone. The error is
// of kind Conflict where the proof is well formed and does not hold.
func Check(proof, public string) (Checked, error) {
	header, rest, _ := strings.Cut(proof, "\n")
	switch header {
	case inclusionHeader:
		return checkInclusion(rest, public)
	case consistencyHeader:
		return checkConsistency(rest, public)
	}
	return Checked{}, fault.New(fault.Invalid,
		"ledger: the text is not a proof; 'collimator ledger prove' and 'collimator ledger consistency' make them")
}

func checkInclusion(text, public string) (Checked, error) {
	body, signed, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(body, "\n")
	bad := fault.New(fault.Invalid, "ledger: the proof is malformed")
	if !ok || len(lines) < 2 {
		return Checked{}, bad
	}

	extra, ok1 := strings.CutPrefix(lines[0], "extra ")
	index, ok2 := strings.CutPrefix(lines[1], "index ")
	raw, err1 := base64.StdEncoding.Strict().DecodeString(extra)
	position, err2 := strconv.ParseInt(index, 10, 64)
	path, err3 := readHashes(lines[2:])
	if !ok1 || !ok2 || err1 != nil || err2 != nil || err3 != nil {
		return Checked{}, bad
	}

	leaf, err := parseLeaf(raw)
	if err != nil {
		return Checked{}, err
	}
	leaf.Position = position

	tree, err := OpenCheckpoint(signed, public)
	if err != nil {
		return Checked{}, err
	}

	if position < 0 || position >= tree.Size || tlog.CheckRecord(path, tree.Size, tree.Root, position, tlog.RecordHash(raw)) != nil {
		return Checked{}, errProof
	}
	return Checked{Leaf: &leaf, Tree: tree}, nil
}

func checkConsistency(text, public string) (Checked, error) {
	bad := fault.New(fault.Invalid, "ledger: the proof is malformed")
	body, notes, ok := strings.Cut(text, "\n\n")
	if strings.HasPrefix(text, "\n") { // no hashes
		body, notes = "", text[1:]
		ok = true
	}

	older, newer, two := splitNotes(notes)
	if !ok || !two {
		return Checked{}, bad
	}

	var lines []string
	if body != "" {
		lines = strings.Split(body, "\n")
	}

	path, err := readHashes(lines)
	if err != nil {
		return Checked{}, bad
	}

	old, err := OpenCheckpoint(older, public)
	if err != nil {
		return Checked{}, err
	}

	tree, err := OpenCheckpoint(newer, public)
	if err != nil {
		return Checked{}, err
	}

	switch {
	case old.Size > tree.Size, old.Size == tree.Size && old.Root != tree.Root:
		return Checked{}, errProof
	case old.Size > 0 && tlog.CheckTree(path, tree.Size, tree.Root, old.Size, old.Root) != nil:
		return Checked{}, errProof
	}
	return Checked{Tree: tree, Older: old}, nil
}

// splitNotes parts two signed notes, each of a text, an empty line and
// signatures, with an empty line between them.
func splitNotes(s string) (first, second string, ok bool) {
	parts := strings.SplitN(s, "\n\n", 4)
	if len(parts) != 4 {
		return "", "", false
	}
	return parts[0] + "\n\n" + parts[1] + "\n", parts[2] + "\n\n" + parts[3], true
}

func readHashes(lines []string) ([]tlog.Hash, error) {
	if len(lines) > 64 {
		return nil, errProof
	}

	var out []tlog.Hash
	for _, line := range lines {
		b, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(b) != sha256.Size {
			return nil, errProof
		}
		out = append(out, tlog.Hash(b))
	}
	return out, nil
}
