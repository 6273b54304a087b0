package archive

import (
	"slices"
	"strconv"
	"strings"

	"collimator/internal/fault"
)

// Scope is what a caller may see: some studies, or everything. The zero Scope
// sees nothing; Everything says so in words.
type Scope struct {
	everything bool
	StudyUIDs  []string
}

// Everything is the scope without a bound.
func Everything() Scope { return Scope{everything: true} }

// Unbounded reports the scope of Everything.
func (s Scope) Unbounded() bool { return s.everything }

// Holds reports whether a study may be seen.
func (s Scope) Holds(studyUID string) bool {
	return s.everything || slices.Contains(s.StudyUIDs, studyUID)
}

// restrict adds the scope to a condition on study rows.
func (s Scope) restrict(b *builder, alias string) error {
	switch {
	case s.everything:
		return nil
	case len(s.StudyUIDs) == 0:
		b.and("1 = 0")
		return nil
	}

	return b.in(alias+".uid", s.StudyUIDs)
}

// restrictPatient is restrict for patient rows: patients of whom a study may
// be seen.
func (s Scope) restrictPatient(b *builder) error {
	if s.everything {
		return nil
	}

	inner := &builder{args: b.args}
	if err := s.restrict(inner, "st"); err != nil {
		return err
	}
	b.args = inner.args
	b.and("p.id IN (SELECT st.patient FROM study st" + inner.where() + ")")

	return nil
}

// narrow says what the caller may know of a patient. Who may not see everything
// knows the studies in the scope and what they say: the row of the patient, which
// all studies made, is neither counted, nor compared, nor answered with. The
// newest of them stands for the patient.
func (p *plan) narrow() error {
	p.counts = patientCounts
	if p.Scope.everything {
		return nil
	}

	inner := &builder{conditions: []string{"x.patient = p.id"}, args: p.builder.args}
	if err := p.Scope.restrict(inner, "x"); err != nil {
		return err
	}
	p.builder.args = inner.args
	from := " FROM study x" + inner.where()
	p.counts = [3]string{"(SELECT COUNT(*)" + from + ")", "(SELECT COALESCE(SUM(x.series), 0)" + from + ")", "(SELECT COALESCE(SUM(x.instances), 0)" + from + ")"}
	p.shown = "(SELECT x.id" + from + " ORDER BY x.study_date DESC, x.id DESC LIMIT 1)"

	return nil
}

// builder puts a condition together. Values are bound, never written into the
// text.
type builder struct {
	conditions []string
	args       []any
}

func (b *builder) and(condition string) { b.conditions = append(b.conditions, condition) }

// bind adds a value and returns its placeholder.
func (b *builder) bind(v any) string {
	b.args = append(b.args, v)
	return "?" + strconv.Itoa(len(b.args))
}

func (b *builder) where() string {
	if len(b.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(b.conditions, " AND ")
}

// maxList is the longest list of values in one condition.
const maxList = 10_000

func (b *builder) in(column string, values []string) error {
	part, err := b.list(column, values)
	if err == nil {
		b.and(part)
	}
	return err
}

// list is the condition that a column is one of the values. The number of
// placeholders is a power of two, so that few statements serve all lengths.
func (b *builder) list(column string, values []string) (string, error) {
	if len(values) == 1 {
		return column + " = " + b.bind(values[0]), nil
	}
	if len(values) > maxList {
		return "", fault.Newf(fault.TooLarge, "archive: a list of more than %d values", maxList)
	}
	n := 2
	for n < len(values) {
		n *= 2
	}
	var s strings.Builder
	s.WriteString(column + " IN (")
	for i := range n {
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(b.bind(values[min(i, len(values)-1)]))
	}
	s.WriteString(")")
	return s.String(), nil
}
