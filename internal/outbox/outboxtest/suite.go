package outboxtest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/outbox"
)

// Sender is who has objects sent: what is made of an outbox.
type Sender interface {
	// Put queues an object; it is durable when that returns nil.
	Put(ctx context.Context, study, uid, content string) error
	// Queue lists what has not arrived.
	Queue(ctx context.Context) ([]outbox.Item, error)
	// Retry has what was set aside sent again.
	Retry(ctx context.Context) error
}

// Start makes a sender to a target and runs it until the test ends. It is called within the bubble
// of fake time.
type Start func(t *testing.T, to *Target, commit outbox.Commit) Sender

// Run holds a sender to what an outbox promises.
func Run(t *testing.T, start Start) {
	for name, test := range map[string]func(*testing.T, Start){
		"what is queued arrives once, in order, on one association":    testOrder,
		"a week without network drains in order":                       testWeek,
		"a study that is refused for now does not hold up another":     testOtherStudy,
		"what is refused for good is set aside, and its study goes on": testPoison,
		"an association that ends over an object is tried again":       testBroken,
		"an object over which every association ends is set aside":     testAlwaysBroken,
		"the same twice is one, another content is refused":            testTwice,
		"what the target does not commit to is sent again":             testCommitment,
		"a target that has to commit and does not offer it keeps all":  testRequired,
		"a class that is not taken is set aside":                       testClass,
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, start) }) })
	}
}

func put(t *testing.T, s Sender, study string, n int) string {
	t.Helper()
	uid := fmt.Sprintf("%s.%d", study, n)
	if err := s.Put(t.Context(), study, uid, "content of "+uid); err != nil {
		t.Fatal(err)
	}
	return uid
}

// within waits until so much fake time has passed or a condition holds.
func within(t *testing.T, d time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(d); ; {
		if holds() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", d, what)
		}
		time.Sleep(time.Second)
	}
}

func queue(t *testing.T, s Sender) []outbox.Item {
	t.Helper()
	list, err := s.Queue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func empty(t *testing.T, s Sender) func() bool {
	return func() bool { return len(queue(t, s)) == 0 }
}

func arrived(to *Target) (uids []string) {
	for _, a := range to.Arrived() {
		uids = append(uids, a.UID)
	}
	return uids
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("arrived %v, want %v", got, want)
	}
}

func testOrder(t *testing.T, start Start) {
	to := &Target{}
	s := start(t, to, outbox.IfOffered)
	to.Down(true)
	var want []string
	for n := range 5 {
		want = append(want, put(t, s, "1.2", n))
	}
	to.Down(false)
	within(t, time.Minute, "all arrive", empty(t, s))
	equal(t, arrived(to), want)
	for _, a := range to.Arrived() {
		if a.Association != to.Arrived()[0].Association {
			t.Errorf("on another association: %+v", to.Arrived())
		}
	}
}

func testWeek(t *testing.T, start Start) {
	to := &Target{Commits: true}
	s := start(t, to, outbox.IfOffered)
	to.Down(true)
	want := map[string][]string{}
	for n := range 28 { // an object of each of two studies every six hours
		for _, study := range []string{"1.2", "1.3"} {
			want[study] = append(want[study], put(t, s, study, n))
		}
		time.Sleep(6 * time.Hour)
	}
	if n := len(queue(t, s)); n != 56 || len(to.Arrived()) != 0 {
		t.Fatalf("after a week %d wait and %d arrived", n, len(to.Arrived()))
	}

	to.Down(false)
	within(t, 2*time.Hour, "all arrive", empty(t, s))
	got := map[string][]string{}
	for _, uid := range arrived(to) {
		got[uid[:3]] = append(got[uid[:3]], uid)
	}
	for study := range want {
		equal(t, got[study], want[study])
	}
}

func testOtherStudy(t *testing.T, start Start) {
	open := time.Now().Add(3 * time.Hour)
	to := &Target{Answer: func(uid string, _ int) (dimse.StatusCode, error) {
		if uid == "1.2.0" && time.Now().Before(open) {
			return dimse.OutOfResources, nil
		}
		return dimse.Success, nil
	}}
	s := start(t, to, outbox.No)
	first, second := put(t, s, "1.2", 0), put(t, s, "1.2", 1)
	other := put(t, s, "1.3", 0)
	within(t, time.Minute, "the other study arrives", func() bool { return len(to.Arrived()) == 1 })
	equal(t, arrived(to), []string{other})
	within(t, 6*time.Hour, "the study arrives", empty(t, s))
	equal(t, arrived(to), []string{other, first, second})
}

