package posture

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/alarm"
	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/finding"
	"collimator/internal/scan"
)

// ear is a channel that keeps what it hears.
type ear struct {
	mu   sync.Mutex
	deaf bool
	got  []alarm.Message
}

// Name implements alarm.Channel.
func (*ear) Name() string { return "ear" }

// Send implements alarm.Channel.
func (e *ear) Send(_ context.Context, m alarm.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf {
		return errors.New("deaf")
	}
	e.got = append(e.got, m)
	return nil
}

func (e *ear) heard() []alarm.Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.got)
}

func (e *ear) setDeaf(deaf bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.deaf = deaf
}

// start runs f until the returned function is called.
func start(ctx context.Context, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { f(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

func TestEachAlarmIsToldOnceAndARunIsOneMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := house(t, nil)
		e := &ear{}
		teller := &Teller{Posture: p, Channels: []alarm.Channel{e}, Severity: finding.High, From: "test"}
		// What was there before nobody is told.
		if err := recorder(t, p, scan.Options{}).Record(t.Context(), host("10.1.2.2", 104)); err != nil {
			t.Fatal(err)
		}
		stop := start(t.Context(), teller.Run)
		time.Sleep(time.Minute)
		r := recorder(t, p, scan.Options{})
		for _, a := range []string{"10.1.2.2", "10.1.2.3", "10.1.2.4"} {
			if err := r.Record(t.Context(), host(a, 104)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second) // a scan takes its time
		}
		time.Sleep(time.Minute)
		got := e.heard()
		if len(got) != 1 || got[0].Severity != "high" || strings.Contains(got[0].Text(), "10.1.2.2") || !strings.Contains(got[0].Text(), "10.1.2.3:104") || !strings.Contains(got[0].Text(), "10.1.2.4:104") {
			t.Fatalf("%d messages: %+v", len(got), got)
		}
		// The same again, with the channel out of order and a restart between: nothing new.
		if err := recorder(t, p, scan.Options{}).Record(t.Context(), host("10.1.2.3", 104)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		if n := len(e.heard()); n != 1 {
			t.Fatalf("%d messages after the same scan", n)
		}
		// An outage: what happens meanwhile comes later, once.
		e.setDeaf(true)
		stop = start(t.Context(), teller.Run)
		reason := audit.Record{Event: audit.EmergencyAccess, Reason: "emergency access: ZZPHI^TYPED", Principal: "grace", Kind: "person", Peer: audit.Peer{Address: "10.0.0.9"}, Objects: []audit.Object{{Study: "2.25.99"}}}
		held := audit.Record{Event: audit.SecurityAlert, Code: audit.HeldSuspicious, Reason: "whatever is said to people", Principal: "CT1", Peer: audit.Peer{Address: "10.0.0.8"}, Objects: []audit.Object{{Study: "2.25.99", Detail: "2.25.99.1"}}}
		copied := audit.Record{Event: audit.SecurityAlert, Code: audit.PasskeyCopied, Reason: "whatever is said to people", Principal: "ada", Peer: audit.Peer{Address: "10.0.0.7"}}
		broken := audit.Record{Event: audit.SecurityAlert, Code: audit.GlassBroken, Reason: "whatever is said to people", Principal: "eve", Peer: audit.Peer{Address: "10.0.0.6"}}
		if err := p.Trail.Write(t.Context(), reason, held, held, copied, broken); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		e.setDeaf(false)
		time.Sleep(time.Hour)
		stop()
		got = e.heard()
		if len(got) != 2 || got[1].Severity != "critical" || len(got[1].Events) != 4 {
			t.Fatalf("%d messages: %+v", len(got), got)
		}
		text := got[1].Title + got[1].Text()
		for _, no := range []string{"ZZPHI", "2.25.99"} {
			if strings.Contains(text, no) {
				t.Errorf("the alarm holds %q: %s", no, text)
			}
		}
		for _, yes := range []string{"Emergency access by grace from 10.0.0.9", "A suspicious object from 10.0.0.8", "A passkey of ada was copied", "eve signed in from 10.0.0.6 past the identity provider", "(2 times)"} {
			if !strings.Contains(text, yes) {
				t.Errorf("the alarm lacks %q: %s", yes, text)
			}
		}
	})
}

// fakeScan takes a time and says when it began.
type fakeScan struct {
	mu    sync.Mutex
	took  time.Duration
	fail  error
	begun []time.Time
}

func (f *fakeScan) run(ctx context.Context, o scan.Options) (*scan.Result, error) {
	f.mu.Lock()
	f.begun = append(f.begun, o.Now())
	took, fail := f.took, f.fail
	f.mu.Unlock()
	select {
	case <-time.After(took):
	case <-ctx.Done():
		return &scan.Result{}, context.Cause(ctx)
	}
	if fail != nil {
		return nil, fail
	}
	return &scan.Result{Addresses: 1, Looked: 1}, nil
}

func (f *fakeScan) times() (out []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.begun {
		out = append(out, t.Format("Mon 02 15:04 MST"))
	}
	return out
}

func TestSchedulesRunOnTimeOverDaylightSavingAndOneAfterAnother(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("left out: no time zones on this machine")
	}
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScan{took: 3 * time.Hour}
		p := house(t, func(o *Options) {
			o.Now, o.Scan = func() time.Time { return time.Now().In(zone) }, f.run
		})
		time.Sleep(time.Until(time.Date(2000, 3, 25, 12, 0, 0, 0, zone)))
		stop := start(t.Context(), func(ctx context.Context) {
			p.Follow(ctx, []config.Scan{{Name: "day", Targets: []string{"127.0.0.1"}, At: "02:30"}, {Name: "week", Targets: []string{"127.0.0.1"}, At: "Sun 04:00"}})
		})
		time.Sleep(60 * time.Hour)
		stop()
		// 26 March 2000: 02:30 does not exist, the first moment after the gap is
		// 03:00; the weekly one waits for its end.
		want := []string{"Sun 26 03:00 CEST", "Sun 26 06:00 CEST", "Mon 27 02:30 CEST"}
		if got := f.times(); !slices.Equal(got, want) {
			t.Errorf("began %v, want %v", got, want)
		}
		if jobs := p.Jobs(); len(jobs) != 3 || jobs[2].Schedule != "day" || jobs[1].Schedule != "week" || jobs[1].State != Done {
			t.Errorf("%+v", jobs)
		}
	})
}

