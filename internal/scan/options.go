// Package scan finds what is exposed in networks that the operator answers for,
// without harming a patient or an archive: which services of imaging stand
// there, who may use them, how they are protected. It collects facts and leaves
// the judgement to package finding.
//
// It opens one connection to a host at a time, sends the first PDU whole in the
// first write, waits for every answer with a deadline, asks only for objects that
// cannot exist, and leaves a host at the first sign of distress. It keeps no body,
// no data set and no name of a file that a peer sent. The client's side of
// PS3.8 9.3, PS3.7 9.1 and of TLS is covered as far as the questions need it.
package scan

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"slices"
	"time"

	"collimator/internal/finding"
)

// Options say what is looked at and how hard. The zero value of a field takes
// its default.
type Options struct {
	Scope   *Scope
	Targets []Target
	// Ports are the TCP ports of the first look; default DefaultPorts.
	Ports []uint16
	// HL7Ports are only connected to; default 2575 and 6661.
	HL7Ports []uint16
	// NoHost leaves out the management services beside imaging.
	NoHost bool
	// Rate is the most new connections in a second, in total. Default 2,000;
	// 100,000 where all targets are loopback.
	Rate int
	// Sweeps is how many hosts are looked at for open ports at a time; default
	// 512, on loopback 64. Hosts is how many are asked further; default 16.
	Sweeps, Hosts int
	// ConnectTimeout bounds the first look at an address; default 700 ms.
	ConnectTimeout time.Duration
	// Timeout bounds each connection from the first byte to the last; default 5 s.
	Timeout time.Duration
	// Pause is between two connections to a host, give or take half; default 20 ms.
	Pause time.Duration
	// AllPortsOnSilent looks at every port of addresses that did not answer on
	// the first few.
	AllPortsOnSilent bool

	// OptIn are the words of finding.Options that were given.
	OptIn map[string]bool
	// CalledAETitle is known to be right, where the operator said so.
	CalledAETitle string
	// AsDevice is the calling AE title for ASC-007.
	AsDevice string
	// Credentials are for WEB-015, by product.
	Credentials map[string]Credential
	// Roots are authorities beside those of the system.
	Roots *x509.CertPool
	// KnownKeys are SHA-256 hashes of public keys (SubjectPublicKeyInfo) whose
	// private keys are published, with what they belong to.
	KnownKeys map[string]string

	// State is the file that a broken-off scan goes on from; empty keeps none.
	State string
	// Sink takes each result as soon as it is there; nil takes none.
	Sink Sink
	// Advise adds the issues of a host that rest on published advisories; nil adds none.
	Advise func(*finding.Facts) []finding.Issue
	// Progress is told now and then how far the scan is; nil is not told.
	Progress func(done, total uint64, services int)
	// Seed orders the addresses; 0 takes a random one.
	Seed uint64
	// Dial replaces the network, for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now replaces the clock, for tests.
	Now func() time.Time
}

// Credential is a user name and password that a product is delivered with. It
// never stands in results.
type Credential struct{ user, password string }

// NewCredential makes one.
func NewCredential(user, password string) Credential { return Credential{user, password} }

// String hides it.
func (Credential) String() string { return "credential withheld" }

// Sink takes results, such as the inventory. Record is called from one
// goroutine at a time; an error ends the scan.
type Sink interface {
	Record(ctx context.Context, r *HostResult) error
}

// ClosedSink is a Sink that is also told of addresses that answered and had
// nothing open at the ports that were looked at. Closed may be called from
// several goroutines at a time.
type ClosedSink interface {
	Sink
	Closed(ctx context.Context, a netip.Addr, ports []uint16) error
}

// HostResult is what came of one host.
type HostResult struct {
	Facts  *finding.Facts  `json:"facts"`
	Issues []finding.Issue `json:"issues"`
	// Connections is how many were opened to it.
	Connections int `json:"connections"`
	// Ports were named for this host; empty: those of the scan.
	Ports []uint16 `json:"ports,omitempty"`
}

// DICOMPorts are those by which DICOM is known; any other can be given.
func DICOMPorts() []uint16 {
	return []uint16{104, 2104, 2345, 2761, 2762, 4000, 4006, 4100, 4242, 4560, 5678, 8104, 11112, 22104}
}

// WebPorts are those of viewers, archives and consoles.
func WebPorts() []uint16 {
	return []uint16{80, 443, 3000, 8000, 8042, 8080, 8443, 8843, 9990, 9993}
}

// DefaultPorts are looked at on every address that answers.
func DefaultPorts() []uint16 { return append(DICOMPorts(), WebPorts()...) }

// firstPorts decide whether an address that does not refuse is there at all.
func firstPorts() []uint16 { return []uint16{104, 11112, 443} }

// Looked lists the ports that a scan with these options tries on an address for
// which none are named. imaging: a service of imaging was found there.
func (o Options) Looked(imaging bool) []uint16 {
	o = o.withDefaults()
	ports := slices.Concat(o.Ports, o.HL7Ports)
	if imaging && !o.NoHost {
		ports = append(append(ports, hostPorts()...), 161, 623)
	}
	return ports
}

// ChecksRun lists the checks by their ids that a scan with these options makes
// on a host. imaging: a service of imaging was found there, and no ports were named.
func (o Options) ChecksRun(imaging bool) []string {
	var out []string
	for _, c := range finding.Checks() {
		switch {
		case c.Mode == finding.Missing, c.Mode == finding.OptIn && !o.OptIn[c.Option]:
		case c.Group == "host" && (o.NoHost || !imaging):
		case c.ID == "DIC-004" && (o.Scope == nil || len(o.Scope.Zones) == 0):
		case c.ID == "TLS-010" && len(o.KnownKeys) == 0:
		default:
			out = append(out, c.ID)
		}
	}
	return out
}

func (o Options) withDefaults() Options {
	setDefault(&o.ConnectTimeout, 700*time.Millisecond)
	setDefault(&o.Timeout, 5*time.Second)
	setDefault(&o.Pause, 20*time.Millisecond)

	if o.loopback() {
		setDefault(&o.Sweeps, 64) // more would only wait for the processor
	}
	setDefault(&o.Sweeps, 512)
	setDefault(&o.Hosts, 16)

	if o.Scope == nil {
		o.Scope = &Scope{}
	}
	if len(o.Ports) == 0 {
		o.Ports = DefaultPorts()
	}
	if o.HL7Ports == nil {
		o.HL7Ports = []uint16{2575, 6661}
	}

	if o.Rate == 0 {
		o.Rate = 2000
		if o.loopback() {
			o.Rate = 100_000
		}
	}

	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (o *Options) loopback() bool {
	for _, t := range o.Targets {
		if !t.Prefix.Addr().IsLoopback() {
			return false
		}
	}
	return true
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