func testPoison(t *testing.T, start Start) {
	for _, code := range []dimse.StatusCode{dimse.DataSetDoesNotMatchSOPClass, dimse.CannotUnderstand} {
		to := &Target{Answer: func(uid string, _ int) (dimse.StatusCode, error) {
			if uid == "1.2.0" {
				return code, nil
			}
			return dimse.Success, nil
		}}
		s := start(t, to, outbox.No)
		put(t, s, "1.2", 0)
		good := put(t, s, "1.2", 1)
		within(t, 10*time.Minute, "the rest arrives", func() bool { return len(queue(t, s)) == 1 })
		equal(t, arrived(to), []string{good})
		list := queue(t, s)
		if len(list) != 1 || list[0].State != outbox.Aside || list[0].Reason == "" {
			t.Fatalf("%s: %+v", code, list)
		}

		to.Answer = nil
		if err := s.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		within(t, time.Minute, "it arrives after all", empty(t, s))
	}
}

func testBroken(t *testing.T, start Start) {
	to := &Target{Answer: func(uid string, n int) (dimse.StatusCode, error) {
		if uid == "1.2.1" && n <= 3 {
			return 0, ErrBroken
		}
		return dimse.Success, nil
	}}
	s := start(t, to, outbox.No)
	want := []string{put(t, s, "1.2", 0), put(t, s, "1.2", 1), put(t, s, "1.2", 2)}
	within(t, time.Hour, "all arrive", empty(t, s))
	equal(t, arrived(to), want)
}

func testAlwaysBroken(t *testing.T, start Start) {
	to := &Target{Answer: func(uid string, _ int) (dimse.StatusCode, error) {
		if uid == "1.2.0" {
			return 0, ErrBroken
		}
		return dimse.Success, nil
	}}
	s := start(t, to, outbox.No)
	put(t, s, "1.2", 0)
	other := put(t, s, "1.2", 1)
	within(t, 6*time.Hour, "the rest arrives", func() bool { return len(to.Arrived()) == 1 })
	equal(t, arrived(to), []string{other})
}

func testTwice(t *testing.T, start Start) {
	to := &Target{}
	s := start(t, to, outbox.IfOffered)
	to.Down(true)
	uid := put(t, s, "1.2", 0)
	put(t, s, "1.2", 0)
	if err := s.Put(t.Context(), "1.2", uid, "something else"); fault.Of(err) != fault.Conflict {
		t.Errorf("another content: %v", err)
	}
	to.Down(false)
	within(t, time.Minute, "it arrives", empty(t, s))
	equal(t, arrived(to), []string{uid})
}

func testCommitment(t *testing.T, start Start) {
	to := &Target{Commits: true, Keeps: func(uid string, n int) bool { return uid != "1.2.1" || n > 2 }}
	s := start(t, to, outbox.IfOffered)
	want := []string{put(t, s, "1.2", 0), put(t, s, "1.2", 1)}
	within(t, time.Hour, "all are kept", empty(t, s))
	equal(t, arrived(to), append(want, "1.2.1", "1.2.1"))
}

func testRequired(t *testing.T, start Start) {
	to := &Target{}
	s := start(t, to, outbox.Required)
	put(t, s, "1.2", 0)
	time.Sleep(24 * time.Hour)
	list := queue(t, s)
	if len(list) != 1 || list[0].State != outbox.Sent || len(to.Arrived()) != 1 {
		t.Errorf("after a day: %+v, arrived %d", list, len(to.Arrived()))
	}
}

func testClass(t *testing.T, start Start) {
	to := &Target{}
	s := start(t, to, outbox.No)
	to.Down(true)
	put(t, s, "1.2", 0)
	to.Refuses = []string{queue(t, s)[0].SOPClassUID}
	to.Down(false)
	within(t, time.Hour, "it is set aside", func() bool { return queue(t, s)[0].State == outbox.Aside })
}
