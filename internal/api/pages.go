package api

import (
	"slices"

	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/webapi"
)

var errOneFactor = fault.NewCode(fault.Denied, "second-factor",
	"api: the pages of a system behind the gate need a second factor, and this session has shown none")

// factors are the ways to sign in that show a second factor, or leave that to the identity provider.
var factors = []string{"totp", "passkey", "recovery", identity.MethodProvider}

// pageVisit is what the pages of a route sent the browser here with.
type pageVisit struct {
	Route string `json:"route"`
	Nonce string `json:"nonce"`
	To    string `json:"to"`
}

// enterPages says where a browser that came from the pages of a route goes next.
func (s *Services) enterPages(rq *webapi.Request) (any, error) {
	var in pageVisit
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if rq.ByToken() || !slices.Contains(factors, rq.Caller().Session().Method) {
		return nil, errOneFactor
	}

	address, err := s.EnterPages(rq.Context(), rq.Caller(), in.Route, in.Nonce, in.To)
	if err != nil {
		return nil, err
	}
	return webapi.Location{Location: address}, nil
}
