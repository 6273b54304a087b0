package guard

import (
	"context"

	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// Service is an application entity behind the door: the archive, or a route of the
// gate.
type Service struct {
	// Negotiate answers the contexts that a registered device asks for. Its error is
	// the rejection.
	Negotiate func(ctx context.Context, rq *dimse.AssociateRequest, device policy.Principal) (dimse.Acceptance, error)
	// Route gives the rules of a route as they are now; its error, that the route is
	// gone or closed. nil: this is the archive, and registrations count.
	Route func() (*policy.Route, error)
}

// Offer is the archive as a Service, or anything else that supports the same for
// everybody.
func Offer(s dimse.Support) *Service {
	return &Service{Negotiate: func(_ context.Context, rq *dimse.AssociateRequest, _ policy.Principal) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, s), nil
	}}
}

// errNobody refuses what is done outside of a request.
var errNobody = fault.New(fault.Denied, "guard: this is not within a request")

// rules are those of the route a caller came to; nil at the archive.
func (c *Caller) rules() (*policy.Route, error) {
	if c.service == nil || c.service.Route == nil {
		return nil, nil
	}
	return c.service.Route()
}
