package terminal

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/shown"
)

func TestOutputAsJSONIsShownWithoutHarm(t *testing.T) {
	t.Parallel()
	const text = "Größe 医\u0085\u009b31m\u202eabc\u2066\u2028\u200b\ufeff\U000e0041\x7f𝄞"
	var b bytes.Buffer
	if err := JSON(&b, []string{text}); err != nil || strings.Count(b.String(), "\n") != 3 || shown.Text(strings.ReplaceAll(b.String(), "\n", "")) != strings.ReplaceAll(b.String(), "\n", "") {
		t.Errorf("%q: %v", b.String(), err)
	}
}

func TestSizePrintsBytesForPeople(t *testing.T) {
	t.Parallel()
	for in, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1 kB", 526_000: "526 kB", 1_500_000: "1.5 MB", 2_340_000_000: "2.3 GB"} {
		if got := Size(in); got != want {
			t.Errorf("Size(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestLastDayOfAnExceptionIsTheOneThatWasGiven(t *testing.T) {
	t.Parallel()
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.Local)
	if got := LastDay(end); got != "2026-12-31" {
		t.Errorf("last day is %s", got)
	}
	if got := LastDay(time.Time{}); got != "-" {
		t.Errorf("without an end: %s", got)
	}
}

func TestNobodyIsAskedWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	var prompt bytes.Buffer
	a := Asking{In: strings.NewReader("first line\r\nsecond\n"), Prompt: &prompt}
	if _, err := a.NewPassword(""); fault.EndingOf(err) != fault.Misused || !strings.Contains(err.Error(), "--password-file") {
		t.Errorf("without a terminal: %v", err)
	}
	if got, err := a.NewPassword("-"); err != nil || got != "first line" {
		t.Errorf("standard input: %q, %v", got, err)
	}

	again := errors.New("not that")
	a.In = strings.NewReader("1\n 2 \n3\n")
	var tried []string
	err := a.Until("Digits: ", 2, again, func(line string) error {
		tried = append(tried, line)
		return again
	})
	if !errors.Is(err, again) || !slices.Equal(tried, []string{"1", "2"}) || strings.Count(prompt.String(), "That was not it.") != 2 {
		t.Errorf("%v after %q: %s", err, tried, &prompt)
	}
}

func TestWhereThereIsNoTerminalProgressIsNotShown(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := Stages{W: &out}
	s.At("files").Count(2_000_000)
	p := s.At("files")
	if got := p.line(); !strings.HasPrefix(got, "files 1, 2.0 MB at ") {
		t.Errorf("the line is %q", got)
	}
	s.At("verified").Tick()
	s.End()
	if out.Len() > 0 {
		t.Errorf("printed: %q", &out)
	}
}

func TestTimesOfLinksAreReadInDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"7d": 168 * time.Hour, "2w": 336 * time.Hour, "36h": 36 * time.Hour, "1h30m": 90 * time.Minute} {
		var l Lifetime
		if err := l.UnmarshalText([]byte(text)); err != nil || time.Duration(l) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(l), err)
		}
	}
	for _, text := range []string{"", "d", "x", "-1d", "7days"} {
		if new(Lifetime).UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
