package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Scan is a scan that serve begins by itself, within the declared scope.
type Scan struct {
	// Name tells schedules apart.
	Name string `yaml:"name"`
	// Targets are as on the command line: addresses, ranges, host names.
	Targets []string `yaml:"targets"`
	// At is when: "03:00" for each day, "Sun 03:00" for one day of the week, in
	// the time of the machine.
	At string `yaml:"at"`
	// Ports are the only ones; empty: those of DICOM, HL7 and of web services.
	Ports string `yaml:"ports,omitempty"`
	// CatchUp runs it once at the start where it was missed.
	CatchUp bool `yaml:"catch_up,omitempty"`
}

// Alarms says who is told. Empty: nobody.
type Alarms struct {
	// Severity is the mildest of a new issue that is told: critical, high, medium or low; empty: critical.
	Severity string  `yaml:"severity,omitempty"`
	Mail     Mail    `yaml:"mail,omitempty"`
	Webhook  Webhook `yaml:"webhook,omitempty"`
	Syslog   Syslog  `yaml:"syslog,omitempty"`
}

// Mail is a server that takes mail over TLS. Empty: none.
type Mail struct {
	// Server is HOST:PORT; 465 speaks TLS at once, any other port after STARTTLS.
	Server string `yaml:"server,omitempty"`
	// ImplicitTLS speaks TLS at once at any port.
	ImplicitTLS bool     `yaml:"implicit_tls,omitempty"`
	From        string   `yaml:"from,omitempty"`
	To          []string `yaml:"to,omitempty"`
	User        string   `yaml:"user,omitempty"`
	// PasswordFile holds the password of User on its first line.
	PasswordFile string `yaml:"password_file,omitempty"`
	// OAuth gets a token in place of a password (XOAUTH2).
	OAuth MailOAuth `yaml:"oauth,omitempty"`
	Roots string    `yaml:"roots,omitempty"` // PEM; empty: the system's
}

// MailOAuth is where a token to send mail with is fetched, by the credentials of a
// client. Empty: none.
type MailOAuth struct {
	TokenURL string `yaml:"token_url,omitempty"` // https
	ClientID string `yaml:"client_id,omitempty"`
	// ClientSecretFile holds the secret on its first line.
	ClientSecretFile string   `yaml:"client_secret_file,omitempty"`
	Scopes           []string `yaml:"scopes,omitempty"`
	Roots            string   `yaml:"roots,omitempty"` // PEM; empty: the system's
}

// Webhook is an address that takes a POST. Empty: none.
type Webhook struct {
	URL string `yaml:"url,omitempty"` // https; http of this machine only
	// SecretFile holds the secret of the signature on its first line, 16 bytes or more.
	SecretFile string `yaml:"secret_file,omitempty"`
	Roots      string `yaml:"roots,omitempty"`
}

// Syslog is a server that takes syslog over TLS. Empty: none.
type Syslog struct {
	Server string `yaml:"server,omitempty"` // HOST:PORT
	Roots  string `yaml:"roots,omitempty"`
	// Certificate and Key are shown where the server asks who we are, both PEM;
	// empty: the archive's own.
	Certificate string `yaml:"certificate,omitempty"`
	Key         string `yaml:"key,omitempty"`
}

// Any reports whether somebody is told.
func (a Alarms) Any() bool {
	return a.Mail.Server != "" || a.Webhook.URL != "" || a.Syslog.Server != ""
}

func (a Alarms) check(add adder) {
	if !slices.Contains([]string{"", "critical", "high", "medium", "low"}, a.Severity) {
		add("alarms.severity %q: choose critical, high, medium or low", a.Severity)
	}

	for key, server := range map[string]string{"alarms.mail.server": a.Mail.Server, "alarms.syslog.server": a.Syslog.Server} {
		if host, port, err := net.SplitHostPort(server); server != "" && (err != nil || host == "" || port == "") {
			add("%s: want HOST:PORT", key)
		}
	}

	m := a.Mail
	if m.Server != "" {
		if len(m.To) == 0 || m.From == "" {
			add("alarms.mail: from and to are needed")
		}
		for _, address := range append([]string{m.From}, m.To...) {
			if p, err := mail.ParseAddress(address); address != "" && (err != nil || p.Address != address) {
				add("alarms.mail: %q is not a mail address; want NAME@DOMAIN", address)
			}
		}
		m.checkSignIn(add)
	}

	if (a.Syslog.Certificate == "") != (a.Syslog.Key == "") {
		add("alarms.syslog: certificate and key go together")
	}

	if a.Webhook.URL != "" && (!safeHook(a.Webhook.URL) || a.Webhook.SecretFile == "") {
		add("alarms.webhook: want an https:// address without a user, and a secret_file")
	}
}

