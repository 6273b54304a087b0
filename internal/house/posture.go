package house

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"collimator/internal/alarm"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/backup"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/finding"
	"collimator/internal/gate"
	"collimator/internal/identity"
	"collimator/internal/outward"
	"collimator/internal/posture"
	"collimator/internal/recovery"
	"collimator/internal/scan"
	"collimator/internal/state"
	"collimator/internal/tlsprofile"
)

// NewPosture puts together what scans, reports and alarms need. a is nil where
// the archive itself is left out.
func NewPosture(in *Installation, a *archive.Archive, log *slog.Logger) *posture.Posture {
	o := posture.Options{
		DB: in.DB, Registers: in.Registers, Inventory: in.Inventory, Trail: in.Trail, Now: time.Now, Log: log, Version: Version(),
		Scope: func() (*scan.Scope, error) { return declaredScope(in.Config.Data) },
		Roots: in.Authority.Pool(),
	}
	if a != nil {
		o.Archive = func(ctx context.Context) (posture.ArchiveFacts, error) { return archiveFacts(ctx, in, a) }
	}
	return posture.New(o)
}

// scopeFile is where the declared scope stands in the data directory.
const scopeFile = "scope.yaml"

// declaredScope reads the scope file of the data directory; without one only
// this machine is in scope.
func declaredScope(data string) (*scan.Scope, error) {
	path := filepath.Join(data, scopeFile)
	if !FileExists(path) {
		return &scan.Scope{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("scope file: %w", err)
	}
	defer f.Close()
	return scan.ReadScope(f)
}

// heldMost is how many entries of the quarantine are counted.
const heldMost = 100_000

// archiveFacts collects what the archive knows about its own posture.
func archiveFacts(ctx context.Context, in *Installation, a *archive.Archive) (posture.ArchiveFacts, error) {
	c := in.Config
	f := posture.ArchiveFacts{
		SecondFactor: c.SignIn.SecondFactor == "required",
		Witnessed:    c.Ledger.Witness != "",
		Forwarded:    c.Audit.Repository != "",
		Alarmed:      c.Alarms.Any(),
		Public:       c.Public == config.Insist,
		Held:         map[string]int{},
	}
	if err := backupFacts(c.Data, &f); err != nil {
		return f, err
	}

	states, err := in.partStates(ctx)
	if err != nil {
		return f, err
	}
	for _, s := range states {
		if s.Level > state.Well {
			f.Parts = append(f.Parts, finding.Part{Name: s.Name, Text: s.Text, Do: s.Do, Failing: s.Level == state.Failing, Since: s.Since})
		}
	}

	devices, err := in.Registry.Devices(ctx)
	if err != nil {
		return f, err
	}
	for _, d := range devices {
		if d.Plaintext(time.Now()) {
			f.Plaintext = append(f.Plaintext, finding.Exception{Device: d.AETitle, Until: d.PlaintextUntil})
		}
		if d.WithoutCertificate(time.Now()) {
			f.NoCertificate = append(f.NoCertificate, finding.Exception{Device: d.AETitle, Until: d.NoCertificateUntil})
		}
	}

	if f.Drift, err = drift(ctx, in, devices); err != nil {
		return f, err
	}
	people, err := in.Registry.People(ctx)
	if err != nil {
		return f, err
	}
	for _, p := range people {
		if !p.Disabled.IsZero() {
			continue
		}
		factors, err := in.Registry.Factors(ctx, p.Name)
		if err != nil {
			return f, err
		}
		if !factors.Any() {
			f.SingleFactor = append(f.SingleFactor, p.Name)
		}
	}
	err = countHeld(ctx, a, &f)
	return f, err
}

// driftMost is how many refusals are looked at, and driftLines how many of them are told.
const (
	driftMost  = 10_000
	driftLines = 20
)

// drift is what registered devices were refused of late at routes that do not learn, once for each
// device and what it wanted.
func drift(ctx context.Context, in *Installation, devices []*identity.Device) (list []finding.Drift, err error) {
	routes, err := gate.Load(RoutesFile(in.Config))
	if err != nil || len(routes) == 0 {
		return nil, nil // a file that cannot be understood has a state of its own
	}

	records, err := in.Trail.Coded(ctx, audit.SecurityAlert, audit.NotGranted, time.Now().AddDate(0, 0, -finding.DriftDays), driftMost)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		route, err := gate.Find(routes, r.Peer.CalledAETitle)
		known := slices.ContainsFunc(devices, func(d *identity.Device) bool { return d.AETitle == r.Principal })
		if !known || err != nil || route.Learning(time.Now()) || len(r.Objects) == 0 || len(list) == driftLines {
			continue
		}
		d := finding.Drift{Device: r.Principal, Route: route.Name, What: r.Objects[len(r.Objects)-1].Detail, Reason: r.Reason, Last: r.Time}
		if !slices.ContainsFunc(list, func(x finding.Drift) bool {
			return x.Device == d.Device && x.Route == d.Route && x.What == d.What
		}) {
			list = append(list, d)
		}
	}
	return list, nil
}

