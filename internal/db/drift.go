package db

import "context"

// Rules are the triggers and views of the database, by kind and name. No migration
// makes any: with them somebody who changes the file can have a statement do
// something else than it says, or nothing, long after.
func (d *DB) Rules(ctx context.Context) (names []string, err error) {
	err = d.Read(ctx, func(tx *Tx) error {
		names, err = Column[string](ctx, tx, d.dialect.rules())
		return err
	})
	return names, err
}
