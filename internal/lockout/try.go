package lockout

import (
	"context"
	"time"

	"collimator/internal/fault"
)

// Bounds of the lock-out of whoever shows something to be let in: after Free
// failures a key waits for First, twice as long with each further one and for Most
// at the longest. Keys is how many a table tells apart.
const (
	Free  = 5
	First = time.Second
	Most  = 15 * time.Minute
	Keys  = 10_000
)

// Usual are the bounds of a table whose keys are forgotten after being quiet for
// so long.
func Usual(quiet time.Duration) Bounds {
	return Bounds{Free: Free, First: First, Most: Most, Quiet: quiet, Keys: Keys}
}

// Slot is where an attempt counts.
type Slot struct {
	Table *Table
	Key   string
	// Forgive lets a success forget what failed before under this key: for the
	// very thing that was shown, of the one it belongs to.
	Forgive bool
}

// WaitError is for an attempt that was not tried. It is of kind Busy.
type WaitError struct{ After time.Duration }

var errTooMany = fault.NewCode(fault.Busy, "too-many-attempts", "lockout: too many attempts that did not count; try again later")

// Error implements error.
func (e *WaitError) Error() string { return errTooMany.Error() }

// Unwrap gives the kind.
func (e *WaitError) Unwrap() error { return errTooMany }

// Seconds is the value of Retry-After: rounded up, so that nobody comes too early.
func (e *WaitError) Seconds() int { return int(max(e.After, time.Second)/time.Second) + 1 }

// Try is the one way to judge what somebody shows: it takes an attempt in each
// slot, judges, and settles them. What may not be tried now is a *WaitError; an
// error of judge is returned and counts for nothing. Where it did not count, wait is how long whoever tried has to wait from now on.
func Try(ctx context.Context, judge func() (bool, error), slots ...Slot) (ok bool, wait time.Duration, err error) {
	taken := make([]*Attempt, 0, len(slots))
	defer func() { // whatever was not settled did not count
		for _, a := range taken {
			a.Failed()
		}
	}()

	for _, s := range slots {
		a, after := s.Table.Take(ctx, s.Key)
		if a == nil {
			untried(taken)
			return false, 0, &WaitError{After: after}
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
		case slots[i].Forgive:
			a.Forgive()
		default:
			a.Succeeded()
		}
	}
	return ok, wait, nil
}

func untried(taken []*Attempt) {
	for _, a := range taken {
		a.Untried()
	}
}

// Find finds what belongs to a secret that nobody guesses. What is of kind Denied
// counts as an attempt that failed.
func Find[T any](ctx context.Context, find func() (T, error), slots ...Slot) (found T, err error) {
	var denied error
	_, _, err = Try(ctx, func() (bool, error) {
		x, err := find()
		if fault.Of(err) == fault.Denied {
			denied = err
			return false, nil
		}
		found = x
		return err == nil, err
	}, slots...)
	if err == nil {
		err = denied
	}
	return found, err
}
