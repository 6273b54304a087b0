package gate

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
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

// Study Instance UIDs are in the worklist of every modality: one that sends the first image of a study
// without an end, as slowly as is borne, keeps it from nobody.
func TestWhoNeverEndsTheFirstImageOfAStudyDoesNotKeepItFromItsPatient(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	o := pacs.options(nil)
	begun := make(chan struct{}, 10) // an image, at the PACS
	o.Interceptor = func(ctx context.Context, call *dimse.Call, next func(context.Context) dimse.Outcome) dimse.Outcome {
		if call.Operation == dimse.CStore {
			begun <- struct{}{}
		}
		return next(ctx)
	}
	s := newSite(t, "", o)
	s.device("EVIL", policy.Store)
	s.device("CT1", policy.Store)
	long := of(t, "ZZPHI-2", "1.2.3", "1.2.3.1", "1.2.3.1.9")
	long.Set(dicom.NewElement(tag.PixelData, dicom.OW, make([]byte, 4<<20)))
	var b bytes.Buffer
	if err := dicom.Encode(&b, long, native); err != nil {
		t.Fatal(err)
	}
	half := b.Len() / 2 &^ 1
	slow := &stalls{head: bytes.NewReader(b.Bytes()[:half]), at: make(chan struct{}), end: make(chan struct{})}
	evil := s.mustDial("EVIL", ct)
	answered := make(chan dimse.Status)
	go func() {
		status, err := evil.Store(context.Background(), dimse.StoreRequest{
			SOPClassUID: ct, SOPInstanceUID: "1.2.3.1.9", TransferSyntax: native, Data: io.MultiReader(slow, bytes.NewReader(b.Bytes()[half:])),
		})
		answered <- statusIn(status, err)
	}()
	<-begun

	if got := store(t, s.mustDial("CT1", ct), of(t, "ZZPHI-1", "1.2.3", "1.2.3.1", "1.2.3.1.1")); got.Code != dimse.Success {
		t.Errorf("of its patient: %s", got)
	}
	close(slow.end)
	if got := <-answered; got.Code != dimse.OutOfResources {
		t.Errorf("the other one, at last: %s", got)
	}
	if got := store(t, s.mustDial("EVIL", ct), of(t, "ZZPHI-2", "1.2.3", "1.2.3.1", "1.2.3.1.9")); got.Code != dimse.InvalidSOPInstance {
		t.Errorf("the other one, again: %s", got)
	}
	if pacs.n != 1 {
		t.Errorf("%d images arrived", pacs.n)
	}
}

// Two routes lead to one system, which knows nothing of routes.
func TestWhatWentThroughByOneRouteCountsAtAnotherToTheSameSystem(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	s := newSite(t, "", pacs.options(nil))
	s.device("CT1", policy.Store)
	rules := []Rule{{Name: "registered", Registered: true}}
	var routes []Route
	for _, name := range []string{"PACS", "AGAIN"} {
		routes = append(routes, Route{Name: name, Protect: "OLDPACS@" + s.behind.Address, Associations: 4, Waiting: 8, Wait: time.Minute, Rules: rules})
	}
	s.gate.take(routes)
	s.gate.lookUp(context.Background())
	by := map[string]*dimse.Association{}
	for _, r := range routes {
		a, err := dimse.Dial(t.Context(), s.address, dimse.Config{
			CallingAETitle: "CT1", CalledAETitle: r.Name, Contexts: dimse.Propose([]string{ct}, []string{native}, false),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(a.Abort)
		by[r.Name] = a
	}
	for _, c := range []struct {
		route, patient, series, instance, description string
		want                                          dimse.StatusCode
	}{
		{"PACS", "ZZPHI-1", "1.2.3.1", "1.2.3.1.1", "true", dimse.Success},
		{"AGAIN", "ZZPHI-1", "1.2.3.2", "1.2.3.2.1", "true", dimse.Success},
		{"PACS", "ZZPHI-1", "1.2.3.2", "1.2.3.2.1", "forged", dimse.DuplicateSOPInstance},
		{"AGAIN", "ZZPHI-1", "1.2.3.1", "1.2.3.1.1", "forged", dimse.DuplicateSOPInstance},
		{"AGAIN", "ZZPHI-2", "1.2.3.3", "1.2.3.3.1", "of another", dimse.InvalidSOPInstance},
		{"PACS", "ZZPHI-1", "1.2.3.2", "1.2.3.2.1", "true", dimse.Success},
	} {
		ds := of(t, c.patient, "1.2.3", c.series, c.instance)
		if err := ds.SetText(tag.StudyDescription, c.description); err != nil {
			t.Fatal(err)
		}
		if got := store(t, by[c.route], ds); got.Code != c.want {
			t.Errorf("%s by %s, %s: %s", c.instance, c.route, c.description, got)
		}
	}
	for _, instance := range []string{"1.2.3.1.1", "1.2.3.2.1"} {
		if got := pacs.has(instance); got != "true" {
			t.Errorf("the PACS has %q of %s", got, instance)
		}
	}
}
