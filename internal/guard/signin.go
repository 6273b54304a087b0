package guard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

// SignIn says how people sign in.
type SignIn struct {
	Sessions identity.SessionLimits
	// InsecureOneFactor lets a password alone be enough for who has no second factor.
	InsecureOneFactor bool
	// Passkeys runs their ceremonies; nil: there are none.
	Passkeys *identity.RelyingParty
	// OIDC is the identity provider; nil: there is none.
	OIDC *identity.OIDC
	// ProviderOnly lets people in by the identity provider alone, but for those of
	// BreakGlass, by name: for the day on which it does not answer.
	ProviderOnly bool
	BreakGlass   []string
	// Origins are the addresses under which browsers reach the server, as https://host:port.
	Origins []string
	// Name is this installation in the list of an authenticator app.
	Name string
}

// local reports whether somebody may sign in by what this archive knows of a
// person: a password, a passkey, a one-time link.
func (s SignIn) local(name string) bool {
	return !s.ProviderOnly || slices.Contains(s.BreakGlass, name)
}

var errNotLocal = fault.New(fault.Conflict, "guard: people sign in at the identity provider here, and by nothing else (signin.local)")

// accountBuckets is how many names the lock-out tells apart. It counts by a
// keyed hash, so that names that do not exist cost no more than those that do.
const accountBuckets = 8192

// signInRoutes are those without credentials: each looks itself at what the
// browser has shown so far.
func (a *API) signInRoutes() {
	a.open("GET /api/v1/session", (*Request).state)
	a.open("DELETE /api/v1/session", (*Request).signOut)
	a.open("POST /api/v1/session/password", (*Request).password)
	a.open("POST /api/v1/session/totp", (*Request).totp)
	a.open("POST /api/v1/session/recovery", (*Request).recovery)
	a.open("POST /api/v1/session/passkey/begin", (*Request).passkeyBegin)
	a.open("POST /api/v1/session/passkey/finish", (*Request).passkeyFinish)
	a.open("POST /api/v1/session/oidc", (*Request).oidcBegin)
	a.open("GET "+oidcCallback, (*Request).oidcFinish, AnyParameter)
	a.open("POST "+oidcLogout, (*Request).oidcEnd)
	a.open("POST /api/v1/session/enrol/totp", (*Request).enrolTOTP)
	a.open("POST /api/v1/session/enrol/totp/confirm", (*Request).confirmTOTP)
	a.open("POST /api/v1/session/enrol/passkey/begin", (*Request).enrolPasskey)
	a.open("POST /api/v1/session/enrol/passkey/finish", (*Request).keepPasskey)
	a.shareRoutes()
	a.ownRoutes()
}

// methods are the ways to sign in.
type methods struct {
	Password bool `json:"password"`
	Passkey  bool `json:"passkey"`
	OIDC     bool `json:"oidc"`
}

func (g *Guard) methods(r *http.Request) methods {
	local := !g.SignIn.ProviderOnly || len(g.SignIn.BreakGlass) > 0
	return methods{Password: local, Passkey: local && g.SignIn.Passkeys != nil && g.SignIn.Passkeys.Knows(r.Host), OIDC: g.SignIn.OIDC != nil}
}

// The states of a browser.
const (
	stateComplete = "complete"
	stateFactor   = "second-factor" // the password was right, the second factor is to come
	stateEnrol    = "enrol"         // there is no second factor yet: one must be set up
)

// sessionState is who somebody is and what this browser may do.
type sessionState struct {
	State   string           `json:"state"`
	Name    string           `json:"name"`
	Role    policy.Role      `json:"role,omitempty"`
	Method  string           `json:"method"`
	Factors identity.Factors `json:"factors"`
	Can     []policy.Verb    `json:"can,omitempty"`
	Session string           `json:"session"`
	Expires time.Time        `json:"expires"`
	Idle    int              `json:"idleSeconds"`
}

// session finds the session of the browser, whole or half.
func (rq *Request) session() error {
	c, err := rq.g.authenticateWeb(rq.Context(), rq.r, rq.address, doorAPI)
	if err == nil && c.session == nil {
		err = identity.ErrCredentials
	}
	rq.c = c
	return err
}

// noSession answers who has no session where one is needed.
func (rq *Request) noSession(err error) (any, error) {
	if fault.Of(err) == fault.Denied && !errors.Is(err, errProof) {
		rq.unauthenticated(err)
		return nil, nil
	}
	return nil, err
}

