package guard

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicomweb"
	"collimator/dimse"
	"collimator/internal/audit"
	"collimator/internal/policy"
	"collimator/internal/state"
)

func TestAFindIsRecordedOnceBeforeItsFirstMatchLeaves(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	call := &dimse.Call{Operation: dimse.CFind, SOPClassUID: "1.2.840.10008.5.1.4.1.2.2.1"}
	c := &Caller{who: policy.Principal{Name: "WS1"}}
	sent := d.follow(c, call)
	if len(d.records()) != 0 {
		t.Fatal("it is recorded before there is a match")
	}
	for i := range 3 {
		if !call.Observe(dimse.Observation{Match: dicom.NewDataSet()}) {
			t.Fatal("a match is withheld")
		}
		if got := len(d.records()); i == 0 && got != 1 || i > 0 && got != 0 {
			t.Fatalf("%d records before match %d leaves", got, i+1)
		}
	}
	d.settle(t.Context(), c, call, dimse.Outcome{Matches: 3}, sent)
	if n := len(d.records()); n != 0 {
		t.Errorf("%d further records at the end", n)
	}

	none := d.follow(c, call)
	d.settle(t.Context(), c, call, dimse.Outcome{}, none)
	if r := d.one(); r.Event != audit.Query || r.Objects[0].Detail != "" {
		t.Errorf("without a match: %+v", r)
	}
	cut := d.follow(c, call)
	call.Observe(dimse.Observation{Match: dicom.NewDataSet()})
	d.settle(t.Context(), c, call, dimse.Outcome{Status: dimse.Status{Code: dimse.OutOfResources}}, cut)
	if all := d.records(); len(all) != 2 || all[1].Outcome != audit.SeriousFailure {
		t.Errorf("ended by a failure: %+v", all)
	}
}

func TestAMatchThatCannotBeRecordedDoesNotLeave(t *testing.T) {
	t.Parallel()
	s := serve(t, policy.Query)
	s.Keeper = audit.NewKeeper(newFull(), 0, state.New(s.clock.Now), s.Guard.Log, s.clock.Now)
	a := s.dial()
	for _, want := range []dimse.StatusCode{dimse.OutOfResources, dimse.OutOfResources} {
		if got := statusOf(operations(t)[policy.Query](a)); got != want {
			t.Errorf("%s", got)
		}
	}

	d := newDoor(t)
	d.Keeper = audit.NewKeeper(newFull(), 0, state.New(d.Now), d.Guard.Log, d.Now)
	call := &dicomweb.Call{Verb: dicomweb.Searching, Request: asked(t, "A", "B").Request}
	d.followWeb(t.Context(), &Caller{}, call)
	err := call.Answering(1)
	if e, ok := errors.AsType[*dicomweb.Error](err); !ok || e.Status != http.StatusServiceUnavailable || e.Header.Get("Retry-After") == "" {
		t.Errorf("%v", err)
	}
}

func TestAWebSearchIsRecordedOnceBeforeItsAnswerBegins(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	call := &dicomweb.Call{Verb: dicomweb.Searching, Level: dicomweb.StudyLevel, Request: asked(t, "A", "B").Request}
	c := &Caller{}
	sent := d.followWeb(t.Context(), c, call)
	if err := call.Answering(7); err != nil {
		t.Fatal(err)
	}
	if r := d.one(); r.Event != audit.Query || r.Objects[0].Matches != 7 || r.Outcome != audit.Success {
		t.Errorf("%+v", r)
	}
	d.settleWeb(t.Context(), c, call, dicomweb.Outcome{Status: 200, Matches: 7}, sent)
	if n := len(d.records()); n != 0 {
		t.Errorf("%d further records", n)
	}
}

