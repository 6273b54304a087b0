// Package messages has the routes of HL7 v2: senders come to a listener of the gate with
// TLS and a certificate, or, as a named exception, without; what a rule grants goes on to
// one system in a frame of its own, and its answer comes back. Nothing is looked at but
// the header of a message and the acknowledgment, and the gate never acknowledges in the
// place of the system behind.
package messages

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"collimator/internal/gate/kind"
	"collimator/internal/policy"
)

// Block is what a route says of senders of messages and of the system behind.
type Block struct {
	// Listen is where senders come, HOST:PORT.
	Listen string `yaml:"listen" json:"listen"`
	// Plain takes them without TLS: then the address alone tells who they are.
	Plain bool `yaml:"plain,omitempty" json:"plain,omitempty"`
	// To is the system behind, HOST:PORT. It is reached without TLS, or with TLS where
	// CA is a file with who vouches for it, or Fingerprint is sha256: and the hash of its
	// certificate.
	To          string `yaml:"to" json:"to"`
	CA          string `yaml:"ca,omitempty" json:"ca,omitempty"`
	Fingerprint string `yaml:"fingerprint,omitempty" json:"fingerprint,omitempty"`
	// Wait is how long the system behind may take for an answer; 0 means 30 s.
	Wait time.Duration `yaml:"wait,omitempty" json:"wait,omitempty"`
	// Rules say who may send what. What none grants is rejected.
	Rules []Rule `yaml:"rules" json:"rules"`
}

// Rule is who may send what. What a rule leaves empty it does not ask for, but for who or
// from, and types.
type Rule struct {
	Name string `yaml:"name" json:"name"`
	// Who are AE titles of registered devices, by whose certificates senders are known.
	Who []string `yaml:"who,omitempty" json:"who,omitempty"`
	// From are IP addresses, or networks such as 10.0.0.0/24.
	From []string `yaml:"from,omitempty" json:"from,omitempty"`
	// Types are those of messages: ADT^A01, or ADT for every trigger.
	Types []string `yaml:"types" json:"types"`
	// MostKiB is the longest message, in KiB; 0 means 1024.
	MostKiB int `yaml:"most_kib,omitempty" json:"mostKiB,omitempty"`
	// Hours are times of day at the server, such as mon-fri 06:00-20:00.
	Hours string `yaml:"hours,omitempty" json:"hours,omitempty"`
}

var _ kind.Block = (*Block)(nil)

// Route is a block under the name of its route.
type Route struct {
	Block
	Name   string
	Closed bool
}

// Bounds of a block.
const (
	mostKiB     = 1024      // where a rule says nothing
	mostKiBMost = 64 << 10  // that one may say
	waitMost    = time.Hour // that a block may say
	waitUsual   = 30 * time.Second
	rulesMost   = 256
)

// Check implements kind.Block.
func (b *Block) Check() error {
	if at, err := netip.ParseAddrPort(b.Listen); err != nil || at.Port() == 0 {
		return fmt.Errorf("listen: %q is not an address of this machine and a port, such as 10.0.0.1:2575", b.Listen)
	} else if b.Plain && kind.Public(at.Addr()) {
		return fmt.Errorf("listen: without TLS nobody listens at %s: name one address within your own network, such as 10.0.0.1:2575",
			at.Addr())
	}
	host, text, err := net.SplitHostPort(b.To)
	if port, wrong := strconv.ParseUint(text, 10, 16); err != nil || wrong != nil || host == "" || port == 0 {
		return fmt.Errorf("to: %q is not HOST:PORT, such as 10.0.0.7:2575", b.To)
	}
	if b.CA != "" && b.Fingerprint != "" {
		return errors.New("fingerprint: ca and fingerprint cannot stand together: one says how the system behind is known")
	}
	if err := b.trust().Check(); err != nil {
		return err
	}
	if b.Wait < 0 || b.Wait > waitMost {
		return fmt.Errorf("wait: want up to %s", waitMost)
	}
	return b.checkRules()
}

func (b *Block) checkRules() error {
	if len(b.Rules) == 0 {
		return errors.New("rules: there is none, so that nobody may send anything")
	}
	if len(b.Rules) > rulesMost {
		return fmt.Errorf("rules: at most %d", rulesMost)
	}
	for i, r := range b.Rules {
		if err := r.check(b.Plain); err != nil {
			return fmt.Errorf("rule %d (%s): %w", i+1, r.Name, err)
		}
	}
	return nil
}

