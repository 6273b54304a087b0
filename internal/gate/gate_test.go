package gate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/policy"
)

// find gives the studies a caller finds, and the status.
func find(t *testing.T, a *dimse.Association, keys map[tag.Tag]string) (studies []string, status dimse.Status) {
	t.Helper()
	if _, ok := keys[tag.StudyInstanceUID]; !ok {
		keys[tag.StudyInstanceUID] = ""
	}
	for m, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: query(t, "STUDY", keys)}) {
		if err != nil {
			return studies, statusIn(dimse.Status{}, err)
		}
		studies = append(studies, m.Identifier.Text(tag.StudyInstanceUID))
	}
	slices.Sort(studies)
	return studies, dimse.Status{}
}

// get gives the instances a caller gets of a study, and how it ended.
func get(t *testing.T, a *dimse.Association, study string) (instances []string, result dimse.RetrieveResult) {
	t.Helper()
	result, _ = a.Get(t.Context(), dimse.GetRequest{
		SOPClassUID: uid.StudyRootGet, Identifier: query(t, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: study}),
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			_, _ = io.Copy(io.Discard, rq.Data)
			instances = append(instances, rq.SOPInstanceUID)
			return dimse.Status{}
		},
	})
	slices.Sort(instances)
	return instances, result
}

func TestWhatARouteLetsThroughArrivesAndComesBackAsItWas(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("WS1", policy.Verbs()...)
	a := s.mustDial("WS1", uid.Verification, ct, uid.StudyRootFind, uid.StudyRootGet)

	if err := a.Echo(t.Context()); err != nil {
		t.Error(err)
	}
	for i := range 3 {
		if got := store(t, a, image(t, fmt.Sprintf("1.2.3.%d", i+1), "1.2.3", "ZZPHI-1")); got.Code != dimse.Success {
			t.Errorf("status %s", got)
		}
	}
	if studies, status := find(t, a, map[tag.Tag]string{tag.PatientID: "ZZPHI-1"}); !slices.Equal(studies, []string{"1.2.3"}) || status.Code != 0 {
		t.Errorf("found %v, %s", studies, status)
	}
	instances, result := get(t, a, "1.2.3")
	if !slices.Equal(instances, []string{"1.2.3.1", "1.2.3.2", "1.2.3.3"}) || result.SubOperations.Completed != 3 || result.Status.Code != 0 {
		t.Errorf("got %v, %+v", instances, result)
	}

	for _, instance := range s.behind.Archive.All() {
		if !instance.DataSet.Equal(image(t, instance.SOPInstanceUID, "1.2.3", "ZZPHI-1")) {
			t.Error("an image arrived changed")
		}
	}
}

func TestWhoMayDoNothingAtARouteReachesNobodyBehindIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, `      - {name: modalities, who: [CT1], allow: [echo, store], classes: [CT Image Storage]}
      - {name: ward, who: [WS1], allow: [query]}
`, dimsetest.Options{})
	s.device("CT1", policy.Verbs()...)
	s.device("WS1", policy.Verbs()...)
	s.device("WS2", policy.Verbs()...)
	for _, c := range []struct {
		device  string
		classes []string
		want    []string // accepted
	}{
		{"CT1", []string{uid.Verification, ct, mr, uid.StudyRootFind, uid.StudyRootGet}, []string{uid.Verification, ct}},
		{"WS1", []string{uid.Verification, ct, uid.StudyRootFind, uid.StudyRootGet, uid.StudyRootMove}, []string{uid.StudyRootFind}},
		{"WS2", []string{uid.Verification, ct, uid.StudyRootFind}, nil},
		{"CT1", []string{"1.2.840.10008.5.1.1.9"}, nil}, // print: nothing the gate carries
	} {
		a, err := s.dial(c.device, c.classes...)
		var got []string
		if err == nil {
			for _, pc := range a.Contexts() {
				got = append(got, pc.AbstractSyntax)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: accepted %v, want %v (%v)", c.device, got, c.want, err)
		}
		for len(s.asked) > 0 {
			rq := <-s.asked
			for _, pc := range rq.Contexts {
				if !slices.Contains(c.want, pc.AbstractSyntax) {
					t.Errorf("%s: the PACS was asked for %s", c.device, pc.AbstractSyntax)
				}
			}
		}
	}
}

func TestARuleForOneStudyShowsNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, `      - {name: modalities, who: [CT1], allow: [store]}
      - {name: trial, who: [WS1], allow: [query, retrieve, store], studies: [1.2.3]}
      - {name: one patient, who: [WS2], allow: [query, retrieve], patients: [ZZPHI-2]}
`, dimsetest.Options{})
	for _, title := range []string{"CT1", "WS1", "WS2"} {
		s.device(title)
	}
	modality := s.mustDial("CT1", ct)
	for study, patient := range map[string]string{"1.2.3": "ZZPHI-1", "1.2.4": "ZZPHI-2", "1.2.5": "ZZPHI-3"} {
		if got := store(t, modality, image(t, study+".9", study, patient)); got.Code != dimse.Success {
			t.Fatalf("status %s", got)
		}
	}
	for device, want := range map[string]string{"WS1": "1.2.3", "WS2": "1.2.4"} {
		a := s.mustDial(device, ct, uid.StudyRootFind, uid.StudyRootGet)
		if studies, _ := find(t, a, map[tag.Tag]string{tag.PatientID: ""}); !slices.Equal(studies, []string{want}) {
			t.Errorf("%s finds %v", device, studies)
		}
		for _, study := range []string{"1.2.3", "1.2.4", "1.2.5"} {
			instances, result := get(t, a, study)
			if got := len(instances) == 1 && result.SubOperations.Completed == 1; got != (study == want) {
				t.Errorf("%s gets of %s: %v, %+v", device, study, instances, result)
			}
		}
	}
	two := image(t, "1.2.3.7", "1.2.3", "ZZPHI-1")
	if err := two.SetText(tag.PatientID, "ZZPHI-2", "ZZPHI-1"); err != nil {
		t.Fatal(err)
	}
	if got := store(t, s.mustDial("WS1", ct), two); got.Code.Class() != dimse.ClassFailure {
		t.Errorf("of two patients: %s", got)
	}
	if got := store(t, s.mustDial("WS1", ct), image(t, "1.2.5.1", "1.2.5", "ZZPHI-3")); got.Code != dimse.NotAuthorized {
		t.Errorf("stored into another study: %s", got)
	}
}

func TestWhatDoesNotBelongThereCostsThePACSNothing(t *testing.T) {
	t.Parallel()
	encoded := func(t *testing.T, change func(*dicom.DataSet)) []byte {
		ds := image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")
		if change != nil {
			change(ds)
		}
		var b bytes.Buffer
		if err := dicom.Encode(&b, ds, native); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		data func(*testing.T) []byte
		want dimse.StatusCode
	}{
		"another instance than announced": {func(t *testing.T) []byte {
			return encoded(t, func(ds *dicom.DataSet) { ds.SetText(tag.SOPInstanceUID, "1.2.3.9") })
		}, dimse.DataSetDoesNotMatchSOPClass},
		"another class than announced": {func(t *testing.T) []byte {
			return encoded(t, func(ds *dicom.DataSet) { ds.SetText(tag.SOPClassUID, mr) })
		}, dimse.DataSetDoesNotMatchSOPClass},
		"no instance": {func(t *testing.T) []byte {
			return encoded(t, func(ds *dicom.DataSet) { ds.Delete(tag.SOPInstanceUID) })
		}, dimse.InvalidSOPInstance},
		"study that is a path": {func(t *testing.T) []byte {
			return encoded(t, func(ds *dicom.DataSet) {
				ds.Set(dicom.NewElement(tag.StudyInstanceUID, dicom.UI, []byte("../../x\x00")))
			})
		}, dimse.InvalidSOPInstance},
		"two studies": {func(t *testing.T) []byte {
			return encoded(t, func(ds *dicom.DataSet) { ds.SetText(tag.StudyInstanceUID, "1.2.3", "1.2.4") })
		}, dimse.CannotUnderstand},
		"meta information of a file": {func(t *testing.T) []byte {
			return append([]byte("\x02\x00\x10\x00UI\x02\x001\x00"), encoded(t, nil)...)
		}, dimse.CannotUnderstand},
		"a program": {func(t *testing.T) []byte {
			return encoded(t, func(ds *dicom.DataSet) { ds.SetText(tag.ImageComments, "PROGRAM") })
		}, dimse.InvalidSOPInstance},
		"noise":     {func(*testing.T) []byte { return bytes.Repeat([]byte{0xFF}, 1000) }, dimse.InvalidSOPInstance},
		"half":      {func(t *testing.T) []byte { b := encoded(t, nil); return b[:120] }, dimse.CannotUnderstand},
		"backwards": {func(t *testing.T) []byte { b := encoded(t, nil); return append(b, b[:60]...) }, dimse.CannotUnderstand},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "", dimsetest.Options{})
			s.device("CT1", policy.Store)
			s.inspect = func(i archive.Inspected) archive.Inspection {
				return archive.Inspection{Hold: i.DataSet.Text(tag.ImageComments) == "PROGRAM"}
			}
			a := s.mustDial("CT1", ct)
			got := send(t, a, "1.2.3.1", c.data(t))
			if got.Code != c.want {
				t.Errorf("status %s (%v), want %s", got, got.Cause, c.want)
			}
			if n := len(s.behind.Archive.All()); n != 0 {
				t.Errorf("%d instances arrived", n)
			}
			if strings.Contains(s.log.String(), "ZZPHI") {
				t.Error("a patient in the log")
			}
		})
	}
}

