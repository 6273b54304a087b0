package ledger

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
)

// tileHeight is that of C2SP tlog-tiles: 256 hashes a tile.
const tileHeight = 8

// ExportTiles writes checkpoint, tiles and entry bundles below dir as C2SP
// tlog-tiles lays them out, so that any monitor can follow the log. It returns
// the number of leaves.
func (l *Log) ExportTiles(ctx context.Context, dir string) (leaves int64, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		signed, tree, err := l.current(ctx, tx)
		if err != nil {
			return err
		}

		leaves = tree.Size
		for _, t := range tlog.NewTiles(tileHeight, 0, tree.Size) {
			b, err := tlog.ReadTileData(t, hashes{ctx: ctx, tx: tx})
			if err != nil {
				return fmt.Errorf("ledger: %w", err)
			}

			// Package tlog puts the height into the path, which tlog-tiles leaves out.
			path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
			if err := writeBelow(dir, path, b); err != nil {
				return err
			}

			if t.L == 0 {
				if err := writeEntries(ctx, tx, dir, t, path); err != nil {
					return err
				}
			}
		}

		return writeBelow(dir, "checkpoint", []byte(signed))
	})
	return leaves, err
}

// writeEntries writes the leaves of a tile, each with its length in 16 bits in
// front.
func writeEntries(ctx context.Context, tx *db.Tx, dir string, t tlog.Tile, path string) error {
	var b []byte
	err := eachLeaf(ctx, tx, func(leaf Leaf) error {
		raw := leaf.bytes()
		if len(raw) > 0xFFFF {
			return fault.Newf(fault.TooLarge, "ledger: a leaf of %d bytes does not fit into an entry bundle", len(raw))
		}

		b = binary.BigEndian.AppendUint16(b, uint16(len(raw)))
		b = append(b, raw...)

		return nil
	}, `position >= ?1 AND position < ?2 ORDER BY position`, t.N<<tileHeight, t.N<<tileHeight+int64(t.W))
	if err != nil {
		return err
	}

	return writeBelow(dir, strings.Replace(path, "tile/0/", "tile/entries/", 1), b)
}

func writeBelow(dir, path string, b []byte) error {
	full := filepath.Join(dir, filepath.FromSlash(path))
	if err := durable.Directory(filepath.Dir(full)); err != nil {
		return err
	}
	return durable.Whole(full, b, 0o600)
}
