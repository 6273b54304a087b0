package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/house/housetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// served is a door with a server behind it and a device of no TLS in front.
type served struct {
	*door
	address string
	seen    chan policy.Principal // of the handlers
}

const device = "OLD1"

// serve starts a server whose every service succeeds and registers the device
// with verbs. Retrievals send one instance.
func serve(t *testing.T, verbs ...policy.Verb) *served {
	t.Helper()
	s := &served{door: newDoor(t), seen: make(chan policy.Principal, 100)}
	s.put(verbs, nil)
	note := func(ctx context.Context) {
		p, _ := Principal(ctx)
		if Address(ctx) != "127.0.0.1" {
			t.Errorf("handler sees address %q", Address(ctx))
		}
		s.seen <- p
	}
	mux := s.NewMux()
	mux.HandleEcho(func(ctx context.Context, _ *dimse.Association) dimse.Status { note(ctx); return dimse.Status{} })
	mux.HandleStore(func(ctx context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		note(ctx)
		b, _ := io.ReadAll(rq.Data)
		if bytes.Contains(b, []byte("BAD")) {
			NotStored(ctx)(archive.Whose{StudyUID: "1.2.840.7", Patient: "ZZPHI-7", PatientIssuer: "H"})
			return dimse.CannotUnderstand.Because(errors.New("test: bad"))
		}
		return dimse.Status{}
	})
	mux.HandleFind(func(ctx context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		note(ctx)
		yield(dimse.Match{Identifier: rq.Identifier})
		return dimse.Status{}
	})
	retrieve := func(ctx context.Context, _ *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		note(ctx)
		if rq.Operation == dimse.CMove {
			return nil, dimse.UnableToPerformSubOperations.With("reached")
		}
		return &dimse.RetrievePlan{Count: 1, SubOperations: func(yield func(dimse.SubOperation) bool) {
			yield(dimse.SubOperation{Ref: archive.InstanceRef{StudyUID: "1.2.840.1"}, SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "1.2.3", TransferSyntaxes: []string{uid.ImplicitVRLittleEndian},
				Open: func(context.Context, []string) (io.ReadCloser, string, error) {
					return io.NopCloser(strings.NewReader("")), uid.ImplicitVRLittleEndian, nil
				}})
		}}, dimse.Status{}
	}
	mux.HandleGet(retrieve)
	mux.HandleMove(retrieve)
	mux.HandleN(dimse.NAction, func(ctx context.Context, _ *dimse.Association, _ *dimse.NRequest) dimse.NResponse {
		note(ctx)
		return dimse.NResponse{}
	})
	full := dimse.Support{
		TransferSyntaxes: func(string) []string { return []string{uid.ImplicitVRLittleEndian} },
		Roles:            func(string) (bool, bool) { return true, true },
	}
	server := &dimse.Server{Mux: mux, Admit: func(ctx context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return s.Admit(ctx, rq, Offer(full))
	}}
	s.address = housetest.Listen(t, server)
	return s
}

func (s *served) put(verbs []policy.Verb, destinations []string) {
	s.Helper()
	err := s.Registry.Put(s.Context(), identity.Device{AETitle: device, Address: "127.0.0.1", Verbs: verbs, Destinations: destinations, PlaintextUntil: s.clock.Now().Add(time.Hour)})
	if err != nil {
		s.Fatal(err)
	}
}

func (s *served) dial() *dimse.Association {
	s.Helper()
	classes := []string{uid.Verification, uid.CTImageStorage, uid.StudyRootFind, uid.StudyRootGet, uid.StudyRootMove, uid.StorageCommitmentPushModel}
	a, err := dimse.Dial(s.Context(), s.address, dimse.Config{CallingAETitle: device, CalledAETitle: ownTitle,
		Contexts: dimse.Propose(classes, []string{uid.ImplicitVRLittleEndian}, false),
		Roles:    []ul.RoleSelection{{SOPClassUID: uid.CTImageStorage, SCU: true, SCP: true}}})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(a.Abort)
	s.records() // of the admission
	return a
}

