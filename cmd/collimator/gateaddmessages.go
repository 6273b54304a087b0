package main

import (
	"net/netip"
	"strings"

	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/gate/messages"
)

// messagesFlags are those of 'gate add' for a route of messages.
type messagesFlags struct {
	Messages    bool   `help:"The route is for messages of HL7 v2 over MLLP: with --listen, --to and --allow, as SIS1:ADT^A01,ORM."`
	Listen      string `help:"With --messages: where senders come, with TLS and the certificate of a registered device." placeholder:"HOST:PORT"`
	To          string `help:"With --messages: the system that takes them." placeholder:"HOST:PORT"`
	Plain       bool   `help:"With --messages: senders come without TLS; --allow then names addresses, as 10.0.0.9:ADT. Unsafe."`
	Fingerprint string `help:"With --messages: the system takes TLS, and has a certificate with this hash." placeholder:"sha256:HEX"`
}

// block is the block that the flags say.
func (f messagesFlags) block(allow []string) (*messages.Block, error) {
	b := &messages.Block{Listen: f.Listen, Plain: f.Plain, To: f.To, Fingerprint: f.Fingerprint}
	for _, text := range allow {
		i := strings.LastIndex(text, ":")
		if i < 1 {
			return nil, fault.Usage("--allow: %q is not WHO:TYPES, such as SIS1:ADT^A01,ORM, or with --plain 10.0.0.9:ADT", text)
		}
		r := messages.Rule{Name: text[:i], Types: strings.Split(text[i+1:], ",")}
		for _, who := range strings.Split(text[:i], ",") {
			if _, err := netip.ParsePrefix(who); err == nil || isAddress(who) {
				r.From = append(r.From, who)
			} else {
				r.Who = append(r.Who, who)
			}
		}
		b.Rules = append(b.Rules, r)
	}
	return b, nil
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// messagesRoute is the route that the flags say.
func (c *gateAddCmd) messagesRoute() (gate.Route, error) {
	if c.Protect != "" || c.As != "" || c.Associations != 0 {
		return gate.Route{}, fault.Usage("--protect, --as and --associations are for a system of DICOM; " +
			"--messages has --listen, --to and --allow")
	}
	b, err := c.block(c.Allow)
	if err != nil {
		return gate.Route{}, err
	}
	r := gate.Route{Name: c.Name, Messages: b}
	if err := r.Check(); err != nil {
		return r, fault.Usage("%w", err)
	}
	return r, nil
}
