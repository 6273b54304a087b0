package gate

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// theGate is a device of the PACS, at the address of the gate.
type theGate struct {
	title string
	at    func() string
}

func (d theGate) Dial(ctx context.Context, contexts []ul.ProposedContext) (*dimse.Association, error) {
	return dimse.Dial(ctx, d.at(), dimse.Config{CallingAETitle: "OLDPACS", CalledAETitle: d.title, Contexts: contexts})
}

// moving is a site whose PACS knows WS1, WS2 and LOST at the address of the gate; WS1 and
// WS2 take associations, and WS1 may retrieve to both.
type moving struct {
	*site
	ws1, ws2 *dimsetest.Server
}

func newMoving(t *testing.T, rules string) *moving {
	t.Helper()
	m := &moving{}
	at := func() string { return m.address }
	destinations := map[string]dimse.Destination{}
	for _, title := range []string{"WS1", "WS2", "LOST"} {
		destinations[title] = theGate{title, at}
	}
	m.site = newSite(t, rules, dimsetest.Options{Destinations: destinations})

	m.ws1 = m.workstation("WS1", "WS2", "LOST")
	m.ws2 = m.workstation("WS2")
	m.device("CT1", policy.Store)
	a := m.mustDial("CT1", ct)
	for i := range 3 {
		if got := store(t, a, image(t, fmt.Sprintf("1.2.3.%d", i+1), "1.2.3", "ZZPHI-1")); got.Code != dimse.Success {
			t.Fatal(got)
		}
	}
	if got := store(t, a, image(t, "1.2.4.1", "1.2.4", "ZZPHI-2")); got.Code != dimse.Success {
		t.Fatal(got)
	}
	return m
}

// workstation registers a device that takes associations without TLS.
func (m *moving) workstation(title string, destinations ...string) *dimsetest.Server {
	m.Helper()
	s := dimsetest.NewServer(dimsetest.Options{AETitle: title})
	m.Cleanup(s.Close)
	err := m.Registry.Put(m.Context(), identity.Device{
		AETitle: title, Address: "127.0.0.1", Verbs: policy.Verbs(), Destinations: destinations,
		PlaintextUntil: m.Clock.Now().Add(time.Hour), Listen: s.Address,
	})
	if err != nil {
		m.Fatal(err)
	}
	return s
}

// move asks for a study to be sent to a destination.
func (m *moving) move(a *dimse.Association, study, destination string) dimse.RetrieveResult {
	m.Helper()
	result, _ := a.Move(m.Context(), dimse.MoveRequest{
		SOPClassUID: uid.StudyRootMove, MoveDestination: destination,
		Identifier: query(m.TB, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: study}),
	})
	return result
}

func held(s *dimsetest.Server) (instances []string) {
	for _, i := range s.Archive.All() {
		instances = append(instances, i.SOPInstanceUID)
	}
	slices.Sort(instances)
	return instances
}

func TestAMoveArrivesAtTheRegisteredDestinationThroughTheGate(t *testing.T) {
	t.Parallel()
	m := newMoving(t, "")
	a := m.mustDial("WS1", uid.StudyRootMove)
	for _, c := range []struct {
		destination string
		to          *dimsetest.Server
	}{{"WS1", m.ws1}, {"WS2", m.ws2}} {
		result := m.move(a, "1.2.3", c.destination)
		if result.Status.Code != dimse.Success || result.SubOperations != (dimse.SubOperations{Completed: 3}) {
			t.Errorf("%s: %+v", c.destination, result)
		}
		if got := held(c.to); !slices.Equal(got, []string{"1.2.3.1", "1.2.3.2", "1.2.3.3"}) {
			t.Errorf("%s has %v", c.destination, got)
		}
	}

	var lines []string
	for _, r := range m.Records(t) {
		if r.Event == audit.Transferred && r.Action == audit.Read {
			lines = append(lines, fmt.Sprintf("%s to %s: %s %d", r.Principal, r.Peer.Destination, r.Objects[0].Study, r.Objects[0].Instances))
		}
	}
	if want := []string{"WS1 to WS1: 1.2.3 3", "WS1 to WS2: 1.2.3 3"}; !slices.Equal(lines, want) {
		t.Errorf("recorded %v", lines)
	}
}

func TestAMoveToWhereNobodyMayLooksLikeOneToNowhere(t *testing.T) {
	t.Parallel()
	m := newMoving(t, "")
	m.workstation("WS9")
	a := m.mustDial("WS1", uid.StudyRootMove)
	for _, destination := range []string{"WS9", "NOBODY", "LOST", "OLDPACS", "PACS"} {
		if result := m.move(a, "1.2.3", destination); result.Status.Code != dimse.MoveDestinationUnknown {
			t.Errorf("%s: %s", destination, result.Status)
		}
	}
}

func TestAMoveToADestinationThatIsGoneHasTrueCounts(t *testing.T) {
	t.Parallel()
	m := newMoving(t, "")
	a := m.mustDial("WS1", uid.StudyRootMove)
	m.ws2.Close()
	result := m.move(a, "1.2.3", "WS2")
	if result.Status.Code.Class() == dimse.ClassSuccess || result.SubOperations.Failed != 3 || result.SubOperations.Completed != 0 {
		t.Errorf("%+v", result)
	}
}

