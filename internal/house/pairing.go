package house

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"collimator/internal/db"
	"collimator/internal/durable"
)

// pairFile names the index that belongs to a data directory. An index that knows
// no image beside files of images is refused, because it was most likely made by
// accident in the place of another; unless it is this one: then the files came
// at the moment the power went, and nobody was told that they are stored.
const pairFile = "index.id"

// paired reports that the index is the one that belongs to the data directory.
func (in *Installation) paired(ctx context.Context) (bool, error) {
	id, err := in.indexID(ctx)
	if err != nil {
		return false, err
	}
	noted, err := os.ReadFile(filepath.Join(in.Config.Data, pairFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return strings.TrimSpace(string(noted)) == id, err
}

// pair notes the index as the one that belongs to the data directory. It is
// durable when it returns, and comes before the first image.
func (in *Installation) pair(ctx context.Context) error {
	is, err := in.paired(ctx)
	if err != nil || is {
		return err
	}

	id, err := in.indexID(ctx)
	if err != nil {
		return err
	}
	if err := durable.Whole(filepath.Join(in.Config.Data, pairFile), []byte(id+"\n"), 0o600); err != nil {
		return fmt.Errorf("note which index belongs to the data directory: %w", err)
	}
	return nil
}

func (in *Installation) indexID(ctx context.Context) (id string, err error) {
	err = in.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT id FROM pairing WHERE one = 1`).Scan(&id)
	})
	return id, err
}
