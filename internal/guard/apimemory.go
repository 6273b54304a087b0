package guard

import (
	"context"
	"time"

	"collimator/internal/budget"
	"collimator/internal/fault"
)

// What a request to the API holds, in bytes. It is taken from the budget of all
// requests before the handler runs, at the one place that all handlers pass.
const (
	// openCost is of a request to sign in: its buffers, and a body of bodyMost as it
	// came and as it was read. Strangers cause them, so it is no more than that.
	openCost = 64 << 10
	// apiWait is how long a request waits until there is room.
	apiWait = 10 * time.Second
)

var errNoMemory = fault.New(fault.Busy, "guard: the memory for requests is taken; try again later")

// Holds says of routes that were registered before how many bytes each may hold
// where that is more than other requests do: a list that is read as a whole, and
// the answer that is made of it.
func (a *API) Holds(bytes int64, patterns ...string) {
	for _, p := range patterns {
		if _, ok := a.verbs[p]; !ok {
			panic("guard: " + p + " is no route")
		}
		a.costs[p] = bytes
	}
}

// cost is what a request to a route holds.
func (a *API) cost(pattern string) int64 {
	if _, guarded := a.verbs[pattern]; !guarded {
		return openCost
	}
	return max(a.costs[pattern], requestCost)
}

// reserve takes what a request is going to hold: in the name of who asks, and of
// the address. The function it returns gives it back.
func (rq *Request) reserve(cost int64) (done func(), err error) {
	account := rq.g.Memory.Open(origin(rq.address))
	if rq.c != nil {
		account = rq.g.open(rq.c)
		rq.c.account = account
	}

	ctx, end := context.WithTimeoutCause(rq.Context(), apiWait, errNoMemory)
	defer end()
	if err := account.Reserve(ctx, cost); err != nil {
		account.Close()
		return nil, err
	}
	rq.account = account
	rq.held = cost
	rq.r = rq.r.WithContext(budget.With(rq.Context(), account))
	return account.Close, nil
}

// fits takes what an answer needs beyond the half of what the request has for it.
// It is held until the answer is written, which a client may read slowly.
func (rq *Request) fits(bytes int) error {
	more := int64(bytes) - rq.held/2
	if more <= 0 || rq.account == nil {
		return nil
	}
	err := rq.account.Grow(more)
	if fault.Of(err) == fault.TooLarge {
		return fault.New(fault.TooLarge, "guard: the answer needs more memory than one request may take; ask for less at a time")
	}
	return err
}
