package house

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/config"
)

// settingsWithPairs have a pair of files at each place that names one, and a
// secret and an authority at the others.
func settingsWithPairs(t *testing.T, valid time.Duration) config.Config {
	t.Helper()
	c := config.Default()
	cert, key := hospitalPair(t, valid)
	for _, at := range []struct{ cert, key *string }{
		{&c.TLS.Certificate, &c.TLS.Key}, {&c.Audit.Certificate, &c.Audit.Key}, {&c.Alarms.Syslog.Certificate, &c.Alarms.Syslog.Key},
	} {
		*at.cert, *at.key = cert, key
	}
	for _, at := range []*string{
		&c.Advisories.Roots, &c.Alarms.Mail.Roots, &c.Alarms.Mail.OAuth.Roots, &c.Alarms.Webhook.Roots, &c.Alarms.Syslog.Roots, &c.Audit.Roots,
		&c.SignIn.OIDC.Roots, &c.TLS.ACME.Roots,
	} {
		*at = cert
	}

	c.Audit.Repository, c.Alarms.Mail.Server, c.Alarms.Syslog.Server = "audit.example.org:6514", "mail.example.org:587", "log.example.org:6514"
	c.Alarms.Webhook.URL, c.SignIn.OIDC.Issuer, c.TLS.ACME.Directory = "https://hook.example.org", "https://id.example.org", "https://ca.example.org"

	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("MDEyMzQ1Njc4OWFiY2RlZg\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range []*string{
		&c.Alarms.Mail.PasswordFile, &c.Alarms.Mail.OAuth.ClientSecretFile, &c.Alarms.Webhook.SecretFile, &c.SignIn.OIDC.ClientSecretFile, &c.TLS.ACME.EABKeyFile,
	} {
		*at = secret
	}
	return c
}

// namedIn wants each setting of some kinds named on a line of its own with a word.
func namedIn(t *testing.T, err error, c config.Config, word string, kinds ...config.FileKind) {
	t.Helper()
	if err == nil {
		t.Fatalf("nothing is said of %q", word)
	}
	lines := strings.Split(err.Error(), "\n")
	for _, f := range c.Files() {
		want, got := false, false
		for _, k := range kinds {
			want = want || f.Kind == k
		}
		for _, line := range lines {
			got = got || strings.HasPrefix(line, "config: "+f.Setting+": ") && strings.Contains(line, word)
		}
		if want != got {
			t.Errorf("%s: %q is said: %v\n%v", f.Setting, word, got, err)
		}
	}
}

func TestTheFilesOfSettingsAreGood(t *testing.T) {
	t.Parallel()
	c := settingsWithPairs(t, 90*24*time.Hour)
	for _, change := range []func(){
		func() {},
		func() { c.Hosts = []string{"192.0.2.1"} }, // for devices, while browsers come by the name
		func() { c.Hosts = []string{"192.0.2.1", "pacs.example.org"} },
		func() { c.SignIn.Origins = []string{"https://front.example.org"} }, // of a proxy, which calls pacs.example.org
		func() { c.SignIn.Origins = []string{"https://pacs.example.org:8443"} },
	} {
		change()
		if err := CheckOutside(c); err != nil {
			t.Error(err)
		}
	}
}

func TestAnExpiredFileIsASettingThatIsWrong(t *testing.T) {
	t.Parallel()
	c := settingsWithPairs(t, -time.Minute)
	namedIn(t, CheckOutside(c), c, "has expired", config.Certificate, config.Authorities)
}

// A server that has no other shows it all the same; its settings are wrong still.
func TestACertificateForLaterIsASettingThatIsWrong(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.TLS.Certificate, c.TLS.Key = hospitalPair(t, time.Hour)
	synctest.Test(t, func(t *testing.T) { // where it is the year 2000
		namedIn(t, CheckOutside(c), c, "look at the clock", config.Certificate)
	})
}

func TestAFileThatOthersMayReadIsASettingThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		mode  os.FileMode
		kinds []config.FileKind
	}{
		{0o640, []config.FileKind{config.Secret}}, // a key may be read by a group, as Debian's ssl-cert
		{0o440, []config.FileKind{config.Secret}}, // and fsGroup of Kubernetes
		{0o660, []config.FileKind{config.PrivateKey, config.Secret}},
		{0o604, []config.FileKind{config.PrivateKey, config.Secret}},
	} {
		c := settingsWithPairs(t, time.Hour)
		for _, f := range c.Files() {
			if err := os.Chmod(f.Path, x.mode); err != nil {
				t.Fatal(err)
			}
		}
		namedIn(t, CheckOutside(c), c, "chmod 6", x.kinds...)
	}
}

// What 'config check' says of it must not keep an archive from its work that bound
// its account before.
func TestAKeyOfAnAccountThatOthersMayReadLetsTheServerStart(t *testing.T) {
	t.Parallel()
	c := settingsWithPairs(t, time.Hour)
	if err := os.Chmod(c.TLS.ACME.EABKeyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := accountBinding(c.TLS.ACME); err != nil {
		t.Error(err)
	}
}

// Certbot and Kubernetes name files by links, and some keep certificate and key in
// one file.
func TestLinksAndOneFileForBothAreGood(t *testing.T) {
	t.Parallel()
	c := settingsWithPairs(t, 90*24*time.Hour)
	var both []byte
	for _, path := range []string{c.TLS.Certificate, c.TLS.Key} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, b...)
	}

	dir := t.TempDir()
	file, link := filepath.Join(dir, "both.pem"), filepath.Join(dir, "live.pem")
	if err := os.WriteFile(file, both, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("both.pem", link); err != nil {
		t.Fatal(err)
	}
	c.TLS.Certificate, c.TLS.Key = link, link
	if err := CheckOutside(c); err != nil {
		t.Error(err)
	}
}

func TestAPairOfTwoPairsIsASettingThatIsWrong(t *testing.T) {
	t.Parallel()
	c := settingsWithPairs(t, time.Hour)
	_, other := hospitalPair(t, time.Hour)
	c.TLS.Key, c.Audit.Key, c.Alarms.Syslog.Key = other, other, other
	namedIn(t, CheckOutside(c), c, "cannot be used together", config.Certificate)
}

func TestACertificateForAnotherNameIsASettingThatIsWrong(t *testing.T) {
	t.Parallel()
	for setting, change := range map[string]func(*config.Config){
		"hosts": func(c *config.Config) { c.Hosts = []string{"other.example.org", "192.0.2.1"} },
		"signin.origins": func(c *config.Config) {
			c.SignIn.Origins = []string{"https://pacs.example.org", "https://other.example.org"}
		},
	} {
		c := settingsWithPairs(t, time.Hour)
		change(&c)
		err := CheckOutside(c)
		if err == nil || !strings.Contains(err.Error(), "tls.certificate: ") || !strings.Contains(err.Error(), "other.example.org") ||
			!strings.Contains(err.Error(), "correct "+setting) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

func TestACertificateWithoutTheNameOfPagesBehindTheGateIsNamed(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]bool{"https://pacs.example.org:8444": false, "https://pages.example.org:8444": true} {
		c := settingsWithPairs(t, time.Hour)
		c.Data = t.TempDir()
		text := "routes:\n  - {name: OLD, protect: OLD@127.0.0.1:104, rules: [{name: all, registered: true}], web: {to: 'http://127.0.0.1:1', at: '" + at + "'}}\n"
		if err := os.WriteFile(RoutesFile(c), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := CheckOutside(c)
		if said := err != nil && strings.Contains(err.Error(), "is not valid for pages.example.org, where the pages behind OLD are"); said != want {
			t.Errorf("%s: %v", at, err)
		}
		if !want && err != nil {
			t.Errorf("%s: %v", at, err)
		}

		// A proxy has a certificate of its own for browsers.
		c.SignIn.Origins, c.Hosts = []string{"https://front.example.org"}, []string{"pacs.example.org"}
		if err := CheckOutside(c); err != nil {
			t.Errorf("%s, behind a proxy: %v", at, err)
		}
	}
}
