package audit

import (
	"slices"
	"testing"
	"time"
)

// Images of one association are one line for each study; reading and storing
// have words of their own.
func TestTheTableJoinsTheImagesOfATransfer(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	image := func(association, study string, after time.Duration) Record {
		return Record{Time: at.Add(after), Event: Transferred, Action: Create, Association: association, Principal: "CT1",
			Objects: []Object{{Study: study, Instances: 1, Detail: "2.25.9"}}}
	}
	read := image("a", "1", 0)
	read.Action = Read
	failed := image("a", "1", 0)
	failed.Outcome = SeriousFailure
	list := []Record{
		image("a", "1", 0), image("a", "2", 1), image("a", "1", time.Hour), read, failed, image("b", "1", 0),
		image("", "1", 0), image("", "1", time.Second), image("", "1", time.Hour), image("a", "1", 0),
	}
	var got []string
	for _, r := range Joined(list) {
		got = append(got, r.Describe())
	}
	want := []string{"stored 1 (3)", "stored 2 2.25.9 (1)", "read 1 2.25.9 (1)", "not stored 1 2.25.9 (1)", "stored 1 2.25.9 (1)", "stored 1 (2)", "stored 1 2.25.9 (1)"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if list[0].Objects[0].Instances != 1 {
		t.Error("joining changes the records")
	}
}

func TestASelectionNamesWhatIsAskedByAndNotWhom(t *testing.T) {
	t.Parallel()
	f := Filter{Patient: "ZZPHI", Did: DidRead, Failed: true, Route: "PACS", Until: time.Now()}
	if got := f.Selection(); got != "patient action route failed until" {
		t.Errorf("%q", got)
	}
}

// A record reads as what was done, and why.
func TestARecordReadsAsASentence(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]Record{
		"association: CT1 asks for nothing that a rule of the route grants": {
			Event: SecurityAlert, Outcome: MinorFailure, Reason: "CT1 asks for nothing that a rule of the route grants", Objects: []Object{{Detail: "association"}}},
		"C-STORE of CT Image Storage (3): no rule of the route grants it": {
			Event: SecurityAlert, Outcome: MinorFailure, Reason: "no rule of the route grants it", Objects: []Object{{Detail: "C-STORE of CT Image Storage", Failed: 3}}},
		"not stored 1.2 (2): status A700H": {
			Event: Transferred, Action: Create, Outcome: SeriousFailure, Reason: "status A700H", Objects: []Object{{Study: "1.2", Failed: 2}}},
		"deleted 1.2 (1), from the queue of the route CT2: the modality has it": {
			Event: InstancesDeleted, Action: Delete, Reason: "the modality has it",
			Objects: []Object{{Study: "1.2", Instances: 1, Detail: "from the queue of the route CT2"}}},
		"read 1.2 (4) to WS2, 1.3 (1)": {
			Event: Transferred, Action: Read, Peer: Peer{Destination: "WS2"}, Objects: []Object{{Study: "1.2", Instances: 4}, {Study: "1.3", Instances: 1}}},
		"read 1.2 (1) to PACS2, handed over on Monday": {
			Event: Transferred, Action: Read, Peer: Peer{Destination: "PACS2"}, Objects: []Object{{Study: "1.2", Instances: 1, Detail: "handed over on Monday"}}},
		"CT2 door 1 shut, to 10.0.0.9:5900 for acme": {
			Event: MaintenanceDoor, Objects: []Object{{Device: "CT2", Person: "acme", Detail: "door 1 shut, to 10.0.0.9:5900 for acme"}}},
		"read 1.2 (4) for ada": {
			Event: Transferred, Action: Read, Objects: []Object{{Person: "ada"}, {Study: "1.2", Instances: 4}}},
		"released from quarantine; 1.2 (1)": {
			Event: QuarantineChanged, Reason: "released from quarantine", Objects: []Object{{Study: "1.2", Instances: 1}}},
		"acme vendor":       {Event: PersonChanged, Objects: []Object{{Person: "acme", Detail: "vendor"}}},
		"the code is wrong": {Event: SecurityAlert, Reason: "the code is wrong"},
		"":                  {Event: UserAuthenticated, Action: Execute},
		"to be read: 1.2":   {Event: Transferring, Action: Read, Objects: []Object{{Study: "1.2"}}},
		"to be stored: 1.2": {Event: Transferring, Action: Create, Objects: []Object{{Study: "1.2"}}},
	} {
		if got := r.Describe(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
