package archive

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/archive/index"
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

// plan is a query as SQL and what is left to do in Go.
type plan struct {
	Query
	db      *db.DB
	builder builder
	driver  string          // condition on study_value by which studies are found; empty for none
	date    string          // column of the study date
	post    []dicom.Element // keys that no column answers
	order   [2]string       // sort key, "" if it is the ID alone, and ID
	desc    bool
	need    bool // attributes are needed, not only columns

	// counts are the studies, series and instances of the patient, and shown is
	// the study that stands for the patient, as far as the caller may know.
	counts [3]string
	shown  string

	unmatched []dicom.Tag // keys with a value that restrict nothing at this level
}

// makePlan checks a query and turns its keys into conditions.
func (a *Archive) makePlan(q Query) (*plan, error) {
	p := &plan{Query: q, db: a.o.DB, date: "st.study_date"}
	if q.Level < PatientLevel || q.Level > ImageLevel || q.Level == PatientLevel && q.Root != PatientRoot {
		return nil, fault.New(fault.Invalid, "archive: QueryRetrieveLevel is not one of the model")
	}
	if p.Keys == nil {
		p.Keys = dicom.NewDataSet()
	}
	if n := countKeys(p.Keys); n > a.limits.Keys {
		return nil, fault.Newf(fault.TooLarge, "archive: query has more than %d keys", a.limits.Keys)
	}
	if err := p.checkHierarchy(); err != nil {
		return nil, err
	}
	if err := p.narrow(); err != nil {
		return nil, err
	}
	p.chooseDriver()
	for key := range p.Keys.All() {
		if err := p.key(key); err != nil {
			return nil, err
		}
	}
	p.chooseOrder()
	if q.Level == PatientLevel {
		return p, q.Scope.restrictPatient(&p.builder)
	}
	return p, q.Scope.restrict(&p.builder, "st")
}

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
			return fault.Newf(fault.Invalid, "archive: %s needs a single value at level %s", k.t.Keyword(), p.Level)
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
		if el, ok := p.Keys.Get(t); ok && !universal(el) {
			return
		}
	}
	for t, kind := range map[dicom.Tag]string{tag.ModalitiesInStudy: "modality", tag.SOPClassesInStudy: "sopclass"} {
		if v := p.Keys.Values(t); len(v) == 1 && !wild(v[0]) {
			p.driver, p.date = kind, "v.study_date"
			p.builder.and("v.kind = '" + kind + "'")
			p.builder.and("v.value = " + p.builder.bind(v[0]))
			return
		}
	}
}

func (p *plan) chooseOrder() {
	switch {
	case p.Level == PatientLevel:
		p.order = [2]string{"", "p.id"}
	case p.Level == StudyLevel && p.driver != "":
		p.order, p.desc = [2]string{"v.study_date", "v.study"}, true
	case p.Level == StudyLevel:
		p.order, p.desc = [2]string{"st.study_date", "st.id"}, true
	case p.Level == SeriesLevel && len(p.Keys.Values(tag.StudyInstanceUID)) == 1:
		p.order = [2]string{"se.number", "se.id"}
	case p.Level == SeriesLevel:
		p.order = [2]string{"", "se.id"}
	case len(p.Keys.Values(tag.SeriesInstanceUID)) == 1:
		p.order = [2]string{"i.number", "i.id"}
	default:
		p.order = [2]string{"", "i.id"}
	}
}

// column is where an attribute stands.
type column struct {
	name  string
	level Level
	kind  columnKind
}

type columnKind uint8

const (
	uidColumn columnKind = iota + 1
	textColumn
	dateColumn
	timeColumn
	intColumn
)

// columnOf finds the column of an attribute at a level of query.
func (p *plan) columnOf(t dicom.Tag) (column, bool) {
	patient := "st."
	if p.Level == PatientLevel && p.Scope.everything {
		patient = "p."
	}
	switch t {
	case tag.PatientID:
		return column{patient + "patient_id", PatientLevel, textColumn}, true
	case tag.IssuerOfPatientID:
		return column{patient + "issuer", PatientLevel, textColumn}, true
	case tag.PatientBirthDate:
		return column{patient + "birth_date", PatientLevel, dateColumn}, true
	case tag.PatientSex:
		return column{patient + "sex", PatientLevel, textColumn}, true
	case tag.StudyDate:
		return column{p.date, StudyLevel, dateColumn}, true
	}
	c, ok := columns[t]
	for i, name := range patientCounts {
		if c.name == name {
			c.name = p.counts[i]
		}
	}
	return c, ok
}

// patientCounts are the columns that count what all there is of a patient.
var patientCounts = [3]string{"p.studies", "p.series", "p.instances"}