func identifier(t *testing.T) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for k, v := range map[dicom.Tag]string{tag.QueryRetrieveLevel: "STUDY", tag.PatientName: "ZZPHI^SECRET", tag.StudyInstanceUID: "1.2.840.1", tag.PatientID: ""} {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

// operations are one request of each kind; each gives the status it got.
func operations(t *testing.T) map[policy.Verb]func(a *dimse.Association) error {
	ctx := t.Context()
	return map[policy.Verb]func(a *dimse.Association) error{
		policy.Echo: func(a *dimse.Association) error { return a.Echo(ctx) },
		policy.Store: func(a *dimse.Association) error {
			_, err := a.Store(ctx, dimse.StoreRequest{SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "1.2.3", TransferSyntax: uid.ImplicitVRLittleEndian, Data: strings.NewReader("")})
			return err
		},
		policy.Query: func(a *dimse.Association) error {
			for _, err := range a.Find(ctx, dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: identifier(t)}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		policy.Retrieve: func(a *dimse.Association) error {
			_, err := a.Get(ctx, dimse.GetRequest{SOPClassUID: uid.StudyRootGet, Identifier: identifier(t),
				Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
					io.Copy(io.Discard, rq.Data)
					return dimse.Status{}
				}})
			return err
		},
		policy.Commit: func(a *dimse.Association) error {
			_, err := a.NAction(ctx, dimse.NRequest{SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: commitmentOf("1.2.3", "1.2.4")})
			return err
		},
	}
}

// commitmentOf asks for instances.
func commitmentOf(instances ...string) *dicom.DataSet {
	ds := dicom.NewDataSet()
	var items []*dicom.DataSet
	for _, uid := range instances {
		item := dicom.NewDataSet()
		item.Set(dicom.NewElement(tag.ReferencedSOPInstanceUID, dicom.UI, append([]byte(uid), 0)))
		items = append(items, item)
	}
	ds.SetItems(tag.ReferencedSOPSequence, items...)
	return ds
}

func statusOf(err error) dimse.StatusCode {
	if refused, ok := errors.AsType[*dimse.StatusError](err); ok {
		return refused.Status.Code
	}
	return dimse.Success
}

func TestEachVerbOpensItsServiceAndNoOther(t *testing.T) {
	t.Parallel()
	s := serve(t)
	a := s.dial()
	for _, granted := range policy.Verbs() {
		s.put([]policy.Verb{granted}, nil)
		for verb, do := range operations(t) {
			want := dimse.NotAuthorized
			if verb == granted {
				want = dimse.Success
			}
			if got := statusOf(do(a)); got != want {
				t.Errorf("%s with the verb %s: status %s, want %s", verb, granted, got, want)
			}
		}
		select {
		case p := <-s.seen:
			if p.Name != device || !p.Plaintext || len(s.seen) > 0 {
				t.Errorf("the handler sees %+v, %d more", p, len(s.seen))
			}
		default:
			t.Errorf("no handler was reached with the verb %s", granted)
		}
	}
}

func TestRequestsAreRecordedWithoutValues(t *testing.T) {
	t.Parallel()
	s := serve(t, policy.Verbs()...)
	a := s.dial()
	for verb, want := range map[policy.Verb]struct {
		event   audit.Event
		action  audit.Action
		objects string
	}{
		policy.Echo:     {audit.Verification, audit.Execute, ""},
		policy.Query:    {audit.Query, audit.Execute, "STUDY PatientName StudyInstanceUID"},
		policy.Retrieve: {audit.Transferred, audit.Read, "1.2.840.1"},
		policy.Commit:   {audit.Commitment, audit.Execute, ""},
	} {
		if err := operations(t)[verb](a); err != nil {
			t.Fatal(err)
		}
		all := s.records()
		if verb == policy.Retrieve && len(all) == 2 && all[0].Event == audit.Transferring {
			all = all[1:]
		}
		if len(all) != 1 {
			t.Fatalf("%s: %d records, want one: %+v", verb, len(all), all)
		}
		r := all[0]
		if r.Event != want.event || r.Action != want.action || r.Outcome != audit.Success || r.Principal != device || r.Association != a.ID() && r.Association == "" || r.Door != doorPlain {
			t.Errorf("%s: recorded %+v", verb, r)
		}
		switch {
		case want.objects == "":
		case len(r.Objects) != 1:
			t.Errorf("%s: recorded %+v", verb, r.Objects)
		case verb == policy.Query && (r.Objects[0].Query != want.objects || r.Objects[0].Detail != "with matches"):
			t.Errorf("recorded %+v", r.Objects)
		case verb == policy.Retrieve && (r.Objects[0].Study != want.objects || r.Objects[0].Instances != 1 || r.Objects[0].SOPClasses[uid.CTImageStorage] != 1):
			t.Errorf("recorded %+v", r.Objects)
		}
	}
	if err := operations(t)[policy.Store](a); err != nil {
		t.Fatal(err)
	}
	if n := len(s.records()); n != 0 {
		t.Errorf("a stored instance is recorded %d times by the door: that is the archive's", n)
	}
	_, err := a.Store(t.Context(), dimse.StoreRequest{SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "1.2.3", TransferSyntax: uid.ImplicitVRLittleEndian, Data: strings.NewReader("ZZPHI  BAD")})
	if statusOf(err) != dimse.CannotUnderstand {
		t.Fatalf("got %v", err)
	}
	if r := s.one(); r.Outcome != audit.SeriousFailure || r.Objects[0].Failed != 1 || !strings.Contains(r.Reason, "C000") {
		t.Errorf("recorded %+v", r)
	}
}

func TestTheRecordOfACommitmentNamesStudiesAndPatients(t *testing.T) {
	t.Parallel()
	s := serve(t, policy.Commit)
	s.Studies = func(_ context.Context, instances []string) (map[string]int, error) {
		if !slices.Equal(instances, []string{"1.2.3", "1.2.4"}) {
			t.Errorf("asked about %q", instances)
		}
		return map[string]int{"1.2.840.1": 2}, nil
	}
	s.Patient = func(context.Context, string) (string, string, error) { return "ZZPHI-1", "H", nil }
	if err := operations(t)[policy.Commit](s.dial()); err != nil {
		t.Fatal(err)
	}
	r := s.one()
	if len(r.Objects) != 1 || r.Objects[0].Study != "1.2.840.1" || r.Objects[0].Patient != "ZZPHI-1" || r.Objects[0].Instances != 2 {
		t.Errorf("recorded %+v", r)
	}
}

func TestRefusedRequestsAreAlerts(t *testing.T) {
	t.Parallel()
	s := serve(t, policy.Echo)
	a := s.dial()
	for range 2 * sampleBurst {
		if got := statusOf(operations(t)[policy.Store](a)); got != dimse.NotAuthorized {
			t.Fatalf("status %s", got)
		}
	}
	all := s.records()
	if len(all) != sampleBurst {
		t.Fatalf("%d records", len(all))
	}
	if r := all[0]; r.Event != audit.SecurityAlert || !strings.Contains(r.Reason, "may not store") || !strings.Contains(r.Objects[0].Detail, "CT Image Storage") {
		t.Errorf("recorded %+v", r)
	}
}

func TestADestinationThatIsNotGrantedLooksUnknown(t *testing.T) {
	t.Parallel()
	s := serve(t, policy.Retrieve)
	s.put([]policy.Verb{policy.Retrieve}, []string{"WS1"})
	a := s.dial()
	move := func(to string) dimse.StatusCode {
		_, err := a.Move(t.Context(), dimse.MoveRequest{SOPClassUID: uid.StudyRootMove, MoveDestination: to, Identifier: identifier(t)})
		return statusOf(err)
	}
	const reached = dimse.UnableToPerformSubOperations
	for to, want := range map[string]dimse.StatusCode{"WS1": reached, device: reached, "WS2": dimse.MoveDestinationUnknown, "EVIL": dimse.MoveDestinationUnknown} {
		if got := move(to); got != want {
			t.Errorf("to %s: status %s, want %s", to, got, want)
		}
	}
	s.put([]policy.Verb{policy.Echo}, []string{"WS1"})
	if got := move("WS1"); got != dimse.NotAuthorized {
		t.Errorf("without the verb: status %s", got)
	}
}

func TestAnOpenAssociationEndsWithItsRight(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *served){
		"device removed": func(s *served) {
			if err := s.Registry.Remove(s.Context(), device); err != nil {
				s.Fatal(err)
			}
		},
		"plaintext exception over": func(s *served) { s.clock.Advance(2 * time.Hour) },
		"moved to another address": func(s *served) {
			err := s.Registry.Put(s.Context(), identity.Device{AETitle: device, Address: "192.0.2.1", Verbs: policy.Verbs(), PlaintextUntil: s.clock.Now().Add(time.Hour)})
			if err != nil {
				s.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, policy.Verbs()...)
			a := s.dial()
			if err := a.Echo(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.records()
			end(s)
			if got := statusOf(a.Echo(t.Context())); got != dimse.NotAuthorized {
				t.Errorf("status %s", got)
			}
			if r := s.one(); r.Event != audit.SecurityAlert {
				t.Errorf("recorded %+v", r)
			}
		})
	}
}

