package house

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/policy"
)

// RoutesFile is the file with the routes of the gate.
func RoutesFile(c config.Config) string { return filepath.Join(c.Data, gate.File) }

// RouteFits fails with fault.Conflict where a route cannot stand beside those of the file, or has the AE
// title of the archive, which callers would reach by it.
func RouteFits(c config.Config, r gate.Route) error {
	routes, err := gate.Load(RoutesFile(c))
	if err != nil {
		return fault.Misuse(err)
	}
	if r.Name == c.AE {
		return fault.Newf(fault.Conflict, "%s is the AE title of the archive, which callers reach by it: "+
			"give the route another name, or the archive another title ('ae' in collimator.yaml)", r.Name)
	}
	return gate.Fits(routes, r)
}

// AddRoute writes a route into the file, with a record.
func (in *Installation) AddRoute(ctx context.Context, r gate.Route) error {
	if err := RouteFits(in.Config, r); err != nil {
		return err
	}
	if err := gate.Add(RoutesFile(in.Config), r); err != nil {
		return fault.Misuse(err)
	}
	what := fmt.Sprintf("added, %s, to %s", r.Kind(), r.Leads())
	if r.HasRules() {
		what = fmt.Sprintf("added, to %s, with %s", r.Leads(), phrase.Count(len(r.Rules), "rule", "rules"))
	}
	return in.noteRoute(ctx, audit.Create, r.Name, what)
}

// RehearseRoute is how a route would stand in the file; its name has to be free.
func (in *Installation) RehearseRoute(r gate.Route) (string, error) {
	if err := RouteFits(in.Config, r); err != nil {
		return "", err
	}
	return gate.Block(r)
}

// RemoveRoute takes a route out of the file, with a record.
func (in *Installation) RemoveRoute(ctx context.Context, name string) error {
	if err := gate.Remove(RoutesFile(in.Config), name); err != nil {
		return fault.Misuse(err)
	}
	if err := in.dropPagePassword(name); err != nil {
		return err
	}
	return in.noteRoute(ctx, audit.Delete, name, "removed")
}

// CloseRoute closes a route or opens it again, with a record; changed is false where it
// was so before.
func (in *Installation) CloseRoute(ctx context.Context, name string, closed bool) (changed bool, err error) {
	changed, err = gate.SetClosed(RoutesFile(in.Config), name, closed)
	if err != nil || !changed {
		return false, fault.Misuse(err)
	}

	what := "opened again"
	if closed {
		what = "closed"
	}
	return true, in.noteRoute(ctx, audit.Update, name, what)
}

// LearnRoute has a route let every registered device do everything until a time, with a
// record.
func (in *Installation) LearnRoute(ctx context.Context, name string, until time.Time) error {
	if err := gate.Learn(RoutesFile(in.Config), name, until, time.Now()); err != nil {
		return fault.Misuse(err)
	}
	return in.noteRoute(ctx, audit.Update, name, "learning until "+until.UTC().Format(time.RFC3339))
}

// EnforceRoute puts rules in the place of those of a route, which learns no more, with a
// record.
func (in *Installation) EnforceRoute(ctx context.Context, name string, rules []gate.Rule) error {
	if err := gate.Enforce(RoutesFile(in.Config), name, rules); err != nil {
		return fault.Misuse(err)
	}
	return in.noteRoute(ctx, audit.Update, name, "enforced, with "+phrase.Count(len(rules), "rule", "rules"))
}

// Learned is what went through a route, and the rules that are proposed by it.
type Learned struct {
	Route gate.Route
	Flows []gate.Flow // of devices that are registered now
	// Gone are devices whose flows are left out: they are registered no more.
	Gone  []string
	Rules []gate.Rule
}

// AwaitFlows waits until a server that runs has written what went through routes before.
func (in *Installation) AwaitFlows(ctx context.Context) error {
	if !in.Served() {
		return nil
	}
	written := time.NewTimer(gate.FlowsWithin)
	defer written.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-written.C:
		return nil
	}
}

// Learned looks at what went through a route in the longest time that it may have learned.
func (in *Installation) Learned(ctx context.Context, name string) (l Learned, err error) {
	r, h, err := in.Route(ctx, name)
	if err != nil {
		return l, err
	}
	if err := r.Ruled(); err != nil {
		return l, fault.Misuse(err)
	}
	l.Route = r
	if l.Flows, l.Gone, err = in.flowsNow(ctx, name, h, time.Now().Add(-gate.LearnMost)); err != nil {
		return l, err
	}

	l.Rules, err = r.Proposed(l.Flows)
	return l, err
}