var columns = map[dicom.Tag]column{
	tag.NumberOfPatientRelatedStudies:   {patientCounts[0], PatientLevel, intColumn},
	tag.NumberOfPatientRelatedSeries:    {patientCounts[1], PatientLevel, intColumn},
	tag.NumberOfPatientRelatedInstances: {patientCounts[2], PatientLevel, intColumn},

	tag.StudyInstanceUID:              {"st.uid", StudyLevel, uidColumn},
	tag.StudyTime:                     {"st.study_time", StudyLevel, timeColumn},
	tag.AccessionNumber:               {"st.accession", StudyLevel, textColumn},
	tag.StudyID:                       {"st.study_id", StudyLevel, textColumn},
	tag.StudyDescription:              {"st.description", StudyLevel, textColumn},
	tag.NumberOfStudyRelatedSeries:    {"st.series", StudyLevel, intColumn},
	tag.NumberOfStudyRelatedInstances: {"st.instances", StudyLevel, intColumn},

	tag.SeriesInstanceUID:               {"se.uid", SeriesLevel, uidColumn},
	tag.Modality:                        {"se.modality", SeriesLevel, textColumn},
	tag.SeriesNumber:                    {"se.number", SeriesLevel, intColumn},
	tag.SeriesDescription:               {"se.description", SeriesLevel, textColumn},
	tag.BodyPartExamined:                {"se.body_part", SeriesLevel, textColumn},
	tag.PerformedProcedureStepStartDate: {"se.start_date", SeriesLevel, dateColumn},
	tag.PerformedProcedureStepStartTime: {"se.start_time", SeriesLevel, timeColumn},
	tag.NumberOfSeriesRelatedInstances:  {"se.instances", SeriesLevel, intColumn},

	tag.SOPInstanceUID: {"i.uid", ImageLevel, uidColumn},
	tag.SOPClassUID:    {"i.sop_class", ImageLevel, uidColumn},
	tag.InstanceNumber: {"i.number", ImageLevel, intColumn},
}

// control reports attributes of an identifier that are no keys.
func control(t dicom.Tag) bool {
	switch t {
	case tag.SpecificCharacterSet, tag.QueryRetrieveLevel, tag.RetrieveAETitle, tag.InstanceAvailability:
		return true
	}
	return t.GroupLength()
}

// key turns one key into a condition, or leaves it to be matched in Go.
func (p *plan) key(key dicom.Element) error {
	t := key.Tag
	if control(t) {
		return nil
	}
	if !answeredByColumn(t) {
		p.need = true
	}
	if universal(key) {
		return nil
	}
	// SQL text ends at a NUL: what comes behind it would not be matched.
	if slices.ContainsFunc(key.Texts(), func(s string) bool { return strings.ContainsRune(s, 0) }) {
		return fault.Newf(fault.Invalid, "archive: value of %s holds a NUL character", t.Keyword())
	}
	if p.below(t) || t == tag.TimezoneOffsetFromUTC {
		p.unmatched = append(p.unmatched, t)
		return nil
	}
	switch t {
	case tag.PatientName:
		p.name(key, "name")
		return nil
	case tag.ReferringPhysicianName:
		p.name(key, "referring")
		return nil
	case tag.ModalitiesInStudy:
		return p.value(key, "modality")
	case tag.SOPClassesInStudy:
		return p.value(key, "sopclass")
	}
	c, ok := p.columnOf(t)
	if !ok {
		p.post = append(p.post, key)
		return nil
	}

	return p.column(key, c)
}

// below reports an attribute of a level further down than that of the query.
// Nothing can be matched by it here; it is returned without a value (PS3.4
// C.2.2.1.3).
func (p *plan) below(t dicom.Tag) bool {
	switch t {
	case tag.ModalitiesInStudy, tag.SOPClassesInStudy:
		return p.Level < StudyLevel
	}
	if c, ok := p.columnOf(t); ok {
		return c.level > p.Level
	}

	return index.LevelOf(t) > p.Level
}

// Unmatched is the keys of a query that have a value and restrict nothing at its
// level (PS3.4 C.4.1.1.4, pending with FF01H). Of a query that breaks the rules
// there are none.
func (a *Archive) Unmatched(q Query) []dicom.Tag {
	p, err := a.makePlan(q)
	if err != nil {
		return nil
	}

	return p.unmatched
}

func (p *plan) column(key dicom.Element, c column) error {
	switch c.kind {
	case uidColumn:
		return p.builder.in(c.name, key.Values())
	case textColumn:
		p.anyOf(key.Texts(), func(s string) string { return p.text(c.name, s) })
	case intColumn:
		n := key.Ints()
		if len(n) == 0 {
			return fault.Newf(fault.Invalid, "archive: value of %s is no number", key.Tag.Keyword())
		}
		var parts []string
		for _, v := range n {
			parts = append(parts, c.name+" = "+p.builder.bind(v))
		}
		p.builder.and("(" + strings.Join(parts, " OR ") + ")")
	case dateColumn, timeColumn:
		return p.moment(key, c)
	}
	return nil
}

// anyOf joins the conditions of several values.
func (p *plan) anyOf(values []string, f func(string) string) {
	var parts []string
	for _, v := range values {
		parts = append(parts, f(v))
	}
	p.builder.and("(" + strings.Join(parts, " OR ") + ")")
}

