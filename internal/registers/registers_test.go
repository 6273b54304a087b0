package registers_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"collimator/internal/db"
	"collimator/internal/ledger"
	"collimator/internal/ledger/ledgertest"
	"collimator/internal/registers"
)

type house struct {
	*testing.T
	db   *db.DB
	log  *ledger.Log
	book *registers.Book
}

func open(t *testing.T) *house {
	t.Helper()
	log, d := ledgertest.Open(t)
	return &house{t, d, log, registers.New(d, log)}
}

func (h *house) write(f func(ctx context.Context, tx *db.Tx) error) {
	h.Helper()
	if err := h.db.Write(h.Context(), func(tx *db.Tx) error { return f(h.Context(), tx) }); err != nil {
		h.Fatal(err)
	}
}

// exec changes a register as the program does; behind as somebody else.
func (h *house) exec(query string, args ...any) {
	h.Helper()
	h.write(func(ctx context.Context, tx *db.Tx) error { _, err := h.book.Exec(ctx, tx, query, args...); return err })
}

func (h *house) behind(query string, args ...any) {
	h.Helper()
	h.write(func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, query, args...); return err })
}

// check repeats the leaves and compares.
func (h *house) check() []string {
	h.Helper()
	c, out := registers.NewCheck(), []string{}
	err := h.log.Since(h.Context(), 0, func(l ledger.Leaf) error {
		if p := c.Apply(l); p != nil {
			out = append(out, p.Where+": "+p.What)
		}
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
	err = h.db.Read(h.Context(), func(tx *db.Tx) error {
		problems, err := c.Compare(h.Context(), tx)
		for _, p := range problems {
			out = append(out, p.Where+": "+p.What)
		}
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
	return out
}

func (h *house) seal() {
	h.Helper()
	if err := h.book.Seal(h.Context()); err != nil {
		h.Fatal(err)
	}
}

const newPerson = `INSERT INTO person (name, role, password_hash, created, disabled) VALUES (?1, ?2, 'hash', 1, 0)`

func TestRowsChangedBehindTheBookAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   string
		want []string
	}{
		"nothing":                        {`DELETE FROM person WHERE name = 'nobody'`, []string{}},
		"changed":                        {`UPDATE person SET role = 'administrator' WHERE name = 'ada'`, []string{"person ada: is not as it was last recorded"}},
		"another password":               {`UPDATE person SET password_hash = 'mine' WHERE name = 'ada'`, []string{"person ada: is not as it was last recorded"}},
		"another type":                   {`UPDATE person SET disabled = 'x' WHERE name = 'ada'`, []string{"person ada: is not as it was last recorded"}},
		"added":                          {`INSERT INTO person SELECT 'eve', role, password_hash, created, disabled FROM person WHERE name = 'ada'`, []string{"person eve: nobody recorded it"}},
		"removed":                        {`DELETE FROM person WHERE name = 'ada'`, []string{"person ada: is missing"}},
		"brought back":                   {`INSERT INTO person VALUES ('bob', 'viewer', 'hash', 1, 0)`, []string{"person bob: nobody recorded it"}},
		"another name":                   {`UPDATE person SET name = 'eve' WHERE name = 'ada'`, []string{"person eve: nobody recorded it", "person ada: is missing"}},
		"last use, which is not covered": {`UPDATE share SET used = 77`, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.seal()
			h.exec(newPerson, "ada", "viewer")
			h.exec(newPerson, "bob", "viewer")
			h.exec(`INSERT INTO share (id, hash, owner, study, deidentified, password_hash, created, expires, revoked, used) VALUES ('s', x'01', 'ada', '1.2', 0, '', 1, 2, 0, 0)`)
			h.exec(`UPDATE person SET role = ?1 WHERE name = 'ada'`, "radiologist")
			h.exec(`DELETE FROM person WHERE name = 'bob'`)
			h.behind(c.do)
			got := h.check()
			if len(got) != len(c.want) {
				t.Fatalf("found %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("found %q, want %q", got[i], want)
				}
			}
		})
	}
}

// Whoever changes a row and has the program change it again, by signing in with
// the passkey that was put there, covers nothing up.
func TestALaterChangeByTheProgramCoversNothingUp(t *testing.T) {
	t.Parallel()
	two := []byte{2}
	for name, c := range map[string]struct {
		behind, then string
		args         []any
	}{
		"update":  {`UPDATE passkey SET credential = x'99'`, `UPDATE passkey SET used = ?2, credential = ?1 WHERE id = ?3`, []any{two, 7, "key"}},
		"by name": {`UPDATE passkey SET credential = x'99'`, `UPDATE passkey SET credential = ?2 WHERE id = ?1`, []any{"key", two}},
		"all":     {`UPDATE passkey SET credential = x'99'`, `UPDATE passkey SET credential = ?1`, []any{two}},
		"removal": {`UPDATE passkey SET credential = x'99'`, `DELETE FROM passkey WHERE id = ?1`, []any{"key"}},
		"upsert":  {`UPDATE totp SET secret = x'99'`, `INSERT INTO totp (person, secret, pending, step) VALUES (?2, ?1, ?1, 0) ON CONFLICT (person) DO UPDATE SET pending = ?1`, []any{two, "ada"}},
		"removed": {`DELETE FROM totp`, `INSERT INTO totp (person, secret, pending, step) VALUES (?2, ?1, ?1, 0)`, []any{two, "ada"}},
		"added":   {`INSERT INTO totp (person, secret, pending, step) VALUES ('bob', x'99', x'', 0)`, `UPDATE totp SET step = 5 WHERE person = ?1`, []any{"bob"}},
	} {
		h := open(t)
		h.seal()
		h.exec(newPerson, "ada", "viewer")
		h.exec(newPerson, "bob", "viewer")
		h.exec(`INSERT INTO passkey (id, person, rp, name, credential, created, used) VALUES ('key', 'ada', '', '', x'01', 1, 0)`)
		h.exec(`INSERT INTO totp (person, secret, pending, step) VALUES ('ada', x'01', x'', 0)`)
		h.behind(c.behind)
		h.exec(c.then, c.args...)
		if got := h.check(); len(got) != 1 || !strings.Contains(got[0], "from outside before ledger leaf") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// What was there before the ledger covered it is trusted once: what was found is
// in the ledger, and later changes are found.
func TestRowsAreSealedOnceAsTheyAreFound(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.behind(newPerson, "ada", "viewer")
	if got := h.check(); len(got) != len(registers.Tables()) {
		t.Errorf("before the seal: %q", got)
	}
	h.seal()
	if got := h.check(); len(got) != 0 {
		t.Errorf("after the seal: %q", got)
	}
	h.behind(newPerson, "eve", "administrator")
	h.seal()
	if got := h.check(); len(got) != 1 || !strings.HasPrefix(got[0], "person eve: nobody recorded it") {
		t.Errorf("after a second seal: %q", got)
	}
}

func TestASecondSealInTheLedgerIsNamed(t *testing.T) {
	t.Parallel()
	c := registers.NewCheck()
	seal := ledger.Leaf{Kind: registers.LeafKind, Data: `{"sealed":["person"]}`}
	if p := c.Apply(seal); p != nil {
		t.Error(p)
	}
	for data, want := range map[string]string{
		seal.Data: "a second time", `{"register":"device","key":["A"],"sha256":"x","found":true}`: "makes no sense", `{`: "cannot be read", `{}`: "makes no sense",
	} {
		if p := c.Apply(ledger.Leaf{Kind: registers.LeafKind, Data: data}); p == nil || !strings.Contains(p.What, want) {
			t.Errorf("%s: %v", data, p)
		}
	}
}

// A leaf may be read by who may not read the registers: it holds no secret and
// no hash of one.
func TestLeavesHoldNoSecret(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.seal()
	h.exec(newPerson, "ada", "viewer")
	secret := []byte("0123456789abcdef0123456789abcdef")
	h.exec(`INSERT INTO recovery_code (person, hash) VALUES ('ada', ?1)`, secret)
	h.exec(`UPDATE person SET password_hash = '$argon2id$v=19$ZZSECRET' WHERE name = 'ada'`)
	err := h.log.Since(t.Context(), 0, func(l ledger.Leaf) error {
		var e registers.Entry
		if err := json.Unmarshal([]byte(l.Data), &e); err != nil {
			return err
		}
		for _, bad := range []string{"ZZSECRET", "argon2", string(secret), "30313233343536373839"} {
			if strings.Contains(l.Data, bad) {
				t.Errorf("leaf %s", l.Data)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyWhatIsNotCoveredIsTouched(t *testing.T) {
	t.Parallel()
	h := open(t)
	for query, ok := range map[string]bool{
		`UPDATE session SET seen = ?1 WHERE hash = x'00'`:                 true,
		`UPDATE commitment_report SET attempts = attempts + 1, next = ?1`: true,
		`UPDATE session SET seen = ?1, expires = ?1`:                      false,
		`UPDATE person SET role = ?1`:                                     false,
		`DELETE FROM session WHERE seen < ?1`:                             false,
	} {
		err := h.db.Write(t.Context(), func(tx *db.Tx) error { _, err := h.book.Touch(t.Context(), tx, query, 5); return err })
		if (err == nil) != ok {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// uncovered are the tables that are no registers, and why.
var uncovered = map[string]string{
	"registers_covered": "empty", "schema_version": "what was migrated", "sqlite_sequence": "the database's own",
	"pending_device": "callers that were refused: a row lets nobody in",
	"asset":          "inventory", "asset_value": "inventory", "asset_statement": "inventory", "issue": "inventory", "inventory_run": "inventory", "inventory_event": "inventory",
	"advisory_document": "inventory", "advisory_fetch": "inventory",
	"first_write":         "one row an image that went through the gate, too many for a leaf each; who stores still needs a rule",
	"gate_flow":           "numbers of what went through the gate; the trail has the evidence",
	"first_write_study":   "which studies the gate has asked about",
	"first_write_patient": "whose studies are that went through the gate: as first_write", "first_write_series": "as first_write",
	"outbox":              "what waits to be sent elsewhere: rows come and go with each object, and let nobody in",
	"outbox_destination":  "when a destination is tried again",
	"outbox_volume":       "how much waits: the index counts it",
	"outbound_commitment": "what a modality has asked: it is answered by what waits and by first_write",
	"outbound_offer":      "what targets said that they take",
	"study_label":         "the labels of study_mark, by which studies are found",
	"posture_report":      "when reports were made", "posture_schedule": "when scans began",
	"audit_record": "verified against its leaves", "ledger_leaf": "the ledger", "ledger_hash": "the ledger", "ledger_checkpoint": "the ledger",
	"patient": "index", "patient_data": "index", "patient_value": "index", "study": "index", "study_data": "index", "study_value": "index", "series": "index",
	"pairing": "which index this is", "series_data": "index", "instance": "index", "instance_data": "index", "quarantine": "index", "refusal": "index", "description": "index", "index_state": "index",
}

// TestEveryTableAndColumnIsDecidedAbout keeps a table or a column that is added
// from being forgotten.
func TestEveryTableAndColumnIsDecidedAbout(t *testing.T) {
	t.Parallel()
	h := open(t)
	known := map[string]registers.Table{}
	for _, r := range registers.Tables() {
		known[r.Name] = r
	}
	err := h.db.Read(t.Context(), func(tx *db.Tx) error {
		tables, err := db.Column[string](t.Context(), tx, `SELECT name FROM sqlite_schema WHERE type = 'table'`)
		if err != nil {
			return err
		}
		for _, name := range tables {
			r, ok := known[name]
			if !ok {
				if uncovered[name] == "" {
					t.Errorf("table %s is neither a register nor named as none", name)
				}
				continue
			}
			columns, err := db.Column[string](t.Context(), tx, `SELECT name FROM pragma_table_info(?1)`, name)
			if err != nil {
				return err
			}
			decided := slices.Sorted(slices.Values(slices.Concat(r.Key, r.Covered, r.Left)))
			if slices.Sort(columns); !slices.Equal(columns, decided) {
				t.Errorf("%s has the columns %v; decided about: %v", name, columns, decided)
			}
			delete(known, name)
		}
		return nil
	})
	if err != nil || len(known) > 0 {
		t.Errorf("%v; registers without a table: %v", err, known)
	}
}