// state says who is signed in. A token is told whose it is.
func (rq *Request) state() (any, error) {
	c, err := rq.g.authenticateWeb(rq.Context(), rq.r, rq.address, doorAPI)
	if err != nil {
		return rq.noSession(err)
	}
	if rq.c = c; c.share != nil {
		return sessionState{State: stateComplete, Name: c.who.Name, Method: "share", Can: []policy.Verb{policy.Query, policy.Retrieve}, Expires: c.share.Expires}, nil
	}
	if c.session == nil {
		return sessionState{State: stateComplete, Name: c.info.Name, Role: c.info.Role, Method: "token", Can: rq.g.can(c.who)}, nil
	}
	return rq.describe(c.session)
}

func (rq *Request) describe(s *identity.Session) (any, error) {
	p, err := rq.g.Registry.Person(rq.Context(), s.Person)
	if err != nil {
		return nil, err
	}
	f, err := rq.g.Registry.Factors(rq.Context(), s.Person)
	if err != nil {
		return nil, err
	}
	x := sessionState{State: stateComplete, Name: p.Name, Method: s.Method, Factors: f, Session: s.ID, Expires: s.Expires, Idle: int(rq.g.sessions.Limits().Idle.Seconds())}
	switch {
	case s.Complete:
		x.Role, x.Can = p.Role, rq.g.can(p.Principal())
	case f.Any():
		x.State = stateFactor
	default:
		x.State = stateEnrol
	}
	return x, nil
}

// begin signs somebody in, in place of the session the browser had, and says
// what is to come.
func (rq *Request) begin(person, method string, complete bool) (any, error) {
	if method != byProvider && !rq.g.SignIn.local(person) {
		rq.event(audit.UserAuthenticated, person, audit.MinorFailure, "by "+method+", and people sign in at the identity provider alone (signin.local)", "")
		return nil, errNotLocal
	}
	before := ""
	if rq.c != nil && rq.c.session != nil && rq.c.session.Person == person {
		before = rq.c.session.ID
	}
	s, secret, err := rq.g.sessions.Start(rq.Context(), person, method, rq.address, complete, before)
	if err != nil {
		return nil, err
	}
	rq.cookie(SessionCookie, secret, http.SameSiteStrictMode, 0)
	if complete {
		rq.signedIn()
		rq.event(audit.UserAuthenticated, person, audit.Success, "signed in by "+method, s.ID)
		rq.glassBroken(person, method)
	}
	return rq.describe(s)
}

// byProvider is the method of who signed in at the identity provider.
const byProvider = "oidc"

// glassBroken alarms when somebody came in past the identity provider.
func (rq *Request) glassBroken(person, method string) {
	if !rq.g.SignIn.ProviderOnly || method == byProvider {
		return
	}
	rq.g.record(rq.Context(), audit.Record{
		Event: audit.SecurityAlert, Action: audit.Execute, Code: audit.GlassBroken, Reason: "a break-glass account signed in by " + method, Door: doorAPI,
		Principal: person, Kind: string(policy.Person), Peer: audit.Peer{Address: rq.address},
	})
}

// cookie sets a cookie, or takes it away with a negative age.
func (rq *Request) cookie(name, value string, site http.SameSite, age int) {
	http.SetCookie(rq.w, &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: site, MaxAge: age})
}

// event records what became of an attempt. principal is a name that exists, or
// empty: what strangers type does not go into the record.
func (rq *Request) event(event audit.Event, principal string, outcome audit.Outcome, reason, session string) {
	r := audit.Record{Event: event, Action: audit.Execute, Outcome: outcome, Reason: reason, Door: doorAPI, Principal: principal, Peer: audit.Peer{Address: rq.address}}
	if principal != "" {
		r.Kind = string(policy.Person)
	}
	if session != "" {
		r.Association = "session " + session
	}
	if outcome != audit.Success {
		before, write := rq.g.refusals.take(origin(rq.address) + "\x00" + reason + "\x00" + principal)
		if !write {
			return
		}
		if before > 0 {
			r.Objects = append(r.Objects, audit.Object{Detail: "like failures not written since the last", Failed: before})
		}
	}
	rq.g.record(rq.Context(), r)
}

// account is what the lock-out counts a name by.
func (g *Guard) account(name string) string {
	mac := hmac.New(sha256.New, g.secret[:])
	mac.Write([]byte(name))
	return "account " + strconv.Itoa(int(binary.BigEndian.Uint32(mac.Sum(nil))%accountBuckets))
}

