package db

import "time"

// Millis is how the database keeps a time: milliseconds since 1970 UTC, and 0 for
// the zero time, which is never. No column keeps a time in another way.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Instant is the time that Millis has kept, in UTC.
func Instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
