package pacs

import (
	"bytes"
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/guard"
)

func TestEveryServiceIsOfferedBehindAVerb(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	support := s.Support()
	for _, o := range s.Offers() {
		if guard.VerbOf(o.Operation, o.SOPClassUID) == "" {
			t.Errorf("%s of %s needs no verb: policy denies it", o.Operation, uid.Name(o.SOPClassUID))
		}
		if len(support.TransferSyntaxes(o.SOPClassUID)) == 0 {
			t.Errorf("%s is not offered", uid.Name(o.SOPClassUID))
		}
	}
}

func TestOptionsOfQueriesAreGrantedToTheServicesThatHaveThem(t *testing.T) {
	t.Parallel()
	support := New(Options{}).Support()
	for class, want := range map[string][]byte{
		uid.PatientRootFind:      {1, 1, 1},
		uid.StudyRootFind:        {1, 1, 1},
		uid.StudyRootMove:        {1},
		uid.ModalityWorklistFind: {0, 0, 0},
		uid.PatientStudyOnlyFind: {0, 0, 0},
	} {
		asked := ul.ExtendedNegotiation{SOPClassUID: class, Info: bytes.Repeat([]byte{1}, len(want))}
		rq := &dimse.AssociateRequest{Extended: []ul.ExtendedNegotiation{asked}}

		got := dimse.Negotiate(rq, support).Extended
		if len(got) != 1 || !bytes.Equal(got[0].Info, want) {
			t.Errorf("%s: answered with %v, want %v", uid.Name(class), got, want)
		}
	}
}
