package api

import (
	"slices"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// tokens lists the caller's own.
func (s *Services) tokens(rq *webapi.Request) (any, error) {
	all, err := s.Registry.Tokens(rq.Context())
	own := slices.DeleteFunc(all, func(t *identity.AccessToken) bool { return t.Owner != rq.Person().Name })
	return list(own[:min(len(own), pageMost)]), err
}

// scopes are the verbs of a token in a word, as the command has them.
func scopes(name string) ([]policy.Verb, error) {
	verbs, ok := policy.Scope(name)
	if !ok {
		return nil, fault.New(fault.Invalid, "api: scope is read, write, metrics or admin")
	}
	return verbs, nil
}

func (s *Services) createToken(rq *webapi.Request) (any, error) {
	var in struct {
		Scope   string
		Studies []string
		Hours   int // for which it is valid
	}
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	verbs, err := scopes(in.Scope)
	if err != nil {
		return nil, err
	}
	for _, study := range in.Studies {
		if !uid.Tolerable(study) {
			return nil, fault.New(fault.Invalid, "api: studies holds what is no UID")
		}
	}
	if in.Hours < 1 || in.Hours > 366*24 {
		return nil, fault.New(fault.Invalid, "api: hours is a number from 1 to 8784")
	}
	t, secret, err := s.Registry.CreateToken(rq.Context(), rq.Person().Name, verbs, in.Studies, time.Duration(in.Hours)*time.Hour)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Create, audit.Object{Person: t.Owner, Detail: "token " + t.ID + " " + in.Scope})
	return struct {
		identity.AccessToken
		Secret string `json:"secret"` // shown only now
	}{t, secret}, nil
}

// revokeToken ends one of the caller's own; those of others are not there.
func (s *Services) revokeToken(rq *webapi.Request) (any, error) {
	all, err := s.Registry.Tokens(rq.Context())
	if err != nil {
		return nil, err
	}
	id := rq.Path("id")
	if !slices.ContainsFunc(all, func(t *identity.AccessToken) bool { return t.ID == id && t.Owner == rq.Person().Name }) {
		return nil, fault.New(fault.NotFound, "api: you have no such token")
	}
	if err := s.Registry.RevokeToken(rq.Context(), id); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Delete, audit.Object{Detail: "token " + id + " revoked"})
	return nil, nil
}

func (s *Services) people(rq *webapi.Request) (any, error) {
	all, err := s.Registry.People(rq.Context())
	return list(all), err
}

// invite makes a one-time link by which somebody new chooses a password: no
// administrator ever knows one.
func (s *Services) invite(rq *webapi.Request) (any, error) {
	var in struct{ Name, Role string }
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
	return struct {
		identity.Link
		URL string `json:"link"` // shown only now
	}{l, s.Links + secret}, nil
}
