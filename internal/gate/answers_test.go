package gate

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/policy"
)

// answers makes a system behind answer every query with matches of its own; n is the
// number of the match.
func answers(match func(level string, n int, keys *dicom.DataSet) *dicom.DataSet) dimsetest.Options {
	return dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleFind(func(_ context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
			for n := 0; ; n++ {
				ds := match(rq.Identifier.Text(tag.QueryRetrieveLevel), n, rq.Identifier)
				if ds == nil || !yield(dimse.Match{Identifier: ds}) {
					return dimse.Status{}
				}
			}
		}, uid.StudyRootFind)
	}}
}

func TestMatchesThatNeverEndAreCutOff(t *testing.T) {
	t.Parallel()
	s := newSite(t, "      - {name: one, who: [WS1], allow: [query, store], studies: [1.2.3]}\n",
		answers(func(level string, n int, _ *dicom.DataSet) *dicom.DataSet {
			return query(t, level, map[tag.Tag]string{
				tag.StudyInstanceUID: fmt.Sprint("1.2.9.", n), tag.SeriesInstanceUID: fmt.Sprint("1.2.9.1.", n), tag.SOPInstanceUID: fmt.Sprint("1.2.9.1.1.", n),
			})
		}))
	s.device("WS1", policy.Verbs()...)
	a := s.mustDial("WS1", ct, uid.StudyRootFind)

	if found, status := find(t, a, map[tag.Tag]string{}); len(found) > 0 || status.Code != dimse.OutOfResources {
		t.Errorf("found %d, status %s", len(found), status)
	}
	if got := store(t, s.mustDial("WS1", ct), image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")); got.Code.Class() != dimse.ClassFailure {
		t.Errorf("stored where nobody knows what is there: %s", got)
	}
}

// A system behind leaves a key out of its answer that is none of the level.
func TestAKeyOfTheCallerDoesNotStandForWhatAMatchIs(t *testing.T) {
	t.Parallel()
	s := newSite(t, "      - {name: one, who: [WS1], allow: [query], patients: [ZZPHI-1]}\n",
		answers(func(level string, n int, keys *dicom.DataSet) *dicom.DataSet {
			if n > 0 {
				return nil
			}
			return query(t, level, map[tag.Tag]string{tag.StudyInstanceUID: "1.2.4", tag.SeriesInstanceUID: "1.2.4.1", tag.SeriesDescription: "secret"})
		}))
	s.device("WS1", policy.Query)
	a := s.mustDial("WS1", uid.StudyRootFind)
	for _, level := range []string{"STUDY", "SERIES", "IMAGE"} {
		keys := query(t, level, map[tag.Tag]string{tag.PatientID: "ZZPHI-1", tag.StudyInstanceUID: "1.2.4", tag.SeriesInstanceUID: ""})
		for m, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: keys}) {
			t.Errorf("%s: %s of another patient is seen: %v", level, m.Identifier.Text(tag.SeriesDescription), err)
		}
	}
}

func TestAQueryThatIsHardToMatchIsNotAsked(t *testing.T) {
	t.Parallel()
	asked := 0
	s := newSite(t, "", answers(func(string, int, *dicom.DataSet) *dicom.DataSet {
		asked++
		return nil
	}))
	s.device("WS1", policy.Query)
	a := s.mustDial("WS1", uid.StudyRootFind)
	list := make([]string, 5000)
	for i := range list {
		list[i] = fmt.Sprint("1.2.", i)
	}
	for name, c := range map[string]struct {
		tag    tag.Tag
		values []string
		want   int
	}{
		"a name with stars at its ends":       {tag.PatientName, []string{"*ZZPHI*^*TEST*"}, 1},
		"a name in three scripts":             {tag.PatientName, []string{"ZZPHI*=ZZPHI*=*"}, 1},
		"question marks":                      {tag.PatientID, []string{strings.Repeat("?", 16)}, 1},
		"a list":                              {tag.StudyInstanceUID, list[:1000], 1},
		"stars between all letters":           {tag.PatientName, []string{strings.Repeat("*A", 28) + "*B"}, 0},
		"stars in the second value of a list": {tag.ModalitiesInStudy, []string{"CT", strings.Repeat("*A", 7)}, 0},
		"a list that has no end":              {tag.StudyInstanceUID, list, 0},
		"a value that is a book":              {tag.StudyDescription, []string{strings.Repeat("ZZPHI ", 1000)}, 0},
	} {
		asked = 0
		keys := query(t, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: ""})
		keys.Set(dicom.NewText(c.tag, dicom.VRFor(c.tag), c.values...))
		for _, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: keys}) {
			if c.want > 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
		if asked != c.want {
			t.Errorf("%s: asked %d times, want %d", name, asked, c.want)
		}
	}
}
