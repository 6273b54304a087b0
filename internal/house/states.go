package house

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

// Parts whose states commands change beside a running server.
const (
	devicesPart  = "certificate.devices"
	backupPart   = "backup"
	recoveryPart = "recovery-key"
)

// How often what changes slowly is looked at, and what commands change beside a
// running server: who has just made a backup is not told for long that there is none.
const (
	examineEvery     = 15 * time.Minute
	examineKeptEvery = time.Minute
)

// look looks once at what changes slowly on this machine. A server does so before
// it answers anybody: nobody is told that all is well because nobody has looked.
func (s *Server) look(ctx context.Context) {
	if err := examineAll(ctx, s.in, s.States); err != nil && ctx.Err() == nil {
		s.log.Error("the state of the archive was not looked at whole", "error", err)
	}
	if s.FileCertificate != nil {
		s.examineFile()
	}
	s.examineACME()
}

// examine keeps the states of what changes slowly, until ctx ends. Run has looked
// once before.
func (s *Server) examine(ctx context.Context) {
	for {
		if p := s.SignIn.OIDC; p != nil {
			_ = p.Check(ctx) // which sets its state; what came of it is told there
		}
		if !s.keepLooking(ctx) {
			return
		}
		s.look(ctx)
	}
}

// keepLooking looks at what commands change until all of it is due again; false
// when ctx has ended.
func (s *Server) keepLooking(ctx context.Context) bool {
	due := time.NewTimer(examineEvery)
	defer due.Stop()
	kept := time.NewTicker(examineKeptEvery)
	defer kept.Stop()

	for {
		select {
		case <-ctx.Done():
			return false
		case <-due.C:
			return true
		case <-kept.C:
			if err := examineKept(ctx, s.in, s.States); err != nil && ctx.Err() == nil {
				s.log.Error("what commands changed was not looked at", "error", err)
			}
		}
	}
}

// examineFile looks at the certificate of HTTPS that comes from a file.
func (s *Server) examineFile() {
	c, err := s.FileCertificate.Get()
	if err != nil {
		s.States.Failing(webCertificate, "the certificate of HTTPS cannot be read", "see tls.certificate in the settings")
		return
	}
	web := validUntil("the certificate of HTTPS", c.Leaf.NotAfter)
	web.do = "put a new one at tls.certificate and tls.key; it is taken up by itself"
	tellEnding(s.States, webCertificate, web)
}

// examineACME looks at the certificates that an ACME authority issued: what
// renews them says nothing when it fails.
func (s *Server) examineACME() {
	const do = "see the log, and whether the authority reaches port 443 of the host"
	for _, host := range s.in.Config.TLS.ACME.Hosts {
		name := "certificate." + host
		b, err := os.ReadFile(filepath.Join(s.in.Config.Data, filepath.FromSlash(acmeDir), host))
		if err != nil {
			s.States.Degraded(name, "there is no certificate for "+host+" yet", "the first browser that comes gets it; "+do)
			continue
		}
		cert, err := identity.ParseCertificate(b)
		if err != nil {
			s.States.Failing(name, "the certificate for "+host+" cannot be read", do)
			continue
		}

		life := cert.NotAfter.Sub(cert.NotBefore)
		left := time.Until(cert.NotAfter)
		text := fmt.Sprintf("the certificate for %s is valid until %s", host, cert.NotAfter.UTC().Format(time.RFC3339))
		switch { // it is renewed when a third is left
		case left < life/10:
			s.States.Failing(name, text+", and was not renewed", do)
		case left < life*2/9:
			s.States.Degraded(name, text+", and was not renewed yet", do)
		default:
			s.States.Well(name, text)
		}
	}
}

// examineAll looks once at what the data directory tells by itself: a running
// server and the doctor ask the same.
func examineAll(ctx context.Context, in *Installation, states *state.Register) error {
	if err := examineKept(ctx, in, states); err != nil {
		return err
	}
	if err := examineSchema(ctx, in, states); err != nil {
		return err
	}
	examinePresented(in.Config, states)
	return examineConfig(in.Config, states)
}

// examineKept looks at what commands change beside a running server.
func examineKept(ctx context.Context, in *Installation, states *state.Register) error {
	if err := examineDevices(ctx, in, states); err != nil {
		return err
	}
	return examineBackup(in.Config.Data, states)
}

