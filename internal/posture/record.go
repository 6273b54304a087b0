package posture

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"collimator/internal/advisory"
	"collimator/internal/fault"
	"collimator/internal/finding"
	"collimator/internal/inventory"
	"collimator/internal/scan"
)

// Recorder stores what a scan finds in the inventory: one asset for each host,
// however often it is seen. Safe for concurrent use.
type Recorder struct {
	register *inventory.Register
	run      inventory.Run
	opt      scan.Options
	// settles: what a look covers and does not find becomes fixed.
	settles bool

	mu    sync.Mutex
	known map[netip.Addr]string // addresses with issues, and the asset that has them
}

var _ scan.ClosedSink = (*Recorder)(nil)

// NewRecorder begins a run. opt are the options of the scan, by which it is
// known which checks and ports it covers.
func NewRecorder(ctx context.Context, register *inventory.Register, opt scan.Options, detail string) (*Recorder, error) {
	r := &Recorder{register: register, opt: opt, settles: true, known: map[netip.Addr]string{}}

	issues, err := register.Issues(ctx, "")
	if err != nil {
		return nil, err
	}

	for _, i := range issues {
		if i.State != inventory.Fixed && i.Place.Address.IsValid() {
			r.known[i.Place.Address.Unmap()] = i.Asset
		}
	}

	r.run, err = register.Begin(ctx, inventory.Scan, detail)
	return r, err
}

// Record implements scan.Sink.
func (r *Recorder) Record(ctx context.Context, h *scan.HostResult) error {
	asset, err := r.observe(ctx, h.Facts)
	if err != nil {
		return err
	}

	look := inventory.Look{
		Run:   r.run.ID,
		Place: finding.Place{Asset: asset, Address: h.Facts.Address},
		Ports: r.ports(h),
	}
	for _, i := range h.Issues {
		if !strings.HasPrefix(i.Check, "ADV-") { // noted for the asset as a whole by Finish
			look.Issues = append(look.Issues, i)
		}
	}

	if r.settles && h.Facts.Stopped == "" {
		look.Checks = r.opt.ChecksRun(len(h.Ports) == 0 && imaging(h.Facts))
	}

	r.mu.Lock()
	r.known[h.Facts.Address.Unmap()] = asset
	r.mu.Unlock()
	return r.register.ReportLook(ctx, look)
}

// Closed implements scan.ClosedSink: the address answered and has nothing open,
// so that what was wrong at these ports is gone.
func (r *Recorder) Closed(ctx context.Context, a netip.Addr, ports []uint16) error {
	r.mu.Lock()
	asset := r.known[a.Unmap()]
	r.mu.Unlock()

	if asset == "" {
		return nil
	}
	return r.register.ReportLook(ctx, inventory.Look{
		Run:    r.run.ID,
		Place:  finding.Place{Asset: asset, Address: a},
		Ports:  ports,
		Checks: r.opt.ChecksRun(false),
	})
}

// Finish holds the assets against the advisories, once for all of the run.
func (r *Recorder) Finish(ctx context.Context) error {
	_, err := r.register.Check(ctx)
	return err
}

// ports are those that were looked at on a host, and those that were found.
func (r *Recorder) ports(h *scan.HostResult) []uint16 {
	out := slices.Clone(h.Ports)
	if len(out) == 0 {
		out = r.opt.Looked(imaging(h.Facts))
	}

	for _, s := range h.Facts.Services {
		out = append(out, s.Port)
	}

	return out
}

func imaging(f *finding.Facts) bool {
	return slices.ContainsFunc(f.Services, func(s *finding.Service) bool {
		return s.DICOM != nil || s.HL7 != nil || s.Web != nil && s.Web.Imaging
	})
}