func (r *Rule) check(plain bool) error {
	switch {
	case r.Name == "" || len(r.Name) > 64 || strings.ContainsFunc(r.Name, func(c rune) bool { return c < ' ' || c > '~' }):
		return errors.New("name: want 1 to 64 characters of ASCII: the record and the answer to the sender name the rule by it")
	case len(r.Who) == 0 && len(r.From) == 0:
		return errors.New("who: say who may send: who (registered devices) or from (addresses), or both")
	case plain && len(r.Who) > 0:
		return errors.New("who: nobody shows a certificate where plain is true; say from")
	case !plain && len(r.Who) == 0:
		return errors.New("who: with TLS each sender is a registered device: name those that may send")
	case len(r.Types) == 0:
		return errors.New("types: there is none; such as [ADT^A01, ORM]")
	case r.MostKiB < 0 || r.MostKiB > mostKiBMost:
		return fmt.Errorf("most_kib is 1 to %d", mostKiBMost)
	}

	for _, title := range r.Who {
		if err := kind.CheckAETitle(title); err != nil {
			return fmt.Errorf("who: %w", err)
		}
	}
	for _, text := range r.From {
		if _, err := network(text); err != nil {
			return fmt.Errorf("from: %w", err)
		}
	}
	for _, text := range r.Types {
		if code, trigger, two := strings.Cut(text, "^"); !word(code) || two && !word(trigger) {
			return fmt.Errorf("types: %q is not a type, such as ADT^A01, or ADT for all of them", text)
		}
	}
	if _, err := policy.ParseHours(r.Hours); err != nil {
		return fmt.Errorf("hours: %w", err)
	}
	return nil
}

// word reports three letters or digits.
func word(s string) bool {
	return len(s) == 3 && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z')
	})
}

// network is an address or a network.
func network(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	if p, err := netip.ParsePrefix(text); err == nil && p == p.Masked() {
		return p, nil
	}
	return netip.Prefix{}, fmt.Errorf("%q is neither an IP address nor a network such as 10.0.0.0/24", text)
}

// trust is how the system behind is known; nothing where it is reached without TLS.
func (b *Block) trust() kind.Trust { return kind.Trust{CA: b.CA, Fingerprint: b.Fingerprint} }

// most is the longest message of a rule, in bytes.
func (r *Rule) most() int { return cmp.Or(r.MostKiB, mostKiB) << 10 }

// most is the longest message that any rule grants, in bytes.
func (b *Block) most() (most int) {
	for _, r := range b.Rules {
		most = max(most, r.most())
	}
	return most
}

func (b *Block) wait() time.Duration { return cmp.Or(b.Wait, waitUsual) }

// Leads implements kind.Block.
func (b *Block) Leads() string { return b.To }

// CallsAs implements kind.Block.
func (b *Block) CallsAs() string { return "HL7 v2" }

// Granted implements kind.Block.
func (b *Block) Granted() string {
	var list []string
	for _, r := range b.Rules {
		list = append(list, strings.Join(r.senders(), ",")+": "+strings.Join(r.Types, ","))
	}
	return strings.Join(list, "; ")
}

func (r *Rule) senders() []string { return slices.Concat(r.Who, r.From) }

// Behind implements kind.Block.
func (b *Block) Behind() string { return b.To }

// Guards implements kind.Block.
func (b *Block) Guards() []string { return []string{b.To} }

// Listens implements kind.Block.
func (b *Block) Listens() string { return b.Listen }

// Takes implements kind.Block.
func (b *Block) Takes() string { return "messages at " + b.Listen }

// Example implements kind.Block.
func (b *Block) Example() string { return "listen: 10.0.0.1:2575" }

// Explain implements kind.Block.
func (b *Block) Explain(e *kind.Explanation) {
	how := "with TLS and the certificate of a registered device"
	if b.Plain {
		how = "without TLS"
	}
	e.Say("Messages of HL7 v2 that come to %s %s go on to %s, %s; its answer comes back, for which it has %s.",
		b.Listen, how, b.To, b.trust().Text(), b.wait())
	for _, r := range b.Rules {
		e.Say("%s", r.sentence())
	}

	if b.Plain {
		e.Remark(kind.Unsafe, "senders come without TLS: whoever is in between reads and changes messages, and an address can be forged; "+
			"leave plain out where a sender can do TLS")
	}
	if at, err := netip.ParseAddrPort(b.Listen); err == nil && kind.Public(at.Addr()) {
		e.Remark(kind.Unsafe, "%s may be reached from outside of your own network: listen at an address within it", b.Listen)
	}
	if !b.trust().Set() && !b.onLoopback() {
		e.Remark(kind.Note, "between the gate and %s nothing is encrypted: give them a cable or a network of their own, or name its "+
			"certificate (fingerprint) where it can do TLS", b.To)
	}
}

func (b *Block) onLoopback() bool {
	at, err := netip.ParseAddrPort(b.To)
	return err == nil && at.Addr().IsLoopback()
}

// sentence says what a rule grants.
func (r *Rule) sentence() string {
	who := kind.Listed(r.Who)
	switch {
	case who == "":
		who = "whoever comes from " + kind.Listed(r.From)
	case len(r.From) > 0:
		who += " from " + kind.Listed(r.From)
	}
	text := fmt.Sprintf("Rule %q: %s may send %s of up to %d KiB", r.Name, who, kind.Listed(r.Types), r.most()>>10)
	if r.Hours != "" {
		text += ", at " + r.Hours
	}
	return text + "."
}

// Steps implements kind.Block.
func (b *Block) Steps(p kind.Place) []kind.Step {
	senders := "with TLS 1.2 or 1.3, and the key and certificate that 'collimator device add' wrote"
	if b.Plain {
		senders = "without TLS"
	}
	return []kind.Step{
		kind.At("each sender", fmt.Sprintf("send to %s, MLLP, %s; one connection may stay open", b.Listen, senders)),
		kind.At("the system behind", fmt.Sprintf("take connections from %s alone, at %s", p.From, b.To)),
	}
}
