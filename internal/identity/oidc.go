package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"collimator/internal/fault"
)

// oidcLeeway is how far the clocks may be apart where nobody set it.
const oidcLeeway = time.Minute

// OIDCOptions name an identity provider.
type OIDCOptions struct {
	Issuer, ClientID, ClientSecret string
	// Scopes are asked for beside openid; empty: profile.
	Scopes []string
	// Leeway is how far the provider's clock may be from ours; 0 means a minute.
	Leeway time.Duration
	// LogoutEndsMade lets a sign-out at the provider also end what the person made in
	// sessions here: tokens, invitations, links to studies.
	LogoutEndsMade bool

	// RequireACR are authentication context classes, of which the identity token has
	// to name one; they are asked for. RequireAMR are authentication methods of which
	// it has to name one. Empty: whatever the provider demands is enough.
	RequireACR, RequireAMR []string
	// NameClaim holds the name under which the person is registered.
	NameClaim string
	// RoleClaim, where set, holds a text or a list; Roles maps its values to
	// roles. Who has none of them does not get in.
	RoleClaim string
	Roles     []RoleMapping
	// GroupClaim, where set, holds the groups of the person, a text or a list: who is
	// in one sees what is granted to it.
	GroupClaim string
	// Create registers who is not; it needs a RoleClaim.
	Create bool
	// InsecureHTTP takes an issuer without TLS, on loopback alone.
	InsecureHTTP bool
	// Transport is how the provider is reached; nil is directly.
	Transport http.RoundTripper
	// Health, where set, is told after each exchange with the provider whether it
	// works: nil where it does. It must be quick.
	Health func(err error)
}

// RoleMapping gives a role to who has a value in the role claim. The first that
// fits counts.
type RoleMapping struct{ Value, Role string }

// OIDC signs people in at an identity provider (OpenID Connect Core 1.0, code
// flow with PKCE, RFC 7636). Safe for concurrent use.
type OIDC struct {
	o        OIDCOptions
	registry *Registry
	open     *challenges[oidcChallenge]
	provider *discovery
	logouts  *logouts
}

// oidcChallenge is what the state says to us that the browser brings back.
type oidcChallenge struct{ Nonce, Verifier, Redirect, Browser string }

// NewOIDC checks the options. It does not ask the provider yet: the first sign-in does,
// or Check.
func NewOIDC(r *Registry, o OIDCOptions) (*OIDC, error) {
	u, err := url.Parse(o.Issuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fault.New(fault.Invalid, "identity: the issuer is an https:// address")
	case u.Scheme == "http" && (!o.InsecureHTTP || !loopback(u.Hostname())):
		return nil, fault.New(fault.Invalid, "identity: an http:// issuer needs InsecureHTTP and a loopback address")
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

	if len(o.Scopes) == 0 {
		o.Scopes = []string{"profile"}
	}
	if o.Leeway == 0 {
		o.Leeway = oidcLeeway
	}
	if o.Health == nil {
		o.Health = func(error) {}
	}

	return &OIDC{
		o:        o,
		registry: r,
		open:     newChallenges[oidcChallenge](r.now, "identity provider"),
		logouts:  newLogouts(),
		provider: newDiscovery(o.Issuer, providerClient(o.Transport), o.Health, r.now),
	}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (o *OIDC) config(p *oidc.Provider, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: o.o.ClientID, ClientSecret: o.o.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, o.o.Scopes...),
	}
}

// Check asks the provider for its addresses, and tells Health what came of it.
func (o *OIDC) Check(ctx context.Context) error {
	_, err := o.provider.ask(ctx)
	return err
}

