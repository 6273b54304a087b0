package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// FileKind is what a file has to hold that a setting names.
type FileKind uint8

// The kinds of files.
const (
	Authorities FileKind = iota // certificates of whom we believe, PEM
	Certificate                 // one that we show, with its chain, PEM
	PrivateKey                  // the key of that certificate, PEM
	Secret                      // a secret on the first line
	PublicKeys                  // keys of somebody who signs
)

// Private reports what not everybody on the machine may read.
func (k FileKind) Private() bool { return k == PrivateKey || k == Secret }

// NamedFile is a file that a setting names.
type NamedFile struct {
	Setting, Path string
	Kind          FileKind
}

// Files are the files that settings name, in the order of the settings. A server
// reads each of them at its start or later.
func (c Config) Files() []NamedFile {
	mail, webhook, syslog := c.Alarms.Mail, c.Alarms.Webhook, c.Alarms.Syslog
	named := []NamedFile{
		{"advisories.key", c.Advisories.Key, PublicKeys},
		{"advisories.roots", c.Advisories.Roots, Authorities},
		{"alarms.mail.oauth.client_secret_file", mail.OAuth.ClientSecretFile, Secret},
		{"alarms.mail.oauth.roots", mail.OAuth.Roots, Authorities},
		{"alarms.mail.password_file", mail.PasswordFile, Secret},
		{"alarms.mail.roots", mail.Roots, Authorities},
		{"alarms.syslog.certificate", syslog.Certificate, Certificate},
		{"alarms.syslog.key", syslog.Key, PrivateKey},
		{"alarms.syslog.roots", syslog.Roots, Authorities},
		{"alarms.webhook.roots", webhook.Roots, Authorities},
		{"alarms.webhook.secret_file", webhook.SecretFile, Secret},
		{"audit.certificate", c.Audit.Certificate, Certificate},
		{"audit.key", c.Audit.Key, PrivateKey},
		{"audit.roots", c.Audit.Roots, Authorities},
		{"signin.oidc.client_secret_file", c.SignIn.OIDC.ClientSecretFile, Secret},
		{"signin.oidc.roots", c.SignIn.OIDC.Roots, Authorities},
		{"tls.acme.eab_key_file", c.TLS.ACME.EABKeyFile, Secret},
		{"tls.acme.roots", c.TLS.ACME.Roots, Authorities},
		{"tls.certificate", c.TLS.Certificate, Certificate},
		{"tls.key", c.TLS.Key, PrivateKey},
		{"tokens.keys", c.Tokens.Keys, PublicKeys},
	}

	return slices.DeleteFunc(named, func(f NamedFile) bool { return f.Path == "" })
}

// Unused names what is set for a service that no setting names: whoever wrote it
// believes that it works. It is not part of Check: an archive does its work without.
func (c Config) Unused() (faults []error) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	trail := c.Audit
	trail.Wait = 0 // is for the trail itself

	for _, part := range []struct {
		path, service string // of the setting that names the service
		named         bool
		settings      any
	}{
		{"audit", "repository", c.Audit.Repository != "", trail},
		{"alarms.mail", "server", c.Alarms.Mail.Server != "", c.Alarms.Mail},
		{"alarms.syslog", "server", c.Alarms.Syslog.Server != "", c.Alarms.Syslog},
		{"alarms.webhook", "url", c.Alarms.Webhook.URL != "", c.Alarms.Webhook},
		{"signin.oidc", "issuer", c.SignIn.OIDC.Issuer != "", c.SignIn.OIDC},
		{"tls.acme", "directory", c.TLS.ACME.Directory != "", c.TLS.ACME},
	} {
		if part.named {
			continue
		}

		for _, key := range keysSet(reflect.ValueOf(part.settings)) {
			add("%[1]s.%[2]s is of no use without %[1]s.%[3]s: set that, or leave %[1]s.%[2]s out", part.path, key, part.service)
		}
	}

	if key := c.Advisories.Key; key != "" && len(c.Advisories.Sources) == 0 {
		add("advisories.key is of no use without advisories.sources: set them, or leave it out; " +
			"'collimator advisory import' has a flag --key")
	}
	return faults
}

// keysSet names the keys of a part of the settings that have a value.
func keysSet(part reflect.Value) (keys []string) {
	for i := range part.NumField() {
		if part.Field(i).IsZero() {
			continue
		}
		key, _, _ := strings.Cut(part.Type().Field(i).Tag.Get("yaml"), ",")
		keys = append(keys, key)
	}
	return keys
}
