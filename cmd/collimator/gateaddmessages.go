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
	Messages bool   `help:"The route is for messages of HL7 v2 over MLLP: with --listen, --to and --allow, as SIS1:ADT^A01,ORM."`
	Listen   string `help:"With --messages: where senders come, with TLS and the certificate of a registered device." placeholder:"HOST:PORT"`
}

// messagesBlock is the block that the flags say.
func (c *gateAddCmd) messagesBlock() (*messages.Block, error) {
	b := &messages.Block{Listen: c.Listen, Plain: c.Plain, To: c.To, Fingerprint: c.fingerprint()}
	for _, text := range c.Allow {
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
	if c.Protect != "" || c.As != "" || c.Associations != 0 || c.DICOMweb || c.DICOMwebAs != "" || c.outboundFlags != (outboundFlags{}) {
		return gate.Route{}, fault.Usage("--messages has --listen, --to, --trust, --plain and --allow; the others are for DICOM")
	}
	b, err := c.messagesBlock()
	if err != nil {
		return gate.Route{}, err
	}
	r := gate.Route{Name: c.Name, Messages: b}
	if err := r.Check(); err != nil {
		return r, fault.Usage("%w", err)
	}
	return r, nil
}
