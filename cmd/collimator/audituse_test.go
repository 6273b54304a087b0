package main

import (
	"slices"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
)

// uses are the records of reading the trail that came behind a place in it.
func uses(t *testing.T, in *house.Installation, behind int64) (list []audit.Record, last int64) {
	t.Helper()
	last = behind
	for r, err := range in.Trail.After(t.Context(), behind) {
		if err != nil {
			t.Fatal(err)
		}
		if last = r.Sequence; r.Event == audit.LogUsed {
			list = append(list, r)
		}
	}
	return list, last
}

// Each way to read the trail leaves one record (PS3.15 A.5.3.2) that says who, from
// where and by what it was asked, and nothing of a patient.
func TestEveryCommandThatReadsTheTrailIsRecordedOnce(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	_, last := uses(t, in, -1)
	for _, c := range []struct {
		args []string
		what string
	}{
		{[]string{"audit", "search", "--patient", "ZZPHI-0", "--action", "read"}, "patient action"},
		{[]string{"audit", "search", "--patient", "ZZPHI-0", "--action", "read"}, "patient action"}, // each is a reading of its own
		{[]string{"audit", "search"}, ""},
		{[]string{"audit", "tail", "-n", "3"}, "newest 3"},
		{[]string{"audit", "export", "--format", "fhir"}, "all, as fhir"},
	} {
		if out, code := runOn(in, t, c.args...); code != 0 {
			t.Fatalf("%v: code %d: %s", c.args, code, out)
		}
		var list []audit.Record
		list, last = uses(t, in, last)
		if len(list) != 1 {
			t.Fatalf("%v: %d records", c.args, len(list))
		}
		r := list[0]
		if r.Action != audit.Read || r.Outcome != audit.Success || r.Principal != house.Operator() || r.Door != audit.DoorCommand ||
			len(r.Objects) != 1 || r.Objects[0].Detail != c.what {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
}

func TestTheAPIRecordsEachReadingOfTheTrailOnce(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	auditor, administrator := x.SignIn("auditor"), x.SignIn("administrator")
	_, last := uses(t, x.In, -1)
	for _, c := range []struct {
		who   *sitetest.Browser
		name  string
		query string
		what  []string // of the records that it leaves
	}{
		{auditor, "auditor", "", []string{""}},
		{auditor, "auditor", "?after=3&limit=2", nil}, // pages on
		{auditor, "auditor", "?patient=ZZPHI-A", []string{"patient"}},
		{auditor, "auditor", "?patient=ZZPHI-B", []string{"patient"}}, // somebody else
		{auditor, "auditor", "?patient=ZZPHI-B&after=1", nil},
		{auditor, "auditor", "?patient=ZZPHI-A", nil}, // reads on in the first
		{auditor, "auditor", "?patient=ZZPHI-A&action=read", []string{"patient action"}},
		{administrator, "administrator", "?patient=ZZPHI-A", []string{"patient"}},
	} {
		c.who.Must(200, "GET", "/api/v1/audit"+c.query, nil)
		var list []audit.Record
		list, last = uses(t, x.In, last)
		var got []string
		for _, r := range list {
			got = append(got, r.Objects[len(r.Objects)-1].Detail)
			if r.Action != audit.Read || r.Principal != c.name || r.Kind != "person" || r.Door != audit.DoorAPI || r.Peer.Address != "127.0.0.1" {
				t.Errorf("%s%s: %+v", c.name, c.query, r)
			}
			for _, o := range r.Objects {
				if strings.Contains(o.Detail, "ZZPHI") {
					t.Errorf("%s%s: a value is in the record", c.name, c.query)
				}
			}
		}
		if !slices.Equal(got, c.what) {
			t.Errorf("%s%s: %q, want %q", c.name, c.query, got, c.what)
		}
	}
	if strings.Contains(x.Log.String(), "ZZPHI") {
		t.Error("the log names a patient")
	}
}
