package registers

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"collimator/internal/db"
)

func (t Table) selection() string {
	return "SELECT " + strings.Join(t.columns(), ", ") + " FROM " + t.Name + " ORDER BY 1"
}

// read runs a query whose columns are those of a register.
func read(ctx context.Context, tx *db.Tx, t Table, query string, args ...any) ([]Entry, error) {
	columns := t.columns()
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}

	return db.All(ctx, tx, func(scan db.Scan) (e Entry, err error) {
		if err := scan(into...); err != nil {
			return e, err
		}

		return t.entry(columns, values), nil
	}, query, args...)
}

// entry is what a leaf says of a row.
func (t Table) entry(columns []string, values []any) Entry {
	e := Entry{Register: t.Name}
	for i := range t.Key {
		e.Key = append(e.Key, keyText(values[i]))
	}
	e.Digest = t.digest(columns, values)
	return e
}

// keyText is a value of a key as a leaf may hold it. The hash of a secret stays
// in its table: whoever reads the ledger gets nothing to try secrets on.
func keyText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		sum := sha256.Sum256(append([]byte("collimator register key\n"), v...))
		return "#" + hex.EncodeToString(sum[:8])
	}
	return fmt.Sprint(v)
}

// digest is SHA-256 over the canonical form of a row: the name of the register,
// then for each column in the order of Table its name, the type of its value and
// the value, each with its length before it.
func (t Table) digest(columns []string, values []any) string {
	h := sha256.New()
	part := func(b []byte) {
		h.Write(binary.AppendUvarint(nil, uint64(len(b))))
		h.Write(b)
	}

	part([]byte("collimator register v1"))
	part([]byte(t.Name))
	for i, name := range columns {
		if first, ok := t.Later[name]; ok && values[i] == first {
			continue // so that rows from before the column was there keep their digest
		}

		part([]byte(name))
		kind, value := canonical(values[i])
		part([]byte(kind))
		part(value)
	}

	return hex.EncodeToString(h.Sum(nil))
}

// canonical is a value as it is digested. The types are told apart: another
// type in a column is a change.
func canonical(v any) (kind string, value []byte) {
	switch v := v.(type) {
	case nil:
		return "null", nil
	case string:
		return "text", []byte(v)
	case []byte:
		return "blob", v
	}
	return fmt.Sprintf("%T", v), fmt.Append(nil, v)
}
