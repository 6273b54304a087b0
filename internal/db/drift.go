package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// object is a table, an index, a trigger or a view as the database keeps it.
type object struct {
	kind, name, table string
	sql               string // without comments and line breaks; empty for an index that a table makes by itself
}

func (o object) title() string { return o.kind + " " + o.name }

// Drift names what of the schema is not as the migrations of this program make
// it: tables and indexes that were changed or are missing, and what was added.
// Without its unique index a table takes two rows where one counts; with a trigger
// or a view a statement does something else than it says. A database that has only
// some of the migrations, such as an old copy, is held against these.
func (d *DB) Drift(ctx context.Context) (found []string, err error) {
	list, err := readMigrations(migrations)
	if err != nil {
		return nil, err
	}

	var have []object
	var applied []int64
	err = d.Read(ctx, func(tx *Tx) (err error) {
		if have, err = objects(ctx, tx, d.dialect.schema()); err != nil {
			return err
		}
		applied, err = Column[int64](ctx, tx, `SELECT version FROM schema_version`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("db: read the schema: %w", err)
	}

	scripts := []string{versionTable}
	for _, m := range list {
		if slices.Contains(applied, int64(m.version)) {
			scripts = append(scripts, m.script)
		}
	}
	want, err := d.dialect.made(ctx, scripts)
	if err != nil {
		return nil, fmt.Errorf("db: make the schema to compare with: %w", err)
	}

	return differences(have, want), nil
}

func differences(have, want []object) (found []string) {
	expected := map[string]object{}
	for _, o := range want {
		expected[o.title()] = o
	}
	for _, o := range have {
		e, ok := expected[o.title()]
		delete(expected, o.title())
		switch {
		case !ok:
			found = append(found, o.title()+" was added from outside: no version of the index has one")
		case e != o:
			found = append(found, o.title()+" was changed from outside: the program makes it in another way")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		found = append(found, name+" is missing: it was removed from outside")
	}
	return found
}

// objects runs a query for kind, name, table and statement of each object.
func objects(ctx context.Context, tx *Tx, query string) (list []object, err error) {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.kind, &o.name, &o.table, &o.sql); err != nil {
			return nil, err
		}
		o.sql = plain(o.sql)
		list = append(list, o)
	}
	return list, rows.Err()
}

// plain is a statement without comments, with one blank where there is white space.
func plain(sql string) string {
	var b strings.Builder
	for line := range strings.Lines(sql) {
		code, _, _ := strings.Cut(line, "--")
		b.WriteString(code + " ")
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
