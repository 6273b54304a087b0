package config

// Files are the files that settings name, by the setting. A server reads each of
// them at its start or later.
func (c Config) Files() map[string]string {
	named := map[string]string{
		"tokens.keys": c.Tokens.Keys, "tls.certificate": c.TLS.Certificate, "tls.key": c.TLS.Key, "tls.acme.roots": c.TLS.ACME.Roots, "tls.acme.eab_key_file": c.TLS.ACME.EABKeyFile,
		"signin.oidc.client_secret_file": c.SignIn.OIDC.ClientSecretFile, "signin.oidc.roots": c.SignIn.OIDC.Roots, "audit.roots": c.Audit.Roots,
		"advisories.key": c.Advisories.Key, "advisories.roots": c.Advisories.Roots,
		"alarms.mail.password_file": c.Alarms.Mail.PasswordFile, "alarms.mail.roots": c.Alarms.Mail.Roots,
		"alarms.webhook.secret_file": c.Alarms.Webhook.SecretFile, "alarms.webhook.roots": c.Alarms.Webhook.Roots,
		"alarms.syslog.roots":       c.Alarms.Syslog.Roots,
		"alarms.syslog.certificate": c.Alarms.Syslog.Certificate, "alarms.syslog.key": c.Alarms.Syslog.Key,
		"alarms.mail.oauth.client_secret_file": c.Alarms.Mail.OAuth.ClientSecretFile, "alarms.mail.oauth.roots": c.Alarms.Mail.OAuth.Roots,
		"audit.certificate": c.Audit.Certificate, "audit.key": c.Audit.Key,
	}
	for setting, path := range named {
		if path == "" {
			delete(named, setting)
		}
	}
	return named
}
