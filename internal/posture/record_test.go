package posture

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/audit"
	"collimator/internal/db/dbtest"
	"collimator/internal/finding"
	"collimator/internal/inventory"
	"collimator/internal/ledger"
	"collimator/internal/registers"
	"collimator/internal/scan"
)

// house is a posture over an empty database.
func house(t *testing.T, change func(*Options)) *Posture {
	t.Helper()
	dir := t.TempDir()
	d, err := dbtest.Open(t.Context(), filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ledger.OpenKey(dir, "test/ledger")
	if err != nil {
		t.Fatal(err)
	}
	book := ledger.New(d, key)
	o := Options{DB: d, Registers: registers.New(d, book), Inventory: inventory.New(d, time.Now), Trail: audit.New(d, book, time.Now), Now: time.Now, Log: slog.New(slog.DiscardHandler), Version: "test"}
	if change != nil {
		change(&o)
	}
	p := New(o)
	t.Cleanup(func() {
		p.Close()
		d.Close()
	})
	return p
}

// host is what a scan found of a host whose services are open DICOM at ports.
func host(address string, ports ...uint16) *scan.HostResult {
	f := &finding.Facts{Address: netip.MustParseAddr(address), At: time.Now()}
	for _, p := range ports {
		accept := finding.Outcome{Answer: "accept"}
		f.Services = append(f.Services, &finding.Service{Port: p, Kind: finding.KindDICOM, DICOM: &finding.DICOM{Presence: finding.Outcome{Answer: "reject", Result: 1, Source: 2, Reason: 2}, RandomCalled: accept, KnownCalled: "ANY", CalledFrom: "any", ClassUID: "1.2.276.0.7230010.3.0.3.6.7", VersionName: "OFFIS_DCMTK_367"}})
	}
	return &scan.HostResult{Facts: f, Issues: finding.Judge(f)}
}

func states(t *testing.T, r *inventory.Register) map[string]string {
	t.Helper()
	all, err := r.Issues(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, i := range all {
		out[i.Check+" "+i.Place.String()] = string(i.State)
	}
	return out
}

func recorder(t *testing.T, p *Posture, opt scan.Options) *Recorder {
	t.Helper()
	r, err := NewRecorder(t.Context(), p.Inventory, opt, "test")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOneHostIsOneAssetHoweverOftenItIsSeen(t *testing.T) {
	t.Parallel()
	p := house(t, nil)
	for range 2 {
		r := recorder(t, p, scan.Options{})
		for range 2 { // the engine judges neighbours that answer alike a second time
			if err := r.Record(t.Context(), host("10.1.2.3", 104)); err != nil {
				t.Fatal(err)
			}
		}
	}
	list, err := p.Inventory.Assets(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%d assets, %v", len(list), err)
	}
	if a := list[0]; !slices.Equal(a.Addresses, []string{"10.1.2.3"}) || !slices.Equal(a.Ports, []int{104}) || len(a.Implementations) != 1 || len(a.AETitles) != 0 {
		t.Errorf("asset %+v", a)
	}
}

func TestGoneIssuesBecomeFixedOnlyWhereTheScanLooked(t *testing.T) {
	t.Parallel()
	p := house(t, nil)
	if err := recorder(t, p, scan.Options{}).Record(t.Context(), host("10.1.2.3", 104, 11112)); err != nil {
		t.Fatal(err)
	}
	// Another look at one port finds it closed: the other stays, and so does what
	// is wrong with the host as a whole.
	narrow := recorder(t, p, scan.Options{})
	if err := narrow.Closed(t.Context(), netip.MustParseAddr("10.1.2.3"), []uint16{104}); err != nil {
		t.Fatal(err)
	}
	got := states(t, p.Inventory)
	for key, want := range map[string]string{"DIC-002 10.1.2.3:104": "fixed", "DIC-002 10.1.2.3:11112": "open", "TLS-001 10.1.2.3": "open"} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	// A host that was left early says nothing about what was not asked.
	early := host("10.1.2.3")
	early.Facts.Stopped = "port 104 does not answer any more"
	if err := recorder(t, p, scan.Options{}).Record(t.Context(), early); err != nil {
		t.Fatal(err)
	}
	if got := states(t, p.Inventory)["DIC-002 10.1.2.3:11112"]; got != "open" {
		t.Errorf("after a look that was broken off the issue is %s", got)
	}
	if err := recorder(t, p, scan.Options{}).Closed(t.Context(), netip.MustParseAddr("10.1.2.3"), scan.Options{}.Looked(false)); err != nil {
		t.Fatal(err)
	}
	for key, state := range states(t, p.Inventory) {
		if state != "fixed" {
			t.Errorf("nothing is open any more and %s is %s", key, state)
		}
	}
}

func TestClosedAddressesWithoutHistoryMakeNoAssets(t *testing.T) {
	t.Parallel()
	p := house(t, nil)
	if err := recorder(t, p, scan.Options{}).Closed(t.Context(), netip.MustParseAddr("10.9.9.9"), []uint16{104}); err != nil {
		t.Fatal(err)
	}
	if list, err := p.Inventory.Assets(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%d assets, %v", len(list), err)
	}
}

func TestAdvisoriesSpeakOfWhatAScanRecognised(t *testing.T) {
	t.Parallel()
	advise := Advise(advisory.Default())
	h := host("10.1.2.3", 104)
	list := advise(h.Facts)
	if len(list) == 0 {
		t.Fatal("no advisory speaks of DCMTK 3.6.7")
	}
	for _, i := range list {
		// A toolkit may have been patched under the same number.
		if !i.Possible || i.Check != "ADV-005" || len(i.Gains) == 0 || i.Place.Address != h.Facts.Address {
			t.Errorf("%+v", i)
		}
	}
	if list := advise(&finding.Facts{Address: h.Facts.Address}); list != nil {
		t.Errorf("what was not recognised got %d answers", len(list))
	}
	// Stored they belong to the asset, once.
	p := house(t, nil)
	h.Issues = append(h.Issues, list...)
	r := recorder(t, p, scan.Options{})
	if err := errors.Join(r.Record(t.Context(), h), r.Finish(t.Context())); err != nil {
		t.Fatal(err)
	}
	n := 0
	all, _ := p.Inventory.Issues(t.Context(), "")
	for _, i := range all {
		if i.Check == "ADV-005" {
			n++
		}
	}
	if n != len(list) {
		t.Errorf("%d issues of advisories in the inventory, %d in the scan", n, len(list))
	}
}

func TestResultOfAScanElsewhereIsTakenIn(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(scan.Result{Hosts: []scan.HostResult{*host("10.1.2.3", 104), *host("10.1.2.4", 104)}})
	if err != nil {
		t.Fatal(err)
	}
	var back scan.Result
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	p := house(t, nil)
	for range 2 {
		if n, err := Replay(t.Context(), p.Inventory, &back); n != 2 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if got := states(t, p.Inventory)["ASC-001 10.1.2.4:104"]; got != "open" {
		t.Errorf("the issue is %q", got)
	}
	if _, err := Replay(context.Background(), p.Inventory, &scan.Result{Hosts: []scan.HostResult{{}}}); err == nil {
		t.Error("a host without an address was taken")
	}
}
