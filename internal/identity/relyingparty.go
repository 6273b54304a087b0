package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"collimator/internal/fault"
)

// RelyingParty runs the ceremonies of passkeys (Web Authentication Level 3).
// The user must be verified by the authenticator in each of them, so that a
// passkey is two factors in one. Attestation is not asked for: any
// authenticator is taken. Safe for concurrent use.
type RelyingParty struct {
	registry *Registry
	parties  map[string]*webauthn.WebAuthn // by host name
	making   *challenges[keyChallenge]
	using    *challenges[keyChallenge]
}

// keyChallenge is what the challenge of a ceremony says to us.
type keyChallenge struct {
	Host    string
	Person  string // empty: whoever the passkey belongs to
	Session string // ID of the one it was begun in; empty: none
}

// NewRelyingParty takes the origins under which browsers reach the server, as
// https://host or https://host:port. An origin with an address or a name
// without a dot (but localhost) cannot have passkeys and is left out.
func NewRelyingParty(r *Registry, origins []string) (*RelyingParty, error) {
	p := &RelyingParty{
		registry: r,
		parties:  map[string]*webauthn.WebAuthn{},
		making:   newChallenges[keyChallenge](r.now, "a new passkey"),
		using:    newChallenges[keyChallenge](r.now, "sign in with a passkey"),
	}

	byHost := map[string][]string{}
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return nil, fault.Newf(fault.Invalid, "identity: an origin is https://HOST or https://HOST:PORT")
		}
		if host := u.Hostname(); net.ParseIP(host) == nil && protocol.ValidateRPID(host) == nil {
			byHost[host] = append(byHost[host], o)
		}
	}

	for host, list := range byHost {
		w, err := webauthn.New(&webauthn.Config{
			RPID:                  host,
			RPDisplayName:         "Collimator",
			RPOrigins:             list,
			AttestationPreference: protocol.PreferNoAttestation,
			AuthenticatorSelection: protocol.AuthenticatorSelection{
				ResidentKey:      protocol.ResidentKeyRequirementPreferred,
				UserVerification: protocol.VerificationRequired,
			},
		})
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "identity: passkeys for "+host)
		}
		p.parties[host] = w
	}
	return p, nil
}

var errNoParty = fault.New(fault.Invalid, "identity: passkeys need a host name that the server knows: open it under one of 'hosts' or 'signin.origins' in the settings, which is localhost or has a dot")

func (p *RelyingParty) party(host string) (*webauthn.WebAuthn, string, error) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(host)
	w := p.parties[host]
	if w == nil {
		return nil, "", errNoParty
	}
	return w, host, nil
}

// Knows reports whether passkeys work under a host, as it stands in a request.
func (p *RelyingParty) Knows(host string) bool {
	_, _, err := p.party(host)
	return err == nil
}

// BeginRegistration makes the options for a new passkey of a person, in the
// browser with this session.
func (p *RelyingParty) BeginRegistration(ctx context.Context, host, person, session string) (any, error) {
	w, host, err := p.party(host)
	if err != nil {
		return nil, err
	}

	sealed, err := p.making.seal(keyChallenge{host, person, session})
	if err != nil {
		return nil, err
	}

	h, err := p.registry.holder(ctx, person, host)
	if err != nil {
		return nil, err
	}

	options, _, err := beginRegistration(w, h, sealed)
	return options, err
}

// beginRegistration makes the options with a challenge of ours, and what the
// library verifies the answer by: it can be made anew from the challenge.
func beginRegistration(w *webauthn.WebAuthn, h *keyHolder, sealed []byte) (*protocol.CredentialCreation, *webauthn.SessionData, error) {
	options, data, err := w.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.credentials).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error { o.Challenge = sealed; return nil })
	if err != nil {
		return nil, nil, fault.Wrap(fault.Internal, err, "identity: begin a passkey")
	}
	return options, data, nil
}

// errPasskey is what a browser is told whose answer does not count.
var errPasskey = fault.New(fault.Denied, "identity: the passkey does not count; begin again")

// challengeOf reads the challenge an answer claims to be for. That it is the
// one that was signed is verified with the answer.
func challengeOf(clientData []byte) string {
	var c struct {
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(clientData, &c) != nil {
		return ""
	}
	return c.Challenge
}

// FinishRegistration verifies the answer of an authenticator and keeps the
// passkey under a name for people.
func (p *RelyingParty) FinishRegistration(ctx context.Context, host, person, session, name string, answer []byte) error {
	w, host, err := p.party(host)
	if err != nil {
		return err
	}

	if name == "" || len(name) > 64 {
		return fault.New(fault.Invalid, "identity: name the passkey with 1 to 64 bytes")
	}

	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return errPasskey
	}

	text := challengeOf(parsed.Raw.AttestationResponse.ClientDataJSON)
	c, ok := p.making.open(text)
	if !ok || c != (keyChallenge{host, person, session}) {
		return errPasskey
	}

	h, err := p.registry.holder(ctx, person, host)
	if err != nil {
		return err
	}

	_, data, err := beginRegistration(w, h, []byte(text))
	if err != nil {
		return err
	}

	data.Challenge = text
	credential, err := w.CreateCredential(h, *data, parsed)
	if err != nil {
		return errPasskey
	}

	if err := once(p.making.answer(text)); err != nil {
		return err
	}
	return p.registry.addPasskey(ctx, person, host, name, credential)
}

