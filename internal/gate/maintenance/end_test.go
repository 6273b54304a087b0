package maintenance

import (
	"strings"
	"testing"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

func TestADoorEndsWithWhatItWasOpenedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(*site, Door)
		why     string
	}{
		"shut": {func(s *site, x Door) {
			if _, err := s.Shut(s.Context(), x.Number, s.note); err != nil {
				s.Error(err)
			}
		}, "it was shut"},
		"shut by a command beside the server": {func(s *site, x Door) {
			if _, err := New(s.Options).Shut(s.Context(), x.Number, s.note); err != nil {
				s.Error(err)
			}
		}, "it was shut"},
		"route closed": {func(s *site, _ Door) {
			s.set(func() { s.place = fault.New(fault.Conflict, "gate: the route is closed") })
		}, "closed"},
		"person gone": {func(s *site, _ Door) {
			s.set(func() { s.may = fault.New(fault.NotFound, "identity: nobody of this name") })
		}, "may not come any more"},
		"signed out":     {func(s *site, _ Door) { s.set(func() { s.session = false }) }, "session ended"},
		"time over":      {func(s *site, _ Door) { s.reg.Clock.Advance(time.Hour) }, "time is over"},
		"client silent":  {func(s *site, _ Door) { s.reg.Clock.Advance(silentMost) }, "not heard"},
		"left":           {func(s *site, _ Door) { s.Leave(s.Context(), acme) }, "acme left"},
		"server stopped": {func(s *site, _ Door) { s.Doors.Close() }, "server stops"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestSite(t)
			x, secret := s.opened()
			if _, err := s.Claim(t.Context(), acme, secret); err != nil {
				t.Fatal(err)
			}
			conn := s.carried()
			wantEcho(t, conn)

			c.happens(s, x)
			wantEnd(t, conn)
			if _, err := s.Connect(t.Context(), acme); err == nil {
				t.Error("another connection is carried")
			}
			s.Doors.Close() // waits for the record
			list, err := s.List(t.Context())
			if err != nil || list[0].Ended.IsZero() || !strings.Contains(list[0].Why, c.why) {
				t.Errorf("%+v, %v", list, err)
			}
			if told := s.details(); !strings.Contains(told, "carried, to "+s.target.String()+" for acme: 4 bytes to the target, 4 from it") ||
				!strings.Contains(told, "1 connection, 4 bytes to the target, 4 from it") {
				t.Errorf("recorded: %s", told)
			}
		})
	}
}

func TestADoorThroughWhichNobodyCameEndsToo(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	x, secret := s.opened()
	if err := s.look(t.Context()); err != nil || !strings.Contains(s.States.All()[0].Text, "number 1 to "+s.target.String()+" for acme at CT2") {
		t.Errorf("%+v, %v", s.States.All(), err)
	}
	s.reg.Clock.Set(x.Until)
	if _, err := s.Claim(t.Context(), acme, secret); fault.Of(err) != fault.Denied {
		t.Errorf("at its end: %v", err)
	}
	s.look(t.Context())
	s.look(t.Context())
	if list, _ := s.List(t.Context()); list[0].Why != "its time is over" || len(s.States.All()) != 0 {
		t.Errorf("%+v, %+v", list, s.States.All())
	}
}

// A clock that is set back gives no door another time.
func TestADoorEndsWhenTheClockIsSetBackBehindItsOpening(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	x, secret := s.opened()
	s.reg.Clock.Set(x.Opened.Add(-time.Hour))
	if _, err := s.Claim(t.Context(), acme, secret); fault.Of(err) != fault.Denied {
		t.Errorf("%v", err)
	}
	s.look(t.Context())
	if list, _ := s.List(t.Context()); !strings.Contains(list[0].Why, "clock") {
		t.Errorf("%+v", list)
	}
}

func TestNoDoorSurvivesAStartOfTheServer(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	_, secret := s.opened()
	_, used := s.opened()
	if _, err := s.Claim(t.Context(), acme, used); err != nil {
		t.Fatal(err)
	}
	wantEcho(t, s.carried()) // and then the server is no more, without a word

	again := New(s.Options)
	s.refuse("UPDATE", true)
	if err := again.Begin(t.Context()); err == nil {
		t.Error("doors ended on a disk that is full")
	}
	if _, err := again.Claim(t.Context(), acme, secret); fault.Of(err) != fault.Unavailable {
		t.Errorf("a door of before: %v", err)
	}
	again.look(t.Context())
	s.refuse("UPDATE", false)
	for range 2 {
		if err := again.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := again.Claim(t.Context(), acme, secret); fault.Of(err) != fault.Denied {
		t.Errorf("%v", err)
	}
	told := s.details()
	if strings.Count(told, "the server was started anew") != 2 || strings.Count(told, "started anew; what it carried is not known") != 1 ||
		strings.Count(told, "started anew; 0 connections") != 1 {
		t.Errorf("recorded: %s", told)
	}
}

// refuse makes the register refuse to do something, as a disk that is full does.
func (s *site) refuse(what string, on bool) {
	s.Helper()
	query := `DROP TRIGGER full`
	if on {
		query = `CREATE TRIGGER full BEFORE ` + what + ` ON maintenance_door BEGIN SELECT RAISE(ABORT, 'disk full'); END`
	}
	err := s.DB.Write(s.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(s.Context(), query)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

func TestTheEndOfADoorIsRecordedOnceWhileItCannotBeRegistered(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	s.opened() // nobody comes
	_, secret := s.opened()
	if _, err := s.Claim(t.Context(), acme, secret); err != nil {
		t.Fatal(err)
	}
	conn := s.carried()
	wantEcho(t, conn)

	s.refuse("UPDATE", true)
	s.Leave(t.Context(), acme)
	wantEnd(t, conn)
	s.Doors.going.Wait()
	s.reg.Clock.Advance(time.Hour)
	for range 3 {
		if err := s.look(t.Context()); err == nil {
			t.Error("registered on a disk that is full")
		}
	}
	s.refuse("UPDATE", false)
	for range 2 {
		if err := s.look(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if open, err := s.open(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%+v, %v", open, err)
	}
	if told := s.details(); strings.Count(told, "over, to") != 2 || strings.Count(told, "acme left; 1 connection, 4 bytes") != 1 {
		t.Errorf("recorded: %s", told)
	}
}
