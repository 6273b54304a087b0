package config_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"collimator/internal/config"
)

// fileKeys are the names that settings have which name a file with keys,
// certificates or a secret.
var fileKeys = regexp.MustCompile(`(^|\.)(roots|certificate|key|keys|[a-z_]+_file)$`)

// A file that is not listed is not looked at by 'config check'.
func TestEverySettingThatNamesAFileIsListed(t *testing.T) {
	t.Parallel()
	c := config.Default()
	var want []string
	fill(reflect.ValueOf(&c).Elem(), "", &want)

	var got []string
	for _, f := range c.Files() {
		got = append(got, f.Setting)
		if f.Path != f.Setting {
			t.Errorf("%s gives the file of %s", f.Setting, f.Path)
		}
		if private := regexp.MustCompile(`(_file|tls\.key|audit\.key|syslog\.key)$`).MatchString(f.Setting); private != f.Kind.Private() {
			t.Errorf("%s: private is %v", f.Setting, f.Kind.Private())
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// fill gives each setting that names a file its own name as the value.
func fill(v reflect.Value, path string, names *[]string) {
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		full := strings.TrimPrefix(path+"."+key, ".")
		switch f := v.Field(i); {
		case f.Kind() == reflect.Struct:
			fill(f, full, names)
		case f.Kind() == reflect.String && fileKeys.MatchString(full):
			f.SetString(full)
			*names = append(*names, full)
		}
	}
}

// It is said once, and keeps no archive from starting: an alarm that is not sent is no
// reason for images that cannot be seen.
func TestWhatIsSetForAServiceThatIsNotNamedIsSaid(t *testing.T) {
	t.Parallel()
	for setting, change := range map[string]func(*config.Config){
		"audit.certificate is of no use without audit.repository":                func(c *config.Config) { c.Audit.Certificate, c.Audit.Key = "a", "b" },
		"audit.roots is of no use without audit.repository":                      func(c *config.Config) { c.Audit.Roots = "a" },
		"alarms.syslog.certificate is of no use without alarms.syslog.server":    func(c *config.Config) { c.Alarms.Syslog.Certificate, c.Alarms.Syslog.Key = "a", "b" },
		"alarms.mail.password_file is of no use without alarms.mail.server":      func(c *config.Config) { c.Alarms.Mail.PasswordFile = "a" },
		"alarms.webhook.secret_file is of no use without alarms.webhook.url":     func(c *config.Config) { c.Alarms.Webhook.SecretFile = "a" },
		"signin.oidc.client_secret_file is of no use without signin.oidc.issuer": func(c *config.Config) { c.SignIn.OIDC.ClientSecretFile = "a" },
		"signin.oidc.group_claim is of no use without signin.oidc.issuer":        func(c *config.Config) { c.SignIn.OIDC.GroupClaim = "groups" },
		"tls.acme.hosts is of no use without tls.acme.directory":                 func(c *config.Config) { c.TLS.ACME.Hosts = []string{"a.example"} },
		"advisories.key is of no use without advisories.sources":                 func(c *config.Config) { c.Advisories.Key = "a" },
	} {
		c := config.Default()
		change(&c)
		if err := c.Check(); err != nil {
			t.Errorf("%s: no server would start: %v", setting, err)
		}
		said := 0
		for _, err := range c.Unused() {
			if strings.HasPrefix(err.Error(), setting) && strings.Contains(err.Error(), "out") {
				said++
			}
		}
		if said != 1 {
			t.Errorf("%s: said %d times: %v", setting, said, c.Unused())
		}
	}
}