// once is the error of an answer that is not the first.
func once(first bool, err error) error {
	if err == nil && !first {
		err = errPasskey
	}
	return err
}

// BeginLogin makes the options for signing in: with the passkeys of a person
// whose password was right, or, without a person, with any the browser has.
func (p *RelyingParty) BeginLogin(ctx context.Context, host, person, session string) (any, error) {
	w, host, err := p.party(host)
	if err != nil {
		return nil, err
	}

	sealed, err := p.using.seal(keyChallenge{host, person, session})
	if err != nil {
		return nil, err
	}

	var h *keyHolder
	if person != "" {
		if h, err = p.registry.holder(ctx, person, host); err != nil {
			return nil, err
		}
		if len(h.credentials) == 0 {
			return nil, fault.New(fault.NotFound, "identity: there is no passkey for this host name")
		}
	}

	options, _, err := beginLogin(w, h, sealed)
	return options, err
}

// beginLogin is like beginRegistration; without a holder any passkey counts.
func beginLogin(w *webauthn.WebAuthn, h *keyHolder,
	sealed []byte) (options *protocol.CredentialAssertion, data *webauthn.SessionData, err error) {

	how := []webauthn.LoginOption{webauthn.WithUserVerification(protocol.VerificationRequired), webauthn.WithChallenge(sealed)}
	if h == nil {
		options, data, err = w.BeginDiscoverableLogin(how...)
	} else {
		options, data, err = w.BeginLogin(h, how...)
	}
	if err != nil {
		return nil, nil, fault.Wrap(fault.Internal, err, "identity: begin to sign in with a passkey")
	}
	return options, data, nil
}

// FinishLogin verifies the answer of an authenticator, to a challenge that was
// begun in this session, and returns whose it is. An authenticator whose
// counter does not move on was copied: a *CopiedPasskey, from then on for
// whatever it shows (Web Authentication Level 3, 7.2 step 22).
func (p *RelyingParty) FinishLogin(ctx context.Context, host, session string, answer []byte) (person string, err error) {
	w, host, err := p.party(host)
	if err != nil {
		return "", err
	}

	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return "", errPasskey
	}

	text := challengeOf(parsed.Raw.AssertionResponse.ClientDataJSON)
	c, ok := p.using.open(text)
	if !ok || c.Host != host || c.Session != session {
		return "", errPasskey
	}

	h, after, err := p.verify(ctx, w, c, text, parsed)
	if err != nil {
		return "", err
	}

	if err := once(p.using.answer(text)); err != nil {
		return "", err // before the counter counts: an answer that is sent twice does not show a copied key
	}

	if after.Authenticator.CloneWarning {
		return "", p.registry.copiedPasskey(ctx, h.name, after.ID)
	}
	return h.name, p.registry.usePasskey(ctx, h.credential(after.ID), after)
}

// verify holds an answer against the passkeys of the person of a challenge, or
// of whom the answer names.
func (p *RelyingParty) verify(ctx context.Context, w *webauthn.WebAuthn, c keyChallenge, text string,
	parsed *protocol.ParsedCredentialAssertionData) (h *keyHolder, after *webauthn.Credential, err error) {

	if c.Person != "" {
		if h, err = p.registry.holder(ctx, c.Person, c.Host); err != nil || len(h.credentials) == 0 {
			return nil, nil, errPasskey
		}
	}

	_, data, err := beginLogin(w, h, []byte(text))
	if err != nil {
		return nil, nil, err
	}

	data.Challenge = text
	if h != nil {
		after, err = w.ValidateLogin(h, *data, parsed)
	} else {
		find := func(_, handle []byte) (webauthn.User, error) {
			h, err = p.registry.holderOf(ctx, handle, c.Host)
			return h, err
		}
		after, err = w.ValidateDiscoverableLogin(find, *data, parsed)
	}
	if err != nil {
		return nil, nil, errPasskey
	}
	return h, after, nil
}

// credential is the one that was loaded with the holder.
func (h *keyHolder) credential(id []byte) *webauthn.Credential {
	for i := range h.credentials {
		if bytes.Equal(h.credentials[i].ID, id) {
			return &h.credentials[i]
		}
	}
	return &webauthn.Credential{}
}
