package archive

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/fault"
)

// many stores a study of n images.
func many(t *testing.T, a *opened, study, n int) {
	t.Helper()
	for i := range n {
		store(t, a, image(t, study, 1+i%2, i+1))
	}
}

// A retrieval gives the study as it was when it began, or says that it cannot:
// never fewer images as if these were all, and never another study's.
func TestRetrievalBesideADeletionIsWholeOrFails(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, a *opened){
		"one image is deleted": func(t *testing.T, a *opened) {
			mustDelete(t, a, Deletion{StudyUID: "1.2.3.1", SOPInstanceUID: "1.2.3.1.2.300"})
		},
		"the study is deleted and another stored": func(t *testing.T, a *opened) {
			mustDelete(t, a, Deletion{StudyUID: "1.2.3.1"})
			many(t, a, 2, 300)
		},
		"an image gives way to another": func(t *testing.T, a *opened) {
			_, err := a.Ingest(t.Context(), incoming(t, image(t, 1, 2, 300, tag.StudyDescription, "corrected")))
			conflict, ok := errors.AsType[*ConflictError](err)
			if !ok {
				t.Fatal(err)
			}
			if _, err := a.Release(t.Context(), conflict.Quarantine, Source{Principal: "admin"}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := openTest(t)
			many(t, a, 1, 300)
			got := 0
			var last error
			for ref, err := range a.Retrieve(t.Context(), RetrieveQuery{StudyUIDs: []string{"1.2.3.1"}, Scope: Everything()}) {
				if err != nil {
					last = err
					break
				}
				if ref.StudyUID != "1.2.3.1" {
					t.Fatalf("an image of another study came out")
				}
				if got++; got == 1 {
					change(t, a)
				}
			}
			if !errors.Is(last, ErrChanged) {
				t.Errorf("%d images of 300 and then: %v", got, last)
			}
		})
	}
}

// What comes in or goes elsewhere meanwhile does not disturb a retrieval.
func TestRetrievalBesideOtherChangesIsWhole(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	many(t, a, 1, 300)
	many(t, a, 2, 3)
	got := 0
	for _, err := range a.Retrieve(t.Context(), RetrieveQuery{StudyUIDs: []string{"1.2.3.1"}, Scope: Everything()}) {
		if err != nil {
			t.Fatal(err)
		}
		if got++; got == 1 {
			mustDelete(t, a, Deletion{StudyUID: "1.2.3.2"})
			store(t, a, image(t, 1, 2, 999, tag.StudyDescription, "a later one"))
		}
	}
	if got != 300 {
		t.Errorf("%d images, want the 300 of the start", got)
	}
}

