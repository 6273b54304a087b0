package index

import (
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/fault"
)

// control reports attributes of an identifier that are not keys.
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

	if Universal(key) {
		return nil
	}

	// SQL text ends at a NUL: what comes behind it would not be matched.
	if slices.ContainsFunc(key.Texts(), func(s string) bool { return strings.ContainsRune(s, 0) }) {
		return fault.Newf(fault.Invalid, "index: value of %s holds a NUL character", t.Keyword())
	}

	if p.below(t) || t == tag.TimezoneOffsetFromUTC {
		p.unmatched = append(p.unmatched, t)
		return nil
	}

	switch t {
	case tag.PatientName:
		p.name(key, nameValue)
		return nil
	case tag.ReferringPhysicianName:
		p.name(key, referringValue)
		return nil
	case tag.ModalitiesInStudy:
		return p.value(key, modalityValue)
	case tag.SOPClassesInStudy:
		return p.value(key, sopClassValue)
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

	return LevelOf(t) > p.Level
}

// Unmatched is the keys of a query that have a value and restrict nothing at its
// level (PS3.4 C.4.1.1.4, pending with FF01H). Of a query that breaks the rules
// there are none.
func (s *Search) Unmatched(q Query) []dicom.Tag {
	p, err := s.makePlan(q)
	if err != nil {
		return nil
	}

	return p.unmatched
}

func (p *plan) column(key dicom.Element, c column) error {
	switch c.kind {
	case uidColumn:
		one, err := among(c.of, key.Values())
		if err != nil {
			return err
		}
		p.and(one)
	case textColumn:
		p.and(p.anyText(c.of, key.Texts()))
	case intColumn:
		n := key.Ints()
		if len(n) == 0 {
			return fault.Newf(fault.Invalid, "index: value of %s is not a number", key.Tag.Keyword())
		}
		var parts []condition
		for _, v := range n {
			parts = append(parts, compare(c.of, equalTo, v))
		}
		p.and(anyOf(parts))
	case dateColumn, timeColumn:
		return p.moment(key, c)
	}

	return nil
}

// anyText is the condition that a column matches one of some values or patterns.
func (p *plan) anyText(of expression, values []string) condition {
	var parts []condition
	for _, v := range values {
		parts = append(parts, p.text(of, v))
	}

	return anyOf(parts)
}

// text is the condition that a column matches a value or a pattern. The part
// in front of the first wild card is a range an index can answer.
func (p *plan) text(of expression, s string) condition {
	if !wild(s) {
		return compare(of, equalTo, s)
	}

	like := condition{kind: likePattern, of: of, values: []any{p.db.Pattern(s)}}
	prefix := s[:strings.IndexAny(s, "*?")]
	if prefix == "" {
		return like
	}

	return all(compare(of, atLeast, prefix), compare(of, lessThan, prefix+"\U0010FFFF"), like)
}

// moment is the condition on a date or a time. Where date and time are to be
// combined the pair of columns is compared.
func (p *plan) moment(key dicom.Element, c column) error {
	vr := keyVR(key)
	if len(key.Texts()) != 1 {
		return fault.Newf(fault.Invalid, "index: %s takes one value or range", key.Tag.Keyword())
	}
	s, ok := parseSpan(vr, key.Text())
	if !ok {
		return fault.Newf(fault.Invalid, "index: value of %s is not a date, time or range", key.Tag.Keyword())
	}

	partner, timeColumn := p.combined(key.Tag)
	switch {
	case partner != nil && vr == dicom.TM:
		return nil // done with the date
	case partner != nil:
		return p.combine(c.of, timeColumn, s, *partner)
	}

	if s.low != "" {
		p.and(compare(c.of, atLeast, s.low))
	} else {
		p.and(condition{kind: filled, of: c.of})
	}
	if s.high != "" {
		p.and(compare(c.of, atMost, s.high))
	}

	return nil
}

