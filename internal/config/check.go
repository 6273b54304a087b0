package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"collimator/dicom"
)

// adder takes a fault in the settings, in the words of fmt.Errorf without the
// name of the package.
type adder func(format string, args ...any)

// Check finds what is wrong with the settings. It looks at all of them, and joins
// the faults into one error. It reads no file and calls nobody.
func (c Config) Check() error {
	var faults []error
	add := adder(func(format string, args ...any) { faults = append(faults, fmt.Errorf("config: "+format, args...)) })

	c.checkListeners(add)
	c.Limits.check(add)
	c.checkCharacterSets(add)
	if (c.Tokens.Issuer == "") != (c.Tokens.Keys == "") {
		add("tokens: issuer and keys go together")
	}

	faults = append(faults, c.SignIn.check()...)
	faults = append(faults, c.TLS.check()...)
	c.Inspect.check(add)
	if err := c.Outward.Options().Check(); err != nil {
		add("%s", strings.Replace(err.Error(), "outward: ", "outward.", 1))
	}

	c.Advisories.check(add)
	c.Alarms.check(add)
	checkScans(c.Scans, add)

	c.Audit.check(add)
	if c.Ledger.Every < time.Minute {
		add("ledger.every: at least a minute")
	}
	c.Log.check(add)

	return errors.Join(faults...)
}

// checkListeners refuses names and addresses under which the server cannot or must
// not be reached.
func (c Config) checkListeners(add adder) {
	if !ValidAE(c.AE) {
		add("ae %q: an AE title has 1 to 16 printable ASCII characters without backslash", c.AE)
	}
	if c.Only != "" && c.Only != OnlyGate {
		add("only %q: leave it out, or write gate to run the routes without the archive", c.Only)
	}
	if c.DICOM == "" {
		add("dicom: an address such as 127.0.0.1:2762 is needed")
	}

	for _, l := range []struct{ key, addr string }{
		{key: "http", addr: c.HTTP},
		{key: "dicom", addr: c.DICOM},
		{key: "plain_dicom", addr: c.PlainDICOM},
	} {
		if l.addr == "" {
			continue
		}
		if err := c.checkListen(l.addr); err != nil {
			add("%s: %w", l.key, err)
		}
	}

	c.checkApart(add)
	if c.Public != "" && c.Public != Insist {
		add("public: must read %q or be left out", Insist)
	}
}

func (l Limits) check(add adder) {
	if l.Associations < 1 || l.AssociationsPerAddress < 1 || l.FindMatches < 0 || l.Idle <= 0 || l.PendingDevices < 1 {
		add("limits: numbers and times must be positive")
	}
	if l.Memory < leastMemory {
		add("limits.memory is at least %d bytes", leastMemory)
	}
	if l.ObjectElements < 10_000 || l.ObjectBytes < 1<<20 || l.QuarantineEntries < 1 || l.QuarantineShare < 1 {
		add("limits: object_elements is at least 10000, object_bytes at least 1048576, " +
			"quarantine_entries and quarantine_share at least 1")
	}
}

