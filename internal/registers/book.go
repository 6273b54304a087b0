// Package registers covers by the ledger who may come in: the registers of
// devices, people, factors, tokens and links, and how far what watches has come.
// Each change of a row appends a leaf, in the same transaction, that names the
// row and holds a digest of what it is now, so that the registers are a function
// of the leaves and a row that was changed in another way is found. It does not
// know what the rows mean, and decides nothing.
//
// Every statement that writes to one of Tables goes through Book.Exec,
// Book.Change or Book.Touch; a test holds the sources against this.
package registers

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/ledger"
)

// LeafKind is the kind of the ledger's leaves that say what became of a row;
// their data are an Entry as JSON.
const LeafKind = "register"

// sealRef is what the leaves are about by which registers began to be covered.
const sealRef = "registers"

// Entry is the content of a leaf. One with Sealed begins the coverage of
// registers: entries with Found, which follow it, say how their rows were found.
type Entry struct {
	Register string   `json:"register,omitempty"`
	Key      []string `json:"key,omitempty"`
	Digest   string   `json:"sha256,omitempty"` // of the row; empty: there is none any more
	Found    bool     `json:"found,omitempty"`
	Sealed   []string `json:"sealed,omitempty"`
}

// Book writes registers. Safe for concurrent use.
type Book struct {
	db  *db.DB
	log *ledger.Log
}

// New makes a book over an open database and its ledger.
func New(d *db.DB, log *ledger.Log) *Book { return &Book{d, log} }

// Exec runs a statement that writes to a register, records every row it changed,
// and says how many these are.
func (b *Book) Exec(ctx context.Context, tx *db.Tx, query string, args ...any) (int64, error) {
	changed, err := b.Change(ctx, tx, query, args...)
	return int64(len(changed)), err
}

// Change is Exec that gives the entries of the rows.
func (b *Book) Change(ctx context.Context, tx *db.Tx, query string, args ...any) ([]Entry, error) {
	t, verb, err := statement(query)
	if err != nil {
		return nil, err
	}
	entries, err := read(ctx, tx, t, query+" RETURNING "+strings.Join(t.columns(), ", "), args...)
	if err != nil {
		return nil, err
	}
	if verb == "DELETE FROM" {
		for i := range entries {
			entries[i].Digest = ""
		}
	}
	return entries, b.append(ctx, tx, entries)
}

// Touch runs an UPDATE that sets nothing but columns that are not covered.
func (b *Book) Touch(ctx context.Context, tx *db.Tx, query string, args ...any) (int64, error) {
	t, verb, err := statement(query)
	if err != nil {
		return 0, err
	}
	set, _, _ := strings.Cut(query, " WHERE ")
	names := assigned.FindAllStringSubmatch(set, -1)
	if verb != "UPDATE" || len(names) == 0 {
		return 0, fault.Newf(fault.Internal, "registers: this is no statement to touch %s by", t.Name)
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
		return t, "", fault.New(fault.Internal, "registers: a statement that is no INSERT INTO, UPDATE or DELETE FROM")
	}
	t, ok := tableNamed(m[2])
	if !ok {
		return t, "", fault.Newf(fault.Internal, "registers: %s is no register", m[2])
	}
	return t, m[1], nil
}

// append adds entries to the ledger.
func (b *Book) append(ctx context.Context, tx *db.Tx, entries []Entry) error {
	leaves := make([]ledger.Leaf, len(entries))
	for i, e := range entries {
		leaf, err := e.leaf()
		if err != nil {
			return err
		}
		leaves[i] = leaf
	}
	_, err := b.log.Append(ctx, tx, leaves...)
	return err
}

func (e Entry) leaf() (ledger.Leaf, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return ledger.Leaf{}, fmt.Errorf("registers: encode entry: %w", err)
	}
	leaf := ledger.Leaf{Kind: LeafKind, Data: string(data)}
	if len(e.Sealed) > 0 {
		leaf.Ref = sealRef
	}
	return leaf, nil
}

// Seal begins the coverage of registers that the ledger does not know yet: their
// rows are recorded as they are found, which is trusted once. It does nothing
// where all are covered.
func (b *Book) Seal(ctx context.Context) error {
	if missing, err := b.uncovered(ctx); err != nil || len(missing) == 0 {
		return err
	}
	return b.db.Write(ctx, func(tx *db.Tx) error {
		missing, err := b.uncovered(ctx) // another process may have come first
		if err != nil || len(missing) == 0 {
			return err
		}
		seal, found := Entry{}, []Entry(nil)
		for _, t := range missing {
			seal.Sealed = append(seal.Sealed, t.Name)
			rows, err := read(ctx, tx, t, t.selection())
			if err != nil {
				return err
			}
			for i := range rows {
				rows[i].Found = true
			}
			found = append(found, rows...)
		}
		return b.append(ctx, tx, append([]Entry{seal}, found...))
	})
}

// uncovered are the registers whose coverage has not begun.
func (b *Book) uncovered(ctx context.Context) ([]Table, error) {
	var sealed []string
	err := b.log.About(ctx, LeafKind, sealRef, func(l ledger.Leaf) error {
		var e Entry
		if err := json.Unmarshal([]byte(l.Data), &e); err == nil { // else verify names it
			sealed = append(sealed, e.Sealed...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(Tables(), func(t Table) bool { return slices.Contains(sealed, t.Name) }), nil
}
