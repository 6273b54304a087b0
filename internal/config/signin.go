package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// SignIn says how people sign in.
type SignIn struct {
	// SecondFactor is required or optional.
	SecondFactor string `yaml:"second_factor"`
	// Idle ends a session without requests, Absolute ends it whatever happens.
	Idle     time.Duration `yaml:"idle"`
	Absolute time.Duration `yaml:"absolute"`
	// Origins are the addresses under which browsers reach the server, as
	// https://pacs.example.org. Without, they are made from hosts and http.
	Origins []string `yaml:"origins,omitempty"`
	// Local lets people in by what this archive knows of them: a password, a passkey,
	// a one-time link. Without, they come by the identity provider alone, but for
	// those of BreakGlass, by name.
	Local      bool     `yaml:"local"`
	BreakGlass []string `yaml:"break_glass,omitempty"`
	OIDC       OIDC     `yaml:"oidc,omitempty"`
}

// OIDC names an identity provider. Empty: there is none.
type OIDC struct {
	Issuer           string `yaml:"issuer,omitempty"`
	ClientID         string `yaml:"client_id,omitempty"`
	ClientSecretFile string `yaml:"client_secret_file,omitempty"`
	// NameClaim holds the name under which the person is registered.
	NameClaim string `yaml:"name_claim,omitempty"`
	// RoleClaim holds a text or a list; Roles maps what may stand in it to roles, the first that fits counts.
	RoleClaim string     `yaml:"role_claim,omitempty"`
	Roles     []OIDCRole `yaml:"roles,omitempty"`
	// GroupClaim holds the groups of a person, a text or a list; studies can be granted to groups.
	GroupClaim string `yaml:"group_claim,omitempty"`
	// Create registers who is not.
	Create bool `yaml:"create,omitempty"`
	// Scopes are asked for beside openid; empty: profile.
	Scopes []string `yaml:"scopes,omitempty"`
	// Roots is a PEM file by which the provider's certificate is checked; empty: the system's.
	Roots string `yaml:"roots,omitempty"`
	// RequireACR are values of acr, RequireAMR of amr, of which the identity token has
	// to name one: so the provider's second factor is demanded here.
	RequireACR []string `yaml:"require_acr,omitempty"`
	RequireAMR []string `yaml:"require_amr,omitempty"`
	// Logout says what ends when somebody signs out at the provider: sessions (also
	// when empty), or everything that was made in one.
	Logout string `yaml:"logout,omitempty"`
	// Leeway is how far its clock may be from ours; 0: a minute.
	Leeway time.Duration `yaml:"leeway,omitempty"`
}

// OIDCRole gives a role to who has a value in the role claim.
type OIDCRole struct {
	Value string `yaml:"value"`
	Role  string `yaml:"role"`
}

