package audit_test

import (
	"testing"
	"time"

	"collimator/internal/audit"
)

func TestRecordsAreFoundByWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	token := audit.Record{
		Time: at, Event: audit.Transferred, Action: audit.Read, Door: audit.DoorWeb, Principal: "token b1", Kind: "service",
		Objects: []audit.Object{{Person: "grace"}, {Study: "1.2.3", Patient: "ZZPHI-1"}, {Study: "1.2.4", Patient: "ZZPHI-2"}},
	}
	stored := audit.Record{Time: at, Event: audit.Transferred, Action: audit.Create, Door: audit.DoorDIMSE, Principal: "grace", Kind: "device",
		Peer: audit.Peer{CallingAETitle: "CT1", CalledAETitle: "PACS"}, Objects: []audit.Object{{Study: "1.2.3"}}}
	for name, c := range map[string]struct {
		filter audit.Filter
		token  bool
		stored bool
	}{
		"all":                                   {audit.Filter{}, true, true},
		"person, for whom a token acts":         {audit.Filter{Person: "grace"}, true, false}, // the device of that name is no person
		"principal":                             {audit.Filter{Principal: "token b1"}, true, false},
		"principal by its AE title":             {audit.Filter{Principal: "CT1"}, false, true},
		"patient":                               {audit.Filter{Patient: "ZZPHI-1"}, true, false},
		"patient, by study where none is named": {audit.Filter{Patient: "ZZPHI-1", Studies: audit.Set([]string{"1.2.3"})}, true, true},
		"patient of another study":              {audit.Filter{Patient: "ZZPHI-1", Study: "1.2.4"}, false, false},
		"study":                                 {audit.Filter{Study: "1.2.4"}, true, false},
		"read":                                  {audit.Filter{Did: audit.DidRead}, true, false},
		"stored":                                {audit.Filter{Did: audit.DidStore}, false, true},
		"deleted":                               {audit.Filter{Did: audit.DidDelete}, false, false},
		"door":                                  {audit.Filter{Door: audit.DoorDIMSE}, false, true},
		"route":                                 {audit.Filter{Route: "PACS"}, false, true},
		"from then on":                          {audit.Filter{Since: at}, true, true},
		"until then":                            {audit.Filter{Until: at}, false, false},
		"failed":                                {audit.Filter{Failed: true}, false, false},
	} {
		if c.filter.Matches(token) != c.token || c.filter.Matches(stored) != c.stored {
			t.Errorf("%s: token %v, stored %v", name, c.filter.Matches(token), c.filter.Matches(stored))
		}
	}
}

func TestTimesAreDaysOrTimes(t *testing.T) {
	t.Parallel()
	local := func(h, m int) time.Time { return time.Date(2026, 12, 31, h, m, 0, 0, time.Local) }
	for s, want := range map[string]time.Time{
		"2026-12-31": local(0, 0), "2026-12-31T08:30": local(8, 30), "2026-12-31 08:30": local(8, 30),
		"2026-12-31T08:30:00Z": time.Date(2026, 12, 31, 8, 30, 0, 0, time.UTC), "": {},
	} {
		if got, err := audit.ParseTime(s, false); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	if got, _ := audit.ParseTime("2026-12-31", true); !got.Equal(local(0, 0).AddDate(0, 0, 1)) {
		t.Errorf("a last day ends at %v", got)
	}
	for _, s := range []string{"yesterday", "31.12.2026", "2026-13-01", "08:30"} {
		if _, err := audit.ParseTime(s, false); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

// What a part of the server came to is told as it is, and is nobody's failed attempt.
func TestAStateIsNoFailedAttempt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		record audit.Record
		want   bool
	}{
		"refused":         {audit.Record{Event: audit.SecurityAlert, Outcome: audit.MinorFailure}, true},
		"did not work":    {audit.Record{Event: audit.Scanned, Outcome: audit.SeriousFailure, Code: audit.ScheduledScanFailed}, true},
		"part is failing": {audit.Record{Event: audit.SecurityAlert, Outcome: audit.SeriousFailure, Code: audit.StateChanged}, false},
		"part is well":    {audit.Record{Event: audit.SecurityAlert, Code: audit.StateChanged}, false},
		"start":           {audit.Record{Event: audit.ApplicationStart}, false},
		"stop":            {audit.Record{Event: audit.ApplicationStop}, false},
	} {
		f := audit.Filter{Failed: true}
		if c.record.Failed() != c.want || f.Matches(c.record) != c.want {
			t.Errorf("%s: failed %v, found %v", name, c.record.Failed(), f.Matches(c.record))
		}
	}
}