func TestWhatGoesThroughARouteIsRecorded(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("WS1", policy.Verbs()...)
	a := s.mustDial("WS1", uid.Verification, ct, uid.StudyRootFind, uid.StudyRootGet)
	store(t, a, image(t, "1.2.3.1", "1.2.3", "ZZPHI-1"))
	store(t, a, image(t, "1.2.3.2", "1.2.3", "ZZPHI-1"))
	store(t, a, image(t, "1.2.4.1", "1.2.4", "ZZPHI-2"))
	find(t, a, map[tag.Tag]string{tag.PatientID: "ZZPHI-1"})
	get(t, a, "1.2.3")
	send(t, a, "1.2.3.9", []byte("no data sets"))
	s.guard.Settle()

	var got []string
	for _, r := range s.Records(t) {
		line := fmt.Sprintf("%s %s to %s", r.Event, r.Action, r.Peer.CalledAETitle)
		for _, o := range r.Objects {
			line += fmt.Sprintf(" %s/%s %d-%d", o.Study, o.Patient, o.Instances, o.Failed)
		}
		got = append(got, line)
	}
	slices.Sort(got)
	want := []string{
		string(audit.Transferring) + " C to PACS 1.2.3/ZZPHI-1 0-0",
		string(audit.Transferring) + " C to PACS 1.2.4/ZZPHI-2 0-0",
		string(audit.Transferring) + " R to PACS 1.2.3/ZZPHI-1 0-0",
		string(audit.Transferred) + " C to PACS / 0-1",
		string(audit.Transferred) + " C to PACS 1.2.3/ZZPHI-1 2-0",
		string(audit.Transferred) + " C to PACS 1.2.4/ZZPHI-2 1-0",
		string(audit.Transferred) + " R to PACS 1.2.3/ZZPHI-1 2-0",
		string(audit.Query) + " E to PACS / 0-0",
		string(audit.UserAuthenticated) + " E to PACS",
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("recorded:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAPACSThatIsNotThereIsSaidSoAndMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("WS1", policy.Verbs()...)
	a := s.mustDial("WS1", uid.Verification, ct)
	state := func() string {
		for _, one := range s.states.All() {
			if one.Name == "gate.route.PACS" {
				return fmt.Sprint(one.Level)
			}
		}
		return "none"
	}
	if err := a.Echo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := state(); got != "well" {
		t.Errorf("while it is there its state is %s", got)
	}
	s.behind.Close()
	if got := store(t, a, image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")); got.Code != dimse.OutOfResources {
		t.Errorf("status %s", got)
	}
	if got := state(); got != "failing" {
		t.Errorf("when it is gone its state is %s", got)
	}

	s.gate.routes["PACS"].offers = newOffers() // what it once offered is forgotten
	_, err := s.dial("WS1", uid.Verification, ct)
	if rejected, ok := err.(*dimse.RejectError); !ok || rejected.Result != 2 {
		t.Errorf("%v, want a transient rejection", err)
	}
}

func TestAClosedRouteLetsNobodyThrough(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("WS1", policy.Verbs()...)
	a := s.mustDial("WS1", uid.Verification, ct)
	if err := a.Echo(t.Context()); err != nil { // the gate knows of the association then
		t.Fatal(err)
	}
	s.gate.mu.Lock()
	s.gate.routes["PACS"].Closed = true // what is open is aborted a moment later
	s.gate.mu.Unlock()

	if got := statusIn(dimse.Status{}, a.Echo(t.Context())); got.Code != dimse.NotAuthorized {
		t.Errorf("status %s", got)
	}
	if _, err := s.dial("WS1", uid.Verification); err == nil {
		t.Error("an association to a closed route")
	}
	s.gate.mu.Lock()
	delete(s.gate.routes, "PACS")
	s.gate.mu.Unlock()
	if got := statusIn(dimse.Status{}, a.Echo(t.Context())); got.Code != dimse.NotAuthorized {
		t.Errorf("status %s of a route that is gone", got)
	}
	if s.gate.Service("PACS") != nil {
		t.Error("the route is still there")
	}
}

func TestAPACSThatTakesSomethingElseNowIsAskedAgain(t *testing.T) {
	t.Parallel()
	var explicit atomic.Bool
	explicit.Store(true)
	s := newSite(t, "", dimsetest.Options{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		support := everything()
		support.TransferSyntaxes = func(string) []string {
			if explicit.Load() {
				return []string{uid.ExplicitVRLittleEndian}
			}
			return []string{uid.ImplicitVRLittleEndian}
		}
		return dimse.Negotiate(rq, support), nil
	}})
	s.device("CT1", policy.Store)
	both := func() *dimse.Association {
		a, err := dimse.Dial(t.Context(), s.address, dimse.Config{
			CallingAETitle: "CT1", CalledAETitle: "PACS", Contexts: dimse.Propose([]string{ct}, uid.NativeSyntaxes(), false),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(a.Abort)
		return a
	}
	before := both()
	if got := store(t, before, image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")); got.Code != dimse.Success {
		t.Fatal(got)
	}

	explicit.Store(false)
	routes := s.gate.Routes()
	routes[0].Waiting = 7 // another pool: nothing that was open is used again
	remembered := s.gate.routes["PACS"].offers
	s.gate.take(routes)
	s.gate.routes["PACS"].offers = remembered
	if got := store(t, before, image(t, "1.2.3.2", "1.2.3", "ZZPHI-1")); got.Code != dimse.OutOfResources {
		t.Errorf("in a syntax the PACS no longer takes: %s", got)
	}
	if got := both().TransferSyntaxes(ct); !slices.Equal(got, []string{uid.ImplicitVRLittleEndian}) {
		t.Errorf("the next association has %v", got)
	}
}

func TestItShowsHowARouteIsUsed(t *testing.T) {
	t.Parallel()
	inside, done := make(chan struct{}), make(chan struct{})
	s := newSite(t, "", dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleEcho(func(context.Context, *dimse.Association) dimse.Status {
			close(inside)
			<-done
			return dimse.Status{}
		})
	}})
	s.device("WS1", policy.Verbs()...)
	a := s.mustDial("WS1", uid.Verification)
	echoed := make(chan error, 1)
	go func() { echoed <- a.Echo(context.Background()) }()
	<-inside
	if got := s.gate.Usage(); len(got) != 1 || got[0] != (Usage{Route: "PACS", Used: 1}) {
		t.Errorf("during a request %+v", got)
	}
	close(done)
	if err := <-echoed; err != nil {
		t.Error(err)
	}
	if got := s.gate.Usage(); got[0] != (Usage{Route: "PACS", Kept: 1}) {
		t.Errorf("after it %+v", got)
	}
}