func TestMissedScheduleIsCaughtUpOnceWhereAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScan{took: 26 * time.Hour}
		p := house(t, func(o *Options) { o.Scan = f.run; o.Now = func() time.Time { return time.Now().UTC() } })
		list := []config.Scan{{Name: "day", Targets: []string{"127.0.0.1"}, At: "03:00", CatchUp: true}}
		follow := func(ctx context.Context) { p.Follow(ctx, list) }
		stop := start(t.Context(), follow) // 2000-01-01 00:00: set up, nothing was missed
		time.Sleep(time.Hour)
		stop()
		time.Sleep(10 * 24 * time.Hour) // the server is off
		stop = start(t.Context(), follow)
		time.Sleep(51 * time.Hour)
		stop()
		// Once at the start (01:00), until 03:00 of the next day; the moment at which
		// it was still at work is left out.
		want := []string{"Tue 11 01:00 UTC", "Thu 13 03:00 UTC"}
		if got := f.times(); !slices.Equal(got, want) {
			t.Errorf("began %v, want %v", got, want)
		}
		p.Close()
		if jobs := p.Jobs(); len(jobs) != 2 || jobs[0].State != Stopped {
			t.Errorf("%+v", jobs)
		}
	})
}

func TestScheduledScanThatFailsIsRecordedForAnAlarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScan{fail: errors.New("no network")}
		p := house(t, func(o *Options) { o.Scan = f.run; o.Now = func() time.Time { return time.Now().UTC() } })
		e := &ear{}
		teller := &Teller{Posture: p, Channels: []alarm.Channel{e}, Severity: finding.Critical, From: "test"}
		stopTeller := start(t.Context(), teller.Run)
		stop := start(t.Context(), func(ctx context.Context) {
			p.Follow(ctx, []config.Scan{{Name: "day", Targets: []string{"127.0.0.1"}, At: "03:00"}, {Name: "out", Targets: []string{"10.0.0.1"}, At: "04:00"}})
		})
		time.Sleep(20 * time.Hour)
		stop()
		stopTeller()
		got := e.heard()
		if len(got) != 2 || got[0].Title != "A scheduled scan failed: day" || got[1].Title != "A scheduled scan failed: out" {
			t.Errorf("%+v", got)
		}
	})
}
