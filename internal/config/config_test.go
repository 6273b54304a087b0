package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/internal/config"
)

func TestDefaultsAreSafeAndValid(t *testing.T) {
	t.Parallel()
	c := config.Default()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{c.HTTP, c.DICOM, c.PlainDICOM} {
		if !strings.HasPrefix(addr, "127.0.0.1:") {
			t.Errorf("%s: the default listener is not on loopback", addr)
		}
	}
}

func TestLoadRefusesUnknownKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, config.File)
	for content, want := range map[string]string{
		"ae: PACS\n":                      "",
		"":                                "",
		"aet: PACS\n":                     "aet",
		"limits:\n  associationz: 3\n":    "associationz",
		"limits:\n  associations: many\n": "limits.associations on line 2",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load("", dir)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: error %v, want one that names %q", content, err, want)
		}
	}
	if _, err := config.Load(filepath.Join(dir, "absent.yaml"), dir); err == nil {
		t.Error("a named file that is absent was accepted")
	}
}

func TestShownConfigurationIsReadBackTheSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := config.Default()
	c.Data, c.AE = dir, "ARCHIVE 1"
	b, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, config.File), b, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load("", dir)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := got.YAML()
	if string(again) != string(b) {
		t.Errorf("got\n%s\nwant\n%s", again, b)
	}
}

func TestCheckRefusesAPublicAddressUnlessInsistedInWords(t *testing.T) {
	t.Parallel()
	for addr, ok := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, "192.168.1.5:1": true, "10.0.0.1:1": true,
		"[fe80::1]:1": true, "203.0.113.7:1": false, "[2001:db8::1]:1": false, "example.org:1": false, "127.0.0.1": false,
	} {
		c := config.Default()
		c.DICOM = addr
		if err := c.Check(); (err == nil) != ok {
			t.Errorf("%s: %v, want accepted = %v", addr, err, ok)
		}
	}
	c := config.Default()
	c.DICOM, c.Public = "203.0.113.7:2762", config.Insist
	if err := c.Check(); err != nil {
		t.Errorf("insisting in words does not help: %v", err)
	}
	c.Public = "yes"
	if c.Check() == nil {
		t.Error("a mere yes was taken for the sentence")
	}
}

func TestValidAE(t *testing.T) {
	t.Parallel()
	for ae, want := range map[string]bool{
		"COLLIMATOR": true, "a b": true, "1234567890123456": true,
		"": false, " ": false, "12345678901234567": false, `A\B`: false, "A\x00": false, "Ä": false, " A": false, "A ": false,
	} {
		if config.ValidAE(ae) != want {
			t.Errorf("ValidAE(%q) is not %v", ae, want)
		}
	}
}

