package guard

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"collimator/internal/identity"
)

func FuzzEmergencyReason(f *testing.F) {
	for _, s := range []string{"", "x", "unconscious, prior CT needed", "Notfall \xfcber Nacht", "a\x00bcdef", strings.Repeat("ä", 200), "\u202eabcdef"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := emergencyReason(&http.Request{Header: http.Header{EmergencyHeader: {s}}}, &webCaller{session: &identity.Session{}})
		if err != nil {
			if !errors.Is(err, errEmergency) || strings.Contains(err.Error(), s) && len(s) > 40 {
				t.Errorf("%v", err)
			}
			return
		}
		n := utf8.RuneCountInString(got)
		if n < emergencyLeast || n > emergencyMost || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q was taken", got)
		}
	})
}

func TestAlarmsOfAFloodAreCountedNotWritten(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	c := &webCaller{session: &identity.Session{ID: "s"}}
	c.who.Name = "grace"
	for range 100 {
		d.alarm(t.Context(), c, "1.2", "a good reason")
	}
	d.alarm(t.Context(), c, "1.3", "a good reason")
	if n := len(d.records()); n != sampleBurst+1 {
		t.Errorf("%d records, want %d", n, sampleBurst+1)
	}
}
