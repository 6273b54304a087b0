package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Target is a range of addresses that is looked at.
type Target struct {
	Prefix netip.Prefix
	// Name is the host name that led here, empty for addresses.
	Name string
	// Ports are the only ones for this target; empty takes those of the scan.
	Ports []uint16
}

// maxAddresses is the most addresses of one scan.
const maxAddresses = 1 << 24

// ParseTarget reads an address, a range in CIDR form or a host name, each with
// ports behind where only these are meant: 10.1.2.3, 10.1.2.0/24, pacs.example,
// 10.1.2.3:104,11112, [fd00::5]:104. Names are resolved with resolve.
func ParseTarget(ctx context.Context, s string, resolve func(context.Context, string) ([]netip.Addr, error)) ([]Target, error) {
	host, list, err := splitPorts(s)
	if err != nil {
		return nil, err
	}

	if p, err := ParsePrefix(host); err == nil {
		return []Target{{Prefix: p, Ports: list}}, nil
	}

	if numeric(host) {
		return nil, fmt.Errorf("scan: %q is read in more than one way; "+
			"write addresses as four decimal numbers without zeros in front, such as 10.1.2.3", s)
	}
	if strings.ContainsAny(host, "/ %:") || host == "" {
		return nil, fmt.Errorf("scan: %q is not a target; write an address, a range such as 10.1.2.0/24, or a host name", s)
	}

	addresses, err := resolve(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("scan: %s is not known: check the name, or give the address", host)
	}

	var out []Target
	for _, a := range addresses {
		a = a.Unmap().WithZone("")
		out = append(out, Target{Prefix: netip.PrefixFrom(a, a.BitLen()), Name: host, Ports: list})
	}
	return out, nil
}

// numeric reports what resolvers may take for an IPv4 address in hexadecimal,
// octal or with parts left out: a name whose last label is a number. Ranges such as
// 10.0.0.5-9 are none of the forms that are read either.
func numeric(host string) bool {
	if host != "" && strings.Trim(host, "0123456789.-*") == "" {
		return true
	}

	last := strings.ToLower(host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:])
	last = strings.TrimSuffix(last, ".")

	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// Resolve asks the resolver of the system.
func Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func splitPorts(s string) (host string, ports []uint16, err error) {
	host = s
	var list string
	switch {
	case strings.HasPrefix(s, "["):
		var ok bool
		if host, list, ok = strings.Cut(s[1:], "]"); !ok {
			return "", nil, fmt.Errorf("scan: %q lacks the closing bracket", s)
		}
		list = strings.TrimPrefix(list, ":")
	case strings.Count(s, ":") == 1:
		host, list, _ = strings.Cut(s, ":")
	}

	if list == "" {
		return host, nil, nil
	}
	ports, err = ParsePorts(list)
	return host, ports, err
}

// ParsePorts reads a list such as 104,11112,8000-8010.
func ParsePorts(s string) ([]uint16, error) {
	var out []uint16
	for _, part := range strings.Split(s, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		from, err := strconv.ParseUint(first, 10, 16)
		to := from
		if err == nil && isRange {
			to, err = strconv.ParseUint(last, 10, 16)
		}

		if err != nil || from == 0 || to < from {
			return nil, fmt.Errorf("scan: %q is not a list of ports; write 104,11112,8000-8010", s)
		}

		for p := from; p <= to; p++ {
			out = append(out, uint16(p))
		}
	}

	slices.Sort(out)
	return slices.Compact(out), nil
}

// plan is the list of addresses of a scan, by index, without one twice.
type plan struct {
	targets []Target
	starts  []uint64 // index of the first address of each target
	total   uint64
}

// newPlan checks targets against the scope and numbers their addresses.
func newPlan(targets []Target, scope *Scope) (*plan, error) {
	p := &plan{}
	targets = slices.Clone(targets)
	// Wider ranges first, so that what lies in another is seen.
	slices.SortStableFunc(targets, func(a, b Target) int { return cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()) })

	for _, t := range targets {
		if slices.ContainsFunc(p.targets, func(o Target) bool {
			return o.Prefix.Overlaps(t.Prefix) && (slices.Equal(o.Ports, t.Ports) || len(o.Ports) == 0 && len(t.Ports) == 0)
		}) {
			continue
		}

		if i := slices.IndexFunc(p.targets, func(o Target) bool { return o.Prefix.Overlaps(t.Prefix) }); i >= 0 {
			if p.targets[i].Prefix != t.Prefix || len(p.targets[i].Ports) == 0 || len(t.Ports) == 0 {
				return nil, fmt.Errorf("scan: %s lies in %s and has other ports; leave one of them out",
					t.Prefix, p.targets[i].Prefix)
			}

			merged := slices.Concat(p.targets[i].Ports, t.Ports)
			slices.Sort(merged)
			p.targets[i].Ports = slices.Compact(merged)
			continue
		}

		if err := checkRange(t.Prefix, scope); err != nil {
			return nil, err
		}
		p.targets = append(p.targets, t)
	}

	for _, t := range p.targets {
		n := new(big.Int).Lsh(big.NewInt(1), uint(t.Prefix.Addr().BitLen()-t.Prefix.Bits()))
		if !n.IsUint64() || n.Uint64() > maxAddresses || p.total+n.Uint64() > maxAddresses {
			return nil, fmt.Errorf("scan: %s is too wide: at most %d addresses in one scan; "+
				"name the hosts instead, for IPv6 from the neighbour table or the DNS", t.Prefix, maxAddresses)
		}

		p.starts = append(p.starts, p.total)
		p.total += n.Uint64()
	}

	if p.total == 0 {
		return nil, errors.New("scan: no target was given; name an address, a range or a host")
	}
	return p, nil
}

// checkRange holds the ends of a range against the scope; each address is
// held against it again before it is connected to.
func checkRange(p netip.Prefix, scope *Scope) error {
	last := lastAddress(p)
	if p.IsSingleIP() {
		return scope.Allow(p.Addr())
	}

	for _, a := range []netip.Addr{p.Addr(), last} {
		if err := scope.Allow(a); err != nil && !scope.excluded(a) {
			return err
		}
	}

	if p.Addr().IsLoopback() && last.IsLoopback() {
		return nil
	}

	for _, r := range scope.Ranges {
		if r.Range.Bits() <= p.Bits() && r.Range.Contains(p.Addr()) {
			return nil
		}
	}
	return fmt.Errorf("scan: %s is not wholly within one declared range: %w", p, ErrScope)
}

func lastAddress(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// at is the address with an index, and its target.
func (p *plan) at(index uint64) (netip.Addr, Target) {
	i, found := slices.BinarySearch(p.starts, index)
	if !found {
		i--
	}

	t := p.targets[i]
	offset := index - p.starts[i]

	b := t.Prefix.Addr().AsSlice()
	for k := len(b) - 1; k >= 0 && offset > 0; k-- {
		sum := uint64(b[k]) + offset&0xFF
		b[k] = byte(sum)
		offset = offset>>8 + sum>>8
	}

	a, _ := netip.AddrFromSlice(b)
	return a, t
}
