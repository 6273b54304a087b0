package guard

import (
	"context"
	"errors"
	"strings"
	"testing"

	"collimator/internal/budget"
)

// steps is a way in that says which steps were taken, and refuses at one.
type steps struct {
	taken   []string
	refuses string
	memory  *budget.Budget
}

var _ way[string] = (*steps)(nil)

func (s *steps) take(step string) error {
	s.taken = append(s.taken, step)
	if step == s.refuses {
		return errors.New(step)
	}
	return nil
}

func (s *steps) authenticate(context.Context) (*Caller, error) {
	return &Caller{}, s.take("authenticate")
}

func (s *steps) authorise(context.Context, *Caller) error { return s.take("authorise") }

func (s *steps) limit(ctx context.Context, c *Caller) error {
	c.account = s.memory.Open()
	return errors.Join(c.account.Reserve(ctx, 100), s.take("limit"))
}

func (s *steps) inspect(context.Context, *Caller) error { return s.take("inspect") }

func (s *steps) act(ctx context.Context, c *Caller) string {
	s.take("act")
	if _, ok := Principal(ctx); !ok || budget.From(ctx) != c.account {
		return "nobody acts"
	}
	return "done"
}

func (s *steps) record(_ context.Context, _ *Caller, answer string) { s.take("record: " + answer) }

func (s *steps) refusal(_ context.Context, _ *Caller, err error) string {
	return "refused: " + err.Error()
}

func TestWhateverComesTakesSixStepsAndARefusalEndsIt(t *testing.T) {
	t.Parallel()
	all := []string{"authenticate", "authorise", "limit", "inspect", "act", "record: done"}
	for at, step := range append(all[:4:4], "") {
		s := &steps{refuses: step, memory: budget.New(1000)}
		answer := pass(t.Context(), s)

		want, wantAnswer := all[:at+1], "refused: "+step
		if step == "" {
			want, wantAnswer = all, "done"
		}
		if strings.Join(s.taken, " ") != strings.Join(want, " ") || answer != wantAnswer {
			t.Errorf("refused at %q: %q, %v", step, answer, s.taken)
		}
		if u := s.memory.Usage(); u.Held != 0 {
			t.Errorf("refused at %q: %d bytes are held afterwards", step, u.Held)
		}
	}
}
