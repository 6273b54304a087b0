// Package outbound has the routes of modalities that send elsewhere: in without TLS
// from one named address, out with TLS and the gate's certificate.
package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"collimator/internal/gate/kind"
	"collimator/internal/policy"
)

// Block is what a route says of a modality and of where it sends.
type Block struct {
	// From is the modality, AETITLE@ADDRESS; with a port, AETITLE@ADDRESS:PORT, where
	// it takes reports of storage commitment.
	From string `yaml:"from" json:"from"`
	// To is where it sends, AETITLE@HOST:PORT.
	To string `yaml:"to" json:"to"`
	// As is the AE title under which that is called; empty: the modality's own.
	As string `yaml:"as,omitempty" json:"as,omitempty"`
	// Allow is what the modality may do; empty: echo, store, commit.
	Allow []string `yaml:"allow,omitempty" json:"allow,omitempty"`
	// CA is a file with the authorities that vouch for the target, Fingerprint is
	// sha256: and the hash of its certificate, and Plain reaches it without TLS. One of
	// them is set.
	CA          string `yaml:"ca,omitempty" json:"ca,omitempty"`
	Fingerprint string `yaml:"fingerprint,omitempty" json:"fingerprint,omitempty"`
	Plain       bool   `yaml:"plain,omitempty" json:"plain,omitempty"`
	// Commit says whether the target is asked for storage commitment before an object
	// is dropped here: required, if-offered, no; empty: if-offered.
	Commit string `yaml:"commit,omitempty" json:"commit,omitempty"`
	// CommitAfter says when the modality's own request for storage commitment is
	// answered: once the object is durable here, or once the target has it; empty: target.
	CommitAfter string `yaml:"commit_after,omitempty" json:"commitAfter,omitempty"`
	// ObjectMiB is the longest object that is taken, in MiB; 0 means 4096.
	ObjectMiB int `yaml:"object_mib,omitempty" json:"objectMiB,omitempty"`
}

var _ kind.Block = (*Block)(nil)

// Route is a block under the name of its route.
type Route struct {
	Block
	Name   string
	Closed bool
}

// Words of a block.
const (
	CommitRequired  = "required"
	CommitIfOffered = "if-offered"
	CommitNo        = "no"

	AfterHere   = "here"
	AfterTarget = "target"
)

// objectMiBMost is the longest object of a route that says the most, in MiB.
const objectMiBMost = 64 << 10

// Check implements kind.Block.
func (b *Block) Check() error {
	if _, _, err := b.Modality(); err != nil {
		return fmt.Errorf("from: %w", err)
	}
	if _, _, err := b.Target(); err != nil {
		return fmt.Errorf("to: %w", err)
	}
	if b.As != "" {
		if err := kind.CheckAETitle(b.As); err != nil {
			return fmt.Errorf("as: %w", err)
		}
	}
	if _, err := b.verbs(); err != nil {
		return fmt.Errorf("allow: %w", err)
	}
	if err := b.checkTrust(); err != nil {
		return err
	}

	if !slices.Contains([]string{"", CommitRequired, CommitIfOffered, CommitNo}, b.Commit) {
		return fmt.Errorf("commit: %q is not required, if-offered or no", b.Commit)
	}
	if !slices.Contains([]string{"", AfterHere, AfterTarget}, b.CommitAfter) {
		return fmt.Errorf("commit_after: %q is neither here nor target", b.CommitAfter)
	}
	if b.ObjectMiB < 0 || b.ObjectMiB > objectMiBMost {
		return fmt.Errorf("object_mib is 1 to %d", objectMiBMost)
	}
	return nil
}

// checkTrust fails where it is not said in one way how the target is known.
func (b *Block) checkTrust() error {
	said := 0
	for _, set := range []bool{b.CA != "", b.Fingerprint != "", b.Plain} {
		if set {
			said++
		}
	}
	if said != 1 {
		return errors.New("fingerprint: say in one way how the target is known: fingerprint (of its certificate), " +
			"ca (a file with who vouches for it), or plain: true (without TLS, for whoever reads along)")
	}
	if err := b.trust().Check(); err != nil {
		return fmt.Errorf("%w, as 'collimator gate add' shows them", err)
	}
	return nil
}

// trust is how the target is known; nothing where the way there is without TLS.
func (b *Block) trust() kind.Trust { return kind.Trust{CA: b.CA, Fingerprint: b.Fingerprint} }

// Modality is the AE title and the address of the modality; port 0 where none is named.
func (b *Block) Modality() (aeTitle string, at netip.AddrPort, err error) {
	aeTitle, text, ok := strings.Cut(b.From, "@")
	if !ok {
		return "", at, fmt.Errorf("%q is not AETITLE@ADDRESS, such as CT2@10.0.0.9", b.From)
	}
	if err := kind.CheckAETitle(aeTitle); err != nil {
		return "", at, err
	}
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return aeTitle, netip.AddrPortFrom(a.Unmap(), 0), nil
	}
	if at, err = netip.ParseAddrPort(text); err == nil && at.Port() > 0 {
		return aeTitle, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
	}
	return "", at, fmt.Errorf("%q is not an IP address, or one with a port, such as 10.0.0.9: "+
		"a name would leave it to others who may send", text)
}

