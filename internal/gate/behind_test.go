package gate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/budget"
	"collimator/internal/policy"
)

// sub is an instance as the system behind sends it, whatever was asked for.
func sub(t testing.TB, ds *dicom.DataSet) dimse.SubOperation {
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, native); err != nil {
		t.Error(err)
	}
	return dimse.SubOperation{
		SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntaxes: []string{native},
		Open: func(context.Context, []string) (io.ReadCloser, string, error) {
			return io.NopCloser(bytes.NewReader(b.Bytes())), native, nil
		},
	}
}

// gives makes a system behind send the same to everybody who retrieves, and counts how
// often somebody does.
func gives(asked *int, subs ...dimse.SubOperation) dimsetest.Options {
	return dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleGet(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
			*asked++
			return &dimse.RetrievePlan{Count: len(subs), SubOperations: slices.Values(subs)}, dimse.Status{}
		}, uid.StudyRootGet, uid.PatientRootGet)
	}}
}

func TestOfACGetOnlyWhatWasAskedForArrives(t *testing.T) {
	t.Parallel()
	asked := 0
	s := newSite(t, "", gives(&asked,
		sub(t, image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")), sub(t, image(t, "1.2.4.1", "1.2.4", "ZZPHI-2"))))
	s.device("WS1", policy.Retrieve)
	instances, result := get(t, s.mustDial("WS1", ct, uid.StudyRootGet), "1.2.3")
	if !slices.Equal(instances, []string{"1.2.3.1"}) || result.SubOperations.Failed != 1 {
		t.Errorf("arrived %v, %+v", instances, result)
	}
}

func TestARetrievalThatNamesNothingGoesNowhere(t *testing.T) {
	t.Parallel()
	asked := 0
	s := newSite(t, "", gives(&asked, sub(t, image(t, "1.2.3.1", "1.2.3", "ZZPHI-1"))))
	s.device("WS1", policy.Retrieve)
	a := s.mustDial("WS1", ct, uid.StudyRootGet, uid.PatientRootGet)
	for _, c := range []struct {
		root, level string
		keys        map[tag.Tag]string
	}{
		{uid.StudyRootGet, "STUDY", map[tag.Tag]string{}},
		{uid.StudyRootGet, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: ""}},
		{uid.StudyRootGet, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: "*"}},
		{uid.StudyRootGet, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: "1.2.*"}},
		{uid.StudyRootGet, "PATIENT", map[tag.Tag]string{tag.PatientID: "ZZPHI-1"}},
		{uid.StudyRootGet, "SERIES", map[tag.Tag]string{tag.StudyInstanceUID: "1.2.3"}},
		{uid.StudyRootGet, "IMAGE", map[tag.Tag]string{tag.StudyInstanceUID: "1.2.3", tag.SeriesInstanceUID: "1.2.3.1"}},
		{uid.StudyRootGet, "", map[tag.Tag]string{tag.StudyInstanceUID: "1.2.3"}},
		{uid.StudyRootGet, "ALL", map[tag.Tag]string{tag.StudyInstanceUID: "1.2.3"}},
		{uid.PatientRootGet, "PATIENT", map[tag.Tag]string{tag.PatientID: ""}},
		{uid.PatientRootGet, "PATIENT", map[tag.Tag]string{tag.PatientID: "*"}},
		{uid.PatientRootGet, "PATIENT", map[tag.Tag]string{tag.PatientID: "ZZ?HI-1"}},
	} {
		_, err := a.Get(t.Context(), dimse.GetRequest{SOPClassUID: c.root, Identifier: query(t, c.level, c.keys),
			Store: func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status { return dimse.Status{} }})
		if got := statusIn(dimse.Status{}, err); got.Code.Class() != dimse.ClassFailure || asked > 0 {
			t.Errorf("%s %s %v: %s, asked %d times", uid.Name(c.root), c.level, c.keys, got, asked)
			asked = 0
		}
	}
}

func TestARetrievalTakesThePartOfTheMemoryThatOneInstanceNeeds(t *testing.T) {
	t.Parallel()
	var subs []dimse.SubOperation
	for i := range 20 {
		ds := image(t, fmt.Sprint("1.2.3.", i), "1.2.3", "ZZPHI-1")
		ds.Set(dicom.NewElement(tag.New(0x0009, 0x1010), dicom.OB, make([]byte, 4<<20)))
		subs = append(subs, sub(t, ds))
	}
	asked := 0
	s := newSite(t, "", gives(&asked, subs...))
	s.guard.Memory = budget.New(24 << 20)
	s.device("WS1", policy.Retrieve)
	instances, result := get(t, s.mustDial("WS1", ct, uid.StudyRootGet), "1.2.3")
	if len(instances) != 20 {
		t.Errorf("%d arrived, %+v", len(instances), result)
	}
	if u := s.guard.Memory.Usage(); u.Held != 0 || u.Most < 4<<20 || u.Most > 14<<20 {
		t.Errorf("%+v", u)
	}
}

func TestAHeadThatNeedsMoreMemoryThanThereIsDoesNotArrive(t *testing.T) {
	t.Parallel()
	ds := image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")
	ds.Set(dicom.NewElement(tag.New(0x0009, 0x1010), dicom.OB, make([]byte, 4<<20)))
	asked := 0
	s := newSite(t, "", gives(&asked, sub(t, ds)))
	s.guard.Memory = budget.New(14 << 20)
	s.device("WS1", policy.Retrieve)
	instances, result := get(t, s.mustDial("WS1", ct, uid.StudyRootGet), "1.2.3")
	if len(instances) != 0 || result.SubOperations.Failed != 1 {
		t.Errorf("%v arrived, %+v", instances, result)
	}
}
