package archive

import (
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/archive/index"
	"collimator/internal/fault"
)

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