// combined finds the other half of a date and time that are one range.
func (p *plan) combined(t dicom.Tag) (*dicom.Element, expression) {
	if !p.DateTimeCombined {
		return nil, expression{}
	}

	for _, pair := range []struct {
		date, time dicom.Tag
		column     expression
	}{
		{tag.StudyDate, tag.StudyTime, expression{table: inStudy, column: "study_time"}},
		{
			tag.PerformedProcedureStepStartDate, tag.PerformedProcedureStepStartTime,
			expression{table: inSeries, column: "start_time"},
		},
	} {
		other := pair.date
		switch t {
		case pair.date:
			other = pair.time
		case pair.time:
		default:
			continue
		}

		if el, ok := p.Keys.Get(other); ok && !Universal(el) {
			return &el, pair.column
		}
	}

	return nil, expression{}
}

func (p *plan) combine(date, time expression, dates span, timeKey dicom.Element) error {
	times, ok := parseSpan(dicom.TM, timeKey.Text())
	if !ok {
		return fault.Newf(fault.Invalid, "index: value of %s is not a time or range", timeKey.Tag.Keyword())
	}
	if times.high == "" {
		times.high = "235959.999999"
	}

	p.and(condition{kind: filled, of: date})
	if dates.low != "" {
		p.and(comparePair(date, time, atLeast, dates.low, times.low))
	}
	if dates.high != "" {
		p.and(comparePair(date, time, atMost, dates.high, times.high))
	}

	return nil
}

// valueKind is a kind of what a study or a patient has several of. It is written
// into statements.
type valueKind string

const (
	nameValue      valueKind = "name"
	wordValue      valueKind = "word"
	referringValue valueKind = "referring"
	modalityValue  valueKind = "modality"
	sopClassValue  valueKind = "sopclass"
	sourceValue    valueKind = "source"
	identValue     valueKind = "ident"
	describedValue valueKind = "described"
)

// is the condition that a row of values under an alias is of a kind.
func (k valueKind) is(alias string) condition {
	return condition{kind: isWord, of: expression{table: alias, column: "kind"}, word: string(k)}
}

// name is the condition on a person name: see MatchName.
func (p *plan) name(key dicom.Element, kind valueKind) {
	having := condition{
		kind: inTable, of: expression{table: inStudy, column: "id"},
		table: "study_value n", pick: expression{table: named, column: "study"},
	}
	if p.Level == PatientLevel && p.Scope.everything {
		having.of = expression{table: patients, column: "id"}
		having.table = "patient_value n"
		having.pick = expression{table: named, column: "patient"}
	}
	value := expression{table: named, column: "value"}

	if p.Fuzzy && kind == nameValue {
		for _, w := range NameWords(key.Text()) {
			having.parts = []condition{wordValue.is(named), p.text(value, w+"*")}
			p.and(having)
		}
		return
	}
	for _, g := range NameGroups(key.Text()) {
		var parts []condition
		for _, pattern := range namePatterns(g) {
			having.parts = []condition{kind.is(named), p.text(value, pattern)}
			parts = append(parts, having)
		}
		p.and(anyOf(parts))
	}
}

// value is the condition on what a study has several of.
func (p *plan) value(key dicom.Element, kind valueKind) error {
	if p.driver == kind {
		return nil
	}
	values := key.Values()
	if len(values) > 64 {
		return fault.Newf(fault.TooLarge, "index: more than 64 values in %s", key.Tag.Keyword())
	}

	var parts []condition
	for _, s := range values {
		parts = append(parts, condition{kind: existsIn, table: "study_value x", parts: []condition{
			kind.is(beside),
			p.text(expression{table: beside, column: "value"}, s),
			same(expression{table: beside, column: "study_date"}, expression{table: inStudy, column: "study_date"}),
			same(expression{table: beside, column: "study"}, expression{table: inStudy, column: "id"}),
		}})
	}
	p.and(anyOf(parts))

	return nil
}