// backupFacts says when the last backup was made, and whether its keys can be
// opened.
func backupFacts(data string, f *posture.ArchiveFacts) error {
	b, err := backup.LoadRecord(data)
	if err != nil {
		return err
	}

	if b.Last != nil {
		f.LastBackup = b.Last.Time
		age := time.Since(b.Last.Time)
		f.BackedUp = age < finding.BackupDays*24*time.Hour && age > -24*time.Hour // a clock may have been ahead
	}

	s, err := recovery.Load(data)
	if err != nil {
		return err
	}
	f.Recoverable = !s.Confirmed.IsZero()

	return nil
}

// countHeld counts by reason what waits in quarantine, about heldMost entries at most,
// and notes when the oldest came.
func countHeld(ctx context.Context, a *archive.Archive, f *posture.ArchiveFacts) error {
	for before, n := int64(0), 0; n < heldMost; {
		list, err := a.Quarantine(ctx, before, 1000)
		if err != nil || len(list) == 0 {
			return err
		}

		for _, q := range list {
			f.Held[string(q.Reason)]++
			if f.Oldest.IsZero() || q.Received.Before(f.Oldest) {
				f.Oldest = q.Received
			}
			before = q.ID
			n++
		}
	}
	return nil
}

// Watch runs the schedules and tells who has to be told, until ctx ends.
func (s *Server) Watch(ctx context.Context, wg *sync.WaitGroup) {
	if err := s.Posture.Refresh(ctx); err != nil {
		s.log.Error("posture of the archive not noted", "error", err)
	}
	wg.Go(func() { s.Posture.Follow(ctx, s.in.Config.Scans) })
	if s.Teller != nil {
		if err := s.Teller.Begin(ctx); err != nil {
			s.log.Error("beginning of alarms not noted", "error", err)
		}
		wg.Go(func() { s.Teller.Run(ctx) })
	}
}

// NewTeller opens the channels of the settings; nil without one.
func NewTeller(p *posture.Posture, in *Installation, own func() (*tls.Certificate, error), log *slog.Logger) (*posture.Teller, error) {
	c := in.Config.Alarms
	if !c.Any() {
		return nil, nil
	}

	machine, err := os.Hostname()
	if err != nil {
		machine = ""
	}

	t := &posture.Teller{Posture: p, Severity: finding.Critical, From: strings.TrimSpace("Collimator " + in.Config.AE + " " + machine)}
	if c.Severity != "" {
		if err := t.Severity.UnmarshalText([]byte(c.Severity)); err != nil {
			return nil, fault.Usage("alarms.severity: %w", err)
		}
	}

	for _, open := range []func() (alarm.Channel, error){
		func() (alarm.Channel, error) { return mailChannel(in.Config, machine) },
		func() (alarm.Channel, error) { return WebhookChannel(in.Config) },
		func() (alarm.Channel, error) {
			shown, err := certificateFor(in.Config, "alarms.syslog.certificate", own, log)
			if err != nil {
				return nil, err
			}
			return syslogChannel(c.Syslog, shown, machine)
		},
	} {
		ch, err := open()
		if err != nil {
			return nil, err
		}
		if ch != nil {
			t.Channels = append(t.Channels, ch)
		}
	}
	return t, nil
}