// Target is the AE title and the address, host:port, of where the modality sends.
func (b *Block) Target() (aeTitle, address string, err error) {
	return kind.System(b.To, "PACS2@pacs.example:2762")
}

// may is what a modality of a route can be allowed.
var may = []policy.Verb{policy.Echo, policy.Store, policy.Commit, policy.Worklist, policy.Performed}

// verbs is what the modality may do.
func (b *Block) verbs() ([]policy.Verb, error) {
	if len(b.Allow) == 0 {
		return []policy.Verb{policy.Echo, policy.Store, policy.Commit}, nil
	}

	list, err := policy.ParseRouteVerbs(strings.Join(b.Allow, ","))
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		if !slices.Contains(may, v) {
			return nil, fmt.Errorf("%s is not for a modality that sends elsewhere; there are %s", v, policy.Join(may, ", "))
		}
	}
	return list, nil
}

// as is the AE title under which the target is called.
func (b *Block) as() string {
	if b.As != "" {
		return b.As
	}
	title, _, _ := b.Modality()
	return title
}

// Leads implements kind.Block.
func (b *Block) Leads() string { return b.To }

// CallsAs implements kind.Block.
func (b *Block) CallsAs() string { return b.as() }

// Granted implements kind.Block.
func (b *Block) Granted() string {
	verbs, _ := b.verbs()
	return b.From + ": " + policy.Join(verbs, ",")
}

// Behind implements kind.Block: it is the modality.
func (b *Block) Behind() string {
	_, at, _ := b.Modality()
	return at.String()
}

// Guards implements kind.Block.
func (b *Block) Guards() []string {
	_, address, _ := b.Target()
	return []string{b.Behind(), address}
}

// Listens implements kind.Block.
func (b *Block) Listens() string { return "" }

// Takes implements kind.Block.
func (b *Block) Takes() string {
	title, at, _ := b.Modality()
	target, _, _ := b.Target()
	return fmt.Sprintf("what %s at %s sends to %s", title, at.Addr(), target)
}

// Example implements kind.Block.
func (b *Block) Example() string { return "from: CT2@10.0.0.9" }

// Explain implements kind.Block.
func (b *Block) Explain(e *kind.Explanation) {
	title, at, _ := b.Modality()
	target, address, _ := b.Target()
	verbs, _ := b.verbs()
	e.Say("What %s at %s sends to %s, without TLS, is kept here and sent to %s, %s, under the AE title %s. It may %s.",
		title, at.Addr(), target, address, b.trust().Text(), b.as(), kind.Listed(strings.Fields(policy.Join(verbs, " "))))
	e.Say("%s", b.commitText())

	if b.Plain {
		e.Remark(kind.Unsafe, "what goes to %s is not encrypted, and whoever answers there gets it: "+
			"name its certificate (fingerprint) or who vouches for it (ca) in place of plain", address)
	}
	if kind.Public(at.Addr()) {
		e.Remark(kind.Unsafe, "%s is a public address, and what comes from there is not encrypted", at.Addr())
	}
	if at.Port() == 0 && slices.Contains(verbs, policy.Commit) {
		e.Remark(kind.Note, "reports of storage commitment reach %s on the association on which it asked alone: "+
			"with a port in 'from' (%s@%s) they reach it later, too", title, title, netip.AddrPortFrom(at.Addr(), 104))
	}
}

// commitText says when an object is dropped here.
func (b *Block) commitText() string {
	switch b.Commit {
	case CommitRequired:
		return "An object is dropped here when the target has committed to its storage."
	case CommitNo:
		return "An object is dropped here when the target has said that it stored it."
	}
	return "An object is dropped here when the target has committed to its storage, where it offers that; " +
		"else when it has said that it stored it."
}

// Steps implements kind.Block.
func (b *Block) Steps(p kind.Place) []kind.Step {
	title, _, _ := b.Modality()
	target, address, _ := b.Target()
	host, port := p.Plain, "the port of plain_dicom"
	if h, n, err := net.SplitHostPort(p.Plain); err == nil {
		host, port = h, n
	}
	if host == "" {
		host = "the gate"
	}

	steps := []kind.Step{kind.At("the modality, "+title,
		fmt.Sprintf("its destination %s: AE title %s as before, host %s, port %s, no TLS", target, target, host, port))}
	if b.Plain {
		return append(steps, kind.At("the target, "+target, fmt.Sprintf("take associations of AE title %s from %s", b.as(), p.From)))
	}
	return append(steps,
		kind.At("the target, "+target, fmt.Sprintf("take associations of AE title %s from %s with TLS, "+
			"with the gate's certificate ('collimator keys authority' writes who vouches for it)", b.as(), p.From)),
		kind.At("firewall of the gate", fmt.Sprintf("let it reach %s", address)))
}
