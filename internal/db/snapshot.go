package db

import (
	"context"
	_ "embed" // the snapshot of the schema
	"time"
)

// snapshot makes the schema that all migrations together make, in one step: a
// new database takes it, and one that exists is migrated. A test makes it from
// the migrations and holds it against them.
//
//go:embed schema.sql
var snapshot string

// start makes the schema of a database that has none, and reports whether it did. It
// blocks while another process does, and then finds the work done.
func (d *DB) start(ctx context.Context, list []migration) (made bool, err error) {
	err = d.Write(ctx, func(tx *Tx) error {
		begun, err := d.dialect.hasTable(ctx, tx, "schema_version")
		if err != nil || begun {
			return err
		}

		if _, err := tx.s.conn.ExecContext(ctx, d.dialect.ddl(snapshot)); err != nil {
			return d.dialect.fault(err, "make the schema")
		}
		for _, m := range list {
			if err := recordMigration(ctx, tx, m); err != nil {
				return err
			}
		}

		made = true

		return nil
	})

	return made, err
}

// recordMigration notes that the database has what a migration makes.
func recordMigration(ctx context.Context, tx *Tx, m migration) error {
	_, err := tx.Exec(ctx, `INSERT INTO schema_version (version, name, applied) VALUES (?1, ?2, ?3)`,
		m.version, m.name, time.Now().UTC().Format(time.RFC3339))

	return err
}