// text is the condition that a column matches a value or a pattern. The part
// in front of the first wild card is a range an index can answer.
func (p *plan) text(col, s string) string {
	if !wild(s) {
		return col + " = " + p.builder.bind(s)
	}
	cond := p.db.Glob(col, p.builder.bind(p.db.Pattern(s)))
	if prefix := s[:strings.IndexAny(s, "*?")]; prefix != "" {
		cond = "(" + col + " >= " + p.builder.bind(prefix) + " AND " + col + " < " + p.builder.bind(prefix+"\U0010FFFF") + " AND " + cond + ")"
	}
	return cond
}

// moment is the condition on a date or a time. Where date and time are to be
// combined the pair of columns is compared.
func (p *plan) moment(key dicom.Element, c column) error {
	vr := keyVR(key)
	if len(key.Texts()) != 1 {
		return fault.Newf(fault.Invalid, "archive: %s takes one value or range", key.Tag.Keyword())
	}
	s, ok := parseSpan(vr, key.Text())
	if !ok {
		return fault.Newf(fault.Invalid, "archive: value of %s is no date, time or range", key.Tag.Keyword())
	}
	partner, timeCol := p.combined(key.Tag)
	switch {
	case partner != nil && vr == dicom.TM:
		return nil // done with the date
	case partner != nil:
		return p.combine(c.name, timeCol, s, *partner)
	}
	if s.low != "" {
		p.builder.and(c.name + " >= " + p.builder.bind(s.low))
	} else {
		p.builder.and(c.name + " <> ''")
	}
	if s.high != "" {
		p.builder.and(c.name + " <= " + p.builder.bind(s.high))
	}
	return nil
}

// combined finds the other half of a date and time that are one range.
func (p *plan) combined(t dicom.Tag) (*dicom.Element, string) {
	if !p.DateTimeCombined {
		return nil, ""
	}
	for _, pair := range []struct {
		date, time dicom.Tag
		column     string
	}{
		{tag.StudyDate, tag.StudyTime, "st.study_time"},
		{tag.PerformedProcedureStepStartDate, tag.PerformedProcedureStepStartTime, "se.start_time"},
	} {
		other := pair.date
		switch t {
		case pair.date:
			other = pair.time
		case pair.time:
		default:
			continue
		}
		if el, ok := p.Keys.Get(other); ok && !universal(el) {
			return &el, pair.column
		}
	}
	return nil, ""
}

func (p *plan) combine(dateCol, timeCol string, dates span, timeKey dicom.Element) error {
	times, ok := parseSpan(dicom.TM, timeKey.Text())
	if !ok {
		return fault.Newf(fault.Invalid, "archive: value of %s is no time or range", timeKey.Tag.Keyword())
	}
	if times.high == "" {
		times.high = "235959.999999"
	}
	p.builder.and(dateCol + " <> ''")
	if dates.low != "" {
		p.builder.and("(" + dateCol + ", " + timeCol + ") >= (" + p.builder.bind(dates.low) + ", " + p.builder.bind(times.low) + ")")
	}
	if dates.high != "" {
		p.builder.and("(" + dateCol + ", " + timeCol + ") <= (" + p.builder.bind(dates.high) + ", " + p.builder.bind(times.high) + ")")
	}
	return nil
}

// name is the condition on a person name: see matchName.
func (p *plan) name(key dicom.Element, kind string) {
	table, id := "study_value WHERE", "st.id IN (SELECT study FROM "
	if p.Level == PatientLevel && p.Scope.everything {
		table, id = "patient_value WHERE", "p.id IN (SELECT patient FROM "
	}
	if p.Fuzzy && kind == "name" {
		for _, w := range index.NameWords(key.Text()) {
			p.builder.and(id + table + " kind = 'word' AND " + p.text("value", w+"*") + ")")
		}
		return
	}
	for _, g := range index.NameGroups(key.Text()) {
		p.anyOf(namePatterns(g), func(pattern string) string {
			return id + table + " kind = '" + kind + "' AND " + p.text("value", pattern) + ")"
		})
	}
}

// value is the condition on what a study has several of.
func (p *plan) value(key dicom.Element, kind string) error {
	if p.driver == kind {
		return nil
	}
	values := key.Values()
	if len(values) > 64 {
		return fault.Newf(fault.TooLarge, "archive: more than 64 values in %s", key.Tag.Keyword())
	}
	p.anyOf(values, func(s string) string {
		return "EXISTS (SELECT 1 FROM study_value x WHERE x.kind = '" + kind + "' AND " + p.text("x.value", s) +
			" AND x.study_date = st.study_date AND x.study = st.id)"
	})
	return nil
}

// cursorArgs reads a cursor.
func (p *plan) cursorArgs() (key any, id int64, err error) {
	bad := fault.New(fault.Invalid, "archive: not a cursor of this query")
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
		if first != "" && index.NormalDate(first) == "" {
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