// RefusedBy is what of the flows of a route since a day other rules would refuse.
func (in *Installation) RefusedBy(ctx context.Context, name string, rules []gate.Rule, since time.Time) ([]gate.Refused, error) {
	r, h, err := in.Route(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := r.Ruled(); err != nil {
		return nil, err
	}
	r.Rules = rules
	r.LearnUntil = time.Time{}
	if err := r.Check(); err != nil {
		return nil, fault.Newf(fault.Invalid, "gate: %v", err)
	}

	flows, _, err := in.flowsNow(ctx, name, h, since)
	if err != nil {
		return nil, err
	}
	return r.Try(flows, func(device string) []policy.Verb {
		i := slices.IndexFunc(h.Devices, func(p policy.Principal) bool { return p.Name == device })
		if i < 0 {
			return nil
		}
		return h.Devices[i].Verbs
	})
}

// flowsNow is what went through a route since a day, of devices that are registered
// now; gone are those that are not.
func (in *Installation) flowsNow(
	ctx context.Context, name string, h gate.House, since time.Time,
) (list []gate.Flow, gone []string, err error) {
	all, err := gate.Flows(ctx, in.DB, name, since)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range all {
		known := slices.ContainsFunc(h.Devices, func(p policy.Principal) bool { return p.Name == f.Device })
		switch {
		case known:
			list = append(list, f)
		case !slices.Contains(gone, f.Device):
			gone = append(gone, f.Device)
		}
	}
	return list, gone, nil
}

// noteRoute records a change of a route, which is done.
func (in *Installation) noteRoute(ctx context.Context, action audit.Action, name, what string) error {
	err := in.Note(ctx, audit.GateChanged, action, audit.Object{Device: name, Detail: what})
	if err != nil {
		return fmt.Errorf("%s is %s, but that was not recorded: %w", name, what, err)
	}
	return nil
}

// Route is a route of the file, and what it is explained by.
func (in *Installation) Route(ctx context.Context, name string) (r gate.Route, h gate.House, err error) {
	h, err = in.GateHouse(ctx)
	if err != nil {
		return r, h, fault.Misuse(err)
	}
	r, err = gate.Find(h.Routes, name)
	return r, h, err
}

// GateHouse is what routes are explained by.
func (in *Installation) GateHouse(ctx context.Context) (gate.House, error) {
	h, err := gateHouse(in.Config)
	if err != nil {
		return h, err
	}
	h.Devices, err = devicesNow(ctx, in.Registry)
	return h, err
}

func gateHouse(c config.Config) (gate.House, error) {
	routes, err := gate.Load(RoutesFile(c))
	return gate.House{AETitle: c.AE, Routes: routes, Hosts: pageHosts(c), Now: time.Now()}, err
}

// devicesNow are the registered devices as they may come in now.
func devicesNow(ctx context.Context, registry *identity.Registry) (list []policy.Principal, err error) {
	devices, err := registry.Devices(ctx)
	for _, d := range devices {
		way := identity.ByCertificate
		if d.Plaintext(time.Now()) {
			way = identity.Plain
		}
		list = append(list, d.Principal(way))
	}
	return list, err
}

// ExplainRoutes says what each route lets through; an error is what is wrong with the
// file. It changes nothing, not even an index of an earlier version: where the register
// cannot be read, the explanations say so.
func ExplainRoutes(ctx context.Context, c config.Config) (list []gate.Explanation, err error) {
	h, err := gateHouse(c)
	if err != nil || len(h.Routes) == 0 {
		return nil, err
	}
	if err := readDevices(ctx, c, &h); err != nil {
		h.Unknown = err.Error()
	}

	for _, r := range h.Routes {
		list = append(list, gate.Explain(r, h))
	}
	return list, nil
}

func readDevices(ctx context.Context, c config.Config, h *gate.House) error {
	if err := IndexThere(c.Data); err != nil {
		return err
	}
	in, err := OpenParts(ctx, c, unchanged)
	if err != nil {
		return err
	}
	defer in.Close()

	h.Devices, err = devicesNow(ctx, in.Registry)
	return err
}

// unchanged refuses every change of an index.
func unchanged(string) (*os.File, error) {
	return nil, fmt.Errorf("the index is of an earlier version; the next start of the server changes it")
}
