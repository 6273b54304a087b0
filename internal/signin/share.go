package signin

import (
	"context"
	"net/http"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// linkAndPassword open a link to a study.
type linkAndPassword struct {
	Secret   string `json:"secret"`
	Password string `json:"password,omitempty"`
}

// openShare takes the secret of a link, and its password where it has one.
func (rq *request) openShare() (any, error) {
	var in linkAndPassword
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	o, err := rq.s.open(rq.HTTP(), in.Secret, in.Password)
	if err != nil {
		return nil, toSignIn(err)
	}
	rq.SetCookie(guard.ShareCookie, o.cookie, http.SameSiteStrictMode, o.age)
	return linkState(o.share), nil
}

// OpenShare signs a browser in with a link: the answer gets the cookie. It
// counts failures like those of passwords; too many are of kind Busy. What does
// not count is of kind Denied.
func (s *Service) OpenShare(w http.ResponseWriter, r *http.Request, secret, password string) error {
	o, err := s.open(r, secret, password)
	if err != nil {
		return err
	}
	webapi.SetCookie(w, guard.ShareCookie, o.cookie, http.SameSiteStrictMode, o.age)
	return nil
}

// opened is a link that a browser has opened.
type opened struct {
	share  *identity.Share
	cookie string // that the browser keeps
	age    int    // for how long, in seconds
}

// open opens a link for the browser of a request.
func (s *Service) open(r *http.Request, secret, password string) (*opened, error) {
	ctx, address := r.Context(), guard.RemoteAddress(r)
	if err := s.door.Precheck(ctx, r, false); err != nil {
		return nil, err
	}

	share, err := lockout.Find(ctx, func() (*identity.Share, error) {
		return s.door.Registry.AuthenticateShare(ctx, secret, password)
	}, s.door.FromAddress(address))
	if fault.Of(err) == fault.Denied {
		s.door.RecordRefusal(ctx, address, "a link that does not count, or a wrong password of one")
	}
	if err != nil {
		return nil, err
	}

	cookie, expires, err := s.door.Registry.OpenShare(ctx, share)
	if err != nil {
		return nil, err
	}
	s.recordShare(ctx, audit.UserAuthenticated, share, address, "link opened")
	return &opened{share: share, cookie: cookie, age: max(int(expires.Sub(s.door.Now()).Seconds()), 1)}, nil
}

func (s *Service) recordShare(ctx context.Context, event audit.Event, share *identity.Share, address, detail string) {
	r := entry(event, share.Principal(), address)
	route, study := policy.PlaceOf(share.Study)
	r.Peer.CalledAETitle = route
	r.Objects = []audit.Object{{Study: study, Detail: detail}}
	s.door.Record(ctx, r)
}

// closeShare ends what the browser has opened by a link; false where that is nothing.
func (rq *request) closeShare() (bool, error) {
	links := rq.HTTP().CookiesNamed(guard.ShareCookie)
	if len(links) != 1 || len(rq.HTTP().Header.Values("Authorization")) > 0 {
		return false, nil
	}

	s, err := rq.s.door.Registry.CloseShare(rq.Context(), links[0].Value)
	if fault.Of(err) == fault.Denied {
		return false, nil
	}
	if err != nil {
		return false, err
	}

	rq.SetCookie(guard.ShareCookie, "", http.SameSiteStrictMode, -1)
	rq.s.recordShare(rq.Context(), audit.UserSignedOut, s, rq.Address(), "link closed")
	return true, nil
}
