package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse/dimsetest"
	"collimator/internal/policy"
)

// flowsOf is what went through the route in words.
func (s *site) flowsOf() (words []string) {
	s.Helper()
	if err := s.gate.flows.flush(s.Context()); err != nil {
		s.Fatal(err)
	}
	list, err := Flows(s.Context(), s.DB, "PACS", s.Clock.Now().AddDate(0, 0, -7))
	if err != nil {
		s.Fatal(err)
	}
	for _, f := range list {
		words = append(words, fmt.Sprintf("%s %s %s %dx", f.Device, f.Verb, uid.Name(f.Class), f.Requests))
	}
	return words
}

func TestWhatGoesThroughIsCountedByWhoDidWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("CT1", policy.Echo, policy.Store)
	s.device("WS1", policy.Query, policy.Retrieve)
	modality := s.mustDial("CT1", uid.Verification, ct)
	_ = modality.Echo(t.Context())
	for i := range 3 {
		store(t, modality, image(t, fmt.Sprint("1.2.3.", i+1), "1.2.3", "ZZPHI-1"))
	}
	viewer := s.mustDial("WS1", ct, uid.StudyRootFind, uid.StudyRootGet)
	find(t, viewer, map[tag.Tag]string{tag.PatientID: "ZZPHI-1"})
	get(t, viewer, "1.2.3")

	want := []string{
		"CT1 echo Verification 1x", "CT1 store CT Image Storage 3x",
		"WS1 query Study Root Query/Retrieve Information Model - FIND 1x", "WS1 retrieve Study Root Query/Retrieve Information Model - GET 1x",
	}
	if got := s.flowsOf(); !slices.EqualFunc(got, want, func(g, w string) bool {
		return strings.Fields(g)[0] == strings.Fields(w)[0] && strings.Fields(g)[1] == strings.Fields(w)[1]
	}) {
		t.Errorf("%v", got)
	}
	if strings.Contains(fmt.Sprint(s.flowsOf()), "ZZPHI") {
		t.Error("a patient among the numbers")
	}
}

func TestNumbersThatCannotBeWrittenWaitAndAreAdded(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	f := newFlows(s.DB, slog.New(slog.DiscardHandler), s.Clock.Now)
	f.note("PACS", "CT1", policy.Store, ct, native, 100)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.flush(ended); !errors.Is(err, context.Canceled) {
		t.Fatalf("written after the end: %v", err)
	}
	f.note("PACS", "CT1", policy.Store, ct, native, 20)
	if err := f.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := Flows(t.Context(), s.DB, "PACS", s.Clock.Now().AddDate(0, 0, -1))
	if err != nil || len(list) != 1 || list[0].Requests != 2 || list[0].Bytes != 120 {
		t.Errorf("%+v, %v", list, err)
	}
	if later, err := Flows(t.Context(), s.DB, "PACS", s.Clock.Now().AddDate(0, 0, 2)); err != nil || len(later) != 0 {
		t.Errorf("since the day after tomorrow: %v, %v", later, err)
	}
}

// aWeek is what two modalities and two workstations did.
func aWeek() []Flow {
	flow := func(device string, verb policy.Verb, class, syntax string, hour int) Flow {
		return Flow{Route: "PACS", Device: device, Verb: verb, Class: class, Syntax: syntax, Hour: hour, Requests: 10}
	}
	return []Flow{
		flow("CT1", policy.Echo, uid.Verification, "", 30), flow("CT1", policy.Store, ct, native, 30), flow("CT1", policy.Store, ct, native, 31),
		flow("CT2", policy.Store, ct, native, 30), flow("CT2", policy.Echo, uid.Verification, "", 35),
		flow("MR1", policy.Store, mr, native, 30),
		flow("WS1", policy.Retrieve, uid.StudyRootGet, "", 40), flow("WS1", policy.Query, uid.StudyRootFind, "", 40),
	}
}

func TestRulesAreProposedOfWhatWasDoneAndLetItThrough(t *testing.T) {
	t.Parallel()
	rules := Propose(aWeek())
	var words []string
	for _, r := range rules {
		words = append(words, fmt.Sprintf("%v %v %v", r.Who, r.Allow, r.Classes))
	}
	want := []string{
		"[CT1 CT2] [echo store] [CT Image Storage]", "[MR1] [store] [MR Image Storage]", "[WS1] [query retrieve] []",
	}
	if !slices.Equal(words, want) {
		t.Errorf("proposed %q", words)
	}

	r := Route{Name: "PACS", Protect: "OLDPACS@10.0.0.5:104", Rules: rules}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	nothing := func(string) []policy.Verb { return nil }
	if refused, err := r.Try(aWeek(), nothing); err != nil || len(refused) > 0 {
		t.Errorf("what the rules were made of is refused: %+v, %v", refused, err)
	}
	other := []Flow{{Route: "PACS", Device: "CT1", Verb: policy.Store, Class: mr}, {Route: "PACS", Device: "WS9", Verb: policy.Query}}
	if refused, err := r.Try(other, nothing); err != nil || len(refused) != 2 {
		t.Errorf("what nobody did is let through: %+v, %v", refused, err)
	}
	if len(Propose(nil)) != 0 {
		t.Error("rules of nothing")
	}
}

func TestADryRunLooksAtTheHourAtWhichItHappened(t *testing.T) {
	t.Parallel()
	r := Route{Name: "PACS", Protect: "OLDPACS@10.0.0.5:104", Rules: []Rule{{Name: "by day", Registered: true, Hours: "mon-fri 06:00-20:00"}}}
	registered := func(string) []policy.Verb { return policy.Verbs() }
	for hour, want := range map[int]int{24 + 7: 0, 24 + 5: 1, 7: 1, 6*24 + 12: 1, 5*24 + 19: 0} {
		refused, err := r.Try([]Flow{{Route: "PACS", Device: "CT1", Verb: policy.Store, Class: ct, Hour: hour}}, registered)
		if err != nil || len(refused) != want {
			t.Errorf("hour %d: %+v, %v", hour, refused, err)
		}
	}
}