func mustDelete(t *testing.T, a *opened, d Deletion) {
	t.Helper()
	d.Scope = Everything()
	d.Why = "because of the test"
	if _, err := a.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// A Patient ID belongs to its issuer (PS3.3 C.2.2): without it, an ID that
// two gave out names nobody.
func TestPatientIDOfTwoIssuersNeedsTheIssuer(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	store(t, a, image(t, 1, 1, 1, tag.PatientID, "4711", tag.IssuerOfPatientID, "HOSP_A"))
	store(t, a, image(t, 2, 1, 1, tag.PatientID, "4711", tag.IssuerOfPatientID, "HOSP_B"))

	for _, c := range []struct {
		issuer string
		scope  Scope
		want   string
		err    error
	}{
		{"HOSP_A", Everything(), "1.2.3.1", nil},
		{"HOSP_B", Everything(), "1.2.3.2", nil},
		{"HOSP_C", Everything(), "", nil},
		{"", Everything(), "", ErrSeveralPatients},
		{"", Scope{StudyUIDs: []string{"1.2.3.2"}}, "1.2.3.2", nil}, // of the other nothing may be known
	} {
		got := ""
		var last error
		for ref, err := range a.Retrieve(t.Context(), RetrieveQuery{PatientID: "4711", IssuerOfPatientID: c.issuer, Scope: c.scope}) {
			got += ref.StudyUID
			last = err
		}
		if got != c.want || !errors.Is(last, c.err) {
			t.Errorf("issuer %q: got %q, %v", c.issuer, got, last)
		}
	}
}

// Who says nothing of what the caller may see gets nothing.
func TestTheZeroScopeSeesNothing(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	store(t, a, image(t, 1, 1, 1))
	for range a.Retrieve(t.Context(), RetrieveQuery{StudyUIDs: []string{"1.2.3.1"}}) {
		t.Error("an instance was retrieved")
	}
	for _, level := range []Level{PatientLevel, StudyLevel, SeriesLevel, ImageLevel} {
		for range a.Find(t.Context(), Query{Root: PatientRoot, Level: level, Relational: true, Keys: keys(t, tag.PatientID, "")}) {
			t.Errorf("%s: a match", level)
		}
	}
	if _, err := a.Instance(t.Context(), "1.2.3.1.1.1", Scope{}); fault.Of(err) != fault.NotFound {
		t.Error(err)
	}
	if _, err := a.Delete(t.Context(), Deletion{StudyUID: "1.2.3.1", Why: "because of the test"}); fault.Of(err) != fault.NotFound {
		t.Error(err)
	}
}

// Several numbers as one key match each of them; a missing number is not zero.
func TestNumbersMatchAsListsAndMissingOnesAreNotZero(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	for i := range 6 {
		store(t, a, image(t, 1, 1, i))
	}
	store(t, a, image(t, 1, 2, 9, tag.SeriesNumber, "", tag.InstanceNumber, ""))
	for key, want := range map[string]int{`1\5`: 2, "0": 1, "9": 0} {
		if got := findAll(t, a, Query{Scope: Everything(), Level: ImageLevel, Relational: true, Keys: keys(t, tag.InstanceNumber, key, tag.SOPInstanceUID, "")}); len(got) != want {
			t.Errorf("Instance Number %s: %d matches, want %d", key, len(got), want)
		}
	}
	if got := findAll(t, a, Query{Scope: Everything(), Level: SeriesLevel, Relational: true, Keys: keys(t, tag.SeriesNumber, "0")}); len(got) != 0 {
		t.Errorf("Series Number 0: %d matches", len(got))
	}
}

// Keys of a level further down restrict nothing, and are named.
func TestKeysThatRestrictNothingAreNamed(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	q := Query{Scope: Everything(), Level: StudyLevel, Keys: keys(t, tag.Modality, "XX", tag.SeriesDescription, "NOSUCH", tag.PatientID, "ID1", tag.InstitutionName, "")}
	if got := fmt.Sprint(a.Unmatched(q)); got != fmt.Sprint([]any{tag.Modality, tag.SeriesDescription}) {
		t.Errorf("got %s", got)
	}
}

// The time zone of an image comes with an answer that asks for it.
func TestTimezoneOffsetIsAnswered(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	store(t, a, image(t, 1, 1, 1, tag.TimezoneOffsetFromUTC, "+0530"))
	for _, level := range []Level{StudyLevel, SeriesLevel, ImageLevel} {
		got := findAll(t, a, Query{Scope: Everything(), Level: level, Relational: true, Keys: keys(t, tag.TimezoneOffsetFromUTC, "")})
		if len(got) != 1 || got[0].Text(tag.TimezoneOffsetFromUTC) != "+0530" {
			t.Errorf("%s: not in the answer", level)
		}
	}
}

func TestRetrieveByUniqueKeys(t *testing.T) {
	t.Parallel()
	a := queryArchive(t)
	for _, c := range []struct {
		name string
		q    RetrieveQuery
		want string
	}{
		{"study", RetrieveQuery{Scope: Everything(), StudyUIDs: []string{"1.2.3.1"}}, "1.1.1 1.1.2 1.1.3 1.2.1"},
		{"studies", RetrieveQuery{Scope: Everything(), StudyUIDs: []string{"1.2.3.3", "1.2.3.2"}}, "2.1.1 3.1.1"},
		{"patient", RetrieveQuery{Scope: Everything(), PatientID: "ID1"}, "1.1.1 1.1.2 1.1.3 1.2.1 3.1.1"},
		{"series", RetrieveQuery{Scope: Everything(), StudyUIDs: []string{"1.2.3.1"}, SeriesUIDs: []string{"1.2.3.1.2"}}, "1.2.1"},
		{"series of another study", RetrieveQuery{Scope: Everything(), StudyUIDs: []string{"1.2.3.2"}, SeriesUIDs: []string{"1.2.3.1.2"}}, ""},
		{"instances", RetrieveQuery{Scope: Everything(), SOPInstanceUIDs: []string{"1.2.3.1.1.3", "1.2.3.1.1.1", "9.9"}}, "1.1.1 1.1.3"},
		{"scope", RetrieveQuery{PatientID: "ID1", Scope: Scope{StudyUIDs: []string{"1.2.3.3"}}}, "3.1.1"},
		{"not in scope", RetrieveQuery{StudyUIDs: []string{"1.2.3.1"}, Scope: Scope{StudyUIDs: []string{"1.2.3.2"}}}, ""},
	} {
		var got []string
		for ref, err := range a.Retrieve(t.Context(), c.q) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.TrimPrefix(ref.SOPInstanceUID, "1.2.3."))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
	for _, err := range a.Retrieve(t.Context(), RetrieveQuery{Scope: Everything()}) {
		if fault.Of(err) != fault.Invalid {
			t.Errorf("retrieving everything: %v", err)
		}
	}
	if _, err := a.Instance(t.Context(), "9.9", Everything()); fault.Of(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestCommitmentAnswersForEachInstance(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	store(t, a, image(t, 1, 1, 1))
	lost := store(t, a, image(t, 1, 1, 2))
	if err := a.blobs.Delete(t.Context(), lost.Instance.Digest); err != nil {
		t.Fatal(err)
	}
	got, err := a.Commit(t.Context(), []SOPReference{{uid.CTImageStorage, "1.2.3.1.1.1"}, {uid.MRImageStorage, "1.2.3.1.1.1"},
		{uid.CTImageStorage, "1.2.3.1.1.2"}, {uid.CTImageStorage, "9.9"}})
	if err != nil || !slices.Equal(got, []Commitment{Committed, ClassConflict, CommitmentNotKnown, NoSuchInstance}) {
		t.Errorf("got %v, %v", got, err)
	}
	var problems []Problem
	for p, err := range a.Verify(t.Context(), VerifyOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		problems = append(problems, p)
	}
	if len(problems) != 1 || problems[0] != (Problem{Kind: MissingFile, Digest: lost.Instance.Digest}) {
		t.Errorf("verify found %+v", problems)
	}
}
