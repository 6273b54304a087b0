package signin

import (
	"cmp"
	"errors"

	"collimator/internal/audit"
	"collimator/internal/identity"
	"collimator/internal/lockout"
)

// oneTimeLink is what stands behind the # of one.
type oneTimeLink struct {
	Link string `json:"link"`
}

// linkUse sets a password by a one-time link; the first administrator chooses a name too.
type linkUse struct {
	Link     string `json:"link"`
	Name     string `json:"name,omitempty"`
	Password string `json:"password"`
}

// lookAtLink says what a one-time link is for, so that the page can ask for what
// is missing.
func (rq *request) lookAtLink() (any, error) {
	var in oneTimeLink
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	l, err := rq.link(func() (identity.Link, error) { return rq.s.door.Registry.Link(rq.Context(), in.Link) })
	if err != nil {
		return nil, err
	}
	return l, nil
}

// link finds what belongs to a one-time link. One that does not count is an
// attempt of the address.
func (rq *request) link(find func() (identity.Link, error)) (identity.Link, error) {
	l, err := lockout.Find(rq.Context(), find, rq.s.door.FromAddress(rq.Address()))
	if errors.Is(err, identity.ErrLink) {
		rq.event(audit.UserAuthenticated, "", audit.MinorFailure, "a one-time link did not count", "")
	}
	return l, err
}

// setUp uses a one-time link. What follows is the half session in which a
// second factor is set up or shown.
func (rq *request) setUp() (any, error) {
	var in linkUse
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	l, err := rq.link(func() (identity.Link, error) { return rq.useLink(in.Link, in.Name, in.Password) })
	if err != nil {
		return nil, err
	}
	rq.event(audit.PersonChanged, l.Person, audit.Success, "password set by a one-time link: "+string(l.Purpose), "")

	return rq.beginByPassword(l.Person)
}

func (rq *request) useLink(secret, name, password string) (identity.Link, error) {
	l, err := rq.s.door.Registry.Link(rq.Context(), secret)
	if err != nil {
		return l, err
	}
	if !rq.s.Local(cmp.Or(l.Person, name)) {
		return l, errNotLocal // the link stays, for the day the settings change
	}

	end, err := rq.s.door.Turn(rq.Context(), rq.Address())
	if err != nil {
		return identity.Link{}, err
	}
	defer end()
	return rq.s.door.Registry.UseLink(rq.Context(), secret, name, password)
}
