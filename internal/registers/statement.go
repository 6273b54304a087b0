package registers

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Verbs of statements.
const (
	inserts = "INSERT INTO"
	updates = "UPDATE"
	deletes = "DELETE FROM"
)

// Touch runs an UPDATE that sets nothing but columns that are not covered.
func (b *Book) Touch(ctx context.Context, tx *db.Tx, query string, args ...any) (int64, error) {
	t, verb, err := statement(query)
	if err != nil {
		return 0, err
	}

	set, _, _ := strings.Cut(query, " WHERE ")
	names := assigned.FindAllStringSubmatch(set, -1)
	if verb != updates || len(names) == 0 {
		return 0, fault.Newf(fault.Internal, "registers: touching %s takes an UPDATE that sets columns", t.Name)
	}

	for _, n := range names {
		if !slices.Contains(t.Left, n[1]) {
			return 0, fault.Newf(fault.Internal, "registers: %s.%s is covered and not to be touched", t.Name, n[1])
		}
	}

	return tx.Exec(ctx, query, args...)
}

var (
	written  = regexp.MustCompile(`^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)`)
	assigned = regexp.MustCompile(`(?:SET|,)\s*(\w+)\s*=`)
)

// statement says which register a statement writes to, and how.
func statement(query string) (t Table, verb string, err error) {
	m := written.FindStringSubmatch(query)
	if m == nil {
		return t, "", fault.New(fault.Internal, "registers: the statement is not an INSERT INTO, UPDATE or DELETE FROM")
	}

	t, ok := tableNamed(m[2])
	if !ok {
		return t, "", fault.Newf(fault.Internal, "registers: %s is not a register", m[2])
	}
	return t, m[1], nil
}

// before reads the rows that a statement is about to change, as they are. It reads
// none for a DELETE, which returns the rows that it removes, and none for an INSERT
// without DO UPDATE, which changes no row that is there.
func (t Table) before(ctx context.Context, tx *db.Tx, verb, query string, args []any) ([]Entry, error) {
	chosen := "SELECT " + strings.Join(t.columns(), ", ") + " FROM " + t.Name
	switch {
	case verb == updates:
		_, where, ok := strings.Cut(query, " WHERE ")
		if !ok {
			return read(ctx, tx, t, chosen)
		}
		return read(ctx, tx, t, chosen+" WHERE "+where, args[:highest(where)]...)
	case verb == inserts && strings.Contains(query, "DO UPDATE"):
		key, err := t.inserted(query)
		if err != nil {
			return nil, err
		}
		return read(ctx, tx, t, chosen+" WHERE "+key, args[:highest(key)]...)
	}
	return nil, nil
}

// highest is the number of the last placeholder in a part of a statement.
func highest(part string) (n int) {
	for _, m := range placeholder.FindAllStringSubmatch(part, -1) {
		i, _ := strconv.Atoi(m[1]) // digits
		n = max(n, i)
	}
	return n
}

// inserted is the condition that names the row an INSERT may find there: its key is
// given by placeholders.
func (t Table) inserted(query string) (string, error) {
	m := listed.FindStringSubmatch(query)
	if m == nil {
		return "", fault.Newf(fault.Internal,
			"registers: an INSERT into %s that updates names its columns and has one row of values", t.Name)
	}

	columns, values := strings.Split(m[1], ","), strings.Split(m[2], ",")

	var where []string
	for _, key := range t.Key {
		i := slices.IndexFunc(columns, func(c string) bool { return strings.TrimSpace(c) == key })
		if i < 0 || i >= len(values) || !strings.HasPrefix(strings.TrimSpace(values[i]), "?") {
			return "", fault.Newf(fault.Internal,
				"registers: an INSERT into %s that updates gives %s by a placeholder", t.Name, key)
		}

		where = append(where, key+" = "+strings.TrimSpace(values[i]))
	}
	return strings.Join(where, " AND "), nil
}

var (
	placeholder = regexp.MustCompile(`\?(\d+)`)
	listed      = regexp.MustCompile(`(?s)^\s*INSERT INTO\s+\w+\s*\(([^)]*)\)\s*VALUES\s*\(([^)]*)\)`)
)
