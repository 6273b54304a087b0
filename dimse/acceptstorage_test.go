package dimse_test

import (
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

func TestAcceptStorageTakesEveryObjectAndNoOtherService(t *testing.T) {
	t.Parallel()
	for class, want := range map[string]ul.ContextResult{
		uid.Verification:             ul.Acceptance,
		uid.CTImageStorage:           ul.Acceptance,
		"1.2.840.113619.4.26":        ul.Acceptance, // private
		uid.StudyRootFind:            ul.AbstractSyntaxNotSupported,
		uid.UnifiedProcedureStepPush: ul.AbstractSyntaxNotSupported,
	} {
		rq := &dimse.AssociateRequest{Contexts: []ul.ProposedContext{{
			ID: 1, AbstractSyntax: class, TransferSyntaxes: []string{uid.JPIPReferenced, uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian},
		}}}
		got := dimse.Negotiate(rq, dimse.AcceptStorage()).Contexts[0]
		if got.Result != want || want == ul.Acceptance && got.TransferSyntax != uid.ImplicitVRLittleEndian {
			t.Errorf("%s: %v in %s", class, got.Result, uid.Name(got.TransferSyntax))
		}
	}

	// What is stored compressed is taken as it is.
	rq := &dimse.AssociateRequest{Contexts: dimse.Propose([]string{uid.CTImageStorage}, []string{uid.JPEG2000Lossless, uid.ExplicitVRLittleEndian}, false)}
	if got := dimse.Negotiate(rq, dimse.AcceptStorage()).Contexts[0].TransferSyntax; got != uid.JPEG2000Lossless {
		t.Errorf("JPEG 2000 is taken as %s", uid.Name(got))
	}
}
