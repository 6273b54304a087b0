package kind

import (
	"sync"

	"collimator/dimse"
)

// Associations are those that are open, by the route they are of. Not safe for concurrent use.
type Associations map[string]map[*dimse.Association]struct{}

// Add keeps an association with its route.
func (open Associations) Add(route string, a *dimse.Association) {
	if open[route] == nil {
		open[route] = map[*dimse.Association]struct{}{}
	}
	open[route][a] = struct{}{}
}

// Remove forgets an association that ended.
func (open Associations) Remove(route string, a *dimse.Association) {
	delete(open[route], a)
	if len(open[route]) == 0 {
		delete(open, route)
	}
}

// Of lists those of routes.
func (open Associations) Of(which func(route string) bool) (list []*dimse.Association) {
	for route, of := range open {
		if !which(route) {
			continue
		}
		for a := range of {
			list = append(list, a)
		}
	}
	return list
}

// AbortAll aborts associations, all at a time: a peer that does not read holds up no
// other.
func AbortAll(list []*dimse.Association) {
	var all sync.WaitGroup
	for _, a := range list {
		all.Go(a.Abort)
	}
	all.Wait()
}
