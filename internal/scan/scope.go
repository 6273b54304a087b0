package scan

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrScope is wrapped by the errors about targets that may not be scanned.
var ErrScope = errors.New("not in the scope of this scan")

// Scope says which addresses may be looked at. The zero Scope holds the
// addresses of this machine alone (loopback).
type Scope struct {
	Ranges []Range `yaml:"ranges"`
	// Exclude is never connected to, whatever Ranges say.
	Exclude []Prefix `yaml:"exclude,omitempty"`
	// Zones are where imaging belongs; services outside are reported. Empty: not judged.
	Zones []Prefix `yaml:"zones,omitempty"`
}

// Range is a part of the network that the operator answers for.
type Range struct {
	Range Prefix `yaml:"range"`
	// Owned must be true.
	Owned bool `yaml:"owned"`
	// Public is needed for addresses of the Internet: who confirmed, and when,
	// as "confirmed by NAME on DATE".
	Public string `yaml:"public,omitempty"`
}

// Prefix is an address or a range in YAML, such as 10.1.2.3 or 10.0.0.0/8.
type Prefix struct{ netip.Prefix }

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *Prefix) UnmarshalYAML(n *yaml.Node) error {
	var s string
	if err := n.Decode(&s); err != nil {
		return err
	}
	var err error
	p.Prefix, err = ParsePrefix(s)
	return err
}

// MarshalYAML implements yaml.Marshaler.
func (p Prefix) MarshalYAML() (any, error) { return p.String(), nil }

// ParsePrefix reads an address or a range in CIDR form.
func ParsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		if p.Addr().Is4In6() {
			return netip.Prefix{}, fmt.Errorf("scan: %q: write IPv4 ranges as IPv4", s)
		}
		return p.Masked(), nil
	}

	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("scan: %q is neither an address nor a range; write 10.1.2.3 or 10.1.0.0/16", s)
	}

	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// scopeLimit is the most bytes of a scope file.
const scopeLimit = 1 << 20

// ReadScope reads a scope file (YAML) and checks it.
func ReadScope(r io.Reader) (*Scope, error) {
	var s Scope
	dec := yaml.NewDecoder(io.LimitReader(r, scopeLimit))
	dec.KnownFields(true)
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf("scan: scope file: %w", err)
	}

	for _, r := range s.Ranges {
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	return &s, nil
}

func (r Range) check() error {
	switch {
	case !r.Range.IsValid():
		return errors.New("scan: scope file: an entry of ranges has no range")
	case !r.Owned:
		return fmt.Errorf("scan: scope file: %s is not marked owned: true; only networks you answer for may be scanned",
			r.Range)
	case !allPrivate(r.Range.Prefix) && !confirmed(r.Public):
		return fmt.Errorf("scan: scope file: %s holds public addresses; add  public: confirmed by NAME on YYYY-MM-DD",
			r.Range)
	}
	return nil
}

// confirmed reads "confirmed by NAME on DATE".
func confirmed(s string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "confirmed by ")
	if !ok {
		return false
	}
	i := strings.LastIndex(rest, " on ")
	return i > 0 && len(rest[i+4:]) >= 8
}

// Own adds a range that the operator declared on the command line. Public
// addresses need the scope file.
func (s *Scope) Own(p netip.Prefix) error {
	if !allPrivate(p) {
		return fmt.Errorf("scan: %s holds public addresses: they need a scope file with  public: confirmed by NAME on DATE",
			p)
	}
	s.Ranges = append(s.Ranges, Range{Range: Prefix{p}, Owned: true})
	return nil
}

// Allow says whether an address may be looked at; the error says in words why
// not and wraps ErrScope.
func (s *Scope) Allow(a netip.Addr) error {
	a = a.Unmap()
	switch {
	case !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("scan: %s is not the address of a host: %w", a, ErrScope)
	case metadata(a):
		return fmt.Errorf("scan: %s tells secrets of machines in a cloud and is never asked: %w", a, ErrScope)
	case s.excluded(a):
		return fmt.Errorf("scan: %s is excluded by the scope file: %w", a, ErrScope)
	case a.IsLoopback():
		return nil
	}

	for _, r := range s.Ranges {
		if !r.Range.Contains(a) || !r.Owned {
			continue
		}
		if private(a) || confirmed(r.Public) {
			return nil
		}
		return fmt.Errorf("scan: %s is a public address and nobody confirmed that it is yours; "+
			"add  public: confirmed by NAME on DATE  to its range in the scope file: %w", a, ErrScope)
	}

	if !private(a) {
		return fmt.Errorf("scan: %s is a public address; scan only what is yours: "+
			"put its range into a scope file with  owned: true  and  public: confirmed by NAME on DATE: %w", a, ErrScope)
	}
	return fmt.Errorf("scan: nobody declared %s as yours; add --own %s or a scope file: %w", a, suggestion(a), ErrScope)
}

func (s *Scope) excluded(a netip.Addr) bool {
	return slices.ContainsFunc(s.Exclude, func(p Prefix) bool { return p.Contains(a) }) || metadata(a)
}

// metadata reports the addresses at which clouds tell a machine its secrets.
func metadata(a netip.Addr) bool {
	switch a.String() {
	case "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "fd00:ec2::254", "fd00:ec2::23":
		return true
	}
	return false
}

// outside reports an address in none of the zones, where there are any.
func (s *Scope) outside(a netip.Addr) bool {
	return len(s.Zones) > 0 && !slices.ContainsFunc(s.Zones, func(p Prefix) bool { return p.Contains(a) })
}

// suggestion is the network that probably holds an address.
func suggestion(a netip.Addr) string {
	bits := 24
	if a.Is6() {
		bits = 112
	}

	p, err := a.Prefix(bits)
	if err != nil {
		return a.String()
	}
	return p.String()
}

// private reports addresses that do not exist in the Internet: RFC 1918, ULA,
// loopback, link-local.
func private(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
}

// allPrivate reports a range without a public address.
func allPrivate(p netip.Prefix) bool {
	for _, r := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128",
	} {
		whole := netip.MustParsePrefix(r)
		if whole.Bits() <= p.Bits() && whole.Contains(p.Addr()) {
			return true
		}
	}
	return false
}
