package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Bounds of each request to the identity provider.
const (
	oidcTimeout = 10 * time.Second
	oidcMost    = 1 << 20 // bytes of an answer
)

// OIDCOptions name an identity provider.
type OIDCOptions struct {
	Issuer, ClientID, ClientSecret string
	// NameClaim holds the name under which the person is registered.
	NameClaim string
	// RoleClaim, where set, holds a text or a list; Roles maps its values to
	// roles. Who has none of them does not get in.
	RoleClaim string
	Roles     []RoleMapping
	// Create registers who is not; it needs a RoleClaim.
	Create bool
	// InsecureHTTP takes an issuer without TLS, on loopback alone.
	InsecureHTTP bool
	// Transport is for tests; nil is the usual one.
	Transport http.RoundTripper
}

// RoleMapping gives a role to who has a value in the role claim. The first that
// fits counts.
type RoleMapping struct{ Value, Role string }

// OIDC signs people in at an identity provider (OpenID Connect Core 1.0, code
// flow with PKCE, RFC 7636). Safe for concurrent use.
type OIDC struct {
	o        OIDCOptions
	registry *Registry
	client   *http.Client
	open     *challenges[oidcChallenge]

	// asking lets one request at a time ask for the provider's addresses: while
	// it does not answer, others are told at once and do not pile up.
	asking   chan struct{}
	provider atomic.Pointer[oidc.Provider]
}

// oidcChallenge is what the state says to us that the browser brings back.
type oidcChallenge struct{ Nonce, Verifier, Redirect, Browser string }

// NewOIDC checks the options; the provider is asked at the first sign-in.
func NewOIDC(r *Registry, o OIDCOptions) (*OIDC, error) {
	u, err := url.Parse(o.Issuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fault.New(fault.Invalid, "identity: the issuer is an https:// address")
	case u.Scheme == "http" && (!o.InsecureHTTP || !loopback(u.Hostname())):
		return nil, fault.New(fault.Invalid, "identity: an issuer without TLS is not taken")
	case o.ClientID == "" || o.NameClaim == "":
		return nil, fault.New(fault.Invalid, "identity: an identity provider needs a client ID and a name claim")
	case o.Create && o.RoleClaim == "":
		return nil, fault.New(fault.Invalid, "identity: people are made from an identity provider only with a role claim")
	}
	for _, m := range o.Roles {
		if err := CheckRole(m.Role); err != nil {
			return nil, err
		}
	}
	return &OIDC{o: o, registry: r, client: providerClient(o.Transport), asking: make(chan struct{}, 1), open: newChallenges[oidcChallenge](r.now, "identity provider")}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// config asks the provider for its addresses and keys, until it answered once.
func (o *OIDC) config(ctx context.Context, redirect string) (*oidc.Provider, *oauth2.Config, error) {
	p := o.provider.Load()
	if p == nil {
		select {
		case o.asking <- struct{}{}:
			defer func() { <-o.asking }()
		default:
			return nil, nil, fault.New(fault.Busy, "identity: the identity provider is being asked; try again in a few seconds")
		}
		var err error
		if p, err = oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), o.client), o.o.Issuer); err != nil {
			return nil, nil, fault.Wrap(fault.Unavailable, err, "identity: the identity provider does not answer as it should")
		}
		o.provider.Store(p)
	}
	return p, &oauth2.Config{
		ClientID: o.o.ClientID, ClientSecret: o.o.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: redirect,
		Scopes: []string{oidc.ScopeOpenID, "profile"},
	}, nil
}

// providerClient talks to the identity provider: bounded in time and bytes, and
// never to where it is sent on.
func providerClient(t http.RoundTripper) *http.Client {
	if t == nil {
		t = http.DefaultTransport
	}
	return &http.Client{
		Timeout: oidcTimeout, Transport: boundedTransport{t},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type boundedTransport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	rsp, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		rsp.Body = http.MaxBytesReader(nil, rsp.Body, oidcMost)
	}
	return rsp, err
}

// Begin gives the address to which the browser goes, and a secret for its
// cookie, by which the answer is known to come from the same browser.
func (o *OIDC) Begin(ctx context.Context, redirect string) (location, browser string, err error) {
	_, cfg, err := o.config(ctx, redirect)
	if err != nil {
		return "", "", err
	}
	c := oidcChallenge{Nonce: randomText(), Verifier: oauth2.GenerateVerifier(), Redirect: redirect, Browser: randomText()}
	sealed, err := o.open.seal(c)
	if err != nil {
		return "", "", err
	}
	state := base64.RawURLEncoding.EncodeToString(sealed)
	return cfg.AuthCodeURL(state, oidc.Nonce(c.Nonce), oauth2.S256ChallengeOption(c.Verifier)), c.Browser, nil
}

