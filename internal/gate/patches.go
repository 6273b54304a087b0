package gate

import (
	"maps"

	"go.yaml.in/yaml/v3"

	"collimator/internal/fault"
	"collimator/internal/gate/kind"
	"collimator/internal/patch"
)

// SetPatch says of a patch whether it is in force at a route; changed is false where it was so
// before. What goes with the default is not written.
func SetPatch(path, name string, p patch.Patch, on bool) (changed bool, err error) {
	if p.Default == patch.Always {
		return false, fault.Newf(fault.Invalid, "gate: %s is always in force: the gate is built so", p.Name)
	}

	err = edit(path, func(list *yaml.Node, now []Route) ([]Route, error) {
		i, err := position(now, name)
		if err != nil {
			return nil, err
		}
		r := &now[i]
		if r.block() != nil {
			return nil, fault.Newf(fault.Invalid,
				"gate: %s is a route with %s: patches are for systems that are called through a gate (protect)", name, r.Kind())
		}
		if changed = r.InForce(p) != on; !changed {
			return now, nil
		}

		said := maps.Clone(r.Patches)
		if said == nil {
			said = map[string]bool{}
		}
		said[p.Name] = on
		if on == (p.Default == patch.On) {
			delete(said, p.Name)
		}
		r.Patches = said
		if len(said) == 0 {
			r.Patches = nil
			return now, dropField(list.Content[i], "patches")
		}
		return now, setField(list.Content[i], "patches", said)
	})
	return changed && err == nil, err
}

// explainPatches remarks on patches that are not as they are by default.
func explainPatches(e *Explanation, r Route) {
	for _, p := range patch.All() {
		switch {
		case p.Default == patch.On && !r.InForce(p):
			e.Remark(kind.Unsafe, "the patch %s is off: what it keeps away reaches the system behind: %s", p.Name, p.Keeps)
		case p.Default == patch.Off && r.InForce(p):
			e.Remark(kind.Note, "the patch %s is on: %s are kept away; it costs: %s", p.Name, p.Keeps, p.Costs)
		}
	}
}

// InForce reports whether a patch is in force at a route.
func (r *Route) InForce(p patch.Patch) bool {
	if on, said := r.Patches[p.Name]; said {
		return on
	}
	return p.Default != patch.Off
}
