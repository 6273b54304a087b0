package guard

import "context"

// way is one way in, as the steps of pass see it: an association, DICOMweb or the
// API. The error of a step is the refusal. What somebody may not do has been
// recorded by then; want of room, or of a second factor of late, is only told.
type way[Answer any] interface {
	// authenticate finds who asks, as it is registered now.
	authenticate(ctx context.Context) (*Caller, error)
	// authorise asks policy, by what is known before anything is read or held, and
	// gives the caller its sight.
	authorise(ctx context.Context, c *Caller) error
	// limit finds a place, opens the account of the request, and makes sure that
	// what is done can be recorded.
	limit(ctx context.Context, c *Caller) error
	// inspect looks at what the request says, out of the caller's account. Objects
	// that come to be stored are looked at where they arrive, byte by byte:
	// archive.Options.Inspect, before one is stored.
	inspect(ctx context.Context, c *Caller) error
	// act does what was asked for, and ends it when the right to it ends.
	act(ctx context.Context, c *Caller) Answer
	// record writes down what was done.
	record(ctx context.Context, c *Caller, answer Answer)
	// refusal is the answer for the error of a step before act. The caller may be nil
	// where authenticate gave none.
	refusal(ctx context.Context, c *Caller, err error) Answer
}

// pass is the door: whatever came, by whichever way, takes these steps in this
// order, and what differs between the ways stands in dimse.go, web.go and api.go.
func pass[Answer any](ctx context.Context, w way[Answer]) Answer {
	c, err := w.authenticate(ctx)
	if err != nil {
		return w.refusal(ctx, c, err)
	}

	if err := w.authorise(ctx, c); err != nil {
		return w.refusal(ctx, c, err)
	}

	defer c.leave()
	if err := w.limit(ctx, c); err != nil {
		return w.refusal(ctx, c, err)
	}

	if err := w.inspect(ctx, c); err != nil {
		return w.refusal(ctx, c, err)
	}

	answer := w.act(identityContext(ctx, c), c)

	w.record(ctx, c, answer)
	return answer
}