func mailChannel(all config.Config, machine string) (alarm.Channel, error) {
	c := all.Alarms.Mail
	if c.Server == "" {
		return nil, nil
	}

	_, port, _ := net.SplitHostPort(c.Server) // was checked
	client, err := alarmTLS("alarms.mail.roots", c.Roots, nil)
	if err != nil {
		return nil, err
	}

	m := &alarm.Mail{
		Server:   c.Server,
		Implicit: c.ImplicitTLS || port == "465",
		From:     c.From,
		To:       c.To,
		User:     c.User,
		TLS:      client,
		Host:     machine,
	}

	if c.PasswordFile != "" {
		secret, err := SecretOf(mailPassword, c.PasswordFile, 1)
		if err != nil {
			return nil, err
		}
		m.Password = string(secret)
	}

	if c.OAuth.TokenURL != "" {
		if m.Token, err = mailToken(c.OAuth, all.Outward); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// mailToken fetches a token to send mail with, and another one when it ends.
func mailToken(c config.MailOAuth, out config.Outward) (*alarm.Tokens, error) {
	secret, err := SecretOf("alarms.mail.oauth.client_secret_file", c.ClientSecretFile, 1)
	if err != nil {
		return nil, err
	}
	roots, err := RootsOf("alarms.mail.oauth.roots", c.Roots)
	if err != nil {
		return nil, err
	}
	way, err := outward.New(out.Options())
	if err != nil {
		return nil, fault.Usage("%w", err)
	}

	client := alarm.TokenClient{URL: c.TokenURL, ID: c.ClientID, Secret: string(secret), Scopes: c.Scopes}
	return alarm.NewTokens(client, way.Client(30*time.Second, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})), nil
}

// secretLeast is the fewest bytes of the secret of a webhook.
const secretLeast = 16

// WebhookChannel is the channel that alarms.webhook names; nil without one.
func WebhookChannel(all config.Config) (alarm.Channel, error) {
	c := all.Alarms.Webhook
	if c.URL == "" {
		return nil, nil
	}

	secret, err := SecretOf(hookSecret, c.SecretFile, secretLeast)
	if err != nil {
		return nil, err
	}

	client, err := alarmTLS("alarms.webhook.roots", c.Roots, nil)
	if err != nil {
		return nil, err
	}

	way, err := outward.New(all.Outward.Options())
	if err != nil {
		return nil, fault.Usage("%w", err)
	}
	return alarm.NewWebhook(c.URL, secret, way.Transport(client)), nil
}

func syslogChannel(c config.Syslog, own func() (*tls.Certificate, error), machine string) (alarm.Channel, error) {
	if c.Server == "" {
		return nil, nil
	}
	client, err := alarmTLS("alarms.syslog.roots", c.Roots, own)
	if err != nil {
		return nil, err
	}
	return &alarm.Syslog{Server: c.Server, TLS: client, Host: machine}, nil
}

// alarmTLS says whom a channel believes: the authorities of a file, or the system's.
func alarmTLS(key, path string, own func() (*tls.Certificate, error)) (*tls.Config, error) {
	roots, err := RootsOf(key, path)
	if err != nil {
		return nil, err
	}
	if own == nil {
		own = func() (*tls.Certificate, error) { return &tls.Certificate{}, nil } // none is shown
	}
	return tlsprofile.Client(own, roots, ""), nil
}

// FileExists reports a file or directory at a path.
func FileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
