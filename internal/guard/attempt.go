package guard

import (
	"context"
	"time"

	"collimator/internal/fault"
	"collimator/internal/lockout"
)

// Bounds of the lock-out: after attemptsFree failures a key waits, twice as
// long with each further one.
const (
	attemptsFree  = 5
	attemptsFirst = time.Second
	attemptsMost  = 15 * time.Minute
	attemptsKeys  = 10_000
	// accountQuiet is how long an account must be left alone until its failures
	// are forgotten: who knows the password must not get through all codes.
	accountQuiet = 24 * time.Hour
)

// attempts counts what people, programs and devices show to be let in. Each has
// a table of its own, so that none is filled or forgotten by another.
type attempts struct {
	origins   *lockout.Table // whatever is shown, by address, of IPv6 by network
	passwords *lockout.Table // by account, from wherever
	codes     *lockout.Table // of the second factor, by account
	devices   *lockout.Table // passcodes of people, by the device that shows them
}

func newAttempts(now func() time.Time) attempts {
	table := func(quiet time.Duration) *lockout.Table {
		return lockout.New(now, lockout.Bounds{Free: attemptsFree, First: attemptsFirst, Most: attemptsMost, Quiet: quiet, Keys: attemptsKeys})
	}
	return attempts{origins: table(attemptsMost), passwords: table(accountQuiet), codes: table(accountQuiet), devices: table(attemptsMost)}
}

// slot is where an attempt counts.
type slot struct {
	table *lockout.Table
	key   string
	// forgive lets a success forget what failed before under this key: for the
	// very thing that was shown, of the one it belongs to.
	forgive bool
}

// fromAddress counts by where somebody comes from. A success there forgets
// nothing: who has one account could else go on guessing at others.
func (g *Guard) fromAddress(address string) slot {
	return slot{table: g.attempts.origins, key: lockout.Origin(address)}
}

// waitError is for an attempt that was not tried.
type waitError struct{ after time.Duration }

var errTooMany = fault.New(fault.Busy, "guard: too many attempts that did not count; try again later")

// Error says so.
func (e *waitError) Error() string { return errTooMany.Error() }

// Unwrap gives the kind.
func (e *waitError) Unwrap() error { return errTooMany }

// seconds is the value of Retry-After.
func (e *waitError) seconds() int { return int(max(e.after, time.Second)/time.Second) + 1 }

// try is the one way to judge what somebody shows: it takes an attempt in each
// slot, judges, and settles them. What may not be tried now is a *waitError.
// Where it did not count, wait is how long whoever tried has to wait from now on.
func (g *Guard) try(ctx context.Context, judge func() (bool, error), slots ...slot) (ok bool, wait time.Duration, err error) {
	taken := make([]*lockout.Attempt, 0, len(slots))
	defer func() { // whatever was not settled did not count
		for _, a := range taken {
			a.Failed()
		}
	}()
	for _, s := range slots {
		a, wait := s.table.Take(ctx, s.key)
		if a == nil {
			untried(taken)
			return false, 0, &waitError{wait}
		}
		taken = append(taken, a)
	}
	if ok, err = judge(); err != nil {
		untried(taken)
		return false, 0, err
	}
	for i, a := range taken {
		switch {
		case !ok:
			wait = max(wait, a.Failed())
		case slots[i].forgive:
			a.Forgive()
		default:
			a.Succeeded()
		}
	}
	return ok, wait, nil
}

func untried(taken []*lockout.Attempt) {
	for _, a := range taken {
		a.Untried()
	}
}
