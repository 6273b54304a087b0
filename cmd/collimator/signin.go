package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"collimator/internal/config"
	"collimator/internal/console"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/outward"
	"collimator/internal/state"
)

// signIn puts the settings of signing in together.
func signIn(in *installation, states *state.Register) (guard.SignIn, error) {
	c := in.config
	s := guard.SignIn{
		Sessions:          sessionLimits(c),
		InsecureOneFactor: c.SignIn.SecondFactor == "optional",
		Origins:           origins(c),
		Name:              "Collimator " + c.AE,
		ProviderOnly:      !c.SignIn.Local,
		BreakGlass:        c.SignIn.BreakGlass,
	}
	var err error
	if s.Passkeys, err = identity.NewRelyingParty(in.registry, s.Origins); err != nil {
		return s, err
	}
	if c.SignIn.OIDC.Issuer != "" {
		s.OIDC, err = identityProvider(in, c.SignIn.OIDC, states)
	}
	return s, err
}

func sessionLimits(c config.Config) identity.SessionLimits {
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
	for _, h := range append([]string{"localhost", "127.0.0.1", "::1"}, append(serverHosts(c), c.TLS.ACME.Hosts...)...) {
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

// oidcState is the name of the identity provider's state.
const oidcState = "signin.oidc"

func identityProvider(in *installation, c config.OIDC, states *state.Register) (*identity.OIDC, error) {
	o := identity.OIDCOptions{
		Issuer: c.Issuer, ClientID: c.ClientID, Scopes: c.Scopes, Leeway: c.Leeway, NameClaim: c.NameClaim, RoleClaim: c.RoleClaim, Create: c.Create, InsecureHTTP: c.Loopback(),
		LogoutEndsMade: c.Logout == "everything",
		RequireACR:     c.RequireACR, RequireAMR: c.RequireAMR,
		Health: func(err error) { tellProvider(states, err) },
	}
	if o.NameClaim == "" {
		o.NameClaim = "preferred_username"
	}
	roots, err := rootsOf("signin.oidc.roots", c.Roots)
	if err != nil {
		return nil, err
	}
	way, err := outward.New(in.config.Outward.Options())
	if err != nil {
		return nil, usageError("%w", err)
	}
	o.Transport = way.Transport(&tls.Config{RootCAs: roots})
	for _, r := range c.Roles {
		o.Roles = append(o.Roles, identity.RoleMapping{Value: r.Value, Role: r.Role})
	}
	if c.ClientSecretFile != "" {
		f, err := os.Open(c.ClientSecretFile)
		if err != nil {
			return nil, usageError("signin.oidc.client_secret_file: %w", err)
		}
		defer f.Close()
		if o.ClientSecret, err = firstLine(f); err != nil {
			return nil, err
		}
	}
	p, err := identity.NewOIDC(in.registry, o)
	if err != nil {
		return nil, usageError("signin.oidc: %w", err)
	}
	return p, nil
}

// tellProvider keeps the state of the identity provider.
func tellProvider(states *state.Register, err error) {
	if err == nil {
		states.Well(oidcState, "the identity provider answers")
		return
	}
	states.Failing(oidcState, strings.TrimPrefix(err.Error(), "identity: "),
		"see signin.oidc in the settings: issuer exactly as the provider spells it, roots, client_id and secret; the network and outward.proxy; docs/people.md")
}

// linkAddress is what stands before the secret of a one-time link.
func linkAddress(c config.Config) string { return console.SetupAddress(bestOrigin(c)) }

// shareAddress is the address before the secret of a link to a study.
func shareAddress(c config.Config) string { return console.ShareAddress(bestOrigin(c)) }

// bestOrigin is the address under which the server is most likely reached by
// others: that of the settings (signin.origins, then hosts), else the address of
// the listener, else the name of the machine; empty without an HTTPS listener.
func bestOrigin(c config.Config) string {
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

// linkAdvice says what may be wrong with the address in a link; empty where the
// settings name it.
func linkAdvice(c config.Config) string {
	if len(c.SignIn.Origins) > 0 || len(c.Hosts) > 0 {
		return ""
	}
	host, _, err := net.SplitHostPort(c.HTTP)
	if ip := net.ParseIP(host); err != nil || host == "localhost" || ip != nil && ip.IsLoopback() {
		return "The link opens on this machine alone: the server listens on " + c.HTTP + ". Set http and hosts in the settings for others to reach it."
	}
	return "The settings do not say under which name people reach the server, so the link says " + bestOrigin(c) + ". Set hosts or signin.origins if that is another one."
}

// advise says on standard error what may be wrong with the address in a link.
func advise(e *env, c config.Config) {
	if text := linkAdvice(c); text != "" {
		fmt.Fprintln(e.stderr, "collimator: "+text)
	}
}

// offerFirstLink prints the one-time link for the first administrator, where
// there is none. It goes to standard output and not into the log.
func (s *server) offerFirstLink(e *env, w io.Writer) {
	ctx := context.WithoutCancel(e.ctx) // also where the signal to stop is already there
	has, err := s.in.registry.HasAdministrator(ctx)
	if has || s.in.config.HTTP == "" {
		return
	}
	if err == nil && os.Getenv("JOURNAL_STREAM") != "" { // of systemd, where standard output is a log
		fmt.Fprintf(w, "There is no administrator yet, and HTTPS answers nothing. Make one: %s init --data %s --admin NAME\n", os.Args[0], s.in.config.Data)
		return
	}
	var secret string
	if err == nil {
		_, secret, err = s.in.registry.FirstLink(ctx)
	}
	if err != nil {
		s.log.Error("one-time link for the first administrator not made", "error", err)
		return
	}
	fmt.Fprintf(w, "\nThere is no administrator yet. Until there is one, HTTPS answers nothing else than this link,\nwhich counts once and for 24 hours:\n  %s%s\nOr in another terminal:\n  %s init --data %s --admin NAME\n",
		linkAddress(s.in.config), secret, os.Args[0], s.in.config.Data)
}