// Begin gives the address to which the browser goes, the state it will bring
// back, and a secret for its cookie, by which the answer is known to come from
// the same browser.
func (o *OIDC) Begin(ctx context.Context, redirect string) (location, state, browser string, err error) {
	p, err := o.provider.get(ctx)
	if err != nil {
		return "", "", "", err
	}

	c := oidcChallenge{Nonce: randomText(), Verifier: oauth2.GenerateVerifier(), Redirect: redirect, Browser: randomText()}
	sealed, err := o.open.seal(c)
	if err != nil {
		return "", "", "", err
	}

	state = base64.RawURLEncoding.EncodeToString(sealed)
	options := []oauth2.AuthCodeOption{oidc.Nonce(c.Nonce), oauth2.S256ChallengeOption(c.Verifier)}
	if len(o.o.RequireACR) > 0 {
		options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(o.o.RequireACR, " ")))
	}
	return o.config(p, redirect).AuthCodeURL(state, options...), state, c.Browser, nil
}

// End is the address at which somebody signs out at the provider, who comes back
// to an address of ours (OpenID Connect RP-Initiated Logout 1.0); empty where
// the provider has none or was not reached yet.
func (o *OIDC) End(back string) string {
	p := o.provider.now()
	if p == nil {
		return ""
	}

	var meta struct {
		End string `json:"end_session_endpoint"`
	}
	if p.Claims(&meta) != nil {
		return ""
	}

	u, err := url.Parse(meta.End)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !o.o.InsecureHTTP || !loopback(u.Hostname())) {
		return ""
	}

	q := u.Query()
	q.Set("client_id", o.o.ClientID)
	if back != "" {
		q.Set("post_logout_redirect_uri", back)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func randomText() string {
	var b [32]byte
	rand.Read(b[:]) // never returns an error (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// OIDCAnswer is what a browser brings back from the provider.
type OIDCAnswer struct {
	State, Code string
	// Error is the code of an authorization error (RFC 6749 4.1.2.1), Issuer who says to have sent the browser (RFC 9207).
	Error, Issuer string
	// Browser is the secret of the cookie; empty without one.
	Browser string
}

// Issuer is the provider's name for itself.
func (o *OIDC) Issuer() string { return o.o.Issuer }

// Finish takes the answer of the provider and returns whose it is. The second
// result says all that became of the person: made, bound, another role, other
// groups, or nothing; with an error what became before it. Where nobody is signed
// in the error is an *OIDCFailure.
func (o *OIDC) Finish(ctx context.Context, a OIDCAnswer) (person, change string, err error) {
	c, err := o.begun(a)
	if err != nil {
		return "", "", err
	}

	p, err := o.provider.get(ctx)
	if err != nil {
		return "", "", &OIDCFailure{Reason: reasonAway, shown: errAway, cause: err}
	}

	ctx = oidc.ClientContext(ctx, o.provider.client)
	token, err := o.config(p, c.Redirect).Exchange(ctx, a.Code, oauth2.VerifierOption(c.Verifier))
	if err != nil {
		return "", "", o.notExchanged(err)
	}

	id, p, err := o.verify(ctx, p, token, c.Nonce)
	if err != nil {
		return "", "", err
	}

	if err := o.strong(id); err != nil {
		return "", "", err
	}

	claims, err := o.claims(ctx, p, token, id)
	if err != nil {
		return "", "", err
	}

	switch first, err := o.open.answer(a.State); {
	case err != nil:
		return "", "", err
	case !first:
		return "", "", &OIDCFailure{Reason: reasonReplay, Subject: id.Subject, shown: errOIDC}
	}

	o.o.Health(nil)
	return o.person(ctx, id.Subject, claims)
}

// begun finds what an answer answers, in the browser that asked.
func (o *OIDC) begun(a OIDCAnswer) (c oidcChallenge, err error) {
	c, ok := o.open.open(a.State)
	reason := ""
	shown := errOIDC

	switch {
	case !ok:
		reason = reasonState
	case o.open.used(a.State):
		reason = reasonReplay
	case subtle.ConstantTimeCompare([]byte(c.Browser), []byte(a.Browser)) != 1:
		reason = reasonBrowser
	case a.Issuer != "" && a.Issuer != o.o.Issuer:
		reason = reasonIssuer
	case a.Error != "":
		return c, o.refused(a.Error)
	case a.Code == "":
		reason = reasonCode
	default:
		return c, nil
	}
	return c, &OIDCFailure{Reason: reason, shown: shown}
}
