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
	// Foreign says that the row was found as Digest says, which nobody had
	// recorded, when it was changed or removed: the entry stands before that of
	// the change, so that a change covers nothing up.
	Foreign bool     `json:"foreign,omitempty"`
	Sealed  []string `json:"sealed,omitempty"`
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

// Change is Exec that returns an entry for each row that changed, as the row is now;
// the entry of a removed row has no digest. A row that somebody changed behind the
// ledger's back is recorded first, as Foreign.
func (b *Book) Change(ctx context.Context, tx *db.Tx, query string, args ...any) ([]Entry, error) {
	t, verb, err := statement(query)
	if err != nil {
		return nil, err
	}

	before, err := t.before(ctx, tx, verb, query, args)
	if err != nil {
		return nil, err
	}

	entries, err := read(ctx, tx, t, query+" RETURNING "+strings.Join(t.columns(), ", "), args...)
	if err != nil {
		return nil, err
	}

	if verb == deletes {
		before = slices.Clone(entries)
		for i := range entries {
			entries[i].Digest = ""
		}
	}
	if verb == inserts {
		before = append(before, absent(entries, before)...)
	}

	// What stood there before is held against the ledger first: a change from
	// outside must not vanish under ours.
	foreign, err := b.foreign(ctx, tx, before)
	if err != nil {
		return nil, err
	}
	return entries, b.append(ctx, tx, append(foreign, entries...))
}

// absent says of the rows that were added that there were none before.
func absent(added, before []Entry) (list []Entry) {
	for _, e := range added {
		if !slices.ContainsFunc(before, func(b Entry) bool { return b.ref() == e.ref() }) {
			list = append(list, Entry{Register: e.Register, Key: e.Key})
		}
	}
	return list
}

// foreign are those of the rows, as they are, that the ledger has otherwise.
func (b *Book) foreign(ctx context.Context, tx *db.Tx, rows []Entry) (list []Entry, err error) {
	for _, e := range rows {
		leaf, err := b.log.Last(ctx, tx, LeafKind, e.ref())
		if err != nil && fault.Of(err) != fault.NotFound {
			return nil, err
		}

		var last Entry
		if err == nil && json.Unmarshal([]byte(leaf.Data), &last) != nil {
			last.Digest = "unreadable"
		}

		if last.Digest == e.Digest {
			continue
		}

		e.Foreign = true
		list = append(list, e)
	}
	return list, nil
}

// ref is what the leaves of a row are about.
func (e Entry) ref() string { return e.Register + "/" + strings.Join(e.Key, "/") }

// append writes the entries into the ledger in their order, a leaf for each, as a part
// of tx. An entry that cannot be written down ends it before any is.
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

	leaf := ledger.Leaf{Kind: LeafKind, Ref: e.ref(), Data: string(data)}
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

		var seal Entry
		var found []Entry
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

// Pending reports that Seal has something to do.
func (b *Book) Pending(ctx context.Context) (bool, error) {
	missing, err := b.uncovered(ctx)
	return len(missing) > 0, err
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