func TestARemovedDeviceReceivesNothingMoreOfWhatItAskedFor(t *testing.T) {
	t.Parallel()
	const all, before = 20, 3
	s := &served{door: newDoor(t)}
	s.put(policy.Verbs(), nil)
	given := 0
	give := func() {
		if given++; given == before {
			s.clock.Advance(2 * watchEvery)
			if err := s.Registry.Remove(context.Background(), device); err != nil {
				t.Error(err)
			}
		}
	}
	mux := s.NewMux()
	mux.HandleFind(func(_ context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		for range all {
			if give(); !yield(dimse.Match{Identifier: rq.Identifier}) {
				break
			}
		}
		return dimse.Status{}
	})
	mux.HandleGet(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		return &dimse.RetrievePlan{Count: all, SubOperations: func(yield func(dimse.SubOperation) bool) {
			for i := range all {
				if !yield(dimse.SubOperation{SOPClassUID: uid.CTImageStorage, SOPInstanceUID: fmt.Sprintf("1.2.%d", i), TransferSyntaxes: []string{uid.ImplicitVRLittleEndian},
					Open: func(context.Context, []string) (io.ReadCloser, string, error) {
						give()
						return io.NopCloser(strings.NewReader("")), uid.ImplicitVRLittleEndian, nil
					}}) {
					return
				}
			}
		}}, dimse.Status{}
	})
	full := dimse.Support{
		TransferSyntaxes: func(string) []string { return []string{uid.ImplicitVRLittleEndian} },
		Roles:            func(string) (bool, bool) { return true, true },
	}
	s.address = housetest.Listen(t, &dimse.Server{Mux: mux, Admit: func(ctx context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return s.Admit(ctx, rq, Offer(full))
	}})
	a := s.dial()
	matches, last := 0, error(nil)
	for _, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: identifier(t)}) {
		if last = err; err == nil {
			matches++
		}
	}
	if matches >= before || statusOf(last) != dimse.NotAuthorized {
		t.Errorf("%d matches, then %v", matches, last)
	}
	given = 0
	s.put(policy.Verbs(), nil)
	var stored atomic.Int64
	got, err := a.Get(t.Context(), dimse.GetRequest{SOPClassUID: uid.StudyRootGet, Identifier: identifier(t),
		Store: func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status {
			stored.Add(1)
			return dimse.Status{}
		}})
	if statusOf(err) != dimse.NotAuthorized || stored.Load() != before || got.SubOperations.Completed != before || got.SubOperations.Failed != all-before {
		t.Errorf("%d stored, %+v, %v", stored.Load(), got, err)
	}
}

