package house

import (
	"crypto/tls"
	"log/slog"
	"time"

	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/state"
)

// presentedPair is a certificate of somebody else's authority that the server
// shows to a service which asks who calls.
type presentedPair struct {
	setting          string // that of the certificate
	certificate, key string // files, PEM
	state            string // the part under which its end is watched
	to               string // the service, in words
}

// presented are the pairs that the settings name.
func presented(c config.Config) (list []presentedPair) {
	for _, p := range []presentedPair{
		{"audit.certificate", c.Audit.Certificate, c.Audit.Key, "certificate.repository", "the audit record repository"},
		{"alarms.syslog.certificate", c.Alarms.Syslog.Certificate, c.Alarms.Syslog.Key, "certificate.syslog", "the syslog server"},
	} {
		if p.certificate != "" && p.key != "" {
			list = append(list, p)
		}
	}
	return list
}

// open reads the files; failed is told why newer ones are not used.
func (p presentedPair) open(failed func(error)) (*identity.FileCertificate, error) {
	f, err := identity.NewFileCertificate(p.certificate, p.key, time.Now, failed)
	if err != nil {
		return nil, fault.Usage("%s: %w", p.setting, err)
	}
	return f, nil
}

// certificateFor is what a service is shown: the pair of a setting, or own where
// the settings name none.
func certificateFor(c config.Config, setting string, own func() (*tls.Certificate, error),
	log *slog.Logger) (func() (*tls.Certificate, error), error) {

	for _, p := range presented(c) {
		if p.setting != setting {
			continue
		}
		f, err := p.open(func(err error) {
			log.Error("certificate for a service not read; the one before, where there is one, stays in force",
				"setting", p.setting, "error", err)
		})
		if err != nil {
			return nil, err
		}
		return f.Get, nil
	}
	return own, nil
}

// examinePresented tells when the certificates end that services are shown.
func examinePresented(c config.Config, states *state.Register) {
	for _, p := range presented(c) {
		do := "put a new pair at " + p.setting + " and its key; it is taken up by itself"
		var cert *tls.Certificate
		f, err := p.open(func(error) {})
		if err == nil {
			cert, err = f.Get()
		}
		if err != nil {
			states.Failing(p.state, "the certificate for "+p.to+" cannot be used: "+err.Error(), do)
			continue
		}

		e := validUntil("the certificate for "+p.to, cert.Leaf.NotAfter)
		e.do = do
		tellEnding(states, p.state, e)
	}
}