// attempt judges one try to show something that somebody knows or has, which
// counts in a table of accounts. Too many that did not count make the address
// and the account wait, twice as long each time; a name that does not exist
// waits like one that does. A success forgets what failed in that table alone:
// who knows the password does not wipe out wrong codes.
func (rq *Request) attempt(table *lockout.Table, name, what string, judge func() (bool, error)) (ok bool, err error) {
	g := rq.g
	ok, wait, err := lockout.Try(rq.Context(), judge, g.FromAddress(rq.address), lockout.Slot{Table: table, Key: g.account(name), Forgive: true})
	if ok || err != nil {
		return ok, err
	}
	principal := ""
	if _, err := g.Registry.Person(rq.Context(), name); err == nil {
		principal = name
	}
	rq.event(audit.UserAuthenticated, principal, audit.MinorFailure, what+" did not count", "")
	if wait > 0 {
		rq.event(audit.SecurityAlert, principal, audit.MinorFailure, "locked out after too many attempts", "")
		g.Log.Warn("attempts to sign in are slowed down", "address", rq.address, "seconds", int(wait.Seconds()))
	}
	rq.unauthenticated(identity.ErrCredentials)
	return false, nil
}

// password takes name and password. What it answers does not tell whether the
// name exists.
func (rq *Request) password() (any, error) {
	var in struct{ Name, Password string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	what := "a password"
	if !rq.g.SignIn.local(in.Name) {
		what = "a password, with which nobody but break-glass accounts signs in (signin.local),"
	}
	ok, err := rq.attempt(rq.g.attempts.passwords, in.Name, what, func() (bool, error) { return rq.checkPassword(in.Name, in.Password) })
	if !ok || err != nil {
		return nil, err
	}
	f, err := rq.g.Registry.Factors(rq.Context(), in.Name)
	if err != nil {
		return nil, err
	}
	return rq.begin(in.Name, "password", rq.g.SignIn.InsecureOneFactor && !f.Any())
}

// checkPassword bounds how many wait for the work of a hash.
func (rq *Request) checkPassword(name, password string) (bool, error) {
	end, err := rq.hashing()
	if err != nil {
		return false, err
	}
	defer end()
	ok, err := rq.g.Registry.CheckPassword(rq.Context(), name, password)
	return ok && rq.g.SignIn.local(name), err // after the work: how long it takes tells nothing
}

func (rq *Request) totp() (any, error) {
	return rq.second("totp", "a code", rq.g.Registry.CheckTOTP)
}

func (rq *Request) recovery() (any, error) {
	return rq.second("recovery", "a recovery code", rq.g.Registry.UseRecoveryCode)
}

// signOut ends the session of this browser, and the link it has opened.
func (rq *Request) signOut() (any, error) {
	closed, err := rq.closeShare()
	if err != nil {
		return nil, err
	}
	if err := rq.session(); err != nil {
		if closed && fault.Of(err) == fault.Denied {
			return nil, nil
		}
		return rq.noSession(err)
	}
	rq.cookie(SessionCookie, "", http.SameSiteStrictMode, -1)
	if err := rq.g.sessions.End(rq.Context(), rq.c.info.Name, rq.c.session.ID); err != nil && fault.Of(err) != fault.NotFound {
		return nil, err
	}
	rq.event(audit.UserSignedOut, rq.c.info.Name, audit.Success, "", rq.c.session.ID)
	return rq.signedOut(), nil
}

// signedOut says where somebody signs out at the identity provider, who came from
// there; nil where there is nothing to say. Else the next click there signs in
// without a question.
func (rq *Request) signedOut() any {
	p := rq.g.SignIn.OIDC
	if p == nil || rq.c.session.Method != byProvider {
		return nil
	}
	back := ""
	if self, err := rq.knownOrigin(); err == nil {
		back = self + "/"
	}
	if there := p.End(back); there != "" {
		return struct {
			Location string `json:"location"`
		}{there}
	}
	return nil
}

// closeShare ends what the browser has opened by a link; false where that is nothing.
func (rq *Request) closeShare() (bool, error) {
	links := rq.r.CookiesNamed(ShareCookie)
	if len(links) != 1 || len(rq.r.Header.Values("Authorization")) > 0 {
		return false, nil
	}
	s, err := rq.g.Registry.CloseShare(rq.Context(), links[0].Value)
	if fault.Of(err) == fault.Denied {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	rq.cookie(ShareCookie, "", http.SameSiteStrictMode, -1)
	rq.g.record(rq.Context(), audit.Record{Event: audit.UserSignedOut, Action: audit.Execute, Door: doorAPI, Principal: "share " + s.ID, Kind: string(policy.Share),
		Peer: audit.Peer{Address: rq.address}, Objects: []audit.Object{{Study: s.Study, Detail: "link closed"}}})
	return true, nil
}

// knownOrigin is the origin of a request, where the server may be reached under it.
func (rq *Request) knownOrigin() (string, error) {
	o := "https://" + rq.r.Host
	if !slices.Contains(rq.g.SignIn.Origins, o) {
		return "", fault.New(fault.Invalid, "guard: the server does not know itself under this name; add it to 'hosts' or 'signin.origins' in the settings")
	}
	return o, nil
}
