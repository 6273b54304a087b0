package sender

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
	"collimator/internal/fault"
	"collimator/internal/outward"
	"collimator/internal/shown"
	"collimator/internal/tlsprofile"
)

// calledAE is taken where the peer is given without a title.
const calledAE = "COLLIMATOR"

// Ports that are taken where none is given (PS3.8 9.1.1, PS3.15 B.12).
const (
	portTLS   = "2762"
	portPlain = "11112"
)

// Calling is how somebody at a command line names an AE to talk to, and as whom.
type Calling struct {
	Peer    string        // AET@HOST:PORT; title and port may be left out
	As      string        // directory with AET.key.pem, AET.cert.pem and ca.pem
	Key     string        // file with the own key, PEM
	Cert    string        // and its certificate
	CA      string        // file with the authorities that vouch for the peer, PEM
	Pin     string        // SHA-256 of the peer's certificate in hexadecimal, instead of CA
	AET     string        // own title; empty for the name in the own certificate
	Plain   bool          // without TLS, which goes with no key, certificate or pin
	Timeout time.Duration // for each answer of the peer
}

// Peer is an AE with all that is needed to open associations to it.
type Peer struct {
	Address string // HOST:PORT
	Config  dimse.Config
	Caller  // how each side of TLS is known; empty without TLS

	unit string // that the certificate of the peer has to name; empty for any
}

// Find checks what was given and loads the keys. unit is what the certificate of
// the peer names as its unit where As alone says who vouches for it.
func (c Calling) Find(unit string) (*Peer, error) {
	called, address, err := c.split()
	if err != nil {
		return nil, err
	}

	p := &Peer{Address: address, Config: dimse.Config{CalledAETitle: called, CallingAETitle: c.AET}}
	p.Config.Limits.ARTIM = min(c.Timeout, 30*time.Second)
	p.Config.Limits.Response = c.Timeout

	if !config.ValidAE(called) {
		return nil, fault.Usage("%q is a malformed AE title; write the peer as AET@HOST:PORT", called)
	}

	if c.Plain {
		if c.As != "" || c.Key != "" || c.Cert != "" || c.CA != "" || c.Pin != "" {
			return nil, fault.Usage("--plain goes with no key, certificate or pin")
		}
		if p.Config.CallingAETitle == "" {
			p.Config.CallingAETitle = "COLLIMATOR_SCU"
		}
	} else if err := c.loadTLS(p, unit); err != nil {
		return nil, err
	}

	if !config.ValidAE(p.Config.CallingAETitle) {
		return nil, fault.Usage("%q is a malformed AE title; give your own with --aet", p.Config.CallingAETitle)
	}
	return p, nil
}

