package guard

import (
	"time"

	"collimator/internal/lockout"
)

// accountQuiet is how long an account must be left alone until its failures
// are forgotten: who knows the password must not get through all codes.
const accountQuiet = 24 * time.Hour

// attempts counts what people, programs and devices show to be let in. Each has
// a table of its own, so that none is filled or forgotten by another.
type attempts struct {
	origins   *lockout.Table // whatever is shown, by address, of IPv6 by network
	passwords *lockout.Table // by account, from wherever
	codes     *lockout.Table // of the second factor, by account
	devices   *lockout.Table // passcodes of people, by the device that shows them
}

func newAttempts(now func() time.Time) attempts {
	table := func(quiet time.Duration) *lockout.Table { return lockout.New(now, lockout.Usual(quiet)) }
	return attempts{origins: table(lockout.Most), passwords: table(accountQuiet), codes: table(accountQuiet), devices: table(lockout.Most)}
}

// FromAddress counts by where somebody comes from. A success there forgets
// nothing: who has one account could else go on guessing at others.
func (g *Guard) FromAddress(address string) lockout.Slot {
	return lockout.Slot{Table: g.attempts.origins, Key: lockout.Origin(address)}
}
