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
	open     *ceremonies[keyCeremony]
}

// keyCeremony is what is remembered between begin and finish.
type keyCeremony struct {
	session webauthn.SessionData
	host    string
	person  string // empty: whoever the passkey belongs to
	bound   string // ID of the session it was begun in
}

// NewRelyingParty takes the origins under which browsers reach the server, as
// https://host or https://host:port. An origin with an address or a name
// without a dot (but localhost) cannot have passkeys and is left out.
func NewRelyingParty(r *Registry, origins []string) (*RelyingParty, error) {
	p := &RelyingParty{registry: r, parties: map[string]*webauthn.WebAuthn{}, open: newCeremonies[keyCeremony](r.now)}
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
			RPID: host, RPDisplayName: "Collimator", RPOrigins: list, AttestationPreference: protocol.PreferNoAttestation,
			AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired},
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
// browser with this session; origin bounds how many one address begins.
func (p *RelyingParty) BeginRegistration(ctx context.Context, host, person, session, origin string) (any, error) {
	w, host, err := p.party(host)
	if err != nil {
		return nil, err
	}
	h, err := p.registry.holder(ctx, person, host)
	if err != nil {
		return nil, err
	}
	options, data, err := w.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.credentials).CredentialDescriptors()))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "identity: begin a passkey")
	}
	return options, p.open.put(data.Challenge, origin, keyCeremony{*data, host, person, session})
}

// errPasskey is what a browser is told whose answer does not count.
var errPasskey = fault.New(fault.Denied, "identity: the passkey does not count; begin again")

// challengeOf reads the challenge an answer claims to be for. It is a key to
// look up; whether it is right is verified with the answer.
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
	c, ok := p.open.take(challengeOf(parsed.Raw.AttestationResponse.ClientDataJSON))
	if !ok || c.host != host || c.person != person || c.bound != session {
		return errPasskey
	}
	h, err := p.registry.holder(ctx, person, host)
	if err != nil {
		return err
	}
	credential, err := w.CreateCredential(h, c.session, parsed)
	if err != nil {
		return errPasskey
	}
	return p.registry.addPasskey(ctx, person, host, name, credential)
}

// BeginLogin makes the options for signing in: with the passkeys of a person
// whose password was right, or, without a person, with any the browser has.
func (p *RelyingParty) BeginLogin(ctx context.Context, host, person, session, origin string) (any, error) {
	w, host, err := p.party(host)
	if err != nil {
		return nil, err
	}
	var options any
	var data *webauthn.SessionData
	if person == "" {
		options, data, err = w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	} else {
		var h *keyHolder
		if h, err = p.registry.holder(ctx, person, host); err != nil {
			return nil, err
		}
		if len(h.credentials) == 0 {
			return nil, fault.New(fault.NotFound, "identity: there is no passkey for this host name")
		}
		options, data, err = w.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationRequired))
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "identity: begin to sign in with a passkey")
	}
	return options, p.open.put(data.Challenge, origin, keyCeremony{*data, host, person, session})
}

// FinishLogin verifies the answer of an authenticator and returns whose it is.
// An authenticator whose counter does not move on was copied and does not count.
func (p *RelyingParty) FinishLogin(ctx context.Context, host, session string, answer []byte) (person string, err error) {
	w, host, err := p.party(host)
	if err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return "", errPasskey
	}
	c, ok := p.open.take(challengeOf(parsed.Raw.AssertionResponse.ClientDataJSON))
	if !ok || c.host != host || c.bound != session {
		return "", errPasskey
	}
	var h *keyHolder
	var after *webauthn.Credential
	if c.person == "" {
		find := func(_, handle []byte) (webauthn.User, error) {
			h, err = p.registry.holderOf(ctx, handle, host)
			return h, err
		}
		after, err = w.ValidateDiscoverableLogin(find, c.session, parsed)
	} else if h, err = p.registry.holder(ctx, c.person, host); err == nil {
		after, err = w.ValidateLogin(h, c.session, parsed)
	}
	if err != nil || after.Authenticator.CloneWarning {
		return "", errPasskey
	}
	return h.name, p.registry.usePasskey(ctx, h.credential(after.ID), after)
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
