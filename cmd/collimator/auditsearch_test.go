package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/blob"
	"collimator/internal/guard"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
)

// searched runs a search and gives what it found.
func searched(t *testing.T, in *house.Installation, args ...string) []audit.Record {
	t.Helper()
	out, code := runOn(in, t, append([]string{"audit", "search", "-o", "json"}, args...)...)
	var list []audit.Record
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 {
		t.Fatalf("%v: code %d, %v: %s", args, code, err, out)
	}
	return list
}

// Who saw the images of a patient is asked for by the patient, also when the
// study is gone and by whatever name they were seen.
func TestTheTrailSaysWhoSawAPatient(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	record := func(r audit.Record) {
		t.Helper()
		if err := in.Record(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	record(audit.Record{Event: audit.Transferred, Action: audit.Read, Objects: []audit.Object{{Person: "grace"}, {Study: "2.25.70", Patient: "ZZPHI-0", Instances: 3}}})
	record(audit.Record{Event: audit.Export, Action: audit.Create, Objects: []audit.Object{{Study: "2.25.70", Detail: "link abc"}}})
	before := searched(t, in, "--patient", "ZZPHI-0")
	if got := searched(t, in, "--patient", "ZZPHI-0", "--action", "read"); len(got) != 1 || got[0].Objects[0].Person != "grace" {
		t.Errorf("read: %+v", got)
	}
	if got := searched(t, in, "--patient", "ZZPHI-0", "--action", "store"); len(got) != 3 {
		t.Errorf("%d records of storing, want 3", len(got))
	}
	if got := searched(t, in, "--person", "grace"); len(got) != 1 {
		t.Errorf("%d records of the person, want 1", len(got))
	}

	blobs, err := blob.OpenDir(filepath.Join(in.Config.Data, house.BlobsDir))
	if err != nil {
		t.Fatal(err)
	}
	defer blobs.Close()
	a, err := archive.Open(archive.Options{DB: in.DB, Blobs: blobs, Record: guard.RecordInstance(in.Ledger, in.Trail, in.Registry)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Delete(t.Context(), archive.Deletion{Scope: archive.Everything(), StudyUID: "2.25.70", Why: "because of the test"}); err != nil {
		t.Fatal(err)
	}
	if got := searched(t, in, "--patient", "ZZPHI-0"); len(got) != len(before)+1 {
		t.Errorf("after the deletion %d records, before %d", len(got), len(before))
	}
	if got := searched(t, in, "--patient", "ZZPHI-0", "--action", "delete"); len(got) != 1 || got[0].Objects[0].Patient != "ZZPHI-0" {
		t.Errorf("deleted: %+v", got)
	}
	for _, door := range audit.Doors() {
		searched(t, in, "--door", string(door))
	}
	for _, args := range [][]string{{"--since", "yesterday"}, {"--event", "nonsense"}, {"--door", "window"}, {"--action", "look"}} {
		if out, code := runOn(in, t, append([]string{"audit", "search"}, args...)...); code != exitUsage {
			t.Errorf("%v: code %d: %s", args, code, out)
		}
	}
	if got := searched(t, in, "--until", "2020-01-01"); len(got) != 0 {
		t.Errorf("%d records before there was an archive", len(got))
	}
}

// A program that filters by something the API does not know must not take all
// records for those of its study.
func TestTheAPIRefusesParametersItDoesNotKnow(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	for _, route := range slices.Sorted(maps.Keys(walk)) {
		path, isGet := strings.CutPrefix(route, "GET ")
		if !isGet {
			continue
		}
		a := b.Must(400, "GET", sitetest.At(path)+"?studi=1.2.3", nil)
		if !strings.Contains(a.Text, "studi") {
			t.Errorf("%s does not name it: %s", route, a.Text)
		}
	}
	for _, query := range []string{"study=1.2&study=1.3", "study=1.2;since=2026", "failed=yes", "door=window", "action=look", "since=yesterday", "event=nonsense",
		"patient=" + strings.Repeat("1", 300)} {
		b.Must(400, "GET", "/api/v1/audit?"+query, nil)
	}
	b.Must(400, "GET", "/api/v1/session?x=1", nil)
}

func TestTheAPISearchesTheTrail(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("auditor")
	count := func(query string) int {
		t.Helper()
		return len(b.Must(200, "GET", "/api/v1/audit?limit=500&"+query, nil).JSON["items"].([]any))
	}
	all := count("")
	for query, want := range map[string]func(n int) bool{
		"patient=ZZPHI-0":             func(n int) bool { return n > 0 && n < all },
		"patient=nobody":              func(n int) bool { return n == 0 },
		"study=2.25.70&action=store":  func(n int) bool { return n > 0 && n < all },
		"study=2.25.70&action=delete": func(n int) bool { return n == 0 },
		"person=auditor":              func(n int) bool { return n > 0 && n < all+20 },
		"until=2020-01-01":            func(n int) bool { return n == 0 },
		"since=2020-01-01T08:00:00Z":  func(n int) bool { return n >= all },
		"door=schedule":               func(n int) bool { return n == 0 },
	} {
		if n := count(query); !want(n) {
			t.Errorf("%s: %d of %s", query, n, fmt.Sprint(all))
		}
	}
}

// Who follows a page must not be told that there is no such event.
func TestEventsThatDocumentsNameAreRecorded(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}

	named := regexp.MustCompile(`audit search [^\n]*--event ([a-z-]+)`)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(audit.Events(), m[1]) {
				t.Errorf("%s names the event %s, which is not recorded", page, m[1])
			}
		}
	}
}
