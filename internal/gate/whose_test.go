package gate

import (
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/db"
	"collimator/internal/firstwrite"
	"collimator/internal/policy"
)

// of is an image of a patient in a study and a series.
func of(t *testing.T, patient, study, series, instance string) *dicom.DataSet {
	t.Helper()
	ds := image(t, instance, study, patient)
	if err := ds.SetText(tag.SeriesInstanceUID, series); err != nil {
		t.Fatal(err)
	}
	return ds
}

// An image of another patient in a study, or a series that is in two, is a mix-up that a system
// which takes it shows to whoever opens the study.
func TestAStudyStaysOnePatientsAndASeriesOneStudys(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	s := newSite(t, "", pacs.options(nil))
	s.device("CT1", policy.Store)
	a := s.mustDial("CT1", ct)
	for _, c := range []struct {
		what                             string
		patient, study, series, instance string
		want                             dimse.StatusCode
		held                             string
	}{
		{"first", "ZZPHI-1", "1.2.3", "1.2.3.1", "1.2.3.1.1", dimse.Success, ""},
		{"another patient", "ZZPHI-2", "1.2.3", "1.2.3.2", "1.2.3.2.1", dimse.InvalidSOPInstance, "PACS 1.2.3.2.1 from CT1: other-patient-at-route"},
		{"nobody", "", "1.2.3", "1.2.3.2", "1.2.3.2.2", dimse.InvalidSOPInstance, "PACS 1.2.3.2.2 from CT1: other-patient-at-route"},
		{"both at once", `ZZPHI-1\ZZPHI-2`, "1.2.3", "1.2.3.2", "1.2.3.2.4", dimse.InvalidSOPInstance, "PACS 1.2.3.2.4 from CT1: other-patient-at-route"},
		{"the series in another study", "ZZPHI-2", "1.2.4", "1.2.3.1", "1.2.4.1.1", dimse.InvalidSOPInstance, "PACS 1.2.4.1.1 from CT1: other-study-at-route"},
		{"the same again", "ZZPHI-1", "1.2.3", "1.2.3.1", "1.2.3.1.1", dimse.Success, ""},
		{"another series", "ZZPHI-1", "1.2.3", "1.2.3.2", "1.2.3.2.3", dimse.Success, ""},
		{"another study of the other", "ZZPHI-2", "1.2.4", "1.2.4.1", "1.2.4.1.2", dimse.Success, ""},
	} {
		ds := of(t, "", c.study, c.series, c.instance)
		ds.Set(dicom.NewElement(tag.PatientID, dicom.LO, []byte(c.patient)))
		if got := store(t, a, ds); got.Code != c.want {
			t.Errorf("%s: %s", c.what, got)
		}
		if c.held == "" {
			continue
		}
		if got := <-s.held; got != c.held {
			t.Errorf("%s: held %q, want %q", c.what, got, c.held)
		}
	}
	if pacs.n != 4 {
		t.Errorf("%d images arrived", pacs.n)
	}
}

func TestWhoseAStudyIsThatThePACSHadBeforeCounts(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("CT1", policy.Store)
	if _, err := s.behind.Archive.Add(of(t, "ZZPHI-1", "1.2.3", "1.2.3.1", "1.2.3.1.1"), native); err != nil {
		t.Fatal(err)
	}
	a := s.mustDial("CT1", ct)
	if got := store(t, a, of(t, "ZZPHI-2", "1.2.3", "1.2.3.2", "1.2.3.2.1")); got.Code != dimse.InvalidSOPInstance {
		t.Errorf("another patient: %s", got)
	}
	if got := store(t, a, of(t, "ZZPHI-1", "1.2.3", "1.2.3.1", "1.2.3.1.2")); got.Code != dimse.Success {
		t.Errorf("one image more: %s", got)
	}
	if got := store(t, a, of(t, "ZZPHI-1", "1.2.4", "1.2.3.1", "1.2.4.1.1")); got.Code != dimse.InvalidSOPInstance {
		t.Errorf("its series in another study: %s", got)
	}
}

func TestWhatSomebodyReleasedGoesThroughAndMoreOfTheSame(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	s := newSite(t, "", pacs.options(nil))
	s.device("CT1", policy.Store)
	a := s.mustDial("CT1", ct)
	store(t, a, of(t, "ZZPHI-1", "1.2.3", "1.2.3.1", "1.2.3.1.1"))
	released := of(t, "ZZPHI-2", "1.2.3", "1.2.3.2", "1.2.3.2.1")
	if got := store(t, a, released); got.Code != dimse.InvalidSOPInstance {
		t.Fatal(got)
	}

	err := s.DB.Write(t.Context(), func(tx *db.Tx) error {
		return firstwrite.Accept(t.Context(), tx, Instance("PACS", released), firstwrite.Content{Syntax: native, Hash: "of the test"})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		patient, instance string
		want              dimse.StatusCode
	}{{"ZZPHI-2", "1.2.3.2.2", dimse.Success}, {"ZZPHI-1", "1.2.3.1.2", dimse.Success}, {"ZZPHI-3", "1.2.3.3.1", dimse.InvalidSOPInstance}} {
		if got := store(t, a, of(t, c.patient, "1.2.3", "1.2.3.2", c.instance)); got.Code != c.want {
			t.Errorf("%s of %s: %s", c.instance, c.patient, got)
		}
	}
}
