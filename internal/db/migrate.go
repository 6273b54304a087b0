package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

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

// migrate applies what is missing, each migration in a transaction of its own
// together with its row in schema_version. A writing transaction locks the
// database, so of two processes that start at the same time one waits and then
// finds the work done.
func (d *DB) migrate(ctx context.Context) error {
	list, err := readMigrations(migrations)
	if err != nil {
		return err
	}
	return d.apply(ctx, list)
}

func (d *DB) apply(ctx context.Context, list []migration) error {
	err := d.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, d.dialect.ddl(`CREATE TABLE IF NOT EXISTS schema_version (
			version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TEXT NOT NULL)`))
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
	var newest int
	err = d.Read(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_version`).Scan(&newest)
	})
	if err != nil {
		return err
	}
	if len(list) > 0 && newest > list[len(list)-1].version {
		return fault.Newf(fault.Unsupported, "db: the database has schema %d, made by a newer program; this one knows %d", newest, list[len(list)-1].version)
	}
	return nil
}

func (d *DB) applyOne(ctx context.Context, m migration) error {
	return d.Write(ctx, func(tx *Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM schema_version WHERE version = ?1`, m.version).Scan(&n); err != nil || n > 0 {
			return err
		}
		if _, err := tx.s.conn.ExecContext(ctx, d.dialect.ddl(m.script)); err != nil {
			return d.dialect.fault(err, "apply")
		}
		_, err := tx.Exec(ctx, `INSERT INTO schema_version (version, name, applied) VALUES (?1, ?2, ?3)`,
			m.version, m.name, time.Now().UTC().Format(time.RFC3339))
		return err
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
		list = append(list, migration{version, name, string(script)})
	}
	slices.SortFunc(list, func(a, b migration) int { return a.version - b.version })
	for i := 1; i < len(list); i++ {
		if list[i].version == list[i-1].version {
			return nil, fmt.Errorf("db: two migrations have the number %04d", list[i].version)
		}
	}
	return list, nil
}
