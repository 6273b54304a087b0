package gate

import (
	"context"
	"slices"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/archive"
	"collimator/internal/gate/kind"
	"collimator/internal/policy"
)

// programs makes a site refuse what begins as a program does.
func (s *site) programs() {
	s.inspect = func(i archive.Inspected) archive.Inspection {
		for v := range i.DataSet.Walk() {
			if r, err := v.Open(); err == nil {
				b := make([]byte, 2)
				_, _ = r.Read(b)
				if string(b) == "MZ" {
					return archive.Inspection{Refuse: true}
				}
			}
		}
		return archive.Inspection{}
	}
}

// Equipment believes what it is told of steps and commitment as it believes images.
func TestWhatDoesNotBelongThereGoesOnInNoDataSet(t *testing.T) {
	t.Parallel()
	came := 0
	counted := func(context.Context, *dimse.Association, *dimse.NRequest) dimse.NResponse {
		came++
		return dimse.NResponse{}
	}
	s := newSite(t, "      - {name: all, who: [CT1], allow: [performed, commit, query]}\n", dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleN(dimse.NCreate, counted, mpps)
		m.HandleN(dimse.NSet, counted, mpps)
		m.HandleN(dimse.NAction, counted, commitment1)
	}})
	s.programs()
	s.device("CT1", policy.Verbs()...)
	a := s.mustDial("CT1", mpps, commitment1)

	program := dicom.NewElement(tag.New(0x0099, 0x1001), dicom.OB, []byte("MZ\x90\x00"))
	for what, change := range map[string]func(ds *dicom.DataSet){
		"a program":          func(ds *dicom.DataSet) { ds.Set(program) },
		"a program below":    func(ds *dicom.DataSet) { ds.Items(tag.ReferencedSOPSequence)[0].Set(program) },
		"a command":          func(ds *dicom.DataSet) { ds.Set(dicom.NewElement(tag.New(0, 0x0002), dicom.UI, []byte("1.2"))) },
		"a file":             func(ds *dicom.DataSet) { ds.Set(dicom.NewElement(tag.New(2, 0x0010), dicom.UI, []byte("1.2\x00"))) },
		"levels without end": func(ds *dicom.DataSet) { nest(ds, nestedMost) },
	} {
		for _, op := range []struct {
			dimse.Operation
			class string
		}{{dimse.NCreate, mpps}, {dimse.NSet, mpps}, {dimse.NAction, commitment1}} {
			ds := request(t, "1.2.77")
			change(ds)
			_, err := a.N(t.Context(), dimse.NRequest{Operation: op.Operation, SOPClassUID: op.class, SOPInstanceUID: "1.2.99", TypeID: 1, DataSet: ds})
			if got := statusIn(dimse.Status{}, err); got.Code.Class() != dimse.ClassFailure {
				t.Errorf("%s with %s: %s", op.Operation, what, got)
			}
		}
	}
	if came > 0 {
		t.Errorf("%d went on", came)
	}
	if _, err := a.N(t.Context(), dimse.NRequest{Operation: dimse.NCreate, SOPClassUID: mpps, SOPInstanceUID: "1.2.99", DataSet: request(t, "1.2.77")}); err != nil || came != 1 {
		t.Errorf("a step that is in order: %v, %d went on", err, came)
	}
}

// nest puts sequences into one another.
func nest(ds *dicom.DataSet, depth int) {
	for range depth {
		item := dicom.NewDataSet()
		ds.SetItems(tag.ReferencedStudySequence, item)
		ds = item
	}
}

func TestAReportWithAProgramReachesNoDevice(t *testing.T) {
	t.Parallel()
	s, r, a := committing(t, func(*site, *dimse.Association, *dimse.NRequest) {})
	s.programs()
	ask(t, a, "1.2.78")
	ds := request(t, "1.2.78")
	ds.Set(dicom.NewElement(tag.New(0x0099, 0x1001), dicom.OB, []byte("MZ\x90\x00")))
	if err := report(t, s, "CT1", ds); err == nil {
		t.Error("it is taken")
	}
	if err := report(t, s, "CT1", request(t, "1.2.78")); err != nil {
		t.Errorf("the true one afterwards: %v", err)
	}
	if got := r.next(t); got != "1.2.78" {
		t.Errorf("report of %s", got)
	}
}

func TestAMatchWithAProgramReachesNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", answers(func(level string, n int, _ *dicom.DataSet) *dicom.DataSet {
		if n > 1 {
			return nil
		}
		ds := query(t, level, map[tag.Tag]string{tag.StudyInstanceUID: "1.2.9"})
		if n == 1 {
			ds.Set(dicom.NewElement(tag.New(0x0099, 0x1001), dicom.OB, []byte("MZ\x90\x00")))
		}
		return ds
	}))
	s.programs()
	s.device("WS1", policy.Query)
	found, status := find(t, s.mustDial("WS1", uid.StudyRootFind), map[tag.Tag]string{})
	if len(found) != 1 || status.Code.Class() != dimse.ClassFailure {
		t.Errorf("found %v, status %s", found, status)
	}
}

// Of whom a step or a commitment is nobody knows before it is done.
func TestWhoMaySeeSomeStudiesAloneAsksForNoCommitment(t *testing.T) {
	t.Parallel()
	s := newSite(t, "      - {name: some, who: [CT1], allow: [performed, commit], studies: [1.2.3]}\n", dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleN(dimse.NAction, func(context.Context, *dimse.Association, *dimse.NRequest) dimse.NResponse { return dimse.NResponse{} }, commitment1)
	}})
	s.device("CT1")
	_, err := s.mustDial("CT1", commitment1).NAction(t.Context(), dimse.NRequest{
		SOPClassUID: commitment1, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: request(t, "1.2.77"),
	})
	if got := statusIn(dimse.Status{}, err); got.Code != dimse.NotAuthorized {
		t.Errorf("status %s", got)
	}

	e := Explain(Route{Name: "PACS", Protect: "OLDPACS@10.0.0.5:104", Rules: []Rule{
		{Name: "some", Who: []string{"CT1"}, Allow: []string{"commit", "query"}, Studies: []string{"1.2.3"}},
	}}, House{Devices: []policy.Principal{{Name: "CT1"}}})
	if !slices.ContainsFunc(e.Remarks, func(r Remark) bool { return r.Kind == kind.Never }) {
		t.Errorf("%+v", e.Remarks)
	}
}