// split parts AET@HOST:PORT and fills in what is left out. An IPv6 address
// stands in brackets, because ::1:2762 is an address, too (RFC 3986 3.2.2).
func (c *Calling) split() (called, address string, err error) {
	called, address = calledAE, c.Peer
	if i := strings.LastIndexByte(c.Peer, '@'); i >= 0 {
		called, address = c.Peer[:i], c.Peer[i+1:]
	}

	if strings.Count(address, ":") > 1 && !strings.HasPrefix(address, "[") {
		return "", "", fault.Usage("%s: write an IPv6 address in brackets: [::1] or [::1]:%s", shown.Text(address), portTLS)
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

func (c *Calling) loadTLS(p *Peer, unit string) error {
	if c.As != "" {
		if err := c.fromDirectory(p, unit); err != nil {
			return err
		}
	}
	if c.CA == "" && c.Pin == "" {
		return fault.Usage("say how to recognise the peer: --as DIR, or --ca FILE, or --pin FINGERPRINT; --plain talks without TLS")
	}

	trust := tlsprofile.Trust{Unit: p.unit}
	if c.Pin != "" {
		trust.Fingerprints = []string{strings.ToLower(strings.ReplaceAll(c.Pin, ":", ""))}
	} else {
		b, err := os.ReadFile(c.CA)
		if err != nil {
			return fault.Usage("--ca: %w", err)
		}
		trust.Roots = x509.NewCertPool()
		if !trust.Roots.AppendCertsFromPEM(b) {
			return fault.Usage("--ca: %s holds no certificate in PEM form", c.CA)
		}
	}

	own, err := c.loadOwn(p)
	if err != nil {
		return err
	}

	p.Own = own
	p.Trust = trust
	p.Config.TLSConfig = tlsprofile.AssociationClient(own, trust)
	return nil
}

// loadOwn reads the own key and certificate; nil where none is given.
func (c *Calling) loadOwn(p *Peer) (*tls.Certificate, error) {
	if c.Key == "" && c.Cert == "" {
		return nil, nil
	}

	own, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, fault.Usage("own certificate: %w; --key and --cert go together", err)
	}

	if p.Config.CallingAETitle == "" {
		p.Config.CallingAETitle = own.Leaf.Subject.CommonName
	}
	return &own, nil
}

// fromDirectory finds the files that 'device add' wrote; with --aet the
// directory may hold those of several devices.
func (c *Calling) fromDirectory(p *Peer, unit string) error {
	pattern := "*"
	if c.AET != "" {
		pattern = shown.FileName(c.AET)
	}

	keys, err := filepath.Glob(filepath.Join(c.As, pattern+".key.pem"))
	if err != nil || len(keys) == 0 {
		return fault.Usage("--as: there is no %s.key.pem in %s; 'collimator device add' makes it", pattern, c.As)
	}
	if len(keys) > 1 {
		return fault.Usage("--as: %s holds the keys of %d devices; name one with --aet", c.As, len(keys))
	}

	c.Key = keys[0]
	c.Cert = strings.TrimSuffix(keys[0], ".key.pem") + ".cert.pem"

	if c.CA == "" && c.Pin == "" {
		c.CA = filepath.Join(c.As, "ca.pem")
		p.unit = unit
	}
	return nil
}

// Dial opens an association and says in words what went wrong.
func (p *Peer) Dial(ctx context.Context, contexts []ul.ProposedContext, change func(*dimse.Config)) (*dimse.Association, error) {
	cfg := p.Config
	cfg.Contexts = contexts
	if change != nil {
		change(&cfg)
	}

	a, err := dimse.Dial(ctx, p.Address, cfg)
	if err != nil && p.cutOff(err) {
		const hint = "does the peer know the own certificate, and does it speak TLS on this port?"
		return nil, &outward.Unanswered{Text: p.Address + ": the peer ended the connection; " + hint, Err: err}
	}
	return a, p.Explain(err)
}

// cutOff reports a connection that the peer ended before there was an
// association. Over TLS 1.3 a peer that refuses our certificate does so after
// the handshake, and some do not say why.
func (p *Peer) cutOff(err error) bool {
	if p.Config.TLSConfig == nil || isAlert(err) || errors.Is(err, tlsprofile.ErrUntrusted) {
		return false
	}

	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}

	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// Explain adds to an error of an association what to do about it. Where the peer
// refused it ends as fault.Refused; nil stays nil.
func (p *Peer) Explain(err error) error {
	var status *dimse.StatusError

	switch {
	case err == nil:
		return nil
	case errors.Is(err, tlsprofile.ErrUntrusted):
		return fmt.Errorf("%s: %w; is ca.pem (in --as, or --ca) that of the archive? "+
			"'collimator keys authority > ca.pem' there writes it", p.Address, err)
	case isAlert(err):
		return fault.Ended(fault.Refused, fmt.Errorf("%s refused the TLS connection: %w; "+
			"does it know the own certificate (--as, or --key and --cert)?", p.Address, err))
	case isReject(err):
		return fault.Ended(fault.Refused, fmt.Errorf("%s refused the association: %w%s", p.Address, err, rejectHint(err)))
	case errors.As(err, &status):
		return fault.Ended(fault.Refused, fmt.Errorf("%s: %w%s", p.Address, err, Remark(status.Status)))
	}

	if reason := outward.Reason(err); reason != "" {
		return &outward.Unanswered{Text: p.Address + ": " + reason, Err: err}
	}
	return fmt.Errorf("%s: %w", p.Address, err)
}

// Trouble is by what a peer did not do what it was asked for.
type Trouble string

// The kinds of trouble.
const (
	Unreachable Trouble = "unreachable" // nobody listens there, or nothing comes back
	Untrusted   Trouble = "tls"         // the two do not take each other's certificates
	Rejected    Trouble = "rejected"    // the association
	Status      Trouble = "status"      // the peer answered that it did not do it
	Other       Trouble = "other"
)

// Whence is the kind of an error of an association.
func Whence(err error) Trouble {
	var status *dimse.StatusError
	switch {
	case errors.Is(err, tlsprofile.ErrUntrusted), isAlert(err):
		return Untrusted
	case isReject(err):
		return Rejected
	case errors.As(err, &status):
		return Status
	case outward.Reason(err) != "":
		return Unreachable
	}
	return Other
}

// rejectHint is for a rejection as a Collimator server gives it to strangers:
// by the service user, without a reason. A peer that gives one is another program.
func rejectHint(err error) string {
	r, ok := errors.AsType[*dimse.RejectError](err)
	if !ok || r.Source != ul.RejectServiceUser || r.Reason != ul.UserNoReason {
		return ""
	}
	return "; if it is a Collimator server, 'collimator device pending' or 'collimator audit search --failed' there says why"
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
