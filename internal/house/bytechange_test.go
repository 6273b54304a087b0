package house_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/registers"
)

// changesParts is among how many archives the changes of a test are parted, so that
// every processor is at work.
const changesParts = 4

// TestEverySingleByteChangeIsFoundAndNamed changes one byte at a time in files,
// index rows, audit rows and the ledger: of every column of every table once, and
// of as many files. COLLIMATOR_BYTE_CHANGES changes so many at random ('make bytes':
// two thousand).
func TestEverySingleByteChangeIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	random := 0
	if text := os.Getenv("COLLIMATOR_BYTE_CHANGES"); text != "" {
		var err error
		if random, err = strconv.Atoi(text); err != nil {
			t.Fatal("COLLIMATOR_BYTE_CHANGES:", err)
		}
	}

	for part := range changesParts {
		t.Run(fmt.Sprintf("part %d", part+1), func(t *testing.T) {
			t.Parallel()
			changeSingleBytes(t, part, random/changesParts)
		})
	}
}

// changeSingleBytes changes, verifies and undoes.
func changeSingleBytes(t *testing.T, part, random int) {
	t.Helper()
	r := rand.New(rand.NewPCG(20261123, uint64(part+1)))
	in := sitetest.Filled(t)
	fillRegisters(in, t)
	if p := sitetest.Verified(t, in); len(p) != 0 {
		t.Fatalf("an untouched archive has problems: %v", p)
	}
	raw, err := sql.Open("sqlite3", "file:"+filepath.Join(in.Config.Data, house.IndexFile))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec(`PRAGMA busy_timeout = 5000; PRAGMA synchronous = OFF`); err != nil {
		t.Fatal(err)
	}
	raw.SetMaxOpenConns(1)
	cells := listCells(t, raw)
	files := listFiles(t, filepath.Join(in.Config.Data, house.BlobsDir))

	plan := eachOnce(cells, part)
	if random > 0 {
		plan = slices.Repeat([][]cell{cells}, random)
	}
	for range len(plan)/3 + 1 {
		plan = append(plan, nil) // a file
	}

	found, byKind := 0, map[string]int{}
	for _, among := range plan {
		var what string
		var undo func()
		if among == nil {
			what, undo = changeFile(t, r, files)
		} else {
			what, undo = changeCell(t, r, raw, among)
		}
		if undo == nil {
			continue
		}
		kind, _, _ := strings.Cut(what, " ")
		byKind[kind]++
		switch p := sitetest.Verified(t, in); {
		case len(p) == 0:
			t.Errorf("not found: %s", what)
		case p[0].What == "":
			t.Errorf("found and not named: %s", what)
		default:
			found++
			for _, q := range p {
				if strings.Contains(q.Where+q.What, "ZZPHI") {
					t.Errorf("%s: the finding holds patient data", what)
				}
			}
		}
		undo()
	}
	if p := sitetest.Verified(t, in); len(p) != 0 {
		t.Fatalf("the changes were not undone: %v", p)
	}
	t.Logf("%d of %d single-byte changes found and named: %v", found, len(plan), byKind)
	if found < len(plan)/2 {
		t.Errorf("only %d of %d changes could be made", found, len(plan))
	}
}

// eachOnce are the cells of each column, of which a part of the test changes one.
func eachOnce(cells []cell, part int) (plan [][]cell) {
	columns := map[string][]cell{}
	for _, c := range cells {
		columns[c.table+"."+c.column] = append(columns[c.table+"."+c.column], c)
	}
	for i, name := range slices.Sorted(maps.Keys(columns)) {
		if i%changesParts == part {
			plan = append(plan, columns[name])
		}
	}

	return plan
}

func listFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if info, e := d.Info(); err == nil && e == nil && d.Type().IsRegular() && info.Size() > 0 {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

func changeFile(t *testing.T, r *rand.Rand, files []string) (what string, undo func()) {
	t.Helper()
	path := files[r.IntN(len(files))]
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	at := r.IntN(len(b))
	changed := bytes.Clone(b)
	changed[at] ^= byte(1 + r.IntN(255))
	write := func(b []byte) {
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	write(changed)
	what = fmt.Sprintf("file byte %d of %d of %s: %02XH to %02XH", at, len(b), filepath.Base(path), b[at], changed[at])
	return what, func() { write(b) }
}

// cell is one value of one row.
type cell struct {
	table, column string
	row           string // condition that names the row
	args          []any
}

// tampered are the tables whose rows are changed, with their keys.
var tampered = map[string][]string{
	"patient": {"id"}, "patient_data": {"id"}, "patient_value": {"kind", "value", "patient"}, "study": {"id"}, "study_data": {"id"},
	"study_value": {"kind", "value", "study_date", "study"}, "series": {"id"}, "series_data": {"id"}, "instance": {"id"}, "instance_data": {"id"},
	"quarantine": {"id"}, "audit_record": {"sequence"}, "refusal": {"id"}, "ledger_leaf": {"position"}, "ledger_hash": {"position"}, "ledger_checkpoint": {"one"},
}

func listCells(t *testing.T, raw *sql.DB) (cells []cell) {
	t.Helper()
	// In one order, so that the seed replays.
	tables := maps.Clone(tampered)
	left := map[string][]string{}
	for _, r := range registers.Tables() {
		tables[r.Name], left[r.Name] = r.Key, r.Left
	}
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		keys := tables[table]
		rows, err := raw.Query(`SELECT * FROM ` + table + ` ORDER BY ` + strings.Join(keys, ", "))
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			byName := map[string]any{}
			for i, c := range columns {
				byName[c] = values[i]
			}
			var where []string
			var args []any
			for _, k := range keys {
				where, args = append(where, k+" = ?"), append(args, byName[k])
			}
			for _, c := range columns {
				// A row's own number says nothing; where it points to, does.
				if (c == "id" || c == "one") && tampered[table] != nil && !strings.HasSuffix(table, "_data") {
					continue
				}
				if slices.Contains(left[table], c) {
					continue
				}
				cells = append(cells, cell{table, c, strings.Join(where, " AND "), args})
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return cells
}

// changeCell changes one byte of one value. The condition that names the row is
// by rowid, so that it still does when a key is changed; tables without one are
// named by the rest of the key. A column all of whose values are empty, or held by
// constraints of the database itself, is left alone: undo is nil.
func changeCell(t *testing.T, r *rand.Rand, raw *sql.DB, cells []cell) (what string, undo func()) {
	t.Helper()
	ctx := context.Background()
	for range 50 {
		c := cells[r.IntN(len(cells))]
		var old any
		if err := raw.QueryRowContext(ctx, `SELECT `+c.column+` FROM `+c.table+` WHERE `+c.row, c.args...).Scan(&old); err != nil {
			t.Fatalf("%s.%s: %v", c.table, c.column, err)
		}
		changed, ok := changeValue(r, old)
		if !ok {
			continue
		}
		if _, err := raw.ExecContext(ctx, `PRAGMA foreign_keys = OFF`); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.ExecContext(ctx, `UPDATE OR ABORT `+c.table+` SET `+c.column+` = ? WHERE `+c.row, append([]any{changed}, c.args...)...); err != nil {
			continue // a constraint of the database itself forbids it
		}
		back, args := c.row, append([]any{}, c.args...)
		for i, part := range strings.Split(c.row, " AND ") {
			if part == c.column+" = ?" {
				args[i] = changed
			}
		}
		return fmt.Sprintf("%s.%s value of the row %v: %s", c.table, c.column, c.args, difference(old, changed)), func() {
			if _, err := raw.ExecContext(ctx, `UPDATE `+c.table+` SET `+c.column+` = ? WHERE `+back, append([]any{old}, args...)...); err != nil {
				t.Fatalf("undo %s.%s: %v", c.table, c.column, err)
			}
		}
	}
	return "", nil
}

// difference says which byte changed to what.
func difference(old, changed any) string {
	a, b := bytesOf(old), bytesOf(changed)
	for i := range a {
		if a[i] != b[i] {
			return fmt.Sprintf("byte %d of %d: %02XH to %02XH", i, len(a), a[i], b[i])
		}
	}
	return fmt.Sprintf("%v to %v", old, changed)
}

func bytesOf(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

// changeValue changes one byte; false for what has none.
func changeValue(r *rand.Rand, v any) (any, bool) {
	switch v := v.(type) {
	case int64:
		return v ^ 1<<r.IntN(40), true
	case []byte:
		if len(v) == 0 {
			return nil, false
		}
		b := bytes.Clone(v)
		b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
		return b, true
	case string:
		if v == "" {
			return nil, false
		}
		b := []byte(v)
		at := r.IntN(len(b))
		if b[at]++; b[at] > 0x7E {
			b[at] = 'A'
		}
		return string(b), true
	}
	return nil, false
}
