package archive

import (
	"compress/flate"
	"context"
	"fmt"
	"io"
	"strings"

	"collimator/internal/db"
)

// comparison is one table of the index as it is compared: the first column
// names the row, the others are its content. Numbers of rows are left out,
// because they depend on what else the database has seen.
type comparison struct {
	table string
	query string
	// packed: the content is deflated. It is compared as what comes out, because
	// another version of the compressor may write it in another way.
	packed bool
}

var comparisons = [...]comparison{
	{table: "patient", query: `SELECT identity, patient_id, issuer, birth_date, sex, studies, series, instances FROM patient ORDER BY 1`},
	{table: "patient_data", query: `SELECT p.identity, d.data FROM patient p JOIN patient_data d ON d.id = p.id ORDER BY 1`},
	{table: "patient_value", query: `SELECT p.identity || ' ' || v.kind || ' ' || v.value, v.uses FROM patient p JOIN patient_value v ON v.patient = p.id ORDER BY 1`},
	{table: "study", query: `SELECT s.uid, p.identity, s.patient_id, s.issuer, s.birth_date, s.sex, s.study_date, s.study_time, s.accession, s.study_id, s.description,
		s.modalities, s.sop_classes, s.name, s.sources, s.series, s.instances, s.size, s.received, s.updated FROM study s LEFT JOIN patient p ON p.id = s.patient ORDER BY 1`},
	{table: "study_data", query: `SELECT s.uid, d.data FROM study s JOIN study_data d ON d.id = s.id ORDER BY 1`},
	{table: "study_value", query: `SELECT s.uid || ' ' || v.kind || ' ' || v.value || ' ' || v.study_date, v.uses FROM study s JOIN study_value v ON v.study = s.id ORDER BY 1`},
	{table: "series", query: `SELECT e.uid, s.uid, e.modality, e.number, e.description, e.body_part, e.start_date, e.start_time, e.instances, e.updated
		FROM series e LEFT JOIN study s ON s.id = e.study ORDER BY 1`},
	{table: "series_data", query: `SELECT e.uid, d.data FROM series e JOIN series_data d ON d.id = e.id ORDER BY 1`},
	{table: "instance", query: `SELECT i.uid, e.uid, i.sop_class, i.number, i.transfer_syntax, i.digest, i.size, i.data_offset, i.received, i.source_ae, i.source_address,
		i.principal, i.implementation, i.accepted, i.character_set, d.digest FROM instance i LEFT JOIN series e ON e.id = i.series
		LEFT JOIN description d ON d.id = i.description ORDER BY 1`},
	{table: "instance_data", query: `SELECT i.uid, d.data FROM instance i JOIN instance_data d ON d.id = i.id ORDER BY 1`, packed: true},
	{table: "description", query: `SELECT COALESCE(CASE d.level WHEN 1 THEN '' WHEN 2 THEN (SELECT uid FROM study WHERE id = d.owner) ELSE (SELECT uid FROM series WHERE id = d.owner) END, '')
		|| ' ' || d.level || ' ' || COALESCE((SELECT identity FROM patient WHERE d.level = 1 AND id = d.owner), '') || ' ' || HEX(d.digest),
		d.rank, d.sop_class, d.uses, d.data, a.digest FROM description d LEFT JOIN description a ON a.id = d.above ORDER BY 1`},
	{table: "quarantine", query: `SELECT uid || ' ' || digest || ' ' || reason, sop_class, study_uid, series_uid, transfer_syntax, size, data_offset, stored_digest, times,
		received, last_received, source_ae, source_address, principal, implementation, character_set, route FROM quarantine ORDER BY 1`},
	{table: "refusal", query: `SELECT uid || ' ' || digest, reason, principal, times, last FROM refusal ORDER BY 1`},
	{table: "patient_data without patient", query: `SELECT id FROM patient_data WHERE id NOT IN (SELECT id FROM patient) ORDER BY 1`},
	{table: "patient_value without patient", query: `SELECT kind || value FROM patient_value WHERE patient NOT IN (SELECT id FROM patient) ORDER BY 1`},
	{table: "study_data without study", query: `SELECT id FROM study_data WHERE id NOT IN (SELECT id FROM study) ORDER BY 1`},
	{table: "study_value without study", query: `SELECT kind || value FROM study_value WHERE study NOT IN (SELECT id FROM study) ORDER BY 1`},
	{table: "series_data without series", query: `SELECT id FROM series_data WHERE id NOT IN (SELECT id FROM series) ORDER BY 1`},
	{table: "instance_data without instance", query: `SELECT id FROM instance_data WHERE id NOT IN (SELECT id FROM instance) ORDER BY 1`},
}

