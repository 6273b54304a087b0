package terminal

import (
	"fmt"
	"time"

	"collimator/internal/fault"
)

// Dash stands where there is nothing to say.
func Dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// YesNo is an answer in a table.
func YesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// Day is the day of a time here; a dash for the zero time.
func Day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateOnly)
}

// LastDay is the last day before an end.
func LastDay(end time.Time) string {
	if end.IsZero() {
		return "-"
	}
	return Day(end.Add(-time.Nanosecond))
}

// Minute is a time here, to the minute.
func Minute(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// MinuteOr is Minute, and a word for the zero time.
func MinuteOr(t time.Time, never string) string {
	if t.IsZero() {
		return never
	}
	return Minute(t)
}

// Size prints bytes for people, in units of a thousand.
func Size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}

// ParseDay reads a day, as 2026-12-31, as the moment it begins here. Anything
// else ends as fault.Misused, with the flag that it was given to.
func ParseDay(flag, s string) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, s, time.Local)
	if err != nil {
		return t, fault.Usage("%s: want a date such as 2026-12-31", flag)
	}
	return t, nil
}
