package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/config"
	"collimator/internal/identity"
	"collimator/internal/outward"
	"collimator/internal/sender"
	"collimator/internal/shown"
	"collimator/internal/tlsprofile"
)

// connectFlags say which AE to talk to and as whom.
type connectFlags struct {
	Peer    string        `arg:"" help:"Whom to call: AET@HOST:PORT." placeholder:"AET@HOST:PORT"`
	As      string        `help:"Directory with the AET.key.pem, AET.cert.pem and ca.pem that 'device add' wrote." placeholder:"DIR"`
	Key     string        `help:"Own key (PEM), instead of --as." placeholder:"FILE"`
	Cert    string        `help:"Own certificate (PEM)." placeholder:"FILE"`
	CA      string        `name:"ca" help:"Authority that vouches for the peer (PEM)." placeholder:"FILE"`
	Pin     string        `help:"SHA-256 fingerprint of the peer's certificate, instead of --ca." placeholder:"HEX"`
	AET     string        `name:"aet" help:"Own AE title. Default: the name in the own certificate." placeholder:"AET"`
	Plain   bool          `help:"Talk without TLS."`
	Timeout time.Duration `help:"How long to wait for the peer." default:"60s" bounds:"10ms to 1h"`

	unit string // of the peer's certificate, where it is known
}

// calledAE is taken where the peer is given without a title.
const calledAE = "COLLIMATOR"

// Ports that are taken where none is given (PS3.8 9.1.1, PS3.15 B.12).
const (
	portTLS   = "2762"
	portPlain = "11112"
)

// dialer is a peer with all that is needed to open associations to it.
type dialer struct {
	address string
	config  dimse.Config
	own     *tls.Certificate // nil: none, or without TLS
	trust   tlsprofile.Trust
}

// dialer checks the flags and loads the keys.
func (c *connectFlags) dialer() (*dialer, error) {
	called, address, err := c.split()
	if err != nil {
		return nil, err
	}
	d := &dialer{address: address, config: dimse.Config{CalledAETitle: called, CallingAETitle: c.AET}}
	d.config.Limits.ARTIM, d.config.Limits.Response = min(c.Timeout, 30*time.Second), c.Timeout
	if !config.ValidAE(called) {
		return nil, usageError("%q is no AE title; write the peer as AET@HOST:PORT", called)
	}
	if c.Plain {
		if c.As != "" || c.Key != "" || c.Cert != "" || c.CA != "" || c.Pin != "" {
			return nil, usageError("--plain goes with no key, certificate or pin")
		}
		if d.config.CallingAETitle == "" {
			d.config.CallingAETitle = "COLLIMATOR_SCU"
		}
	} else if err := c.loadTLS(d); err != nil {
		return nil, err
	}
	if !config.ValidAE(d.config.CallingAETitle) {
		return nil, usageError("%q is no AE title; give your own with --aet", d.config.CallingAETitle)
	}
	return d, nil
}

// split parts AET@HOST:PORT and fills in what is left out. An IPv6 address
// stands in brackets, because ::1:2762 is an address, too (RFC 3986 3.2.2).
func (c *connectFlags) split() (called, address string, err error) {
	called, address = calledAE, c.Peer
	if i := strings.LastIndexByte(c.Peer, '@'); i >= 0 {
		called, address = c.Peer[:i], c.Peer[i+1:]
	}
	if strings.Count(address, ":") > 1 && !strings.HasPrefix(address, "[") {
		return "", "", usageError("%s: write an IPv6 address in brackets: [::1] or [::1]:%s", shown.Text(address), portTLS)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		port := portTLS
		if c.Plain {
			port = portPlain
		}
		address = net.JoinHostPort(strings.Trim(address, "[]"), port)
	}
	return called, address, nil
}

func (c *connectFlags) loadTLS(d *dialer) error {
	if c.As != "" {
		if err := c.fromDirectory(); err != nil {
			return err
		}
	}
	if c.CA == "" && c.Pin == "" {
		return usageError("say how to recognise the peer: --as DIR, or --ca FILE, or --pin FINGERPRINT; --plain talks without TLS")
	}

	trust := tlsprofile.Trust{Unit: c.unit}
	if c.Pin != "" {
		trust.Fingerprints = []string{strings.ToLower(strings.ReplaceAll(c.Pin, ":", ""))}
	} else {
		b, err := os.ReadFile(c.CA)
		if err != nil {
			return usageError("--ca: %w", err)
		}
		trust.Roots = x509.NewCertPool()
		if !trust.Roots.AppendCertsFromPEM(b) {
			return usageError("--ca: %s holds no certificate in PEM form", c.CA)
		}
	}

	own, err := c.loadOwn(d)
	if err != nil {
		return err
	}

	d.own = own
	d.trust = trust
	d.config.TLSConfig = tlsprofile.AssociationClient(own, trust)
	return nil
}

