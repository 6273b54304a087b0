package gate

import (
	"context"
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/policy"
)

// A system behind that is overloaded says nothing of what it has: whoever brings that about must not
// have it overwrite.
func TestAPACSThatFailsOverTheQuestionWhatItHasIsSentNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer dimse.StatusCode
		want   dimse.StatusCode
	}{
		{dimse.OutOfResources, dimse.OutOfResources},
		{dimse.CannotUnderstand + 1, dimse.OutOfResources},
		{dimse.ProcessingFailure, dimse.OutOfResources},
		{dimse.NotAuthorized, dimse.OutOfResources},
		{dimse.SOPClassNotSupported, dimse.Success},
		{dimse.UnrecognizedOperation, dimse.Success},
		{dimse.DataSetDoesNotMatchSOPClass, dimse.Success},
	} {
		pacs := &overwriting{}
		s := newSite(t, "", pacs.options(func(m *dimse.Mux) {
			m.HandleFind(func(context.Context, *dimse.Association, *dimse.FindRequest, func(dimse.Match) bool) dimse.Status {
				return dimse.Status{Code: c.answer}
			}, uid.StudyRootFind)
		}))
		s.device("CT1", policy.Store)
		if got := store(t, s.mustDial("CT1", ct), described(t, "1.2.3.1", "1.2.3", "new")); got.Code != c.want {
			t.Errorf("a question answered %s: %s", c.answer, got)
		}
	}
}

func TestAPACSThatHasNoPlaceForTheQuestionIsSentNothing(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	o := pacs.options(nil)
	o.Admit = func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		for _, pc := range rq.Contexts {
			if pc.AbstractSyntax == uid.StudyRootFind {
				return dimse.Acceptance{}, &dimse.RejectError{
					Result: ul.RejectedTransient, Source: ul.RejectServiceProviderPresentation, Reason: ul.PresentationLocalLimitExceeded,
				}
			}
		}
		return dimse.Negotiate(rq, dimse.AcceptStorage()), nil
	}
	s := newSite(t, "", o)
	s.device("CT1", policy.Store)
	if got := store(t, s.mustDial("CT1", ct), described(t, "1.2.3.1", "1.2.3", "new")); got.Code != dimse.OutOfResources {
		t.Errorf("status %s", got)
	}
	if pacs.has("1.2.3.1") != "" {
		t.Error("it went through, and nobody knows what was there before")
	}
}
