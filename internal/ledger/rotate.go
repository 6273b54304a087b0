package ledger

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
)

// KeyKind is the kind of a leaf by which a log goes over to another key; its data
// are the key that verifies from then on. The checkpoint over it is signed by
// both.
const KeyKind = "key"

// RotateKey gives the log of dir a new key. The old one vouches for it in the
// log, and what it signed up to there stays verifiable; what it signs later
// counts no more. Nothing else may use the log meanwhile, and l must not be used
// after it. It returns the new key that verifies.
func (l *Log) RotateKey(ctx context.Context, dir string) (public string, err error) {
	secret, public, err := note.GenerateKey(rand.Reader, l.key.signer.Name())
	if err != nil {
		return "", fmt.Errorf("ledger: make key: %w", err)
	}
	next, err := note.NewSigner(secret)
	if err != nil {
		return "", fmt.Errorf("ledger: make key: %w", err)
	}

	err = l.db.Write(ctx, func(tx *db.Tx) error {
		at, err := l.Append(ctx, tx, Leaf{Kind: KeyKind, Data: public})
		if err != nil {
			return err
		}
		return l.signBy(ctx, tx, at+1, hashes{ctx: ctx, tx: tx}, l.key.signer, next)
	})
	if err != nil {
		return "", err
	}

	// Until the file is written the log goes on with the old key, which has signed
	// as well.
	lines := append([]string{secret, public, l.key.Public}, l.key.Former...)
	if err := durable.Whole(filepath.Join(dir, keyFile), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("ledger: write key: %w", err)
	}
	return public, nil
}

// openOlder reads a checkpoint that may have been signed by a key before this
// one. Such a key counts for trees that end with the leaf that took its place.
func (l *Log) openOlder(ctx context.Context, signed string) (Tree, error) {
	tree, err := OpenCheckpoint(signed, l.key.Public)
	if err == nil || fault.Of(err) != fault.Invalid {
		return tree, err
	}

	successor := l.key.Public
	for _, former := range l.key.Former {
		old, wrong := OpenCheckpoint(signed, former)
		if wrong == nil {
			end, err := l.retired(ctx, successor)
			if err != nil || old.Size > end {
				return Tree{}, fault.New(fault.Invalid,
					"ledger: the checkpoint is signed with a key that did not count any more")
			}
			return old, nil
		}
		successor = former
	}
	return Tree{}, err
}

// retired is how many leaves the log had when a key took the place of the one
// before.
func (l *Log) retired(ctx context.Context, successor string) (size int64, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx,
			`SELECT position + 1 FROM ledger_leaf WHERE kind = ?1 AND data = ?2 ORDER BY position LIMIT 1`,
			KeyKind, successor).Scan(&size)
	})
	return size, err
}
