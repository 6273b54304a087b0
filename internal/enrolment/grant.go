package enrolment

import (
	"net"
	"net/netip"
	"time"

	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// Grant says what a device may do and how it is recognised, as somebody says it at a command
// line or in a browser. Days are as 2026-12-31 and count to their end.
type Grant struct {
	Allow     *string  // verbs joined with commas; nil for what a modality needs
	Address   string   // the only one it may come from; empty for any
	Listen    string   // HOST:PORT, as a destination of C-MOVE
	MoveTo    []string // titles to which its C-MOVE may send, besides itself
	Plaintext bool     // lets it in without TLS, from Address and until Until
	Until     string   // last day without TLS

	NoCertificateUntil string // last day with TLS and without a certificate, from Address
}

// WrongError says what of a grant cannot be. It is of kind Invalid.
type WrongError struct {
	Field string // as the JSON API calls it
	Text  string
	Flags string // the same in the words of the command line
}

// Error implements error.
func (e *WrongError) Error() string { return "enrolment: " + e.Field + ": " + e.Text }

// Unwrap gives the kind.
func (e *WrongError) Unwrap() error { return fault.New(fault.Invalid, e.Error()) }

// wrong is one about a single field, which is a flag of the command line.
func wrong(field, flag, text string) error {
	if flag != "" {
		flag += ": "
	}
	return &WrongError{Field: field, Text: text, Flags: flag + text}
}

// defaultAllow is what a modality needs.
const defaultAllow = "echo,store,commit"

// Device checks what is granted and makes the entry of a device.
func (g Grant) Device(aeTitle string) (identity.Device, error) {
	d := identity.Device{AETitle: aeTitle, Address: g.Address, Listen: g.Listen, Destinations: g.MoveTo}
	if !config.ValidAE(aeTitle) {
		return d, wrong("aeTitle", "", "want 1 to 16 printable ASCII characters without backslash: anything else is not an AE title")
	}
	for _, to := range g.MoveTo {
		if !config.ValidAE(to) {
			return d, wrong("moveTo", "--move-to", "one of them is not an AE title")
		}
	}

	allow := defaultAllow
	if g.Allow != nil {
		allow = *g.Allow
	}
	var err error
	if d.Verbs, err = policy.ParseVerbs(allow); err != nil {
		return d, wrong("allow", "--allow", err.Error())
	}

	if g.Address != "" {
		if _, err := netip.ParseAddr(g.Address); err != nil {
			return d, wrong("address", "--address", "want an IP address, without port")
		}
	}
	if g.Listen != "" {
		if _, _, err := net.SplitHostPort(g.Listen); err != nil {
			return d, wrong("listen", "--listen", "want HOST:PORT")
		}
	}

	if g.Plaintext != (g.Until != "") {
		return d, wrong("plaintextUntil", "", "--plaintext and --until DATE go together: an exception needs an end")
	}
	if g.Plaintext && g.Address == "" {
		return d, &WrongError{
			Field: "address",
			Text:  "an exception without TLS needs it: the address is then all that tells the device from others",
			Flags: "--plaintext needs --address: without TLS the address is all that tells the device from others",
		}
	}

	if g.NoCertificateUntil != "" && g.Address == "" {
		return d, &WrongError{
			Field: "address",
			Text:  "an exception without a certificate needs it: the address is then all that tells the device from others",
			Flags: "--no-certificate-until needs --address: without a certificate the address is all that tells the device from others",
		}
	}
	for _, x := range []struct {
		field, flag, day string
		to               *time.Time
	}{
		{"plaintextUntil", "--until", g.Until, &d.PlaintextUntil},
		{"noCertificateUntil", "--no-certificate-until", g.NoCertificateUntil, &d.NoCertificateUntil},
	} {
		if x.day == "" {
			continue
		}
		if *x.to, err = endOf(x.field, x.flag, x.day); err != nil {
			return d, err
		}
	}
	return d, nil
}

// endOf is the end of the last day of an exception.
func endOf(field, flag, last string) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, last, time.Local)
	if err != nil {
		return time.Time{}, wrong(field, flag, "want a date as 2026-12-31")
	}
	end := day.AddDate(0, 0, 1)
	if !end.After(time.Now()) {
		return time.Time{}, wrong(field, flag, last+" is over")
	}
	return end, nil
}

// Changed is a change of a device: what is nil, or not said, stays as it is.
type Changed struct {
	Allow     *string   // verbs joined with commas
	Address   *string   // empty for any
	Listen    *string   // empty for nowhere
	MoveTo    *[]string // titles to which its C-MOVE may send
	Plaintext bool      // lets it in without TLS until Until
	Until     string    // last day without TLS
	OnlyTLS   bool      // ends the exception for associations without TLS

	NoCertificateUntil *string // last day with TLS and without a certificate; empty ends the exception
}

// Empty reports a change that changes nothing.
func (c Changed) Empty() bool {
	given := c.Allow != nil || c.Address != nil || c.Listen != nil || c.MoveTo != nil || c.NoCertificateUntil != nil
	return !given && !c.Plaintext && c.Until == "" && !c.OnlyTLS
}

// Apply gives a device as it is after the change.
func (c Changed) Apply(old *identity.Device) (identity.Device, error) {
	g := Grant{Allow: c.Allow, Address: old.Address, Listen: old.Listen, MoveTo: old.Destinations, Plaintext: c.Plaintext, Until: c.Until}
	if g.Allow == nil {
		g.Allow = allowed(old)
	}

	for _, s := range []struct{ from, to *string }{{c.Address, &g.Address}, {c.Listen, &g.Listen}} {
		if s.from != nil {
			*s.to = *s.from
		}
	}
	if c.MoveTo != nil {
		g.MoveTo = *c.MoveTo
	}
	if c.NoCertificateUntil != nil {
		g.NoCertificateUntil = *c.NoCertificateUntil
	}

	d, err := g.Device(old.AETitle)
	if c.NoCertificateUntil == nil {
		d.NoCertificateUntil = old.NoCertificateUntil
	}
	if !c.Plaintext && !c.OnlyTLS {
		d.PlaintextUntil = old.PlaintextUntil
	}
	return d, err
}

// allowed are the verbs of a device in the form of --allow.
func allowed(d *identity.Device) *string {
	list := policy.Join(d.Verbs, ",")
	return &list
}
