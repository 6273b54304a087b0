package maintenance

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

func TestACodeCountsOnceForItsPersonWithASecondFactor(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	x, secret := s.opened()
	for name, c := range map[string]struct {
		who  Visitor
		code string
	}{
		"another person": {visitor("eve", "s9", "totp"), secret}, "a password alone": {visitor("acme", "s1", "password"), secret},
		"a provider of which nobody knows the factor": {visitor("acme", "s1", "oidc"), secret},
		"a guess": {acme, newSecret()}, "nothing": {acme, ""},
	} {
		if _, err := s.Claim(t.Context(), c.who, c.code); fault.Of(err) != fault.Denied {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Connect(t.Context(), acme); fault.Of(err) != fault.NotFound {
		t.Errorf("before the code: %v", err)
	}

	got, err := s.Claim(t.Context(), acme, secret)
	if err != nil || got.Number != x.Number {
		t.Fatal(got, err)
	}
	for _, again := range []Visitor{acme, visitor("acme", "s2", "totp")} {
		if _, err := s.Claim(t.Context(), again, secret); fault.Of(err) != fault.Denied {
			t.Errorf("a second time: %v", err)
		}
	}
	if _, err := s.Connect(t.Context(), visitor("acme", "s2", "totp")); fault.Of(err) != fault.NotFound {
		t.Errorf("another session of the same person: %v", err)
	}

	first, second := s.carried(), s.carried() // a viewer comes again
	wantEcho(t, first)
	wantEcho(t, second)
	if told := s.details(); !strings.Contains(told, "shown by somebody else") || strings.Contains(told, secret) || strings.Contains(told, "ping") {
		t.Errorf("recorded: %s", told)
	}
}

func TestOfTwoWithOneCodeAtATimeOneIsLetInAndOneRecordedAsNot(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	_, secret := s.opened()
	const many = 8
	errs := make(chan error, many)
	for range many {
		go func() { _, err := s.Claim(t.Context(), acme, secret); errs <- err }()
	}
	in := 0
	for range many {
		if err := <-errs; err == nil {
			in++
		} else if fault.Of(err) != fault.Denied {
			t.Error(err)
		}
	}
	told := s.details()
	if in != 1 || strings.Count(told, "1 entered, ")-strings.Count(told, "not entered after all") != 1 {
		t.Errorf("%d were let in; recorded: %s", in, told)
	}
}

func TestWhatCannotBeRecordedDoesNotHappen(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	full := fault.New(fault.Unavailable, "audit: the disk is full")
	_, secret := s.opened()

	s.set(func() { s.full = full })
	if _, _, err := s.Open(t.Context(), Order{Route: "CT2", To: s.target.String(), Person: "acme", Minutes: 1}, s.note); !errors.Is(err, full) {
		t.Errorf("opened: %v", err)
	}
	if open, err := s.open(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("open: %+v, %v", open, err)
	}
	if _, err := s.Claim(t.Context(), acme, secret); !errors.Is(err, full) {
		t.Errorf("entered: %v", err)
	}

	s.set(func() { s.full = nil })
	if _, err := s.Claim(t.Context(), acme, secret); err != nil {
		t.Errorf("the code was spent: %v", err)
	}
	s.set(func() { s.full = full })
	if _, err := s.Connect(t.Context(), acme); !errors.Is(err, full) {
		t.Errorf("carried: %v", err)
	}
}

func TestDoorsAreFew(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	for _, minutes := range []int{-1, 0, MinutesMost + 1} {
		if _, _, err := s.Open(t.Context(), Order{Route: "CT2", To: s.target.String(), Person: "acme", Minutes: minutes}, s.note); fault.Of(err) != fault.Invalid {
			t.Errorf("%d minutes: %v", minutes, err)
		}
	}
	_, secret := s.opened()
	for range doorsMost - 1 {
		s.opened()
	}
	if _, _, err := s.Open(t.Context(), Order{Route: "CT2", To: s.target.String(), Person: "acme", Minutes: 1}, s.note); fault.Of(err) != fault.Busy {
		t.Errorf("one more: %v", err)
	}

	if _, err := s.Claim(t.Context(), acme, secret); err != nil {
		t.Fatal(err)
	}
	for range connectionsMost {
		wantEcho(t, s.carried())
	}
	if _, err := s.Connect(t.Context(), acme); fault.Of(err) != fault.Busy {
		t.Errorf("one more connection: %v", err)
	}
}

// The hash alone is kept, and doors that ended long ago are forgotten.
func TestTheRegisterHoldsNoCodeAndForgets(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	_, secret := s.opened()
	s.Begin(t.Context())
	err := s.DB.Read(t.Context(), func(tx *db.Tx) error {
		hash, err := db.Column[[]byte](t.Context(), tx, `SELECT hash FROM maintenance_door`)
		if err != nil || !slices.Equal(hash[0], secretHash(secret)) || len(hash[0]) != 32 {
			t.Errorf("%x, %v", hash, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}

	s.opened()
	s.Begin(t.Context())
	s.reg.Clock.Advance(endedKept + time.Hour)
	s.opened()
	if list, _ := s.List(t.Context()); len(list) != 2 || list[0].Number != 3 || list[1].Number != 2 {
		t.Errorf("%+v", list)
	}
}