// Loopback reports an issuer on this machine, which alone may be without TLS.
func (o OIDC) Loopback() bool {
	u, err := url.Parse(o.Issuer)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// TLS says which certificate browsers see; empty: that of the server's own
// authority. Associations always see that one.
type TLS struct {
	// Certificate and Key are PEM files, read again when they change.
	Certificate string `yaml:"certificate,omitempty"`
	Key         string `yaml:"key,omitempty"`
	ACME        ACME   `yaml:"acme,omitempty"`
}

// ACME gets certificates from an authority that speaks RFC 8555.
type ACME struct {
	Directory   string   `yaml:"directory,omitempty"` // https:// address
	Email       string   `yaml:"email,omitempty"`
	AcceptTerms bool     `yaml:"accept_terms,omitempty"`
	Hosts       []string `yaml:"hosts,omitempty"`
	// Roots is a PEM file by which the directory's own certificate is checked; empty: those of the system.
	Roots string `yaml:"roots,omitempty"`
	// EABKeyID and EABKeyFile bind the account to one that the authority knows (RFC
	// 8555 7.3.4): the file holds the key on its first line, in base64url.
	EABKeyID   string `yaml:"eab_key_id,omitempty"`
	EABKeyFile string `yaml:"eab_key_file,omitempty"`
}

func (s SignIn) check() (faults []error) {
	add := func(text string) { faults = append(faults, errors.New("config: signin."+text)) }

	if s.SecondFactor != "required" && s.SecondFactor != "optional" {
		add(fmt.Sprintf("second_factor %q: choose required or optional", s.SecondFactor))
	}
	if s.Idle < time.Minute || s.Absolute < s.Idle || s.Absolute > 7*24*time.Hour {
		add("idle and absolute: idle is a minute or more, absolute at least as long and at most 168h")
	}

	for _, o := range s.Origins {
		if u, err := url.Parse(o); err != nil || u.Scheme != "https" || u.Host == "" || o != "https://"+u.Host {
			add(fmt.Sprintf("origins %q: want https://HOST or https://HOST:PORT", o))
		}
	}

	if !s.Local && (s.OIDC.Issuer == "" || len(s.BreakGlass) == 0) {
		add("local: false needs oidc, and at least one name in break_glass for the day on which the provider does not answer")
	}
	if s.Local && len(s.BreakGlass) > 0 {
		add("break_glass belongs to local: false")
	}

	for _, f := range s.OIDC.check() {
		add("oidc." + f)
	}
	return faults
}

// leewayMost is how far clocks may be apart: more lets old tokens count.
const leewayMost = 10 * time.Minute

func (o OIDC) check() (faults []string) {
	if o.Issuer == "" {
		return nil
	}

	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && o.Loopback()) {
		faults = append(faults, "issuer: want an https:// address")
	}
	if o.ClientID == "" {
		faults = append(faults, "client_id is needed")
	}

	switch {
	case o.Create && (o.RoleClaim == "" || len(o.Roles) == 0):
		faults = append(faults, "create needs role_claim and roles")
	case o.RoleClaim != "" && len(o.Roles) == 0:
		faults = append(faults, "role_claim needs roles: without them nobody gets in")
	}

	faults = append(faults, o.checkClaims()...)
	if !slices.Contains([]string{"", "sessions", "everything"}, o.Logout) {
		faults = append(faults, fmt.Sprintf("logout %q: sessions or everything", o.Logout))
	}
	if o.Leeway < 0 || o.Leeway > leewayMost {
		faults = append(faults, fmt.Sprintf("leeway: at most %v", leewayMost))
	}

	for _, words := range []struct {
		key, example string
		list         []string
	}{
		{"scopes", "[profile, email]", o.Scopes},
		{"require_acr", "[phr, phrh]", o.RequireACR},
		{"require_amr", "[mfa, otp, hwk]", o.RequireAMR},
	} {
		for _, word := range words.list {
			if word == "" || strings.ContainsAny(word, " \t\r\n\"\\") {
				faults = append(faults, fmt.Sprintf("%s %q: one word in each entry, as %s", words.key, word, words.example))
			}
		}
	}

	return faults
}

// claimMost is how long the name of a claim may be, in bytes.
const claimMost = 256

// ofTheToken are claims about the identity token and not about the person.
func ofTheToken() []string {
	return []string{"iss", "aud", "exp", "nbf", "iat", "jti", "nonce", "azp", "acr", "amr", "auth_time", "at_hash", "c_hash", "sid"}
}

// checkClaims judges the names of claims: one that is not there lets nobody in, or
// nobody into a group, and nothing says so.
func (o OIDC) checkClaims() (faults []string) {
	for _, c := range []struct{ key, example, name string }{
		{"name_claim", "preferred_username", o.NameClaim},
		{"role_claim", "roles", o.RoleClaim},
		{"group_claim", "groups", o.GroupClaim},
	} {
		odd := strings.ContainsFunc(c.name, func(r rune) bool {
			return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune("\"'\\,;[]{}", r)
		})
		switch {
		case odd || len(c.name) > claimMost:
			faults = append(faults, fmt.Sprintf("%s %.40q: want the name of one claim as the provider spells it, "+
				"without spaces or quotes, as %s; leave the setting out where there is none", c.key, c.name, c.example))
		case slices.Contains(ofTheToken(), c.name):
			faults = append(faults, fmt.Sprintf("%s %q: says something of the token and not of the person; "+
				"want the claim that the provider fills, as %s", c.key, c.name, c.example))
		}
	}

	if g := o.GroupClaim; g != "" && (g == "sub" || g == cmp.Or(o.NameClaim, "preferred_username")) {
		faults = append(faults, fmt.Sprintf("group_claim %q: says who the person is, so that everybody would be a group; "+
			"want the claim with the groups, as groups", g))
	}
	return faults
}

func (t TLS) check() (faults []error) {
	add := func(text string) { faults = append(faults, errors.New("config: tls."+text)) }
	if (t.Certificate == "") != (t.Key == "") {
		add("certificate and tls.key go together")
	}

	a := t.ACME
	if a.Directory == "" {
		return faults
	}

	if t.Certificate != "" {
		add("acme: choose certificate files or ACME, not both")
	}
	if u, err := url.Parse(a.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		add("acme.directory: want an https:// address")
	}
	if (a.EABKeyID == "") != (a.EABKeyFile == "") {
		add("acme.eab_key_id and acme.eab_key_file go together")
	}
	if !a.AcceptTerms {
		add("acme.accept_terms: must be true; read the terms of the authority first")
	}

	if len(a.Hosts) == 0 {
		add("acme.hosts: name the hosts that get a certificate")
	}
	for _, h := range a.Hosts {
		if h == "" || net.ParseIP(h) != nil {
			add("acme.hosts: host names, not addresses")
		}
	}
	return faults
}
