package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// The schema's history. A file is named NNNN_name.sql and never changes once
// released. Numbers may have gaps, and a lower one may be added later: what a
// database has not seen is applied in order of number.
//
//go:embed migrations
var migrations embed.FS

type migration struct {
	version int
	name    string
	script  string
}

// versionTable is what the migrations that were applied are kept in.
const versionTable = `CREATE TABLE IF NOT EXISTS schema_version (
			version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TEXT NOT NULL)`

// migrate makes the schema of a new database, or applies what is missing, each
// migration in a transaction of its own together with its row in
// schema_version. A writing transaction locks the
// database, so of two processes that start at the same time one waits and then
// finds the work done. Where nothing is missing, as at almost every start, nothing
// is locked.
func (d *DB) migrate(ctx context.Context, o Options) error {
	list, err := readMigrations(migrations)
	if err != nil {
		return err
	}

	newest, pending, err := d.pending(ctx, list)
	if err != nil {
		return err
	}

	switch {
	case newest == 0:
		made, err := d.start(ctx, list)
		if err != nil || made {
			return err
		}
	case pending == 0:
		return known(list, newest)
	case !o.Scratch:
		if err := d.keepCopy(ctx, newest, o); err != nil {
			return err
		}
	}

	return d.apply(ctx, list)
}

// known refuses a database of a newer program.
func known(list []migration, newest int) error {
	if len(list) == 0 || newest <= list[len(list)-1].version {
		return nil
	}
	return fault.Newf(fault.Unsupported,
		"db: the database has schema %d, made by a newer program; this one knows %d", newest, list[len(list)-1].version)
}

// keepCopy makes a copy beside a database that is in use and is about to be
// changed: there is no way back from a migration but to a copy. It is named by
// newest, the schema it has.
func (d *DB) keepCopy(ctx context.Context, newest int, o Options) error {
	if o.Changing != nil {
		if err := o.Changing(); err != nil {
			return err
		}
	}

	path := fmt.Sprintf("%s.schema-%d", d.path, newest)
	next := path + ".next"
	if err := d.Copy(ctx, next); err != nil {
		return fmt.Errorf("copy the database before it is changed: %w", err)
	}

	// Another process that started at the same time may have migrated before the
	// copy was made: then it made its own, and this one is of no use.
	changed, err := schemaDiffers(ctx, next, newest)
	if err != nil {
		return err
	}
	if changed {
		return durable.Remove(next)
	}

	if err := durable.Move(next, path); err != nil {
		return fault.Wrap(fault.Unavailable, err, "db: name the copy")
	}

	if o.Copied != nil {
		o.Copied(path)
	}

	return nil
}

// pending counts the migrations that were not applied, beside the newest that
// was.
func (d *DB) pending(ctx context.Context, list []migration) (newest, pending int, err error) {
	err = d.Read(ctx, func(tx *Tx) error {
		exists, err := d.dialect.hasTable(ctx, tx, "schema_version")
		if err != nil || !exists {
			return err
		}
		if newest, err = newestMigration(ctx, tx); err != nil {
			return err
		}

		applied, err := Column[int64](ctx, tx, `SELECT version FROM schema_version`)
		for _, m := range list {
			if !slices.Contains(applied, int64(m.version)) {
				pending++
			}
		}

		return err
	})

	return newest, pending, err
}

// schemaDiffers reports that a copy has another schema than the one that is wanted.
func schemaDiffers(ctx context.Context, path string, schema int) (other bool, err error) {
	c, err := OpenCopy(ctx, path)
	if err != nil {
		return false, err
	}
	newest, err := c.Schema(ctx)

	return newest != schema, errors.Join(err, c.Close())
}

func (d *DB) apply(ctx context.Context, list []migration) error {
	err := d.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, d.dialect.ddl(versionTable))
		return err
	})
	if err != nil {
		return err
	}

	for _, m := range list {
		if err := d.applyOne(ctx, m); err != nil {
			return fmt.Errorf("db: migration %04d_%s: %w", m.version, m.name, err)
		}
	}

	newest, err := d.Schema(ctx)
	if err != nil {
		return err
	}
	return known(list, newest)
}

func (d *DB) applyOne(ctx context.Context, m migration) error {
	return d.Write(ctx, func(tx *Tx) error {
		var n int
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM schema_version WHERE version = ?1`, m.version).Scan(&n)
		if err != nil || n > 0 {
			return err
		}

		if _, err := tx.s.conn.ExecContext(ctx, d.dialect.ddl(m.script)); err != nil {
			return d.dialect.fault(err, "apply")
		}

		return recordMigration(ctx, tx, m)
	})
}

// readMigrations lists the embedded scripts in order of number.
func readMigrations(fsys fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(fsys, "migrations")
	if err != nil {
		return nil, err
	}

	var list []migration
	for _, e := range entries {
		base, isSQL := strings.CutSuffix(e.Name(), ".sql")
		if !isSQL {
			continue
		}

		number, name, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version <= 0 || len(number) != 4 {
			return nil, fmt.Errorf("db: migration %q is not named NNNN_name.sql", e.Name())
		}

		script, err := fs.ReadFile(fsys, "migrations/"+e.Name())
		if err != nil {
			return nil, err
		}

		list = append(list, migration{version: version, name: name, script: string(script)})
	}

	slices.SortFunc(list, func(a, b migration) int { return a.version - b.version })
	for i := 1; i < len(list); i++ {
		if list[i].version == list[i-1].version {
			return nil, fmt.Errorf("db: two migrations have the number %04d", list[i].version)
		}
	}
	return list, nil
}
