package signin

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

// Bounds of tokens: of one answer, of the memory it takes, and of how long one is
// valid.
const (
	tokensMost  = 500
	tokensBytes = 8 << 20
	tokenHours  = 366 * 24
)

// listTokens lists the caller's own.
func (rq *request) listTokens() (any, error) {
	all, err := rq.s.door.Registry.Tokens(rq.Context())
	own := slices.DeleteFunc(all, func(t *identity.AccessToken) bool { return t.Owner != rq.Person().Name })
	return webapi.NewList(own[:min(len(own), tokensMost)]), err
}

// newToken is a token to be made.
type newToken struct {
	Scope   string   `json:"scope"`
	Studies []string `json:"studies,omitempty"`
	Hours   int      `json:"hours"` // for which it is valid
}

// madeToken is a token with its secret.
type madeToken struct {
	identity.AccessToken
	Secret string `json:"secret"` // shown only now
}

func (rq *request) createToken() (any, error) {
	var in newToken
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	verbs, ok := policy.Scope(in.Scope)
	if !ok {
		return nil, fault.New(fault.Invalid, "signin: scope is read, write, metrics or admin")
	}
	for _, study := range in.Studies {
		if !uid.Tolerable(study) {
			return nil, fault.New(fault.Invalid, "signin: studies holds a value that is not a UID")
		}
	}
	if in.Hours < 1 || in.Hours > tokenHours {
		return nil, fault.Newf(fault.Invalid, "signin: hours is a number from 1 to %d", tokenHours)
	}

	valid := time.Duration(in.Hours) * time.Hour
	t, secret, err := rq.s.door.Registry.CreateToken(rq.Context(), rq.Person().Name, verbs, in.Studies, valid)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Create, audit.Object{Person: t.Owner, Detail: "token " + t.ID + " " + in.Scope})
	return madeToken{t, secret}, nil
}

// revokeToken ends one of the caller's own; those of others are not there.
func (rq *request) revokeToken() (any, error) {
	all, err := rq.s.door.Registry.Tokens(rq.Context())
	if err != nil {
		return nil, err
	}

	id := rq.Path("id")
	if !slices.ContainsFunc(all, func(t *identity.AccessToken) bool { return t.ID == id && t.Owner == rq.Person().Name }) {
		return nil, fault.New(fault.NotFound, "signin: you have no such token")
	}
	if err := rq.s.door.Registry.RevokeToken(rq.Context(), id); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Delete, audit.Object{Detail: "token " + id + " revoked"})
	return nil, nil
}
