package house

import (
	"cmp"
	"context"
	"net"
	"slices"

	"collimator/internal/advisory"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/patch"
	"collimator/internal/shown"
)

// PatchAt is a patch as it stands at a route.
type PatchAt struct {
	Name string `json:"name"`
	// State is always, on or off.
	State string `json:"state"`
	// Behind says whether the system behind is named as one that has the weakness; empty where no
	// route was named.
	Behind advisory.Answer `json:"behind,omitempty"`
	Keeps  string          `json:"keeps"`
	Does   string          `json:"does"`
	Costs  string          `json:"costs,omitempty"`
	CVEs   []string        `json:"cves,omitempty"`
	// Advisories are those of the patch's weakness.
	Advisories []string `json:"advisories,omitempty"`
}

// Missing reports a patch that is off although the system behind may need it.
func (p PatchAt) Missing() bool {
	return p.State == string(patch.Off) && (p.Behind == advisory.Affected || p.Behind == advisory.Possibly)
}

// Affected says in words whether the system behind may need it, where it may.
func (p PatchAt) Affected() string {
	if p.Behind == advisory.Possibly {
		return "possibly affected"
	}
	return "affected"
}

// Patches lists the patches by default.
func Patches() (list []PatchAt) {
	for _, p := range patch.All() {
		list = append(list, patchAt(p, string(p.Default)))
	}
	return list
}

func patchAt(p patch.Patch, state string) PatchAt {
	return PatchAt{
		Name: p.Name, State: state, Keeps: p.Keeps, Does: p.Does, Costs: p.Costs, CVEs: p.CVEs, Advisories: p.Advisories,
	}
}

// RoutePatches lists the patches as they stand at a route, and says what the system behind is taken
// for: by the inventory, and by what it announces itself as, where ask says that it may be asked.
func (in *Installation) RoutePatches(ctx context.Context, name string, ask bool) (list []PatchAt, behind []string, err error) {
	r, h, err := in.Route(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if r.Protect == "" {
		return nil, nil, fault.Newf(fault.Invalid, "gate: %s has no system behind that is called through it: patches are for those", name)
	}

	ids, behind, err := in.takenFor(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if ask {
		said, err := in.announced(ctx, r, h)
		if err != nil {
			return nil, nil, err
		}
		id, known := advisory.Toolkit(said)
		if known {
			ids = append(ids, id)
		}
		behind = append(behind, "announces itself as "+shown.Text(cmp.Or(said, "nothing")))
	}

	for _, p := range patch.All() {
		state := string(p.Default)
		if p.Default != patch.Always {
			state = string(patch.Off)
			if r.InForce(p) {
				state = string(patch.On)
			}
		}
		at := patchAt(p, state)
		at.Behind = answerOf(p, ids)
		list = append(list, at)
	}
	return list, behind, nil
}

// announced asks the system behind a route by what name it goes.
func (in *Installation) announced(ctx context.Context, r gate.Route, h gate.House) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askMost)
	defer cancel()
	said, err := r.Ask(ctx, cmp.Or(first(r.Callers(h)), in.Config.AE))
	if err != nil {
		return "", &fault.Error{Kind: fault.Unavailable, Text: err.Error() + "; --no-check leaves this question out"}
	}
	return said, nil
}

// takenFor is what the inventory takes the system behind a route for.
func (in *Installation) takenFor(ctx context.Context, r gate.Route) (ids []advisory.Identity, words []string, err error) {
	title, address, err := r.Target()
	if err != nil {
		return nil, nil, err
	}
	host, _, _ := net.SplitHostPort(address)
	assets, err := in.Inventory.Assets(ctx)
	if err != nil {
		return nil, nil, err
	}

	for _, a := range assets {
		at := slices.Contains(a.Addresses, host) || a.Hostname == host && host != ""
		if at && (len(a.AETitles) == 0 || slices.Contains(a.AETitles, title)) {
			ids = append(ids, a.Identities()...)
			words = append(words, "in the inventory as "+shown.Text(a.Described()))
		}
	}
	return ids, words, nil
}

// answerOf is the worst answer about what a system may be.
func answerOf(p patch.Patch, ids []advisory.Identity) advisory.Answer {
	worst := advisory.NotListed
	for _, id := range ids {
		switch a := p.Answer(id); {
		case a == advisory.Affected:
			return a
		case a == advisory.Possibly:
			worst = a
		}
	}
	return worst
}

// SetPatches turns patches on or off at a route, with a record of each that changed.
func (in *Installation) SetPatches(ctx context.Context, route string, names []string, on bool) (changed []string, err error) {
	var list []patch.Patch
	for _, name := range names {
		p, ok := patch.Named(name)
		if !ok {
			return nil, fault.Newf(fault.NotFound,
				"gate: there is no patch %s; 'collimator gate patches list' lists them", shown.Text(name))
		}
		list = append(list, p)
	}

	state := string(patch.Off)
	if on {
		state = string(patch.On)
	}
	for _, p := range list {
		did, err := gate.SetPatch(RoutesFile(in.Config), route, p, on)
		if err != nil {
			return changed, fault.Misuse(err)
		}
		if !did {
			continue
		}
		changed = append(changed, p.Name)
		if err := in.noteRoute(ctx, audit.Update, route, "patch "+p.Name+" turned "+state); err != nil {
			return changed, err
		}
	}
	return changed, nil
}
