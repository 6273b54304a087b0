package guard

import (
	"time"

	"collimator/internal/lockout"
)

// attempts counts what is shown to be let in and did not count. Each has a table of
// its own, so that none is filled or forgotten by another; sign-in counts by account
// as well.
type attempts struct {
	origins *lockout.Table // whatever is shown, by address, of IPv6 by network
	devices *lockout.Table // passcodes of people, by the device that shows them
}

func newAttempts(now func() time.Time) attempts {
	table := func() *lockout.Table { return lockout.New(now, lockout.Usual(lockout.Most)) }
	return attempts{origins: table(), devices: table()}
}

// FromAddress counts by where somebody comes from. A success there forgets
// nothing: who has one account could else go on guessing at others.
func (g *Guard) FromAddress(address string) lockout.Slot {
	return lockout.Slot{Table: g.attempts.origins, Key: lockout.Origin(address)}
}