func randomText() string {
	var b [32]byte
	rand.Read(b[:]) // never returns an error (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// errOIDC is what a browser is told whose answer does not count.
var errOIDC = fault.New(fault.Denied, "identity: the identity provider's answer does not count; begin again")

// Finish takes the answer of the provider and returns whose it is. The second
// result says what became of the person: made, bound, or nothing.
func (o *OIDC) Finish(ctx context.Context, state, code, browser string) (person, change string, err error) {
	c, ok := o.open.open(state)
	if !ok || code == "" || subtle.ConstantTimeCompare([]byte(c.Browser), []byte(browser)) != 1 {
		return "", "", errOIDC
	}
	provider, cfg, err := o.config(ctx, c.Redirect)
	if err != nil {
		return "", "", err
	}
	ctx = oidc.ClientContext(ctx, o.client)
	token, err := cfg.Exchange(ctx, code, oauth2.VerifierOption(c.Verifier))
	if err != nil {
		return "", "", errOIDC
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" || len(raw) > maxToken {
		return "", "", errOIDC
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: o.o.ClientID, Now: o.registry.now}).Verify(ctx, raw)
	if err != nil || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(c.Nonce)) != 1 {
		return "", "", errOIDC
	}
	switch first, err := o.open.answer(state); {
	case err != nil:
		return "", "", err
	case !first:
		return "", "", errOIDC
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return "", "", errOIDC
	}
	return o.person(ctx, id.Subject, claims)
}

var errNotRegistered = fault.New(fault.Denied, "identity: the identity provider knows you and this archive does not; ask an administrator")

// person finds or makes the person of an identity token.
func (o *OIDC) person(ctx context.Context, subject string, claims map[string]any) (name, change string, err error) {
	name, _ = claims[o.o.NameClaim].(string)
	role, mapped := o.role(claims)
	if checkName(name) != nil || subject == "" || o.o.RoleClaim != "" && !mapped {
		return "", "", errNotRegistered
	}
	name, change, err = o.bind(ctx, subject, name, role)
	if err != nil || role == "" {
		return name, change, err
	}
	p, err := o.registry.Person(ctx, name)
	if err == nil && string(p.Role) != role {
		err, change = o.registry.SetRole(ctx, name, role), "role "+role+" by the identity provider"
	}
	return name, change, err
}

// bind ties a subject to a person at the first sign-in. From then on the
// subject counts and not the name, which some providers let people choose.
func (o *OIDC) bind(ctx context.Context, subject, name, role string) (person, change string, err error) {
	err = o.registry.db.Write(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, `SELECT person FROM person_subject WHERE issuer = ?1 AND subject = ?2`, o.o.Issuer, subject).Scan(&person)
		if err == nil {
			err = present(ctx, tx, person)
			if errors.Is(err, fault.NotFound) {
				return errNotRegistered
			}
			return err
		}
		if !errors.Is(err, fault.NotFound) {
			return err
		}
		person, change = name, "bound to the identity provider"
		switch err := known(ctx, tx, name); {
		case errors.Is(err, errNobody) && o.o.Create:
			change = "made by the identity provider as " + role
			if err := o.registry.insertPerson(ctx, tx, name, role, ""); err != nil {
				return err
			}
		case fault.Of(err) == fault.NotFound || fault.Of(err) == fault.Conflict:
			return errNotRegistered
		case err != nil:
			return err
		}
		n, err := o.registry.book.Exec(ctx, tx, `INSERT INTO person_subject (issuer, subject, person) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`, o.o.Issuer, subject, name)
		if err == nil && n == 0 {
			return errNotRegistered // another subject is this person
		}
		return err
	})
	return person, change, err
}

// role is the first that fits the role claim.
func (o *OIDC) role(claims map[string]any) (string, bool) {
	has := map[string]bool{}
	switch v := claims[o.o.RoleClaim].(type) {
	case string:
		has[v] = true
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok {
				has[s] = true
			}
		}
	}
	for _, m := range o.o.Roles {
		if has[m.Value] {
			return m.Role, true
		}
	}
	return "", false
}
