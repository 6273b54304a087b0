package config_test

import (
	"strings"
	"testing"
	"time"

	"collimator/internal/config"
)

func TestClockRunsOnceADayWhateverDaylightSavingDoes(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("left out: no time zones on this machine")
	}
	at := func(s string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct{ clock, after, want string }{
		{"03:00", "2026-11-23 02:59", "2026-11-23T03:00:00+01:00"},
		{"03:00", "2026-11-23 03:00", "2026-11-24T03:00:00+01:00"},
		{"Sun 03:00", "2026-11-23 12:00", "2026-11-29T03:00:00+01:00"},
		{"Mon 03:00", "2026-11-23 12:00", "2026-11-30T03:00:00+01:00"},
		{"mon 23:59", "2026-11-23 12:00", "2026-11-23T23:59:00+01:00"},
		// 2026-03-29: 02:00 to 03:00 does not exist.
		{"02:30", "2026-03-28 12:00", "2026-03-29T03:00:00+02:00"},
		{"02:30", "2026-03-29 03:00", "2026-03-30T02:30:00+02:00"},
		{"Sun 02:30", "2026-03-28 12:00", "2026-03-29T03:00:00+02:00"},
		// 2026-10-25: 02:00 to 03:00 comes twice.
		{"02:30", "2026-10-24 12:00", "2026-10-25T02:30:00+02:00"},
		{"03:00", "2026-10-24 12:00", "2026-10-25T03:00:00+01:00"},
	} {
		clock, err := config.ParseClock(c.clock)
		if err != nil {
			t.Fatal(err)
		}
		if got := clock.Next(at(c.after)).Format(time.RFC3339); got != c.want {
			t.Errorf("%s after %s is %s, want %s", c.clock, c.after, got, c.want)
		}
	}
	// Over two years each day has one moment, and Last finds what Next gave.
	clock, _ := config.ParseClock("02:30")
	moment, days := at("2026-01-01 00:00"), 0
	for moment.Year() < 2028 {
		next := clock.Next(moment)
		if gap := next.Sub(moment); gap > 25*time.Hour || gap <= 0 {
			t.Fatalf("%s follows %s", next, moment)
		}
		if last := clock.Last(next.Add(time.Minute)); !last.Equal(next) {
			t.Fatalf("last before %s is %s", next, last)
		}
		moment = next
		days++
	}
	if days != 365+365+1 {
		t.Errorf("%d moments in two years", days)
	}
	for _, bad := range []string{"", "3:00", "25:00", "Son 03:00", "03:00 Sun", "daily"} {
		if _, err := config.ParseClock(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestAlarmsAndSchedulesThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	good := config.Default()
	good.Scans = []config.Scan{{Name: "week", Targets: []string{"10.0.0.0/24"}, At: "Sun 03:00"}}
	good.Alarms = config.Alarms{Severity: "high", Mail: config.Mail{Server: "mail.example.org:465", From: "c@example.org", To: []string{"s@example.org"}},
		Webhook: config.Webhook{URL: "https://hook.example.org/x", SecretFile: "secret"}, Syslog: config.Syslog{Server: "log.example.org:6514"}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*config.Config){
		"severity":             func(c *config.Config) { c.Alarms.Severity = "dreadful" },
		"mail without a port":  func(c *config.Config) { c.Alarms.Mail.Server = "mail.example.org" },
		"nobody to write to":   func(c *config.Config) { c.Alarms.Mail.To = nil },
		"header in an address": func(c *config.Config) { c.Alarms.Mail.To = []string{"a@b\r\nBcc: x@y"} },
		"user without a file":  func(c *config.Config) { c.Alarms.Mail.User = "x" },
		"hook without TLS":     func(c *config.Config) { c.Alarms.Webhook.URL = "http://hook.example.org/" },
		"hook with a user":     func(c *config.Config) { c.Alarms.Webhook.URL = "https://u:p@hook.example.org/" },
		"hook without secret":  func(c *config.Config) { c.Alarms.Webhook.SecretFile = "" },
		"token without a mailbox": func(c *config.Config) {
			c.Alarms.Mail.OAuth = config.MailOAuth{TokenURL: "https://id.example.org/token", ClientID: "pacs", ClientSecretFile: "secret"}
		},
		"token and a password": func(c *config.Config) {
			c.Alarms.Mail.User, c.Alarms.Mail.PasswordFile = "pacs@example.org", "secret"
			c.Alarms.Mail.OAuth = config.MailOAuth{TokenURL: "https://id.example.org/token", ClientID: "pacs", ClientSecretFile: "secret"}
		},
		"token without TLS": func(c *config.Config) {
			c.Alarms.Mail.User = "pacs@example.org"
			c.Alarms.Mail.OAuth = config.MailOAuth{TokenURL: "http://id.example.org/token", ClientID: "pacs", ClientSecretFile: "secret"}
		},
		"token from nowhere":        func(c *config.Config) { c.Alarms.Mail.OAuth.ClientID = "pacs" },
		"certificate without a key": func(c *config.Config) { c.Alarms.Syslog.Certificate = "cert.pem" },
		"key without a certificate": func(c *config.Config) { c.Audit.Key = "key.pem" },
		"two of one name":           func(c *config.Config) { c.Scans = append(c.Scans, c.Scans[0]) },
		"no targets":                func(c *config.Config) { c.Scans = []config.Scan{{Name: "x", At: "03:00"}} },
		"no time":                   func(c *config.Config) { c.Scans = []config.Scan{{Name: "x", Targets: []string{"10.0.0.1"}}} },
	} {
		c := good
		change(&c)
		if c.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// Each mistake with the token of mail has a sentence of its own.
func TestEachMistakeWithTheTokenOfMailIsNamed(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*config.Mail){
		"": func(*config.Mail) {},
		"alarms.mail.oauth.token_url: is missing":               func(m *config.Mail) { m.OAuth.TokenURL = ""; m.PasswordFile = "secret" },
		"alarms.mail.oauth.token_url: want an https:// address": func(m *config.Mail) { m.OAuth.TokenURL = "http://id.example.org/token" },
		"alarms.mail.oauth.client_id: is missing":               func(m *config.Mail) { m.OAuth.ClientID = "" },
		"alarms.mail.oauth.client_secret_file: is missing":      func(m *config.Mail) { m.OAuth.ClientSecretFile = "" },
		"alarms.mail.oauth.scopes \"a b\"":                      func(m *config.Mail) { m.OAuth.Scopes = []string{"a b"} },
		"alarms.mail.user: is missing":                          func(m *config.Mail) { m.User = "" },
		"alarms.mail.password_file: take it out":                func(m *config.Mail) { m.PasswordFile = "secret" },
	} {
		c := config.Default()
		c.Alarms.Mail = config.Mail{Server: "mail.example.org:465", From: "pacs@example.org", To: []string{"it@example.org"}, User: "pacs@example.org",
			OAuth: config.MailOAuth{TokenURL: "https://id.example.org/token", ClientID: "pacs", ClientSecretFile: "secret", Scopes: []string{"mail.send"}}}
		change(&c.Alarms.Mail)
		err := c.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "\n") > 0) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
