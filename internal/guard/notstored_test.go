package guard

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/policy"
)

// A C-STORE that is refused is recorded with what was read of whose it is; the
// log says neither (newDoor looks).
func TestTheRecordOfARefusedStoreSaysWhoseItWas(t *testing.T) {
	t.Parallel()
	s := serve(t, policy.Verbs()...)
	a := s.dial()
	_, err := a.Store(t.Context(), dimse.StoreRequest{SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "1.2.3", TransferSyntax: uid.ImplicitVRLittleEndian, Data: strings.NewReader("BAD!")})
	if err == nil {
		t.Fatal("it was taken")
	}
	r := s.one()
	o := r.Objects[0]
	if r.Event != audit.Transferred || r.Action != audit.Create || r.Outcome == audit.Success {
		t.Errorf("%+v", r)
	}
	if o.Study != "1.2.840.7" || o.Patient != "ZZPHI-7" || o.PatientIssuer != "H" || o.Failed != 1 || o.SOPClasses[uid.CTImageStorage] != 1 {
		t.Errorf("%+v", o)
	}
}

// Of a request that stores some and refuses others, those that were refused are
// recorded, study by study and each patient for itself.
func TestWhatAStoreRequestRefusedIsRecordedStudyByStudy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		out  dicomweb.Outcome
		want audit.Outcome
	}{
		"all":  {dicomweb.Outcome{Status: http.StatusConflict, Failed: 4}, audit.SeriousFailure},
		"some": {dicomweb.Outcome{Status: http.StatusAccepted, Failed: 4, Instances: 2}, audit.MinorFailure},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			call := &dicomweb.Call{Verb: dicomweb.Storing}
			caller := &Caller{}
			sent := d.followWeb(t.Context(), caller, call)
			refuse := NotStored(identityContext(t.Context(), caller))
			for _, w := range []archive.Whose{{StudyUID: "1.2.1", Patient: "ZZPHI-1"}, {StudyUID: "1.2.1", Patient: "ZZPHI-1"}, {StudyUID: "1.2.2", Patient: "ZZPHI-2"}, {}} {
				if w.StudyUID != "" {
					refuse(w)
				}
				call.Observe(dicomweb.Observation{Stored: &dicomweb.Stored{SOPClassUID: uid.CTImageStorage, Resource: dicomweb.Resource{StudyUID: "1.2.9"}}, Err: errors.New("refused"), FailureReason: 0xC000})
			}
			d.settleWeb(t.Context(), caller, call, c.out, sent)

			var got []string
			for _, r := range d.records() {
				if r.Outcome != c.want || r.Event != audit.Transferred || r.Action != audit.Create {
					t.Errorf("%+v", r)
				}
				for _, o := range r.Objects {
					got = append(got, fmt.Sprintf("%s %s %d", o.Study, o.Patient, o.Failed))
				}
			}
			if want := "1.2.1 ZZPHI-1 2|1.2.2 ZZPHI-2 1|1.2.9  1"; strings.Join(got, "|") != want {
				t.Errorf("recorded %q, want %q", got, want)
			}
		})
	}
}

// A request with thousands of studies leaves bounded records.
func TestRefusedInstancesOfManyStudiesAreBounded(t *testing.T) {
	t.Parallel()
	n := &notStored{}
	for i := range 1000 {
		n.add(archive.Whose{StudyUID: fmt.Sprintf("1.2.%d", i), SOPClassUID: fmt.Sprintf("1.3.%d", i)})
	}
	total := 0
	for _, o := range n.objects {
		total += o.Failed
	}
	last := n.objects[len(n.objects)-1]
	if len(n.objects) != objectsMost || total != 1000 || len(last.SOPClasses) > classesMost {
		t.Errorf("%d objects of %d instances, %d classes", len(n.objects), total, len(last.SOPClasses))
	}
}
