package api

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAReadingOfTheTrailBeginsOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	r := newReadings(func() time.Time { return now })

	for _, step := range []struct {
		after     time.Duration
		who, what string
		begins    bool
	}{
		{0, "person grace", "", true},
		{time.Minute, "person grace", "", false},                   // pages on
		{0, "person grace", "patient=ZZPHI", true},                 // looks for something else
		{0, "person ada", "", true},                                // somebody else
		{readingLasts, "person grace", "", true},                   // comes back
		{readingLasts - 1, "person grace", "patient=ZZPHI", true},  // was longer ago
		{readingLasts - 1, "person grace", "patient=ZZPHI", false}, // still reads
		{time.Nanosecond, "person grace", "patient=ZZPHI", true},   // however often it asked meanwhile
	} {
		now = now.Add(step.after)
		if got := r.begins(step.who, step.what); got != step.begins {
			t.Errorf("%s %q at %v: begins %t", step.who, step.what, now, got)
		}
	}

	if !r.begins("person bob", "patient study", "ZZPHI-1", "2") || !r.begins("person bob", "patient study", "ZZPHI-2", "2") ||
		!r.begins("person bob", "patient study", "ZZPHI-", "12") || r.begins("person bob", "patient study", "ZZPHI-2", "2") {
		t.Error("another value is not another reading")
	}
	for key := range r.got {
		if strings.Contains(key, "ZZPHI-") {
			t.Error("a value is remembered as it is")
		}
	}

	for i := range 3 * readingsMost {
		if !r.begins("person eve", strconv.Itoa(i)) {
			t.Fatal("a reading that is new was not recorded")
		}
	}
	if len(r.got) > readingsMost {
		t.Errorf("%d readings are remembered", len(r.got))
	}
}