// examineSchema looks whether the index has the tables and indexes that the
// program made.
func examineSchema(ctx context.Context, in *Installation, states *state.Register) error {
	found, err := in.DB.Drift(ctx)
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
	states.Failing("index.schema", text,
		"find out who changed "+IndexFile+"; collimator verify names all of it; bring back a backup, or collimator reindex")
	return nil
}

// examineDevices looks for certificates and exceptions of devices that end.
func examineDevices(ctx context.Context, in *Installation, states *state.Register) error {
	devices, err := in.Registry.Devices(ctx)
	if err != nil {
		return err
	}

	var first ending
	note := func(e ending) {
		if first.at.IsZero() || e.at.Before(first.at) {
			first = e
		}
	}

	for _, d := range devices {
		if at := lastsUntil(d); !at.IsZero() {
			e := validUntil("the certificate of "+d.AETitle, at)
			e.do = "collimator device list shows all; collimator device renew AET --out DIR makes a new one"
			note(e)
		}

		if d.Plaintext(time.Now()) {
			e := exceptionUntil("the exception without TLS of "+d.AETitle, d.PlaintextUntil)
			e.do = "turn TLS on at the device, or collimator device set AET --plaintext --until DATE; collimator device list shows all"
			note(e)
		}

		if d.WithoutCertificate(time.Now()) {
			e := exceptionUntil("the exception without a certificate of "+d.AETitle, d.NoCertificateUntil)
			e.do = "collimator device renew AET --out DIR makes a certificate for it, " +
				"or collimator device set AET --no-certificate-until DATE; collimator device list shows all"
			note(e)
		}
	}

	if first.at.IsZero() {
		states.Forget(devicesPart)
		return nil
	}
	tellEnding(states, devicesPart, first)
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

// ending is something that ends at a moment.
type ending struct {
	what string
	at   time.Time
	day  string // the last one, as it is told
	do   string
}

// validUntil is the end of a certificate.
func validUntil(what string, at time.Time) ending {
	return ending{what: what, at: at, day: at.UTC().Format(time.DateOnly)}
}

// exceptionUntil is the end of an exception, which is the midnight after the
// last day that was given: that day is told, as the list of devices does.
func exceptionUntil(what string, at time.Time) ending {
	return ending{what: what, at: at, day: at.Add(-time.Nanosecond).Local().Format(time.DateOnly)}
}

// tellEnding sets the state of something that ends: degraded when that is soon, failing
// when it is very soon or past.
func tellEnding(states *state.Register, name string, e ending) {
	text := fmt.Sprintf("%s is valid until %s", e.what, e.day)
	switch left := time.Until(e.at); {
	case left <= 0:
		states.Failing(name, fmt.Sprintf("%s ended on %s", e.what, e.day), e.do)
	case left < verySoon:
		states.Failing(name, text, e.do)
	case left < soon:
		states.Degraded(name, text, e.do)
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
		states.Degraded(backupPart, "no backup was ever made", do)
	case time.Since(b.Last.Time) > finding.BackupDays*24*time.Hour:
		states.Degraded(backupPart, "the last backup is of "+b.Last.Time.UTC().Format(time.DateOnly), do)
	default:
		states.Well(backupPart, "the last backup is of "+b.Last.Time.UTC().Format(time.RFC3339))
	}

	key, err := recovery.Load(data)
	if err != nil {
		return err
	}
	if key.Confirmed.IsZero() {
		states.Degraded(recoveryPart, "nobody has confirmed that the recovery key is kept",
			"collimator recovery-key --out FILE, and keep the file elsewhere")
		return nil
	}
	states.Well(recoveryPart, "it is kept")
	return nil
}

// examineConfig looks at the settings.
func examineConfig(c config.Config, states *state.Register) error {
	if err := errors.Join(c.Check(), CheckOutside(c)); err != nil {
		states.Failing("settings", err.Error(), "collimator config check")
		return nil
	}
	states.Well("settings", "they are good")
	return nil
}

// tellStates records each change of a level, from where alarms are told.
func (s *Server) tellStates() {
	s.States.Watch(func(before, after state.State) {
		if before.Level == state.Unknown && after.Level == state.Well {
			return
		}
		r := audit.Record{
			Time: after.Since, Event: audit.SecurityAlert, Action: audit.Execute, Outcome: audit.Success, Code: audit.StateChanged,
			Door: audit.DoorSchedule, Principal: "collimator", Kind: "service",
			Reason: after.Name + " is " + after.Level.String() + ": " + after.Text,
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
func (s *Server) recordStates(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-s.stateChanges:
			s.keeper.Write(ctx, r)
		}
	}
}
