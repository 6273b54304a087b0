package inventory

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"collimator/internal/advisory"
	"collimator/internal/db/dbtest"
	"collimator/internal/fault"
	"collimator/internal/finding"
)

// fixture is a register with a clock that stands still until it is moved.
type fixture struct {
	*Register
	at time.Time
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	d, err := dbtest.Open(context.Background(), filepath.Join(t.TempDir(), "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{at: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)}
	f.Register = New(d, func() time.Time { return f.at })
	return f
}

func (f *fixture) observe(t testing.TB, o Observation) string {
	t.Helper()
	f.at = f.at.Add(time.Second)
	id, err := f.Observe(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func TestOneDeviceIsOneAsset(t *testing.T) {
	t.Parallel()
	first := Observation{
		Source: CSV, Vendor: "GE", Product: "Optima CT680", Serial: "GE-680-0001", MACs: []string{"00-1A-2B-00-00-11"}, Addresses: addrs("10.1.1.1"), AETitles: []string{"CT1"}, Hostname: "ct1.example",
	}
	for name, c := range map[string]struct {
		second Observation
		same   bool
	}{
		"by MAC, moved":                      {Observation{Source: Nmap, MACs: []string{"001a.2b00.0011"}, Addresses: addrs("10.9.9.9")}, true},
		"by serial number":                   {Observation{Source: Typed, Vendor: "General Electric", Serial: "ge 680 0001"}, true},
		"serial number of another vendor":    {Observation{Source: Typed, Vendor: "Philips", Serial: "GE-680-0001"}, false},
		"by AE title and address":            {Observation{Source: Door, AETitles: []string{"CT1"}, Addresses: addrs("10.1.1.1")}, true},
		"by address, other AE title":         {Observation{Source: Door, AETitles: []string{"CT1_2"}, Addresses: addrs("10.1.1.1")}, true},
		"by address in the IPv4 form of six": {Observation{Source: Scan, Addresses: addrs("::ffff:10.1.1.1")}, true},
		"by host name":                       {Observation{Source: Nmap, Hostname: "CT1.example.", Addresses: addrs("10.1.1.77")}, true},
		"address, but another MAC":           {Observation{Source: Nmap, MACs: []string{"00:1A:2B:00:00:99"}, Addresses: addrs("10.1.1.1")}, false},
		"address, but another serial number": {Observation{Source: CSV, Serial: "OTHER-2", Addresses: addrs("10.1.1.1")}, false},
		"AE title alone":                     {Observation{Source: Door, AETitles: []string{"CT1"}, Addresses: addrs("10.1.1.2")}, false},
		"nothing in common":                  {Observation{Source: CSV, Vendor: "GE", Product: "Optima CT680"}, false},
		"MAC of a group":                     {Observation{Source: Nmap, MACs: []string{"ff:ff:ff:ff:ff:ff"}, Addresses: addrs("10.1.1.3")}, false},
		"serial number that says nothing":    {Observation{Source: CSV, Serial: "0000", Product: "x"}, false},
		"a stranger with the AE title":       {Observation{Source: Refused, AETitles: []string{"CT1"}, Addresses: addrs("10.6.6.6")}, false},
		"a stranger at the address":          {Observation{Source: Refused, AETitles: []string{"EVIL"}, Addresses: addrs("10.1.1.1")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			a, b := f.observe(t, first), f.observe(t, c.second)
			if (a == b) != c.same {
				t.Errorf("%s and %s", a, b)
			}
		})
	}
}

func TestWhatAStrangerClaimsIsNoSign(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	stranger := f.observe(t, Observation{Source: Refused, Addresses: addrs("10.6.6.6"), AETitles: []string{"CT1"}})
	ct := f.observe(t, Observation{Source: CSV, Product: "Optima 680", AETitles: []string{"CT1"}, Addresses: addrs("10.1.1.1")})
	if stranger == ct {
		t.Fatal("the claim of a stranger drew an asset to it")
	}
	// The stranger turns out to be a device of the register: it is one asset, and no stranger any more.
	if again := f.observe(t, Observation{Source: CSV, Product: "Infinia", Addresses: addrs("10.6.6.6")}); again != stranger {
		t.Errorf("%s, want %s", again, stranger)
	}
	a, err := f.Asset(t.Context(), stranger)
	if err != nil || a.Refused || a.Product != "Infinia" {
		t.Errorf("%+v %v", a, err)
	}
}

func TestStrangersAreBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.limits.Strangers, f.limits.Values = 10, 4
	known := f.observe(t, Observation{Source: CSV, Product: "Infinia", Addresses: addrs("10.1.1.1")})
	for i := range 60 {
		f.observe(t, Observation{Source: Refused, Addresses: addrs(fmt.Sprintf("10.6.1.%d", i)), AETitles: []string{"A"}})
		f.observe(t, Observation{Source: Refused, Addresses: addrs("10.1.1.1"), AETitles: []string{fmt.Sprintf("AE%d", i)}})
	}
	list, err := f.Assets(t.Context())
	if err != nil || len(list) != 11 {
		t.Fatalf("%d assets, want 10 strangers and one known; %v", len(list), err)
	}
	a, _ := f.Asset(t.Context(), known)
	if len(a.AETitles) != 4 || a.Refused {
		t.Errorf("%v", a.AETitles)
	}
	changes, _ := f.Changes(t.Context(), time.Time{}, 1000)
	if len(changes) != 1 {
		t.Errorf("strangers wrote %d changes", len(changes)-1)
	}
}

func TestTheBetterSourceIsShownAndContradictionsAreNamed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.observe(t, Observation{Source: CSV, Vendor: "GEHC", Product: "Optima 660", Addresses: addrs("10.1.1.1")})
	f.observe(t, Observation{Source: Typed, Vendor: "GE Healthcare", Product: "Optima 680", Asset: id})
	other := f.observe(t, Observation{Source: Nmap, MACs: []string{"00:1A:2B:00:00:01"}, Addresses: addrs("10.1.1.1")})
	if other != id {
		t.Fatal("an asset without MAC is not contradicted by one")
	}
	second := f.observe(t, Observation{Source: Nmap, MACs: []string{"00:1A:2B:00:00:02"}, Addresses: addrs("10.1.1.1")})
	list, err := f.Assets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := list[0]
	if a.Product != "Optima 680" || a.Confidence != 0.95 || len(a.Sources) != 3 {
		t.Errorf("%+v", a)
	}
	want := []string{"product: typed says Optima 680, csv says Optima 660", "address 10.1.1.1 is also that of " + second}
	slices.Sort(want)
	slices.Sort(a.Conflicts)
	if diff := cmp.Diff(want, a.Conflicts); diff != "" {
		t.Error(diff)
	}
}

func TestMergeAndSplit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a := f.observe(t, Observation{Source: CSV, Product: "Infinia", Serial: "SER-1"})
	b := f.observe(t, Observation{Source: Door, AETitles: []string{"NM1"}, Addresses: addrs("10.1.1.1")})
	if err := f.Report(t.Context(), 0, finding.Place{Asset: b}, []string{"DIC-002"}, []finding.Issue{{Check: "DIC-002", Title: "plaintext"}}); err != nil {
		t.Fatal(err)
	}
	if err := f.Merge(t.Context(), a, b); err != nil {
		t.Fatal(err)
	}
	got, err := f.Asset(t.Context(), b)
	if err != nil || got.ID != a || got.Product != "Infinia" || len(got.Addresses) != 1 || got.Warning.Open != 1 {
		t.Errorf("%+v %v", got, err)
	}
	if id := f.observe(t, Observation{Source: Door, AETitles: []string{"NM1"}, Addresses: addrs("10.1.1.1")}); id != a {
		t.Errorf("after the merge it is %s", id)
	}
	if err := f.Merge(t.Context(), a, b); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	c, err := f.Split(t.Context(), a, Door)
	if err != nil {
		t.Fatal(err)
	}
	got, _ = f.Asset(t.Context(), c)
	rest, _ := f.Asset(t.Context(), a)
	if len(got.AETitles) != 1 || len(rest.AETitles) != 0 || rest.Product != "Infinia" {
		t.Errorf("%+v %+v", got, rest)
	}
	if _, err := f.Split(t.Context(), a, Gate); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}

func TestIssuesLiveFromOpenToFixedAndBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	place := finding.Place{Address: netip.MustParseAddr("10.1.1.1"), Port: 104}
	issue := finding.Issue{Check: "DIC-002", Title: "accepted in plaintext", Severity: finding.High, Place: place, Evidence: []finding.Evidence{{Sent: "A-ASSOCIATE-RQ", Received: "A-ASSOCIATE-AC"}}}
	other := finding.Issue{Check: "WEB-001", Title: "other", Place: place}
	states := func() string {
		list, err := f.Issues(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, i := range list {
			out = append(out, i.Check+"="+string(i.State))
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	report := func(checks string, issues ...finding.Issue) {
		t.Helper()
		f.at = f.at.Add(time.Hour)
		if err := f.Report(t.Context(), 0, place, strings.Fields(checks), issues); err != nil {
			t.Fatal(err)
		}
	}
	report("DIC-002 WEB-001", issue, other)
	if got := states(); got != "DIC-002=open WEB-001=open" {
		t.Fatal(got)
	}
	report("DIC-002") // WEB-001 did not run: it stays
	if got := states(); got != "DIC-002=fixed WEB-001=open" {
		t.Fatal(got)
	}
	report("DIC-002", issue)
	if got := states(); got != "DIC-002=open WEB-001=open" {
		t.Fatal(got)
	}
	list, _ := f.Issues(t.Context(), "")
	id := list[0].ID
	if len(list[0].Evidence) != 1 || list[0].FirstSeen.Equal(list[0].LastSeen) {
		t.Errorf("%+v", list[0])
	}
	if err := f.Accept(t.Context(), id, f.at.Add(48*time.Hour), "A. Person", "replaced in December"); err != nil {
		t.Fatal(err)
	}
	report("DIC-002", issue)
	if got := states(); got != "DIC-002=accepted WEB-001=open" {
		t.Fatal(got)
	}
	f.at = f.at.Add(72 * time.Hour)
	list, _ = f.Issues(t.Context(), "")
	if i := slices.IndexFunc(list, func(i Issue) bool { return i.ID == id }); list[i].State != Open || !list[i].Lapsed || list[i].AcceptedBy != "A. Person" {
		t.Errorf("an acceptance that is over: %+v", list[i])
	}
	var kinds []string
	changes, _ := f.Changes(t.Context(), time.Time{}, 100)
	for _, c := range changes {
		kinds = append(kinds, string(c.Kind))
	}
	if diff := cmp.Diff([]string{"asset new", "issue new", "issue new", "issue fixed", "issue again", "issue accepted"}, kinds); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []error{f.Accept(t.Context(), id, f.at, "x", "y"), f.Accept(t.Context(), id, f.at.Add(time.Hour), "", "y"), f.Accept(t.Context(), "I99", f.at.Add(time.Hour), "x", "y"), f.Accept(t.Context(), "what", f.at.Add(time.Hour), "x", "y")} {
		if bad == nil {
			t.Error("an acceptance without day, person, reason or issue was taken")
		}
	}
}

func TestChangesTellTheDifferenceBetweenTwoLooks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.observe(t, Observation{Source: CSV, Product: "Sante PACS Server", Version: "4.2.2", Serial: "SER-9"})
	since := f.at.Add(time.Minute)
	f.at = since
	f.observe(t, Observation{Source: CSV, Product: "Sante PACS Server", Version: "4.2.3", Serial: "SER-9"})
	f.observe(t, Observation{Source: CSV, Product: "Sante PACS Server", Version: "4.2.3", Serial: "SER-9"})
	changes, err := f.Changes(t.Context(), since, 100)
	if err != nil || len(changes) != 1 || changes[0].Asset != id || changes[0].String() != "asset changed version: 4.2.2 -> 4.2.3" {
		t.Errorf("%v %v", changes, err)
	}
}

func TestCheckAnswersTheQuestionOfTheWarning(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ge := f.observe(t, Observation{Source: CSV, Vendor: "GEHC", Product: "THUNIS-800+", Serial: "T-00800"})
	viewer := f.observe(t, Observation{Source: CSV, Product: "MicroDicom Viewer", Version: "2024.1", Hostname: "ws7"})
	fine := f.observe(t, Observation{Source: CSV, Vendor: "Siemens", Product: "MAGNETOM Vida", Hostname: "mr"})
	toolkit := f.observe(t, Observation{Source: Door, AETitles: []string{"ARCHIVE"}, Addresses: addrs("10.1.1.9"), Implementations: []string{"1.2.276.0.7230010.3.0.3.6.6 OFFIS_DCMTK_366"}})
	check := func() map[string]Checked {
		list, err := f.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]Checked{}
		for _, c := range list {
			out[c.Asset.ID] = c
		}
		return out
	}
	got := check()
	if got[ge].Answer != advisory.Affected || len(got[ge].Questions) != 3 || got[viewer].Answer != advisory.Affected || got[fine].Answer != advisory.NotListed || got[toolkit].Answer != advisory.Possibly {
		t.Errorf("%v %v %v %v", got[ge].Answer, got[viewer].Answer, got[fine].Answer, got[toolkit].Answer)
	}
	answers, err := f.Answers(t.Context())
	if err != nil || len(answers) != len(got) {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	for _, a := range answers {
		if a.Answer != got[a.Asset.ID].Answer || a.Unsettled != got[a.Asset.ID].Unsettled {
			t.Errorf("looking says %s, checking %s", a.Answer, got[a.Asset.ID].Answer)
		}
	}
	issues, _ := f.Issues(t.Context(), "")
	checks := map[string]int{}
	for _, i := range issues {
		checks[i.Check]++
		if i.Fix.Do == "" || i.Fix.Effort == "" {
			t.Errorf("%s has no fix", i.Title)
		}
	}
	if checks["ADV-006"] != 1 || checks["ADV-001"] == 0 || checks["ADV-005"] == 0 {
		t.Errorf("%v", checks)
	}
	// The viewer is updated: the next look says fixed.
	f.observe(t, Observation{Source: CSV, Product: "MicroDicom Viewer", Version: "2025.1", Hostname: "ws7"})
	// The answers of people: patched before and after the advisory came out.
	for _, s := range []Statement{
		{Question: Patched, Answer: true, Since: time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC), Who: "GE service"}, {Question: Protected, Answer: true, Who: "firewall team"}, {Question: Gated, Answer: false, Who: "me"},
	} {
		if err := f.State(t.Context(), ge, s); err != nil {
			t.Fatal(err)
		}
	}
	got = check()
	if got[viewer].Answer != advisory.NotListed || len(got[viewer].Outside) == 0 {
		t.Errorf("%+v", got[viewer])
	}
	if got[ge].Unsettled != advisory.Affected || len(got[ge].Questions) != 0 {
		t.Errorf("patched before the advisory: %+v", got[ge])
	}
	if err := f.State(t.Context(), ge, Statement{Question: Patched, Answer: true, Since: time.Date(2021, 7, 1, 0, 0, 0, 0, time.UTC), Who: "GE service"}); err != nil {
		t.Fatal(err)
	}
	if got = check(); got[ge].Unsettled != advisory.NotListed || got[ge].Answer != advisory.Affected {
		t.Errorf("patched after the advisory: %+v", got[ge])
	}
	for _, bad := range []Statement{{Question: "safe", Who: "x"}, {Question: Gated}, {Question: Patched, Answer: true, Who: "x"}} {
		if err := f.State(t.Context(), ge, bad); fault.Of(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// Every product of the list, as hospitals write it, is found out of one register.
func TestTheHHSListIsFoundInARegister(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, name := range []string{"hhs.csv", "innocent.csv"} {
		file, err := os.Open("../advisory/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		list, troubles, err := ReadCSV(file)
		if err != nil || len(troubles) != 0 {
			t.Fatalf("%s: %v %v", name, troubles, err)
		}
		for i := range list {
			list[i].Zone = name
		}
		if out, err := f.Import(t.Context(), CSV, name, list, false); err != nil || out.New != len(list) {
			t.Fatalf("%s: %+v of %d, %v", name, out, len(list), err)
		}
	}
	checked, err := f.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range checked {
		listed := slices.ContainsFunc(c.Matches, func(m Settled) bool { return m.HHS })
		if want := c.Asset.Zone == "hhs.csv"; listed != want || !want && c.Answer != advisory.NotListed {
			t.Errorf("%s %s %s: %s", c.Asset.Vendor, c.Asset.Product, c.Asset.Version, c.Answer)
		}
		n++
	}
	if n < 140 {
		t.Errorf("only %d assets", n)
	}
}
