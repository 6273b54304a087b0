package policy

import (
	"fmt"
	"strings"
)

// GrantedAt is how a study is written where it is granted: its UID for one of the
// archive, ROUTE/UID for one behind a route of the gate. The same UID at two places is
// two grants.
func GrantedAt(route, study string) string {
	if route == "" {
		return study
	}
	return route + "/" + study
}

// PlaceOf is the route of a study as it was granted, empty for the archive, and its UID.
// No UID has a slash in it.
func PlaceOf(granted string) (route, study string) {
	i := strings.LastIndexByte(granted, '/')
	if i < 0 {
		return "", granted
	}
	return granted[:i], granted[i+1:]
}

// at is a principal with the studies that were granted at one place alone. known is false
// for one to whom only studies of others were: of a token, none would mean all.
func (p Principal) at(route string) (there Principal, known bool) {
	there = p
	there.Studies = nil
	for _, granted := range p.Studies {
		if place, study := PlaceOf(granted); place == route && study != "" {
			there.Studies = append(there.Studies, study)
		}
	}
	return there, len(p.Studies) == 0 || len(there.Studies) > 0
}

// place is where the studies of a request are: the name of a route, empty for the archive.
func (r Request) place() string {
	if r.Route == nil {
		return ""
	}
	return r.Route.Name
}

// atRules reports a request that the rules of a route decide about. By its face in DICOMweb people,
// tokens and links have what they have at the archive.
func (r Request) atRules() bool { return r.Route != nil && !r.Face }

// nowhere is why a request is about nothing that was granted to anybody of this kind; empty where
// that is for the rules to say.
func (r Request) nowhere(known bool) string {
	p := r.Principal
	switch {
	case !known && p.Kind == Service:
		return fmt.Sprintf("%s may not %s: the studies that were granted to the token are at another place", p.Name, r.Verb)
	case r.Face && (r.Route == nil || p.Kind != Person && p.Kind != Service && p.Kind != Share):
		return fmt.Sprintf("%s may not %s: a face is of a route, and for people, tokens and links", p.Name, r.Verb)
	}
	return ""
}
