package api

import (
	"slices"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// tokensMost is how many tokens of everybody a list has: the newest.
const tokensMost = 1000

// registerTokens puts the routes about the tokens of everybody on the guard's multiplexer; one's own are
// those of internal/signin.
func (s *Services) registerTokens(a *webapi.API) {
	a.Handle("GET /api/v1/access-tokens", policy.People, s.tokens)
	a.Handle("DELETE /api/v1/access-tokens/{id}", policy.People, s.revokeToken)
	a.Holds(listBytes, "GET /api/v1/access-tokens")
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/access-tokens": webapi.Does("List the tokens of everybody, the newest first").
			Gives(webapi.List[*identity.AccessToken]{}),
		"DELETE /api/v1/access-tokens/{id}": webapi.Does("Revoke a token of anybody").GivesNothing(),
	})
}

func (s *Services) tokens(rq *webapi.Request) (any, error) {
	all, err := s.Registry.Tokens(rq.Context())
	return webapi.NewList(all[:min(len(all), tokensMost)]), err
}

func (s *Services) revokeToken(rq *webapi.Request) (any, error) {
	all, err := s.Registry.Tokens(rq.Context())
	if err != nil {
		return nil, err
	}
	id := rq.Path("id")
	i := slices.IndexFunc(all, func(t *identity.AccessToken) bool { return t.ID == id })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "api: there is no such token")
	}
	if err := s.noAdministratorByToken(rq, all[i].Owner, ""); err != nil {
		return nil, err
	}
	if err := s.Registry.RevokeToken(rq.Context(), id); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Delete, audit.Object{Person: all[i].Owner, Detail: "token " + id + " revoked"})
	return nil, nil
}
