package index

import (
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// planOf is the plan of a query that keeps the rules.
func planOf(t *testing.T, q Query) *plan {
	t.Helper()
	p, err := (&Search{Keys: 512}).makePlan(q)
	if err != nil {
		t.Fatal(err)
	}

	return p
}

func keyed(t *testing.T, key dicom.Tag, value string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	if err := ds.SetText(key, value); err != nil {
		t.Fatal(err)
	}

	return ds
}

func TestTheZeroConditionIsFulfilledByNoRow(t *testing.T) {
	t.Parallel()
	scope, err := Scope{}.bind()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range append(scope.of(inStudy), condition{}) {
		s := &statement{}
		s.condition(c)
		if got := s.text.String(); got != "1 = 0" {
			t.Errorf("got %q, want 1 = 0", got)
		}
	}
}

// The studies of a scope stand in the condition, in the three counts of the
// patient and in the choice of the study that stands for the patient. Bound each
// time they would be more values than the database takes.
func TestTheStudiesOfAScopeAreBoundOnce(t *testing.T) {
	t.Parallel()
	p := planOf(t, Query{Root: PatientRoot, Level: PatientLevel, Scope: Scope{StudyUIDs: []string{"1.2.1", "1.2.2", "1.2.3"}}})
	query, args := p.page(p.where, 10)
	if want := []any{"1.2.1", "1.2.2", "1.2.3", "1.2.3", 10}; !slices.Equal(args, want) {
		t.Errorf("got %v, want %v", args, want)
	}
	if n := strings.Count(query, "IN (?1, ?2, ?3, ?4)"); n != 5 {
		t.Errorf("the list stands %d times, want 5:\n%s", n, query)
	}
}

func TestAListHasAFewLengthsOnly(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 0, 1: 1, 2: 2, 3: 4, 5: 8, maxList: 16384} {
		got, err := list(make([]string, n))
		if err != nil || len(got) != want {
			t.Errorf("%d values: got %d and %v, want %d", n, len(got), err, want)
		}
	}
	if _, err := list(make([]string, maxList+1)); err == nil {
		t.Error("a list without a bound was taken")
	}
}

func TestAnOffsetReadsThePatientOnlyWhereAKeyNeedsIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		q    Query
		want bool
	}{
		{"date", Query{Level: StudyLevel, Keys: keyed(t, tag.StudyDate, "20260101"), Scope: Everything()}, false},
		{"text", Query{Level: StudyLevel, Keys: keyed(t, tag.StudyDescription, "p."), Scope: Everything()}, false},
		{"studies of the patient", Query{Level: StudyLevel, Keys: keyed(t, tag.NumberOfPatientRelatedStudies, "2"), Scope: Everything()}, true},
		{"studies of the patient in a scope", Query{
			Level: StudyLevel, Keys: keyed(t, tag.NumberOfPatientRelatedStudies, "2"), Scope: Scope{StudyUIDs: []string{"1.2"}},
		}, true},
	} {
		p := planOf(t, c.q)
		query, _ := p.offset(p.where, 5)
		if got := strings.Contains(query, "JOIN patient p"); got != c.want {
			t.Errorf("%s: joined %t, want %t:\n%s", c.name, got, c.want, query)
		}
	}
}
