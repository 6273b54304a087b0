package guard

import (
	"context"

	"collimator/dimse"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// Service is an application entity behind the door: the archive, or a route of the
// gate.
type Service struct {
	// Name is that of a route, for the numbers.
	Name string
	// Negotiate answers the contexts that a registered device asks for. Its error is
	// the rejection.
	Negotiate func(ctx context.Context, rq *dimse.AssociateRequest, device policy.Principal) (dimse.Acceptance, error)
	// Route gives the rules of a route as they are now; its error, that the route is
	// gone or closed. nil: this is the archive, and registrations count.
	Route func() (*policy.Route, error)
	// Grants reports whether the rules let a device do any of what it asks for, at a
	// route; that they do not is recorded.
	Grants func(rq *dimse.AssociateRequest, device policy.Principal) bool
	// Behind, where it is set, says that this is not for callers but for the system
	// behind a route, which no register has, and who that is; its error, that it is
	// not any more.
	Behind func() (policy.Principal, error)
	// Expects reports whether somebody who may asked for what comes from there.
	Expects func(call *dimse.Call) bool
}

// Behind is a service for the system behind a route, without contexts and without what it may send. now
// gives its AE title and the rules as they are; its error, that it is not that system any more,
// or that nobody is let through.
func Behind(route string, now func() (aeTitle string, rules *policy.Route, err error)) *Service {
	return &Service{
		Name: route,
		Behind: func() (policy.Principal, error) {
			aeTitle, _, err := now()
			if err != nil {
				return policy.Principal{}, err
			}
			return policy.Principal{Kind: policy.System, Name: aeTitle}, nil
		},
		Route: func() (*policy.Route, error) {
			_, rules, err := now()
			return rules, err
		},
	}
}

// identify finds who asks for an association, or sends on one.
func (g *Guard) identify(ctx context.Context, claim identity.Caller, s *Service) (policy.Principal, error) {
	if s != nil && s.Behind != nil {
		who, err := s.Behind()
		if err != nil {
			return policy.Principal{}, &identity.Refusal{Text: fault.Sentence(err)}
		}
		return who, nil
	}

	device, err := g.Registry.Authenticate(ctx, claim)
	if err != nil {
		return policy.Principal{}, err
	}
	return device.Principal(claim.Way()), nil
}

// Outgoing is what an association that the gate opens to the system behind a route
// carries, so that what comes back on it passes the guard: Config.Principal.
func (g *Guard) Outgoing(s *Service, address, aeTitle string) any {
	return &Caller{
		who:     policy.Principal{Kind: policy.System, Name: aeTitle},
		peer:    audit.Peer{Address: address, CallingAETitle: aeTitle},
		door:    doorPlain,
		service: s,
		guard:   g,
	}
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

// routeName is the route a caller came to; empty at the archive.
func (c *Caller) routeName() string {
	if c.service == nil {
		return ""
	}
	return c.service.Name
}