// loadOwn reads the own key and certificate; nil where none is given.
func (c *connectFlags) loadOwn(d *dialer) (*tls.Certificate, error) {
	if c.Key == "" && c.Cert == "" {
		return nil, nil
	}
	own, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, usageError("own certificate: %w; --key and --cert go together", err)
	}
	if d.config.CallingAETitle == "" {
		d.config.CallingAETitle = own.Leaf.Subject.CommonName
	}
	return &own, nil
}

// fromDirectory finds the files that 'device add' wrote; with --aet the
// directory may hold those of several devices.
func (c *connectFlags) fromDirectory() error {
	pattern := "*"
	if c.AET != "" {
		pattern = fileName(c.AET)
	}
	keys, err := filepath.Glob(filepath.Join(c.As, pattern+".key.pem"))
	if err != nil || len(keys) == 0 {
		return usageError("--as: there is no %s.key.pem in %s; 'collimator device add' makes it", pattern, c.As)
	}
	if len(keys) > 1 {
		return usageError("--as: %s holds the keys of %d devices; name one with --aet", c.As, len(keys))
	}
	c.Key, c.Cert = keys[0], strings.TrimSuffix(keys[0], ".key.pem")+".cert.pem"
	if c.CA == "" && c.Pin == "" {
		c.CA = filepath.Join(c.As, "ca.pem")
		c.unit = identity.ServerUnit
	}
	return nil
}

// dial opens an association and says in words what went wrong.
func (d *dialer) dial(ctx context.Context, contexts []ul.ProposedContext, change func(*dimse.Config)) (*dimse.Association, error) {
	cfg := d.config
	cfg.Contexts = contexts
	if change != nil {
		change(&cfg)
	}
	a, err := dimse.Dial(ctx, d.address, cfg)
	if err != nil && d.cutOff(err) {
		const hint = "does the peer know the own certificate, and does it speak TLS on this port?"
		return nil, &outward.Unanswered{Text: d.address + ": the peer ended the connection; " + hint, Err: err}
	}
	return a, d.explain(err)
}

// cutOff reports a connection that the peer ended before there was an
// association. Over TLS 1.3 a peer that refuses our certificate does so after
// the handshake, and some do not say why.
func (d *dialer) cutOff(err error) bool {
	if d.config.TLSConfig == nil || isAlert(err) || errors.Is(err, tlsprofile.ErrUntrusted) {
		return false
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// explain adds to an error of the network what to do about it.
func (d *dialer) explain(err error) error {
	var status *dimse.StatusError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tlsprofile.ErrUntrusted):
		return fmt.Errorf("%s: %w; is ca.pem (in --as, or --ca) that of the archive? 'collimator keys authority > ca.pem' there writes it", d.address, err)
	case isAlert(err):
		return &exitError{exitRefused, fmt.Errorf("%s refused the TLS connection: %w; does it know the own certificate (--as, or --key and --cert)?", d.address, err)}
	case isReject(err):
		return &exitError{exitRefused, fmt.Errorf("%s refused the association: %w%s", d.address, err, rejectHint(err))}
	case errors.As(err, &status):
		return &exitError{exitRefused, fmt.Errorf("%s: %w%s", d.address, err, sender.Remark(status.Status))}
	}
	if reason := outward.Reason(err); reason != "" {
		return &outward.Unanswered{Text: d.address + ": " + reason, Err: err}
	}
	return fmt.Errorf("%s: %w", d.address, err)
}

// rejectHint is for a rejection as a Collimator server gives it to strangers:
// by the service user, without a reason. A peer that gives one is another program.
func rejectHint(err error) string {
	r, ok := errors.AsType[*dimse.RejectError](err)
	if !ok || r.Source != ul.RejectServiceUser || r.Reason != ul.UserNoReason {
		return ""
	}
	return "; if it is a Collimator server, 'collimator device pending' there says why"
}

// isAlert reports a TLS alert of the peer.
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

func isReject(err error) bool {
	_, ok := errors.AsType[*dimse.RejectError](err)
	return ok
}
