package guard

import (
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/policy"
)

// large is an identifier of some 60,000 elements and items.
func large(t *testing.T) *dicom.DataSet {
	t.Helper()
	ds := identifier(t)
	items := make([]*dicom.DataSet, 30_000)
	for i := range items {
		items[i] = ds.NewItem()
		items[i].Set(dicom.NewElement(tag.PatientState, dicom.LO, nil))
	}
	ds.Set(dicom.NewSequence(tag.RequestAttributesSequence, items...))
	return ds
}

// find asks for studies and gives the status it ended with.
func find(t *testing.T, a *dimse.Association, keys *dicom.DataSet) dimse.StatusCode {
	t.Helper()
	for _, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: keys}) {
		if err != nil {
			if statusOf(err) == dimse.Success {
				t.Fatal(err)
			}
			return statusOf(err)
		}
	}
	return dimse.Success
}

func TestARequestOfADeviceThatMayNotIsRefusedBeforeItIsDecoded(t *testing.T) {
	t.Parallel()
	s := serve(t, policy.Echo)

	if got := find(t, s.dial(), large(t)); got != dimse.NotAuthorized {
		t.Errorf("status %s", got)
	}
	if u := s.Memory.Usage(); u.Most != 0 {
		t.Errorf("%d bytes were held for a device that may only echo", u.Most)
	}
}

func TestIdentifiersAreTakenFromTheBudgetAndGivenBack(t *testing.T) {
	t.Parallel()
	s := serve(t, policy.Query)
	a := s.dial()

	if got := find(t, a, large(t)); got != dimse.Success {
		t.Fatalf("status %s", got)
	}
	if u := s.Memory.Usage(); u.Most < 5<<20 || u.Held != 0 {
		t.Errorf("%+v", u)
	}

	// With the memory taken by others the request is put off, and the association goes on.
	for _, holder := range []string{"x", "y", "z", "v", "w"} {
		other := s.Memory.Open(holder)
		defer other.Close()
		for other.Grow(1<<20) == nil {
		}
	}
	if got := find(t, a, large(t)); got != dimse.OutOfResources {
		t.Errorf("with the memory taken: %s", got)
	}
	if got := find(t, a, identifier(t)); got != dimse.Success {
		t.Errorf("a small one: %s", got)
	}
}
