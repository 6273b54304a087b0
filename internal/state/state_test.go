package state_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/state"
)

func TestSinceIsTheTimeOfTheLevelAndNotOfTheText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := state.New(time.Now)
		began := time.Now()
		r.Degraded("disk", "10 % are free", "make room")
		time.Sleep(time.Hour)
		r.Degraded("disk", "9 % are free", "make room")

		s := r.All()[0]
		if !s.Since.Equal(began) || s.Text != "9 % are free" {
			t.Errorf("%+v", s)
		}
		r.Well("disk", "")
		if s = r.All()[0]; !s.Since.Equal(time.Now()) || s.Do != "" {
			t.Errorf("%+v", s)
		}
	})
}

func TestChangesOfALevelAreToldOnce(t *testing.T) {
	t.Parallel()
	r := state.New(time.Now)
	var told []string
	r.Watch(func(before, after state.State) {
		told = append(told, after.Name+" "+before.Level.String()+" "+after.Level.String())
	})
	r.Well("clamd", "")
	r.Well("clamd", "answers")
	r.Failing("clamd", "does not answer", "start it")
	r.Failing("clamd", "does not answer", "start it")
	r.Degraded("disk", "", "")
	r.Well("clamd", "")

	want := []string{"clamd unknown well", "clamd well failing", "disk unknown degraded", "clamd failing well"}
	if len(told) != len(want) {
		t.Fatal(told)
	}
	for i := range want {
		if told[i] != want[i] {
			t.Errorf("change %d: %s, not %s", i, told[i], want[i])
		}
	}
	if r.Worst() != state.Degraded {
		t.Error(r.Worst())
	}
	r.Forget("disk")
	if r.Worst() != state.Well || len(r.All()) != 1 {
		t.Error(r.All())
	}
}

func TestStatesInJSON(t *testing.T) {
	t.Parallel()
	r := state.New(func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) })
	r.Failing("audit.trail", "nothing can be recorded", "make room")
	b, err := json.Marshal(r.All())
	const want = `[{"name":"audit.trail","level":"failing","since":"2026-01-02T03:04:05Z","text":"nothing can be recorded","do":"make room"}]`
	if err != nil || string(b) != want {
		t.Errorf("%s %v", b, err)
	}
}

func TestANilRegisterKeepsNothing(t *testing.T) {
	t.Parallel()
	var r *state.Register
	r.Well("x", "")
	r.Forget("x")
	if r.All() != nil || r.Worst() != state.Well {
		t.Error("a nil register keeps something")
	}
}
