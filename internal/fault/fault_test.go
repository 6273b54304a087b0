package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"collimator/internal/fault"
)

func TestOfFindsTheOutermostKind(t *testing.T) {
	t.Parallel()
	inner := fault.New(fault.NotFound, "archive: no such study")
	for _, c := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"nil", nil, fault.None},
		{"plain error", io.ErrUnexpectedEOF, fault.Internal},
		{"fault", inner, fault.NotFound},
		{"wrapped fault", fmt.Errorf("x: %w", inner), fault.NotFound},
		{"overruled", fault.Wrap(fault.Internal, inner, "archive: a part is missing"), fault.Internal},
		{"kind alone", fmt.Errorf("x: %w", fault.Busy), fault.Busy},
		{"fault around fault", fault.Wrap(fault.Denied, inner, "guard: not yours"), fault.Denied},
		{"cancelled", fmt.Errorf("x: %w", context.Canceled), fault.Canceled},
		{"deadline", context.DeadlineExceeded, fault.Unavailable},
	} {
		if got := fault.Of(c.err); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestASentenceHasNoPackageAndOneFullStop(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"archive: nothing is stored here":          "Nothing is stored here.",
		"api: hours is a number. Say how many.":    "Hours is a number. Say how many.",
		"two words: and what belongs to them":      "Two words: and what belongs to them.",
		"deid: the profile is wrong: no such name": "The profile is wrong: no such name.",
		"": "Not found.",
	} {
		if got := fault.Sentence(fault.New(fault.NotFound, text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestWrapKeepsTheCauseAndHidesItFromUsers(t *testing.T) {
	t.Parallel()
	err := fault.Wrap(fault.Unavailable, io.ErrShortWrite, "blob: store is full")
	if !errors.Is(err, io.ErrShortWrite) || fault.Of(err) != fault.Unavailable {
		t.Errorf("cause or kind lost: %v", err)
	}
	if got := fault.Text(err); got != "blob: store is full" {
		t.Errorf("text shows %q", got)
	}
	if fault.Wrap(fault.Busy, nil, "x") != nil {
		t.Error("a nil error became one")
	}
}
