package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"collimator/internal/audit"
	"collimator/internal/backup"
	"collimator/internal/config"
	"collimator/internal/finding"
	"collimator/internal/identity"
	"collimator/internal/recovery"
	"collimator/internal/state"
)

// When somebody is told that a certificate or an exception ends.
const (
	soon     = 30 * 24 * time.Hour
	verySoon = 7 * 24 * time.Hour
)

// examineEvery is how often what changes slowly is looked at.
const examineEvery = 15 * time.Minute

// examine keeps the states of what changes slowly, until ctx ends.
func (s *server) examine(ctx context.Context) {
	for {
		if err := examineAll(ctx, s.in, s.states); err != nil && ctx.Err() == nil {
			s.log.Error("the state of the archive was not looked at whole", "error", err)
		}
		if s.fileCertificate != nil {
			s.examineFile()
		}
		s.examineACME()
		if p := s.guard.SignIn.OIDC; p != nil {
			_ = p.Check(ctx) // which sets its state; what came of it is told there
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(examineEvery):
		}
	}
}

// examineFile looks at the certificate of HTTPS that comes from a file.
func (s *server) examineFile() {
	c, err := s.fileCertificate.Get()
	if err != nil {
		s.states.Failing("certificate.web", "the certificate of HTTPS cannot be read", "see tls.certificate in the settings")
		return
	}
	ends(s.states, "certificate.web", "the certificate of HTTPS", c.Leaf.NotAfter, "put a new one at tls.certificate and tls.key; it is taken up by itself")
}

// examineACME looks at the certificates that an ACME authority issued: what
// renews them says nothing when it fails.
func (s *server) examineACME() {
	const do = "see the log, and whether the authority reaches port 443 of the host"
	for _, host := range s.in.config.TLS.ACME.Hosts {
		name := "certificate." + host
		b, err := os.ReadFile(filepath.Join(s.in.config.Data, filepath.FromSlash(acmeDir), host))
		if err != nil {
			s.states.Degraded(name, "there is no certificate for "+host+" yet", "the first browser that comes gets it; "+do)
			continue
		}
		cert, err := identity.ParseCertificate(b)
		if err != nil {
			s.states.Failing(name, "the certificate for "+host+" cannot be read", do)
			continue
		}

		life, left := cert.NotAfter.Sub(cert.NotBefore), time.Until(cert.NotAfter)
		text := fmt.Sprintf("the certificate for %s is valid until %s", host, cert.NotAfter.UTC().Format(time.RFC3339))
		switch { // it is renewed when a third is left
		case left < life/10:
			s.states.Failing(name, text+", and was not renewed", do)
		case left < life*2/9:
			s.states.Degraded(name, text+", and was not renewed yet", do)
		default:
			s.states.Well(name, text)
		}
	}
}

// examineAll looks once at what the data directory tells by itself: a running
// server and the doctor ask the same.
func examineAll(ctx context.Context, in *installation, states *state.Register) error {
	if err := examineDevices(ctx, in, states); err != nil {
		return err
	}
	if err := examineBackup(in.config.Data, states); err != nil {
		return err
	}
	if err := examineSchema(ctx, in, states); err != nil {
		return err
	}
	return examineConfig(in.config, states)
}

// examineSchema looks whether the index has the tables and indexes that the
// program made.
func examineSchema(ctx context.Context, in *installation, states *state.Register) error {
	found, err := in.db.Drift(ctx)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		states.Well("index.schema", "the index is made as this program makes it")
		return nil
	}

	text := found[0]
	if len(found) > 1 {
		text += fmt.Sprintf(", and %d more", len(found)-1)
	}
	states.Failing("index.schema", text, "find out who changed "+indexFile+"; collimator verify names all of it; bring back a backup, or collimator reindex")
	return nil
}