func TestCheckRefusesUnsafeWaysToSignInAndCertificates(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		change func(*config.Config)
		want   string // in the error; empty: none
	}{
		"one factor":                 {func(c *config.Config) { c.SignIn.SecondFactor = "optional" }, ""},
		"no such factor":             {func(c *config.Config) { c.SignIn.SecondFactor = "no" }, "second_factor"},
		"never idle":                 {func(c *config.Config) { c.SignIn.Idle = 0 }, "idle"},
		"for ever":                   {func(c *config.Config) { c.SignIn.Absolute = 1 << 60 }, "absolute"},
		"origin without TLS":         {func(c *config.Config) { c.SignIn.Origins = []string{"http://a.example"} }, "origins"},
		"origin with a path":         {func(c *config.Config) { c.SignIn.Origins = []string{"https://a.example/x"} }, "origins"},
		"issuer without TLS":         {func(c *config.Config) { c.SignIn.OIDC = config.OIDC{Issuer: "http://a.example", ClientID: "c"} }, "issuer"},
		"issuer on loopback":         {func(c *config.Config) { c.SignIn.OIDC = config.OIDC{Issuer: "http://127.0.0.1:1", ClientID: "c"} }, ""},
		"a claim of spaces":          {groupClaim("  "), `signin.oidc.group_claim "  ": want the name of one claim`},
		"a claim with a space":       {groupClaim("groups "), `signin.oidc.group_claim "groups "`},
		"two claims":                 {groupClaim("groups,roles"), "signin.oidc.group_claim"},
		"a claim without end":        {groupClaim(strings.Repeat("g", 257)), "signin.oidc.group_claim"},
		"a claim of the token":       {groupClaim("iss"), "not of the person"},
		"the person as a group":      {groupClaim("sub"), "who the person is"},
		"the name as a group":        {groupClaim("preferred_username"), "who the person is"},
		"a claim that is an address": {groupClaim("https://id.example.org/claims/groups"), ""},
		"a claim with a colon":       {groupClaim("cognito:groups"), ""},
		"no client":                  {func(c *config.Config) { c.SignIn.OIDC = config.OIDC{Issuer: "https://a.example"} }, "client_id"},
		"made without a role": {func(c *config.Config) {
			c.SignIn.OIDC = config.OIDC{Issuer: "https://a.example", ClientID: "c", Create: true}
		}, "role_claim"},
		"a role claim without roles": {func(c *config.Config) {
			c.SignIn.OIDC = config.OIDC{Issuer: "https://a.example", ClientID: "c", RoleClaim: "groups"}
		}, "roles"},
		"clocks far apart": {func(c *config.Config) {
			c.SignIn.OIDC = config.OIDC{Issuer: "https://a.example", ClientID: "c", Leeway: time.Hour}
		}, "leeway"},
		"scopes in one text": {func(c *config.Config) {
			c.SignIn.OIDC = config.OIDC{Issuer: "https://a.example", ClientID: "c", Scopes: []string{"email groups"}}
		}, "scopes"},
		"nobody without a provider": {func(c *config.Config) { c.SignIn.Local, c.SignIn.BreakGlass = false, []string{"ada"} }, "local"},
		"nobody without the provider": {func(c *config.Config) {
			c.SignIn.Local, c.SignIn.OIDC = false, config.OIDC{Issuer: "https://a.example", ClientID: "c"}
		}, "break_glass"},
		"provider only": {func(c *config.Config) {
			c.SignIn.Local, c.SignIn.BreakGlass, c.SignIn.OIDC = false, []string{"ada"}, config.OIDC{Issuer: "https://a.example", ClientID: "c"}
		}, ""},
		"break glass for nothing": {func(c *config.Config) { c.SignIn.BreakGlass = []string{"ada"} }, "break_glass"},
		"certificate alone":       {func(c *config.Config) { c.TLS.Certificate = "a" }, "tls.key"},
		"ACME": {func(c *config.Config) {
			c.TLS.ACME = config.ACME{Directory: "https://a.example", AcceptTerms: true, Hosts: []string{"a.example"}}
		}, ""},
		"ACME without TLS": {func(c *config.Config) {
			c.TLS.ACME = config.ACME{Directory: "http://a.example", AcceptTerms: true, Hosts: []string{"a.example"}}
		}, "directory"},
		"terms not accepted": {func(c *config.Config) {
			c.TLS.ACME = config.ACME{Directory: "https://a.example", Hosts: []string{"a.example"}}
		}, "accept_terms"},
		"ACME for an address": {func(c *config.Config) {
			c.TLS.ACME = config.ACME{Directory: "https://a.example", AcceptTerms: true, Hosts: []string{"192.168.1.1"}}
		}, "hosts"},
	} {
		x := config.Default()
		c.change(&x)
		err := x.Check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want one that names %q", what, err, c.want)
		}
	}
}

func TestCheckExplainsWhatAProxyIs(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Outward.Proxy = "proxy:3128"
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "outward.proxy: want http://HOST:PORT") {
		t.Errorf("%v", err)
	}
}

// groupClaim sets the claim with the groups, where all else is well.
func groupClaim(name string) func(*config.Config) {
	return func(c *config.Config) {
		c.SignIn.OIDC = config.OIDC{Issuer: "https://a.example", ClientID: "c", GroupClaim: name}
	}
}