func (c Config) checkCharacterSets(add adder) {
	for source, term := range c.CharacterSets {
		if err := dicom.NewDataSet().SetCharacterSet(strings.Split(term, `\`)...); err != nil || term == "" {
			add("character_sets.%s: want a defined term of DICOM, such as ISO_IR 100 (Latin 1) or ISO_IR 192 (UTF-8)", source)
		}
	}
}

// check refuses words that are not a verdict, and quarantine where nothing could be
// decided about later.
func (i Inspect) check(add adder) {
	for key, v := range map[string]string{
		"programs":         i.Programs,
		"active_documents": i.ActiveDocuments,
		"sealed_documents": i.SealedDocuments,
		"containers":       i.Containers,
		"preambles":        i.Preambles,
		"viruses":          i.Viruses,
		"unscanned":        i.Unscanned,
		"contradictions":   i.Contradictions,
	} {
		if v != "accept" && v != "quarantine" && v != "refuse" {
			add("inspect.%s %q: choose accept, quarantine or refuse", key, v)
		}
	}

	for key, v := range map[string]string{"unscanned": i.Unscanned, "contradictions": i.Contradictions} {
		if v == "quarantine" {
			add("inspect.%s: choose accept or refuse", key)
		}
	}
}

func (a Audit) check(add adder) {
	if a.Wait < 0 {
		add("audit.wait is how long records may wait to be written, such as 1m; 0 shows nothing as soon as one waits")
	}

	if a.Repository != "" {
		if host, port, err := net.SplitHostPort(a.Repository); err != nil || host == "" || port == "" {
			add("audit.repository: want HOST:PORT, such as audit.example.org:6514")
		}
	}
	if (a.Certificate == "") != (a.Key == "") {
		add("audit: certificate and key go together")
	}
}

func (l Log) check(add adder) {
	switch l.Level {
	case "debug", "info", "warn", "error":
	default:
		add("log.level %q: choose debug, info, warn or error", l.Level)
	}

	if l.Format != "text" && l.Format != "json" {
		add("log.format %q: choose text or json", l.Format)
	}
}

// leastMemory lets through a picture and a document of usual size, and the check
// of a password, which takes 64 MiB.
const leastMemory = 96 << 20

func (a Advisories) check(add adder) {
	for _, source := range a.Sources {
		if !safeSource(source) {
			add("advisories.sources: an address begins with https://")
		}
	}
}

// safeSource takes https; http only of this machine.
func safeSource(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && err == nil && ip.IsLoopback()
}

// ValidAE reports whether s can be an AE title (PS3.5 6.2, PS3.8 9.3.2).
func ValidAE(s string) bool {
	if len(s) > 16 || strings.TrimSpace(s) == "" || strings.TrimSpace(s) != s {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7E || s[i] == '\\' {
			return false
		}
	}
	return true
}

// checkListen refuses an address that the internet may reach, unless the
// operator insists.
func (c Config) checkListen(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT", addr)
	}

	if c.Public == Insist {
		return nil
	}
	addrs, err := resolve(host)
	if err != nil {
		return err
	}

	for _, a := range addrs {
		if !a.IsLoopback() && !a.IsPrivate() && !a.IsLinkLocalUnicast() {
			return fmt.Errorf("%s is a public address; "+
				"keep the server behind a VPN or a firewall, or set  public: %q  if the internet shall reach it", a, Insist)
		}
	}
	return nil
}

// checkApart refuses two listeners at one address: the second would find it taken.
func (c Config) checkApart(add adder) {
	type listener struct{ key, addr string }
	list := []listener{
		{key: "dicom", addr: c.DICOM},
		{key: "plain_dicom", addr: c.PlainDICOM},
		{key: "http", addr: c.HTTP},
	}
	for i, a := range list {
		for _, b := range list[i+1:] {
			if collide(a.addr, b.addr) {
				add("%s and %s both listen at %s: give each a port of its own", a.key, b.key, b.addr)
			}
		}
	}
}

// collide reports whether one address is taken where the other one is in use. An
// unspecified host takes the port at every address; port 0 is any free one.
func collide(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || everywhere(hostA) || everywhere(hostB)
}

func everywhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// resolve lists the addresses on which a listener of host would be reached. An
// empty or unspecified host stands for every address of this machine; localhost
// gives none, as nobody else reaches it.
func resolve(host string) ([]netip.Addr, error) {
	if host == "localhost" {
		return nil, nil
	}

	ip, err := netip.ParseAddr(host)
	if host != "" && err != nil {
		return nil, fmt.Errorf("host must be an IP address or localhost")
	}
	if err == nil && !ip.IsUnspecified() {
		return []netip.Addr{ip.Unmap()}, nil
	}

	ifaddrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the addresses of this machine: %w", err)
	}

	var out []netip.Addr
	for _, a := range ifaddrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr().Unmap())
		}
	}
	return out, nil
}
