package index

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Root is the information model of a query (PS3.4 C.6).
type Root uint8

// The models.
const (
	StudyRoot Root = iota
	PatientRoot
)

// Query asks for entities of a level. Keys is the identifier: what has a value
// is matched, and each of its attributes is returned.
type Query struct {
	Root  Root
	Level Level
	Keys  *dicom.DataSet

	Relational       bool // unique keys of the levels above may be left out (PS3.4 C.3.2.2.1)
	Fuzzy            bool // person names match by the beginning of each word
	DateTimeCombined bool // date and time ranges mean one range of moments (PS3.4 C.2.2.2.5)
	AllAttributes    bool // return what is known of the level, not only the keys

	Limit  int    // most matches to return; 0 means all
	Offset int    // matches to leave out at the start
	After  Cursor // continue behind this match
	Scope  Scope  // what the caller may see; the zero Scope is nothing
}

// Cursor is a place in the matches of a query. It stays valid while instances
// come in and go.
type Cursor string

// plan is a query as conditions, and what is left to do in Go.
type plan struct {
	Query
	db     *db.DB
	where  []condition
	driver valueKind       // of values by which studies are found; empty for none
	date   expression      // column of the study date
	post   []dicom.Element // keys that no column answers
	sort   expression      // what is sorted by; none where it is the ID alone
	id     expression      // the ID of a row, which is sorted by last
	desc   bool
	need   bool // attributes are needed, not only columns

	// counts are the studies, series and instances of the patient, and shown is
	// the study that stands for the patient, as far as the caller may know.
	counts [3]expression
	shown  expression

	unmatched []dicom.Tag // keys with a value that restrict nothing at this level
}

// makePlan checks a query and turns its keys into conditions.
func (s *Search) makePlan(q Query) (*plan, error) {
	p := &plan{Query: q, db: s.DB, date: expression{table: inStudy, column: "study_date"}}
	if q.Level < PatientLevel || q.Level > ImageLevel || q.Level == PatientLevel && q.Root != PatientRoot {
		return nil, fault.New(fault.Invalid, "index: QueryRetrieveLevel is not one of the model")
	}

	if p.Keys == nil {
		p.Keys = dicom.NewDataSet()
	}

	if n := countKeys(p.Keys); n > s.Keys {
		return nil, fault.Newf(fault.TooLarge, "index: query has more than %d keys", s.Keys)
	}

	if err := p.checkHierarchy(); err != nil {
		return nil, err
	}

	scope, err := q.Scope.bind()
	if err != nil {
		return nil, err
	}

	p.narrow(scope)
	p.chooseDriver()
	for key := range p.Keys.All() {
		if err := p.key(key); err != nil {
			return nil, err
		}
	}

	p.chooseOrder()
	if q.Level == PatientLevel {
		p.and(scope.ofPatients()...)
	} else {
		p.and(scope.of(inStudy)...)
	}

	return p, nil
}

// and adds conditions that a row has to fulfil.
func (p *plan) and(list ...condition) { p.where = append(p.where, list...) }

func countKeys(ds *dicom.DataSet) int {
	n := ds.Len()
	for el := range ds.All() {
		for _, item := range el.Items() {
			n += countKeys(item)
		}
	}
	return n
}

// checkHierarchy wants a single value for the unique key of each level above
// (PS3.4 C.4.1.2.1).
func (p *plan) checkHierarchy() error {
	if p.Relational {
		return nil
	}

	for _, k := range []struct {
		t     dicom.Tag
		level Level
	}{{tag.PatientID, PatientLevel}, {tag.StudyInstanceUID, StudyLevel}, {tag.SeriesInstanceUID, SeriesLevel}} {
		if k.level >= p.Level || k.level == PatientLevel && p.Root != PatientRoot {
			continue
		}
		if v := p.Keys.Values(k.t); len(v) != 1 || wild(v[0]) {
			return fault.Newf(fault.Invalid, "index: %s needs a single value at level %s", k.t.Keyword(), p.Level)
		}
	}
	return nil
}

// chooseDriver finds studies by a value they have several of, newest first,
// where no key with an index of its own is given: then the cost is that of the
// page, however rare or frequent the value is.
func (p *plan) chooseDriver() {
	if p.Level != StudyLevel {
		return
	}

	for _, t := range []dicom.Tag{tag.StudyInstanceUID, tag.PatientID, tag.AccessionNumber, tag.StudyID, tag.PatientName} {
		if el, ok := p.Keys.Get(t); ok && !Universal(el) {
			return
		}
	}

	for t, kind := range map[dicom.Tag]valueKind{tag.ModalitiesInStudy: modalityValue, tag.SOPClassesInStudy: sopClassValue} {
		if v := p.Keys.Values(t); len(v) == 1 && !wild(v[0]) {
			p.driver = kind
			p.date = expression{table: byValue, column: "study_date"}
			p.and(kind.is(byValue), compare(expression{table: byValue, column: "value"}, equalTo, v[0]))
			return
		}
	}
}

func (p *plan) chooseOrder() {
	switch p.Level {
	case PatientLevel:
		p.id = expression{table: patients, column: "id"}
	case StudyLevel:
		p.sort = p.date
		p.id = expression{table: inStudy, column: "id"}
		p.desc = true
		if p.driver != "" {
			p.id = expression{table: byValue, column: "study"}
		}
	case SeriesLevel:
		p.id = expression{table: inSeries, column: "id"}
		if len(p.Keys.Values(tag.StudyInstanceUID)) == 1 {
			p.sort = expression{table: inSeries, column: "number"}
		}
	default:
		p.id = expression{table: instances, column: "id"}
		if len(p.Keys.Values(tag.SeriesInstanceUID)) == 1 {
			p.sort = expression{table: instances, column: "number"}
		}
	}
}

// behind is the conditions of the rows that come after the cursor.
func (p *plan) behind() ([]condition, error) {
	if p.After == "" {
		return p.where, nil
	}

	key, id, err := p.cursorArgs()
	if err != nil {
		return nil, err
	}
	than := moreThan
	if p.desc {
		than = lessThan
	}
	after := compare(p.id, than, id)
	if !p.sort.none() {
		after = comparePair(p.sort, p.id, than, key, id)
	}

	// The conditions of the plan stay as they are: the next page has another end.
	return append(slices.Clip(p.where), after), nil
}

// cursorArgs reads a cursor.
func (p *plan) cursorArgs() (key any, id int64, err error) {
	bad := fault.New(fault.Invalid, "index: not a cursor of this query")

	raw, err := base64.RawURLEncoding.DecodeString(string(p.After))
	if err != nil {
		return nil, 0, bad
	}

	first, second, ok := strings.Cut(string(raw), ",")
	if !ok {
		return nil, 0, bad
	}

	if id, err = strconv.ParseInt(second, 10, 64); err != nil {
		return nil, 0, bad
	}

	if p.Level == StudyLevel {
		if first != "" && NormalDate(first) == "" {
			return nil, 0, bad
		}
		return first, id, nil
	}

	n, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return nil, 0, bad
	}
	return n, id, nil
}

func makeCursor(key string, id int64) Cursor {
	return Cursor(base64.RawURLEncoding.EncodeToString([]byte(key + "," + strconv.FormatInt(id, 10))))
}