// TestEveryEndOfAWebRequestHasItsOutcome is the table from the status to what is
// recorded.
func TestEveryEndOfAWebRequestHasItsOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method  string
		status  int
		err     error
		outcome audit.Outcome
		reason  string
		detail  string
	}{
		{"GET", 200, nil, audit.Success, "", ""},
		{"GET", 206, nil, audit.Success, "", ""},
		{"GET", 204, nil, audit.Success, "", ""},
		{"POST", 200, nil, audit.Success, "", ""},
		{"POST", 202, nil, audit.Success, "", ""},
		{"POST", 409, nil, audit.SeriousFailure, "status 409", ""},
		{"DELETE", 204, nil, audit.Success, "", ""},
		{"OPTIONS", 204, nil, audit.Success, "", ""},
		{"GET", 304, nil, audit.Success, "", "nothing left: it is unchanged"},
		{"HEAD", 304, nil, audit.Success, "", "nothing left: it is unchanged"},
		{"HEAD", 200, nil, audit.Success, "", "nothing left: its headers were asked for"},
		{"HEAD", 206, nil, audit.Success, "", "nothing left: its headers were asked for"},
		{"HEAD", 404, errEnded, audit.SeriousFailure, "status 404", ""},
		{"GET", 400, errEnded, audit.SeriousFailure, "status 400", ""},
		{"GET", 403, errEnded, audit.SeriousFailure, "status 403", ""},
		{"GET", 404, errEnded, audit.SeriousFailure, "status 404", ""},
		{"GET", 406, errEnded, audit.SeriousFailure, "status 406", ""},
		{"GET", 413, errEnded, audit.SeriousFailure, "status 413", ""},
		{"GET", 416, errEnded, audit.SeriousFailure, "status 416", ""},
		{"GET", 429, errEnded, audit.SeriousFailure, "status 429", ""},
		{"GET", 500, errEnded, audit.SeriousFailure, "status 500", ""},
		{"GET", 503, errEnded, audit.SeriousFailure, "status 503", ""},
		{"GET", 200, errEnded, audit.SeriousFailure, "status 200, and the answer ended before it was complete", ""},
		{"GET", 206, errEnded, audit.SeriousFailure, "status 206, and the answer ended before it was complete", ""},
	} {
		outcome, reason, detail := webEnd(c.method, dicomweb.Outcome{Status: c.status, Err: c.err})
		if outcome != c.outcome || reason != c.reason || detail != c.detail {
			t.Errorf("%s %d %v: %d %q %q", c.method, c.status, c.err, outcome, reason, detail)
		}
	}
}

// A search that no key restricts is for everything: its record says so.
func TestTheRecordOfASearchSaysWhatWasAsked(t *testing.T) {
	t.Parallel()
	named := dicom.NewDataSet()
	if err := named.SetText(tag.PatientName, "ZZPHI^A"); err != nil {
		t.Fatal(err)
	}
	for want, call := range map[string]*dicomweb.Call{
		"STUDY /studies":                        {Verb: dicomweb.Searching, Level: dicomweb.StudyLevel, Query: &dicomweb.Search{Keys: dicom.NewDataSet()}},
		"STUDY /studies PatientName":            {Verb: dicomweb.Searching, Level: dicomweb.StudyLevel, Query: &dicomweb.Search{Keys: named}},
		"SERIES /studies/1.2/series":            {Verb: dicomweb.Searching, Level: dicomweb.SeriesLevel, Resource: dicomweb.Resource{StudyUID: "1.2"}},
		"IMAGE /studies/1.2/series/3/instances": {Verb: dicomweb.Searching, Level: dicomweb.InstanceLevel, Resource: dicomweb.Resource{StudyUID: "1.2", SeriesUID: "3"}},
		"capabilities":                          {Verb: dicomweb.Capabilities},
		"a request that makes no sense":         {Verb: dicomweb.Malformed},
	} {
		d := newDoor(t)
		call.Request = asked(t, "A", "B").Request
		d.settleWeb(t.Context(), &Caller{}, call, dicomweb.Outcome{Status: 200}, d.followWeb(t.Context(), &Caller{}, call))
		r := d.one()
		if r.Event != audit.Query || len(r.Objects) != 1 || r.Objects[0].Query != want {
			t.Errorf("%q: %+v", want, r)
		}

		text, err := audit.NewMessage(r, "ARCHIVE").XML()
		if err != nil || !strings.Contains(text, "<ParticipantObjectQuery>"+base64.StdEncoding.EncodeToString([]byte(want))) {
			t.Errorf("%v: %s", err, text)
		}
	}
}