// observe notes the host, and apart from it what it is believed to be, because
// that is worth less or more than the rest.
func (r *Recorder) observe(ctx context.Context, f *finding.Facts) (string, error) {
	o := observation(f)
	o.Run = r.run.ID

	// What it is believed to be has a confidence of its own.
	what := inventory.Observation{
		Source: inventory.Scan, Run: r.run.ID,
		Vendor: o.Vendor, Product: o.Product, Version: o.Version, Confidence: o.Confidence,
	}
	o.Vendor, o.Product, o.Version = "", "", ""
	o.Confidence = 0

	asset, err := r.register.Observe(ctx, o)
	if err != nil || what.Product == "" {
		return asset, err
	}

	what.Asset = asset
	return r.register.Observe(ctx, what)
}

// observation puts facts into the form of the inventory.
func observation(f *finding.Facts) inventory.Observation {
	o := inventory.Observation{Source: inventory.Scan, Hostname: f.Name, Addresses: []netip.Addr{f.Address}}
	if f.Address.IsLoopback() || f.Address.IsLinkLocalUnicast() {
		o.Record = "seen-from-here:" + f.Address.String() // many have this address: it is not a sign by itself
	}

	for _, s := range f.Services {
		o.Ports = append(o.Ports, s.Port)

		d := s.DICOM
		if d == nil {
			continue
		}

		if d.KnownCalled != "" && d.CalledFrom != "any" && !slices.Contains(o.AETitles, d.KnownCalled) {
			o.AETitles = append(o.AETitles, d.KnownCalled)
		}
		text := strings.TrimSpace(d.ClassUID + " " + d.VersionName)
		if text != "" && !slices.Contains(o.Implementations, text) {
			o.Implementations = append(o.Implementations, text)
		}
	}

	if p := product(f); p != nil {
		o.Vendor, o.Product, o.Version = p.Vendor, p.Name, p.Version
		o.Confidence = p.Confidence
	}
	return o
}

// product is what a host is believed to be, by its surest sign; nil where
// nothing is known but a toolkit, which stands among the implementations.
func product(f *finding.Facts) *finding.Product {
	var list []*finding.Product
	for _, s := range f.Services {
		if s.Product == nil || s.Product.Name == "" || s.Product.Confidence <= 0 {
			continue
		}

		if s.DICOM != nil {
			if id, ok := advisory.Toolkit(s.DICOM.VersionName); ok && strings.HasPrefix(s.Product.Name, id.Product) {
				continue
			}
		}

		list = append(list, s.Product)
	}

	if len(list) == 0 {
		return nil
	}
	return slices.MaxFunc(list, func(a, b *finding.Product) int { return cmp.Compare(a.Confidence, b.Confidence) })
}

// Advise gives the issues by which advisories speak of what a scan recognised.
// What is not recognised, or not listed, gets none: that says nothing.
func Advise(table *advisory.Table) func(*finding.Facts) []finding.Issue {
	return func(f *finding.Facts) []finding.Issue {
		o := observation(f)
		if o.Product == "" && len(o.Implementations) == 0 {
			return nil
		}
		a := &inventory.Asset{Vendor: o.Vendor, Product: o.Product, Version: o.Version, Implementations: o.Implementations}
		return inventory.Advise(table, a, finding.Place{Asset: f.Asset, Address: f.Address})
	}
}

// Replay takes the result of a scan that was made elsewhere into the inventory.
// Nothing becomes fixed by it: which checks it made is not known.
func Replay(ctx context.Context, register *inventory.Register, result *scan.Result) (assets int, err error) {
	r, err := NewRecorder(ctx, register, scan.Options{}, "result of a scan made elsewhere")
	if err != nil {
		return 0, err
	}

	r.settles = false
	for i := range result.Hosts {
		h := &result.Hosts[i]
		if h.Facts == nil || !h.Facts.Address.IsValid() {
			return assets, fault.New(fault.Invalid, "posture: a host of the scan has no address")
		}

		if err := r.Record(ctx, h); err != nil {
			return assets, err
		}
		assets++
	}
	return assets, r.Finish(ctx)
}

// Observations puts the result of a scan into the form of the inventory.
func Observations(result *scan.Result) []inventory.Observation {
	var out []inventory.Observation
	for _, h := range result.Hosts {
		if h.Facts != nil && h.Facts.Address.IsValid() {
			out = append(out, observation(h.Facts))
		}
	}
	return out
}
