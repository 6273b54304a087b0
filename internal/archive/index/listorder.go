package index

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// StudySort is what a list of studies is sorted by; "-" before it means downwards.
type StudySort string

// studyOrders are the columns of each sort. An index of the database has them in this order
// and the ID behind them; what has no bound of its own is sorted by its beginning.
var studyOrders = map[string][]expression{
	"date":      {{table: inStudy, column: "study_date"}, {table: inStudy, column: "study_time"}},
	"received":  {{table: inStudy, column: "received"}},
	"name":      {{table: inStudy, column: "name"}},
	"patientID": {{beginning: "patient_id", table: inStudy}},
	"accession": {{beginning: "accession", table: inStudy}},
	"modality":  {{beginning: "modalities", table: inStudy}},
	"source":    {{beginning: "sources", table: inStudy}},
	"instances": {{table: inStudy, column: "instances"}},
	"bytes":     {{table: inStudy, column: "size"}},
}

// StudySorts are the words of a StudySort.
func StudySorts() []string {
	return []string{"date", "received", "name", "patientID", "accession", "modality", "instances", "bytes", "source"}
}

// order is the order of a list.
type order struct {
	name    string
	columns []expression // the ID is last
	desc    bool
}

func (s StudySort) order() (order, error) {
	if s == "" {
		s = "-date"
	}
	name, down := strings.CutPrefix(string(s), "-")
	columns, ok := studyOrders[name]
	if !ok {
		return order{}, fault.New(fault.Invalid, "index: sort is one of "+
			strings.Join(StudySorts(), ", ")+", with - before it for downwards")
	}

	columns = append(slices.Clip(columns), expression{table: inStudy, column: "id"})

	return order{name: string(s), columns: columns, desc: down}, nil
}

// spot is where a study stands in an order: its values, the last of which is the ID.
type spot []any

// writtenCursor is a cursor as it is encoded.
type writtenCursor struct {
	Sort string `json:"s"`
	Back bool   `json:"b,omitempty"`
	At   spot   `json:"a"`
}

// cursor is that of the page on one side of a place; empty without a place.
func (o order) cursor(at *spot, back bool) Cursor {
	if at == nil {
		return ""
	}
	b, _ := json.Marshal(writtenCursor{o.name, back, *at}) // texts and numbers always marshal

	return Cursor(base64.RawURLEncoding.EncodeToString(b))
}

// cursorMost is the longest cursor, in bytes.
const cursorMost = 4 << 10

func (o order) parse(c Cursor) (*spot, bool, error) {
	bad := fault.New(fault.Invalid, "index: not a cursor of this list")
	if len(c) > cursorMost {
		return nil, false, bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil {
		return nil, false, bad
	}

	var w writtenCursor
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if dec.Decode(&w) != nil || w.Sort != o.name || len(w.At) != len(o.columns) {
		return nil, false, bad
	}
	for i, v := range w.At {
		n, number := v.(json.Number)
		if _, text := v.(string); !text && !number {
			return nil, false, bad
		}
		if number {
			if w.At[i], err = n.Int64(); err != nil {
				return nil, false, bad
			}
		}
	}

	return &w.At, w.Back, nil
}

// scanPlace reads the columns of an order.
func (o order) scanPlace(scan db.Scan) (spot, error) {
	at := make(spot, len(o.columns))
	if err := scan(at.dest()...); err != nil {
		return nil, err
	}
	at.settle()

	return at, nil
}

func (p spot) dest() []any {
	dest := make([]any, len(p))
	for i := range p {
		dest[i] = &p[i]
	}

	return dest
}

// settle makes texts of what the driver gave as bytes.
func (p spot) settle() {
	for i, v := range p {
		if b, ok := v.([]byte); ok {
			p[i] = string(b)
		}
	}
}

// word is the sort without its direction.
func (o order) word() string { return strings.TrimPrefix(o.name, "-") }