func (m Mail) checkSignIn(add adder) {
	o := m.OAuth
	if o.TokenURL == "" {
		if o.ClientID != "" || o.ClientSecretFile != "" || len(o.Scopes) > 0 || o.Roots != "" {
			add("alarms.mail.oauth.token_url: is missing; without it the other settings of alarms.mail.oauth do nothing")
		}
		if (m.User == "") != (m.PasswordFile == "") {
			add("alarms.mail: user and password_file go together")
		}
		return
	}

	if !safeHook(o.TokenURL) {
		add("alarms.mail.oauth.token_url: want an https:// address without a user, as the token endpoint of the provider")
	}
	if o.ClientID == "" {
		add("alarms.mail.oauth.client_id: is missing; it is the number or name under which the provider knows this archive")
	}
	if o.ClientSecretFile == "" {
		add("alarms.mail.oauth.client_secret_file: is missing; name a file with the secret of the client on its first line")
	}
	for _, scope := range o.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\r\n\"\\") {
			add("alarms.mail.oauth.scopes %q: one word in each entry, as https://outlook.office365.com/.default", scope)
		}
	}

	if m.User == "" {
		add("alarms.mail.user: is missing; with alarms.mail.oauth it is the mailbox that sends")
	}
	if m.PasswordFile != "" {
		add("alarms.mail.password_file: take it out; with alarms.mail.oauth the token stands in its place")
	}
}

// safeHook takes https; http only of this machine.
func safeHook(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && err == nil && ip.IsLoopback()
}

// scansMost is how many schedules there may be.
const scansMost = 64

func checkScans(list []Scan, add adder) {
	if len(list) > scansMost {
		add("scans: at most %d", scansMost)
	}

	names := map[string]bool{}
	for _, s := range list {
		if s.Name == "" || len(s.Name) > 64 || names[s.Name] {
			add("scans: each needs a name of its own, of at most 64 characters")
		}
		names[s.Name] = true

		if len(s.Targets) == 0 {
			add("scans %q: targets are needed", s.Name)
		}
		if _, err := ParseClock(s.At); err != nil {
			add("scans %q: %w", s.Name, err)
		}
	}
}

// Clock is a time of the day, on each day or on one day of the week.
type Clock struct {
	weekly       bool
	day          time.Weekday
	hour, minute int
}

// ParseClock reads "03:00" or "Sun 03:00".
func ParseClock(s string) (Clock, error) {
	var c Clock

	text := strings.TrimSpace(s)
	if day, rest, ok := strings.Cut(text, " "); ok {
		i := slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, strings.ToLower(day))
		if i < 0 {
			return c, fmt.Errorf("at %q: want 03:00, or Sun 03:00 with Mon Tue Wed Thu Fri Sat Sun", s)
		}
		c.weekly = true
		c.day = time.Weekday(i)
		text = strings.TrimSpace(rest)
	}

	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return c, fmt.Errorf("at %q: want 03:00, or Sun 03:00 with Mon Tue Wed Thu Fri Sat Sun", s)
	}

	c.hour, c.minute = t.Hour(), t.Minute()
	return c, nil
}

// Next is the first moment of the clock behind a time, in the zone of that time.
// Where daylight saving skips it, it is the first moment after the gap; where a
// time comes twice, the first of the two counts, so that it is once a day.
func (c Clock) Next(after time.Time) time.Time {
	y, m, d := after.Date()
	for n := 0; ; n++ {
		t := c.on(y, m, d+n, after.Location())
		if t.After(after) && (!c.weekly || time.Date(y, m, d+n, 12, 0, 0, 0, after.Location()).Weekday() == c.day) {
			return t
		}
	}
}

// Last is the latest moment of the clock at or before a time.
func (c Clock) Last(at time.Time) time.Time {
	y, m, d := at.Date()
	for n := 0; ; n++ {
		t := c.on(y, m, d-n, at.Location())
		if !t.After(at) && (!c.weekly || time.Date(y, m, d-n, 12, 0, 0, 0, at.Location()).Weekday() == c.day) {
			return t
		}
	}
}

// on is the moment of the clock on a day.
func (c Clock) on(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, c.hour, c.minute, 0, 0, zone)
	if t.Hour() != c.hour || t.Minute() != c.minute {
		// Skipped: the first moment that has a later time on the clock.
		start, end := t.ZoneBounds()
		if t.Hour()*60+t.Minute() < c.hour*60+c.minute && !end.IsZero() {
			return end
		}
		return start
	}

	// What the clock shows twice counts the first time.
	if early := t.Add(-time.Hour); early.Hour() == c.hour && early.Minute() == c.minute {
		return early
	}
	return t
}
