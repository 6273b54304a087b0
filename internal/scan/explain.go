package scan

import (
	"fmt"
	"strings"
	"time"

	"collimator/internal/finding"
)

// Bounds of what a host is asked, for the estimate.
const (
	dicomConnections = 12
	tlsConnections   = 13
	webConnections   = 32
)

// Explain says what a scan would send and how long it may take. It sends
// nothing. An error says that the targets may not be scanned.
func Explain(opt Options) (string, error) {
	opt = opt.withDefaults()
	p, err := newPlan(opt.Targets, opt.Scope)
	if err != nil {
		return "", err
	}

	var b strings.Builder
	fmt.Fprintf(&b, "Nothing was sent. This scan would look at %d addresses.\n\n", p.total)

	for _, t := range p.targets {
		fmt.Fprintf(&b, "  %s", t.Prefix)
		if t.Name != "" {
			fmt.Fprintf(&b, " (%s)", t.Name)
		}
		if len(t.Ports) > 0 {
			fmt.Fprintf(&b, " ports %s only", joined(t.Ports))
		}
		b.WriteString("\n")
	}

	ports := len(opt.Ports) + len(opt.HL7Ports)
	fmt.Fprintf(&b, "\nFirst look: a TCP connection to ports %s; where anything answers, also to the rest of\n%s, HL7 %s.\n"+
		"Each is closed at once. An address that says nothing gets three connections",
		joined(firstPorts()), joined(opt.Ports), joined(opt.HL7Ports))
	if opt.AllPortsOnSilent {
		b.WriteString(", then all the others too (--all-ports-on-silent)")
	}
	fmt.Fprintf(&b, ".\nAt most %d connections, at most %d a second in total, one at a time to a host.\n",
		p.total*uint64(ports), opt.Rate)

	fmt.Fprintf(&b, "\nEach open service then gets, with a pause of %s between two and %s for each: at most\n"+
		"%d connections where it speaks DICOM, %d for TLS, %d for the web.\n",
		opt.Pause, opt.Timeout, dicomConnections, tlsConnections, webConnections)
	low, high := estimate(&opt, p)
	fmt.Fprintf(&b, "It takes %s if all addresses refuse, up to %s if all keep silent, and about a second more for each\n"+
		"%d hosts with services.\n\n", low, high, opt.Hosts)

	group := ""
	for _, c := range finding.Checks() {
		if c.Group != group {
			group = c.Group
			fmt.Fprintf(&b, "%s\n", strings.ToUpper(group))
		}
		fmt.Fprintf(&b, "  %s  %s\n           sends %s\n", c.ID, modeWords(c, &opt), c.Sends)
	}
	return b.String(), nil
}

func modeWords(c finding.Check, opt *Options) string {
	switch {
	case c.Mode == finding.OptIn && opt.OptIn[c.Option]:
		return c.Title + " (opted in)"
	case c.Mode == finding.OptIn:
		return c.Title + " (not made; --opt-in " + c.Option + ")"
	}
	return c.Title
}

// estimate is the time of the first look: with answers at once, and with none.
func estimate(opt *Options, p *plan) (low, high time.Duration) {
	perRate := func(n uint64) time.Duration {
		return time.Duration(float64(n) / float64(opt.Rate) * float64(time.Second)).Round(time.Second)
	}

	ports := uint64(len(opt.Ports) + len(opt.HL7Ports))
	low = perRate(p.total * ports)

	silent := uint64(len(firstPorts()))
	if opt.AllPortsOnSilent {
		silent = ports
	}

	waits := time.Duration(p.total*silent/uint64(opt.Sweeps)) * opt.ConnectTimeout
	return low, max(perRate(p.total*silent), waits).Round(time.Second)
}

func joined(ports []uint16) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ports), " ", ","), "[]")
}
