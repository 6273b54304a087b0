package guard

import (
	"context"
	"net/http"

	"collimator/dicom"
	"collimator/dicomweb"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/httpsec"
)

// requestCost is what a web request holds by itself, in bytes: its buffers, and what
// compresses its answer.
const requestCost = 256 << 10

// openWeb opens the account of a web request and waits for its turn. Whoever asks
// for hundreds of things at the same time waits behind himself.
func (g *Guard) openWeb(ctx context.Context, c *Caller, call *dicomweb.Call) error {
	c.account = g.open(c)
	if err := c.account.Reserve(ctx, requestCost); err != nil {
		c.account.Close()
		return noRoom(err)
	}

	call.Memory = c.memory
	call.Holder = string(c.who.Kind) + " " + c.who.Name
	return nil
}

// memory opens an account for a piece of what a web request does, and waits for
// its turn where n bytes are not free.
func (c *Caller) memory(ctx context.Context, n int64) (dicom.Account, func(), error) {
	piece := c.account.Piece()
	if err := piece.Reserve(ctx, n); err != nil {
		piece.Close()
		return nil, nil, noRoom(err)
	}
	return webAccount{piece}, piece.Close, nil
}

// webAccount is an account whose refusals are answers of DICOMweb.
type webAccount struct{ *budget.Account }

var _ dicom.Account = webAccount{}

// Grow implements dicom.Account.
func (a webAccount) Grow(n int64) error { return noRoom(a.Account.Grow(n)) }

// Failure reasons (0008,1197) for want of memory: the one passes, the other does
// not (PS3.4 B.2.3).
const (
	reasonOutOfResources   = 0xA700
	reasonCannotUnderstand = 0xC000
)

// noRoom is the answer where there is no room in the budget: now, or ever.
func noRoom(err error) error {
	switch fault.Of(err) {
	case fault.Busy:
		return &dicomweb.Error{
			Status:        http.StatusServiceUnavailable,
			FailureReason: reasonOutOfResources,
			Detail:        "The memory for requests is taken. Try again later.",
			Header:        http.Header{"Retry-After": {httpsec.RetryAfter}},
			Err:           err,
		}
	case fault.TooLarge:
		return &dicomweb.Error{
			Status:        http.StatusRequestEntityTooLarge,
			FailureReason: reasonCannotUnderstand,
			Detail: "This needs more memory than one request may take. " +
				"Ask for less at a time, or let an administrator raise limits.memory.",
			Err: err,
		}
	}

	return err
}
