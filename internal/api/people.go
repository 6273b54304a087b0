package api

import (
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

func (s *Services) people(rq *webapi.Request) (any, error) {
	all, err := s.Registry.People(rq.Context())
	return webapi.NewList(all), err
}

// invitation is for somebody new.
type invitation struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

// invited is a one-time link with its address.
type invited struct {
	identity.Link
	URL string `json:"link"` // shown only now
}

// invite makes a one-time link by which somebody new chooses a password: no
// administrator ever knows one.
func (s *Services) invite(rq *webapi.Request) (any, error) {
	var in invitation
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	if err := identity.CheckRole(in.Role); err != nil {
		return nil, err
	}

	if rq.ByToken() && policy.Role(in.Role) == policy.Administrator {
		return nil, fault.New(fault.Denied, "api: a token invites no administrators; sign in to do that")
	}

	l, secret, err := s.Registry.Invite(rq.Context(), in.Name, in.Role, rq.Person().Name)
	if err != nil {
		return nil, err
	}

	rq.Record(audit.PersonChanged, audit.Create, audit.Object{Person: in.Name, Detail: "one-time link for a new " + in.Role})
	return invited{l, s.Links + secret}, nil
}