// examineDevices looks for certificates and exceptions of devices that end.
func examineDevices(ctx context.Context, in *installation, states *state.Register) error {
	devices, err := in.registry.Devices(ctx)
	if err != nil {
		return err
	}

	first, which := time.Time{}, ""
	note := func(at time.Time, text string) {
		if first.IsZero() || at.Before(first) {
			first, which = at, text
		}
	}
	for _, d := range devices {
		if at := lastsUntil(d); !at.IsZero() {
			note(at, "the certificate of "+d.AETitle)
		}
		if d.Plaintext(time.Now()) {
			note(d.PlaintextUntil, "the exception without TLS of "+d.AETitle)
		}
		if d.WithoutCertificate(time.Now()) {
			note(d.NoCertificateUntil, "the exception without a certificate of "+d.AETitle)
		}
	}
	if first.IsZero() {
		states.Forget("certificate.devices")
		return nil
	}
	ends(states, "certificate.devices", which, first, "collimator device list shows all; collimator device renew AET --out DIR makes a new one")
	return nil
}

// lastsUntil is when the last certificate of a device ends; zero for one without.
func lastsUntil(d *identity.Device) time.Time {
	var last time.Time
	for _, c := range d.Certificates {
		if c.NotAfter.After(last) {
			last = c.NotAfter
		}
	}
	return last
}

// ends sets the state of something that ends at a moment.
func ends(states *state.Register, name, what string, at time.Time, do string) {
	text := fmt.Sprintf("%s is valid until %s", what, at.UTC().Format(time.DateOnly))
	switch left := time.Until(at); {
	case left <= 0:
		states.Failing(name, fmt.Sprintf("%s ended on %s", what, at.UTC().Format(time.DateOnly)), do)
	case left < verySoon:
		states.Failing(name, text, do)
	case left < soon:
		states.Degraded(name, text, do)
	default:
		states.Well(name, text)
	}
}

// examineBackup looks at the age of the last backup and at the recovery key.
func examineBackup(data string, states *state.Register) error {
	b, err := backup.LoadRecord(data)
	if err != nil {
		return err
	}
	const do = "collimator backup DIR, every night; see docs/operate.md"
	switch {
	case b.Last == nil:
		states.Degraded("backup", "no backup was ever made", do)
	case time.Since(b.Last.Time) > finding.BackupDays*24*time.Hour:
		states.Degraded("backup", "the last backup is of "+b.Last.Time.UTC().Format(time.DateOnly), do)
	default:
		states.Well("backup", "the last backup is of "+b.Last.Time.UTC().Format(time.RFC3339))
	}

	key, err := recovery.Load(data)
	if err != nil {
		return err
	}
	if key.Confirmed.IsZero() {
		states.Degraded("recovery-key", "nobody has confirmed that the recovery key is kept", "collimator recovery-key --out FILE, and keep the file elsewhere")
		return nil
	}
	states.Well("recovery-key", "it is kept")
	return nil
}

// examineConfig looks at the settings.
func examineConfig(c config.Config, states *state.Register) error {
	if err := errors.Join(c.Check(), works(c)); err != nil {
		states.Failing("settings", err.Error(), "collimator config check")
		return nil
	}
	states.Well("settings", "they are good")
	return nil
}

// tellStates records each change of a level, from where alarms are told.
func (s *server) tellStates() {
	s.states.Watch(func(before, after state.State) {
		if before.Level == state.Unknown && after.Level == state.Well {
			return
		}
		r := audit.Record{
			Time: after.Since, Event: audit.SecurityAlert, Action: audit.Execute, Outcome: audit.Success, Code: audit.StateChanged,
			Door: audit.DoorSchedule, Principal: "collimator", Kind: "service", Reason: after.Name + " is " + after.Level.String() + ": " + after.Text,
		}
		if after.Level > state.Well {
			r.Outcome = audit.SeriousFailure
			s.log.Warn("state changed", "part", after.Name, "level", after.Level.String(), "what", after.Text, "do", after.Do)
		}
		s.stateChanges <- r
	})
}

// recordStates writes what tellStates has seen, in a goroutine of its own: the
// trail has a state, too.
func (s *server) recordStates(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-s.stateChanges:
			s.keeper.Write(ctx, r)
		}
	}
}
