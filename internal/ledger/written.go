package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/phrase"
)

// Register writes a row that the ledger covers; it is a registers.Book.
type Register interface {
	Exec(ctx context.Context, tx *db.Tx, query string, args ...any) (int64, error)
}

// written is what the index remembers of a witness: it shows that a witness was
// emptied. The row is one of a register, so that whoever forges or removes it is
// named by a verification.
type written struct {
	checkpoints, bytes int64
	note               string // the last one
}

func (l *Log) written(ctx context.Context, path string) (w written, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return w, fmt.Errorf("ledger: witness: %w", err)
	}

	err = l.db.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, `SELECT checkpoints, bytes, note FROM ledger_witness WHERE path = ?1`, path).
			Scan(&w.checkpoints, &w.bytes, &w.note)
		if fault.Of(err) == fault.NotFound {
			return nil
		}
		return err
	})
	return w, err
}

func (w *Witness) wrote(ctx context.Context, to written) error {
	path, err := filepath.Abs(w.path)
	if err != nil {
		return fmt.Errorf("ledger: witness: %w", err)
	}

	return w.log.db.Write(ctx, func(tx *db.Tx) error {
		_, err := w.book.Exec(ctx, tx, `INSERT INTO ledger_witness (path, checkpoints, bytes, note) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (path) DO UPDATE SET checkpoints = ?2, bytes = ?3, note = ?4`, path, to.checkpoints, to.bytes, to.note)
		return err
	})
}

// idle reports that nothing was recorded between the checkpoint note and signed,
// that of now, but that the first one was written to a witness: an archive in
// which nothing happens writes no more of them.
func (l *Log) idle(ctx context.Context, signed, note string) (bool, error) {
	if signed == note {
		return true, nil
	}

	old, err := l.openOlder(ctx, note)
	if err != nil {
		return false, nil // none was written yet, or with another key
	}

	tree, err := l.openOlder(ctx, signed)
	if err != nil || tree.Size <= old.Size {
		return false, err
	}

	idle := true
	err = l.Between(ctx, old.Size, tree.Size, func(leaf Leaf) error {
		if !strings.HasPrefix(leaf.Ref, witnessTable+"/") {
			idle = false
			return errMore
		}
		return nil
	})
	if errors.Is(err, errMore) {
		err = nil
	}
	return idle, err
}

// witnessTable is the register of witnesses, which leaves about its rows name.
const witnessTable = "ledger_witness"

// errMore ends a walk over leaves early.
var errMore = errors.New("ledger: there is more")

// WitnessLoss says what is missing in a witness of what was written to the file
// at path, and whether it holds anything at all; empty: nothing is missing.
func (l *Log) WitnessLoss(ctx context.Context, r io.Reader, path string) (string, error) {
	w, err := l.written(ctx, path)
	if err != nil {
		return "", err
	}

	seen := map[[sha256.Size]byte]bool{}
	for note, err := range readNotes(r, l.key.signer.Name()) {
		if err != nil {
			return "", err
		}
		seen[sha256.Sum256([]byte(note))] = true
	}

	switch n := int64(len(seen)); {
	case w.checkpoints > n:
		return fmt.Sprintf("it holds %s of the %s that were written to it: somebody removed the others",
			strconv.FormatInt(n, 10), phrase.Count(w.checkpoints, "checkpoint", "checkpoints")), nil
	case w.checkpoints > 0 && !seen[sha256.Sum256([]byte(w.note))]:
		return "the checkpoint that was written to it last is not there: somebody removed it", nil
	case n == 0:
		return "it holds no checkpoint", nil
	}
	return "", nil
}