// Difference is a row of the index that is not as the files and the ledger have
// it. It names the row by a UID or digest where it has one, and holds no value.
type Difference struct {
	Table string
	Row   string // empty where the name itself would be patient data
	What  string // "changed", "missing" or "not accounted for"
}

// String is one line.
func (d Difference) String() string {
	return strings.TrimSpace(fmt.Sprintf("index: row of %s %s is %s", d.Table, d.Row, d.What))
}

// Compare holds the real index against the one that was built. It looks at one
// state of it, whatever is stored meanwhile; catchUp is told of that state
// before, to apply what it holds. Nil where nothing is to be applied. What is
// deleted while Compare is at work may make a difference. It ends early when
// yield returns false.
func (r *Replay) Compare(ctx context.Context, catchUp func(tx *db.Tx) error, yield func(Difference) bool) error {
	return r.real.o.DB.Read(ctx, func(have *db.Tx) error {
		if catchUp != nil {
			if err := catchUp(have); err != nil {
				return err
			}
		}
		for _, c := range comparisons {
			if more, err := r.compare(ctx, have, c, yield); err != nil || !more {
				return err
			}
		}
		return nil
	})
}

func (r *Replay) compare(ctx context.Context, have *db.Tx, c comparison, yield func(Difference) bool) (more bool, err error) {
	more = true
	report := func(row, what string) {
		if more = more && yield(Difference{c.table, nameRow(c.table, row), what}); !more {
			return
		}
	}
	err = r.scratch.o.DB.Read(ctx, func(want *db.Tx) error {
		return merge(ctx, have, want, c, report)
	})
	return more, err
}

// nameRow keeps patient data out of the name of a row.
func nameRow(table, row string) string {
	if strings.HasPrefix(table, "patient") || strings.Contains(table, "without") {
		return ""
	}
	uid, _, _ := strings.Cut(row, " ")
	return uid
}

// merge walks both results in order of their first column.
func merge(ctx context.Context, have, want *db.Tx, c comparison, report func(row, what string)) error {
	a, err := newCursor(ctx, have, c)
	if err != nil {
		return err
	}
	defer a.rows.Close()

	b, err := newCursor(ctx, want, c)
	if err != nil {
		return err
	}
	defer b.rows.Close()

	for a.ok || b.ok {
		switch {
		case !b.ok || a.ok && a.key < b.key:
			report(a.key, "not accounted for")
			err = a.next()
		case !a.ok || b.key < a.key:
			report(b.key, "missing")
			err = b.next()
		default:
			if a.content != b.content {
				report(a.key, "changed")
			}
			if err = a.next(); err == nil {
				err = b.next()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cursor reads rows as a name and their content as text.
type cursor struct {
	rows         *db.Rows
	values       []any
	packed       bool
	ok           bool
	key, content string
}

func newCursor(ctx context.Context, tx *db.Tx, of comparison) (*cursor, error) {
	rows, err := tx.Query(ctx, of.query)
	if err != nil {
		return nil, err
	}

	columns, err := rows.Columns()
	if err != nil {
		rows.Close()
		return nil, err
	}

	c := &cursor{rows: rows, values: make([]any, len(columns)), packed: of.packed}
	for i := range c.values {
		c.values[i] = new(any)
	}
	return c, c.next()
}

func (c *cursor) next() error {
	if c.ok = c.rows.Next(); !c.ok {
		return c.rows.Err()
	}

	if err := c.rows.Scan(c.values...); err != nil {
		return err
	}
	c.key = cellText(*c.values[0].(*any))

	var b strings.Builder
	for _, v := range c.values[1:] {
		s := cellText(*v.(*any))
		if c.packed {
			s = unpacked(s)
		}
		fmt.Fprintf(&b, "%d:%s", len(s), s)
	}

	c.content = b.String()
	return nil
}

// unpacked inflates a stored header; what is not deflated stays as it is.
func unpacked(s string) string {
	b, err := io.ReadAll(flate.NewReader(strings.NewReader(s)))
	if err != nil {
		return s
	}

	return string(b)
}

func cellText(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}
