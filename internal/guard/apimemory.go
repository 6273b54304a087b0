package guard

import (
	"context"
	"time"

	"collimator/internal/fault"
)

// What a request to the API holds is taken from the budget of all requests before
// the handler runs, at the one place that all handlers pass.
const (
	// openCost, in bytes, is of a request to sign in: its buffers, and a body of 16 KiB as it
	// came and as it was read. Strangers cause them, so it is no more than that.
	openCost = 64 << 10
	// listenCost is of one that goes on only to hear of changes, as each open page of the console does: the
	// buffers of its connection.
	listenCost = 32 << 10
	// apiWait is how long a request waits until there is room.
	apiWait = 10 * time.Second
)

var errNoMemory = fault.New(fault.Busy, "guard: the memory for requests is taken; try again later")

// openAPI takes what a request is going to hold: in the name of who asks, and of
// the address.
func (g *Guard) openAPI(ctx context.Context, c *Caller, route Route) error {
	c.held = openCost
	switch {
	case route.Anybody && route.Lasts:
		c.held = listenCost
	case !route.Open:
		c.held = max(route.Holds, requestCost)
	}
	c.account = g.open(c)

	ctx, end := context.WithTimeoutCause(ctx, apiWait, errNoMemory)
	defer end()
	return c.account.Reserve(ctx, c.held)
}

// Fits takes what an answer to a request of the API needs beyond the half of what
// the request has for it, in bytes. It is held until the answer is written, which
// a client may read slowly. The error is of kind TooLarge or Busy.
func (c *Caller) Fits(bytes int) error {
	more := int64(bytes) - c.held/2
	if more <= 0 {
		return nil
	}

	err := c.account.Grow(more)
	if fault.Of(err) == fault.TooLarge {
		return fault.New(fault.TooLarge,
			"guard: the answer needs more memory than one request may take; ask for less at a time")
	}
	return err
}
