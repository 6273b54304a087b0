package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// written is what the index remembers of a witness. It is no proof against
// somebody who changes the index too: it shows that a witness was emptied.
type written struct {
	checkpoints, bytes int64
	note               string // the last one
}

func (l *Log) written(ctx context.Context, path string) (w written, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return w, fmt.Errorf("ledger: witness: %w", err)
	}
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, `SELECT checkpoints, bytes, note FROM ledger_witness WHERE path = ?1`, path).Scan(&w.checkpoints, &w.bytes, &w.note)
		if errors.Is(err, fault.NotFound) {
			return nil
		}
		return err
	})
	return w, err
}

func (l *Log) wrote(ctx context.Context, path string, w written) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("ledger: witness: %w", err)
	}
	return l.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ledger_witness (path, checkpoints, bytes, note) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (path) DO UPDATE SET checkpoints = ?2, bytes = ?3, note = ?4`, path, w.checkpoints, w.bytes, w.note)
		return err
	})
}

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
		return fmt.Sprintf("it holds %d checkpoints, and %d were written to it: somebody removed the others", n, w.checkpoints), nil
	case w.checkpoints > 0 && !seen[sha256.Sum256([]byte(w.note))]:
		return "the checkpoint that was written to it last is not there: somebody removed it", nil
	case n == 0:
		return "it holds no checkpoint", nil
	}
	return "", nil
}
