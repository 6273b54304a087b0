package index

import "slices"

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

// bound is a scope as conditions. Its list of studies is one, so that a
// statement binds it once.
type bound struct {
	everything bool
	studies    []any
}

// bind makes the conditions of a scope; kind TooLarge where it names too many
// studies.
func (s Scope) bind() (bound, error) {
	if s.everything {
		return bound{everything: true}, nil
	}
	studies, err := list(s.StudyUIDs)

	return bound{studies: studies}, err
}

// of is what the rows of studies under an alias have to fulfil.
func (b bound) of(alias string) []condition {
	if b.everything {
		return nil
	}

	return []condition{{kind: oneOf, of: expression{table: alias, column: "uid"}, values: b.studies}}
}

// ofPatients is what rows of patients have to fulfil: a study of theirs may be
// seen.
func (b bound) ofPatients() []condition {
	if b.everything {
		return nil
	}

	return []condition{{
		kind: inTable, of: expression{table: patients, column: "id"},
		pick: expression{table: inStudy, column: "patient"}, table: "study st", parts: b.of(inStudy),
	}}
}

// narrow says what the caller may know of a patient. Who may not see everything
// knows the studies in the scope and what they say: the row of the patient, which
// all studies made, is neither counted, nor compared, nor answered with. The
// newest of them stands for the patient.
func (p *plan) narrow(scope bound) {
	p.counts = patientCounts
	if scope.everything {
		return
	}

	where := []condition{same(expression{table: beside, column: "patient"}, expression{table: patients, column: "id"})}
	where = append(where, scope.of(beside)...)

	for i, what := range [...]string{"COUNT(*)", "COALESCE(SUM(x.series), 0)", "COALESCE(SUM(x.instances), 0)"} {
		p.counts[i] = expression{over: &studies{what: what, where: where}}
	}
	p.shown = expression{over: &studies{what: "x.id", where: where, newest: true}}
}
