package house

import (
	"crypto/tls"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"collimator/internal/config"
	"collimator/internal/console"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/outward"
	"collimator/internal/signin"
	"collimator/internal/state"
)

// signIn puts the settings of signing in together.
func signIn(in *Installation, states *state.Register) (signin.Options, error) {
	c := in.Config
	s := signin.Options{
		InsecureOneFactor: c.SignIn.SecondFactor == "optional",
		Origins:           origins(c),
		Name:              "Collimator " + c.AE,
		ProviderOnly:      !c.SignIn.Local,
		BreakGlass:        c.SignIn.BreakGlass,
	}

	var err error
	if s.Passkeys, err = identity.NewRelyingParty(in.Registry, s.Origins); err != nil {
		return s, err
	}

	if c.SignIn.OIDC.Issuer != "" {
		s.OIDC, err = IdentityProvider(in, c.SignIn.OIDC, states)
	}
	return s, err
}

// SessionLimits are how long the settings let a session last.
func SessionLimits(c config.Config) identity.SessionLimits {
	return identity.SessionLimits{Idle: c.SignIn.Idle, Absolute: c.SignIn.Absolute}
}

// origins are the addresses under which browsers reach the server: those of the
// settings, or each of its names with the port of the listener.
func origins(c config.Config) []string {
	if len(c.SignIn.Origins) > 0 {
		return c.SignIn.Origins
	}

	_, port, err := net.SplitHostPort(c.HTTP)
	if err != nil {
		return nil
	}

	var list []string
	for _, h := range append([]string{"localhost", "127.0.0.1", "::1"}, append(ServerHosts(c), c.TLS.ACME.Hosts...)...) {
		host := strings.ToLower(h)
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}

		o := "https://" + host + ":" + port
		if port == "443" {
			o = "https://" + host
		}

		if h != "" && !slices.Contains(list, o) {
			list = append(list, o)
		}
	}
	return list
}

// OIDCState is the name of the identity provider's state.
const OIDCState = "signin.oidc"

// IdentityProvider is the provider that signin.oidc names. Whether it answers is
// kept in states, which may be nil.
func IdentityProvider(in *Installation, c config.OIDC, states *state.Register) (*identity.OIDC, error) {
	o := identity.OIDCOptions{
		Issuer:         c.Issuer,
		ClientID:       c.ClientID,
		Scopes:         c.Scopes,
		Leeway:         c.Leeway,
		NameClaim:      c.NameClaim,
		RoleClaim:      c.RoleClaim,
		GroupClaim:     c.GroupClaim,
		Create:         c.Create,
		InsecureHTTP:   c.Loopback(),
		LogoutEndsMade: c.Logout == "everything",
		RequireACR:     c.RequireACR,
		RequireAMR:     c.RequireAMR,
		Health:         func(err error) { tellProvider(states, err) },
	}

	if o.NameClaim == "" {
		o.NameClaim = "preferred_username"
	}

	roots, err := RootsOf("signin.oidc.roots", c.Roots)
	if err != nil {
		return nil, err
	}
	way, err := outward.New(in.Config.Outward.Options())
	if err != nil {
		return nil, fault.Usage("%w", err)
	}
	o.Transport = way.Transport(&tls.Config{RootCAs: roots})

	for _, r := range c.Roles {
		o.Roles = append(o.Roles, identity.RoleMapping{Value: r.Value, Role: r.Role})
	}

	if c.ClientSecretFile != "" {
		secret, err := SecretOf("signin.oidc.client_secret_file", c.ClientSecretFile, 1)
		if err != nil {
			return nil, err
		}
		o.ClientSecret = string(secret)
	}

	p, err := identity.NewOIDC(in.Registry, o)
	if err != nil {
		return nil, fault.Usage("signin.oidc: %w", err)
	}
	return p, nil
}

// tellProvider keeps the state of the identity provider.
func tellProvider(states *state.Register, err error) {
	if err == nil {
		states.Well(OIDCState, "the identity provider answers")
		return
	}
	states.Failing(OIDCState, strings.TrimPrefix(err.Error(), "identity: "),
		"see signin.oidc in the settings: issuer exactly as the provider spells it, roots, client_id and secret; "+
			"the network and outward.proxy; docs/people.md")
}

// LinkAddress is what stands before the secret of a one-time link.
func LinkAddress(c config.Config) string { return console.SetupAddress(BestOrigin(c)) }

// ShareAddress is the address before the secret of a link to a study.
func ShareAddress(c config.Config) string { return console.ShareAddress(BestOrigin(c)) }

// BestOrigin is the address under which the server is most likely reached by
// others: that of the settings (signin.origins, then hosts), else the address of
// the listener, else the name of the machine; empty without an HTTPS listener.
func BestOrigin(c config.Config) string {
	list := origins(c)
	if len(list) == 0 || len(c.SignIn.Origins) > 0 {
		return strings.Join(list[:min(len(list), 1)], "")
	}

	host, _, _ := net.SplitHostPort(c.HTTP) // origins has parsed it
	likely := ""
	switch ip := net.ParseIP(host); {
	case len(c.Hosts) > 0:
		likely = c.Hosts[0]
	case ip != nil && ip.IsLoopback(), host == "localhost":
		likely = "localhost"
	case ip != nil && !ip.IsUnspecified():
		likely = host
	default:
		likely, _ = os.Hostname() // without a name localhost stands in front
	}

	for _, o := range list {
		if u, err := url.Parse(o); err == nil && strings.EqualFold(u.Hostname(), likely) {
			return o
		}
	}
	return list[0]
}

// LinkAdvice says what may be wrong with the address in a link; empty where the
// settings name it.
func LinkAdvice(c config.Config) string {
	if len(c.SignIn.Origins) > 0 || len(c.Hosts) > 0 {
		return ""
	}
	host, _, err := net.SplitHostPort(c.HTTP)
	if ip := net.ParseIP(host); err != nil || host == "localhost" || ip != nil && ip.IsLoopback() {
		return "The link opens on this machine alone: the server listens on " + c.HTTP + ". Set http and hosts in " +
			"the settings for others to reach it."
	}
	return "The settings do not say under which name people reach the server, " +
		"so the link says " + BestOrigin(c) + ". Set hosts or signin.origins if that is another one."
}
