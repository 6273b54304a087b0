// Package ledger is a log nobody can rewrite unnoticed: a Merkle tree over all
// that was recorded (RFC 6962 2.1), with signed checkpoints (C2SP
// tlog-checkpoint), inclusion proofs (C2SP tlog-proof), consistency proofs and
// tiles (C2SP tlog-tiles). Leaves are added in the transaction of what they
// record. It does not know what the leaves mean.
//
// A log proves nothing to who holds its key and its only copy. An auditor keeps
// a checkpoint elsewhere and later asks for the proof that the log has only
// grown since.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Leaf is one entry. Its hash covers all four fields.
type Leaf struct {
	Position int64 // from 0
	Kind     string
	// Ref is what the leaf is about, to find it by; it may be empty.
	Ref  string
	Data string
}

// bytes is what is hashed: the parts with their lengths, so that none can be
// moved into another.
func (l Leaf) bytes() []byte {
	return fmt.Appendf(nil, "collimator leaf v1\n%d %d %d\n%s%s%s",
		len(l.Kind), len(l.Ref), len(l.Data), l.Kind, l.Ref, l.Data)
}

// parseLeaf reads a leaf in the form that bytes writes. The lengths in its head must
// add up to what follows.
func parseLeaf(b []byte) (Leaf, error) {
	bad := fault.New(fault.Invalid, "ledger: the proof's extra data are not a leaf of this kind of log")
	rest, ok := strings.CutPrefix(string(b), "collimator leaf v1\n")
	if !ok {
		return Leaf{}, bad
	}

	head, rest, _ := strings.Cut(rest, "\n")
	var n [3]int // the lengths of its three parts
	fields := strings.Fields(head)
	if len(fields) != 3 {
		return Leaf{}, bad
	}
	for i, f := range fields {
		v, err := strconv.Atoi(f)
		if err != nil || v < 0 || v > len(rest) {
			return Leaf{}, bad
		}
		n[i] = v
	}

	if n[0]+n[1]+n[2] != len(rest) {
		return Leaf{}, bad
	}
	return Leaf{Kind: rest[:n[0]], Ref: rest[n[0] : n[0]+n[1]], Data: rest[n[0]+n[1]:]}, nil
}

// Log is the log of one database. Safe for concurrent use; several processes
// may append to one database.
type Log struct {
	db     *db.DB
	key    *Key
	signed atomic.Pointer[string] // the last checkpoint that was found to fit
}

// New makes a log over an open database.
func New(d *db.DB, key *Key) *Log { return &Log{db: d, key: key} }

// Append adds leaves in a transaction of the caller's, signs the checkpoint
// that covers them in the same transaction, and returns the position of the
// first. Position in the leaves is ignored. Where the checkpoint that is there
// does not fit the log or the key, the log goes on behind a leaf of BreakKind.
func (l *Log) Append(ctx context.Context, tx *db.Tx, leaves ...Leaf) (first int64, err error) {
	if len(leaves) == 0 {
		return 0, nil
	}

	if first, err = size(ctx, tx); err != nil {
		return 0, err
	}

	broken, err := l.broken(ctx, tx, first)
	if err != nil {
		return 0, err
	}
	if broken != nil {
		leaves = append([]Leaf{*broken}, leaves...)
	}

	if err := l.insert(ctx, tx, first, leaves); err != nil {
		return 0, err
	}

	end := first + int64(len(leaves))
	if broken != nil {
		first++
	}
	return first, l.sign(ctx, tx, end, hashes{ctx: ctx, tx: tx})
}

