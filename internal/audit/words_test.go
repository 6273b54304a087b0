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
	want := []string{"stored 1 (3)", "stored 2 2.25.9 (1)", "read 1 2.25.9 (1)", "not stored: 1 2.25.9 (1)", "stored 1 2.25.9 (1)", "stored 1 (2)", "stored 1 2.25.9 (1)"}
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
