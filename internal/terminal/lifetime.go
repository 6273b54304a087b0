package terminal

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Lifetime is a time of a flag in hours (36h), days (7d) or weeks (2w).
type Lifetime time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Lifetime) UnmarshalText(b []byte) error {
	s := string(b)
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil {
				return errors.New("want a time such as 36h, 7d or 2w")
			}
			*l = Lifetime(time.Duration(n) * unit)
			return nil
		}
	}

	d, err := time.ParseDuration(s)
	if err != nil {
		return errors.New("want a time such as 36h, 7d or 2w")
	}
	*l = Lifetime(d)
	return nil
}
