package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
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
		if have, err = readObjects(ctx, tx, d.dialect.schema()); err != nil {
			return err
		}
		applied, err = Column[int64](ctx, tx, `SELECT version FROM schema_version`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("db: read the schema: %w", err)
	}

	build := func(scripts []string) ([]object, error) { return d.dialect.made(ctx, scripts) }
	want, err := d.made.by(list, applied, build)
	if err != nil {
		return nil, fmt.Errorf("db: make the schema to compare with: %w", err)
	}

	return differences(have, want), nil
}

// schemas keeps the schema that was made last to compare with: it takes a database
// of its own each time. Safe for concurrent use.
type schemas struct {
	mu      sync.Mutex
	applied []int64
	objects []object
}

// by is what the migrations of list make that were applied.
func (s *schemas) by(list []migration, applied []int64, make func(scripts []string) ([]object, error)) ([]object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	slices.Sort(applied)
	if s.objects != nil && slices.Equal(s.applied, applied) {
		return s.objects, nil
	}

	objects, err := make(scriptsOf(list, applied))
	if err != nil {
		return nil, err
	}

	s.applied = applied
	s.objects = objects
	return objects, nil
}

// scriptsOf makes the schema that a database has in which these migrations were
// applied. Where it is all of them that is the snapshot, which makes the same
// objects in a fraction of the time.
func scriptsOf(list []migration, applied []int64) []string {
	scripts := []string{versionTable}
	all := len(applied) == len(list)
	for _, m := range list {
		if slices.Contains(applied, int64(m.version)) {
			scripts = append(scripts, m.script)
		} else {
			all = false
		}
	}

	if all {
		return []string{snapshot}
	}
	return scripts
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

// readObjects runs a query for kind, name, table and statement of each object.
func readObjects(ctx context.Context, tx *Tx, query string) ([]object, error) {
	return All(ctx, tx, scanObject, query)
}

func scanObject(scan Scan) (o object, err error) {
	err = scan(&o.kind, &o.name, &o.table, &o.sql)
	o.sql = plain(o.sql)

	return o, err
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