func TestTheSystemBehindSendsNothingNobodyAskedFor(t *testing.T) {
	t.Parallel()
	m := newMoving(t, "")
	push := func(calling, called, instance, study string) (dimse.Status, error) {
		a, err := dimse.Dial(t.Context(), m.address, dimse.Config{
			CallingAETitle: calling, CalledAETitle: called, Contexts: dimse.Propose([]string{uid.Verification, ct}, []string{native}, false),
		})
		if err != nil {
			return dimse.Status{}, err
		}
		defer a.Abort()
		var b bytes.Buffer
		if err := dicom.Encode(&b, image(t, instance, study, "ZZPHI-9"), native); err != nil {
			t.Fatal(err)
		}
		status, err := a.Store(t.Context(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: instance, TransferSyntax: native, Data: &b})
		if _, answered := err.(*dimse.StatusError); answered {
			return statusIn(status, err), nil
		}
		return status, err
	}
	for _, c := range [][2]string{{"OLDPACS", "WS2"}, {"OLDPACS", "PACS"}, {"OLDPACS", "NOBODY"}, {"STRANGER", "WS2"}} {
		if status, err := push(c[0], c[1], "1.2.9.1", "1.2.9"); err == nil && status.Code == dimse.Success {
			t.Errorf("%v: taken", c)
		}
	}
	if got := held(m.ws2); len(got) > 0 {
		t.Errorf("WS2 has %v", got)
	}
}

func TestARuleLetsTheSystemBehindSendByItself(t *testing.T) {
	t.Parallel()
	m := newMoving(t, `      - {name: registered, registered: true}
      - {name: routing, who: [OLDPACS], allow: [store], studies: [1.2.3]}
`)
	a, err := dimse.Dial(t.Context(), m.address, dimse.Config{
		CallingAETitle: "OLDPACS", CalledAETitle: "WS2", Contexts: dimse.Propose([]string{ct}, []string{native}, false),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	if got := store(t, a, image(t, "1.2.3.8", "1.2.3", "ZZPHI-1")); got.Code != dimse.Success {
		t.Errorf("status %s", got)
	}
	if got := store(t, a, image(t, "1.2.4.8", "1.2.4", "ZZPHI-1")); got.Code != dimse.NotAuthorized {
		t.Errorf("another study: %s", got)
	}
	if got := held(m.ws2); !slices.Equal(got, []string{"1.2.3.8"}) {
		t.Errorf("WS2 has %v", got)
	}
}

func TestMovesOfSeveralCallersAtOnceArriveWhereEachAsked(t *testing.T) {
	t.Parallel()
	m := newMoving(t, "")
	var wg sync.WaitGroup
	for _, c := range [][3]string{{"WS1", "1.2.3", "WS1"}, {"WS1", "1.2.4", "WS2"}, {"WS2", "1.2.3", "WS2"}} {
		wg.Go(func() {
			a, err := m.dial(c[0], uid.StudyRootMove)
			if err != nil {
				t.Error(err)
				return
			}
			if result := m.move(a, c[1], c[2]); result.Status.Code != dimse.Success || result.SubOperations.Failed > 0 {
				t.Errorf("%v: %+v", c, result)
			}
		})
	}
	wg.Wait()
	if got := held(m.ws1); !slices.Equal(got, []string{"1.2.3.1", "1.2.3.2", "1.2.3.3"}) {
		t.Errorf("WS1 has %v", got)
	}
	if got := held(m.ws2); !slices.Equal(got, []string{"1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.4.1"}) {
		t.Errorf("WS2 has %v", got)
	}
}

func TestAnInstanceGoesToTheRetrievalItBelongsTo(t *testing.T) {
	t.Parallel()
	var l retrievals
	add := func(seenAs, study string, sight policy.Sight) *retrieval {
		r := &retrieval{route: "PACS", destination: "WS1", seenAs: seenAs, sight: sight,
			keys: query(t, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: study})}
		l.begin(r)
		return r
	}
	everything := policy.Sight{Everything: true}
	first := add("A", "1.2.3", everything)
	second := add("B", "1.2.4", everything)
	narrow := add("C", "1.2.5", policy.Sight{Patients: []string{"ZZPHI-1"}})
	for _, c := range []struct {
		originator, study, patient string
		want                       *retrieval
	}{
		{"", "1.2.3", "", first}, {"", "1.2.4", "", second}, {"A", "1.2.4", "", nil}, {"B", "1.2.4", "", second},
		{"", "1.2.9", "", nil}, {"", "1.2.5", "ZZPHI-1", narrow}, {"C", "1.2.5", "ZZPHI-2", nil},
	} {
		if got := l.of("PACS", "WS1", c.originator, image(t, "1.2.9.9", c.study, c.patient)); got != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
	if l.of("OTHER", "WS1", "", image(t, "1", "1.2.3", "")) != nil || l.to("PACS", "WS2") || !l.to("PACS", "WS1") {
		t.Error("another route or destination")
	}
}

func TestWhatTheSystemBehindSendsIsInspectedToo(t *testing.T) {
	t.Parallel()
	m := newMoving(t, "")
	bad := image(t, "1.2.3.4", "1.2.3", "ZZPHI-1")
	if err := bad.SetText(tag.SeriesInstanceUID, "1.2.3.1", "1.2.3.9"); err != nil { // of which anybody may take either
		t.Fatal(err)
	}
	if _, err := m.behind.Archive.Add(bad, native); err != nil {
		t.Fatal(err)
	}

	result := m.move(m.mustDial("WS1", uid.StudyRootMove), "1.2.3", "WS2")
	if result.SubOperations != (dimse.SubOperations{Completed: 3, Failed: 1}) || result.Status.Code != dimse.SubOperationsWithFailures {
		t.Errorf("%+v", result)
	}
	if got := held(m.ws2); !slices.Equal(got, []string{"1.2.3.1", "1.2.3.2", "1.2.3.3"}) {
		t.Errorf("WS2 has %v", got)
	}
	if strings.Contains(m.log.String(), "ZZPHI") {
		t.Error("a patient in the log")
	}
}