// insert writes leaves from position first on, each with the hashes of the tree that
// it completes.
func (l *Log) insert(ctx context.Context, tx *db.Tx, first int64, leaves []Leaf) error {
	r := hashes{ctx: ctx, tx: tx}
	for i, leaf := range leaves {
		leaf.Position = first + int64(i)
		_, err := tx.Exec(ctx, `INSERT INTO ledger_leaf (position, kind, ref, data) VALUES (?1, ?2, ?3, ?4)`,
			leaf.Position, leaf.Kind, leaf.Ref, leaf.Data)
		if err != nil {
			return err
		}

		stored, err := tlog.StoredHashes(leaf.Position, leaf.bytes(), r)
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}

		at := tlog.StoredHashIndex(0, leaf.Position)
		for k := range stored {
			_, err := tx.Exec(ctx, `INSERT INTO ledger_hash (position, hash) VALUES (?1, ?2)
				ON CONFLICT (position) DO UPDATE SET hash = ?2`,
				at+int64(k), stored[k][:])
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func size(ctx context.Context, tx *db.Tx) (n int64, err error) {
	err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(position) + 1, 0) FROM ledger_leaf`).Scan(&n)
	return n, err
}

// sign writes the checkpoint of a tree of n leaves, signed by the key of the log.
func (l *Log) sign(ctx context.Context, tx *db.Tx, n int64, r tlog.HashReader) error {
	return l.signBy(ctx, tx, n, r, l.key.signer)
}

func (l *Log) signBy(ctx context.Context, tx *db.Tx, n int64, r tlog.HashReader, signers ...note.Signer) error {
	root, err := tlog.TreeHash(n, r)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}

	text := fmt.Sprintf("%s\n%d\n%s\n", l.key.signer.Name(), n, base64.StdEncoding.EncodeToString(root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		return fmt.Errorf("ledger: sign checkpoint: %w", err)
	}

	_, err = tx.Exec(ctx, `INSERT INTO ledger_checkpoint (one, note) VALUES (1, ?1)
		ON CONFLICT (one) DO UPDATE SET note = ?1`, string(signed))
	fits := string(signed)
	l.signed.Store(&fits)
	return err
}

// hashes reads stored hashes in a transaction.
type hashes struct {
	ctx context.Context
	tx  *db.Tx
}

// ReadHashes implements tlog.HashReader.
func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		var b []byte
		if err := h.tx.QueryRow(h.ctx, `SELECT hash FROM ledger_hash WHERE position = ?1`, at).Scan(&b); err != nil {
			return nil, err
		}
		if len(b) != sha256.Size {
			return nil, fault.Newf(fault.Internal, "ledger: hash %d has %d bytes", at, len(b))
		}

		copy(out[i][:], b)
	}
	return out, nil
}

// Checkpoint is the signed checkpoint of all that was appended; kind NotFound
// while the log is empty.
func (l *Log) Checkpoint(ctx context.Context) (signed string, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		signed, err = checkpoint(ctx, tx)
		return err
	})
	return signed, err
}

func checkpoint(ctx context.Context, tx *db.Tx) (signed string, err error) {
	err = tx.QueryRow(ctx, `SELECT note FROM ledger_checkpoint WHERE one = 1`).Scan(&signed)
	return signed, err
}

// Tree is what a checkpoint says: the log had Size leaves with this root.
type Tree struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// OpenCheckpoint reads a checkpoint whose signature public verifies: a key, or
// several on lines of their own where it was rotated.
func OpenCheckpoint(signed, public string) (Tree, error) {
	var verifiers []note.Verifier
	for _, key := range strings.Fields(public) {
		v, err := note.NewVerifier(key)
		if err != nil {
			return Tree{}, fault.New(fault.Invalid, "ledger: the key is malformed; it has the form NAME+HASH+KEY")
		}
		verifiers = append(verifiers, v)
	}
	if len(verifiers) == 0 {
		return Tree{}, fault.New(fault.Invalid, "ledger: the key is malformed; it has the form NAME+HASH+KEY")
	}

	n, err := note.Open([]byte(signed), note.VerifierList(verifiers...))
	if err != nil {
		return Tree{}, fault.Wrap(fault.Invalid, err, "ledger: the checkpoint is not signed with this key")
	}
	if !canonical(signed, n) {
		return Tree{}, fault.New(fault.Invalid,
			"ledger: the checkpoint is not in the form in which it was signed: it was changed")
	}
	return parseTree(n.Text, verifiers[0].Name())
}

// canonical reports that a note that was opened is byte for byte what its
// writers wrote. A signature does not cover its own base64, whose last digit has
// spare bits that a decoder leaves out.
func canonical(signed string, n *note.Note) bool {
	signatures := signed[len(n.Text)+len("\n"):]
	for line := range strings.Lines(signatures) {
		digits := strings.TrimSuffix(line[strings.LastIndexByte(line, ' ')+1:], "\n")
		b, err := base64.StdEncoding.DecodeString(digits)
		if err != nil || base64.StdEncoding.EncodeToString(b) != digits {
			return false
		}
	}
	return true
}

func parseTree(text, origin string) (Tree, error) {
	bad := fault.New(fault.Invalid, "ledger: the checkpoint is malformed")
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		return Tree{}, bad
	}

	n, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != lines[1] {
		return Tree{}, bad
	}

	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != sha256.Size {
		return Tree{}, bad
	}

	return Tree{Origin: lines[0], Size: n, Root: tlog.Hash(root)}, nil
}