func TestRequestOfNobodyIsRefused(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	mux := d.NewMux()
	mux.HandleEcho(func(context.Context, *dimse.Association) dimse.Status {
		t.Error("the handler was reached")
		return dimse.Status{}
	})
	address := housetest.Listen(t, &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, support()), nil // not by the guard
	}})
	a, err := dimse.Dial(t.Context(), address, dimse.Config{CallingAETitle: "X", CalledAETitle: ownTitle, Contexts: dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	if got := statusOf(a.Echo(t.Context())); got != dimse.NotAuthorized {
		t.Errorf("status %s", got)
	}
	if _, ok := Principal(t.Context()); ok || Address(t.Context()) != "" {
		t.Error("there is a principal outside of a request")
	}
}

func TestOperationsNobodyOffersHaveNoVerb(t *testing.T) {
	t.Parallel()
	for _, op := range []dimse.Operation{dimse.NCreate, dimse.NSet, dimse.NDelete, dimse.NGet, dimse.NEventReport, dimse.CCancel} {
		for _, class := range []string{uid.Verification, uid.StudyRootFind, "1.2.840.10008.5.1.4.1.1.2", ""} {
			if v := VerbOf(op, class); v != "" {
				t.Errorf("%s of %s needs the verb %s", op, class, v)
			}
		}
	}
}

// TestRequestCancelledBeforeItWasDecidedIsNoFailure: C-CANCEL right behind C-FIND.
func TestRequestCancelledBeforeItWasDecidedIsNoFailure(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(dimse.ErrCanceled)
	got := d.undecided(ctx, &Caller{}, errors.New("test: interrupted"))
	if got.Code != dimse.Cancel || !errors.Is(got.Cause, dimse.ErrCanceled) {
		t.Errorf("cancelled: %v", got)
	}
	if got := d.undecided(t.Context(), &Caller{}, errors.New("test: broken")); got.Code != dimse.ProcessingFailure {
		t.Errorf("broken: %v", got)
	}
}

func TestDescriptionOfKeysIsBounded(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	for i := range 500 {
		ds.Set(dicom.NewElement(dicom.Tag(0x00100010+uint32(i)<<17), dicom.LO, []byte("ZZPHI")))
	}
	if s := describeKeys(ds); len(strings.Fields(s)) > 64*4 || strings.Contains(s, "ZZPHI") {
		t.Errorf("%d words", len(strings.Fields(s)))
	}
	if describeKeys(nil) != "" {
		t.Error("keys of nothing")
	}
}
