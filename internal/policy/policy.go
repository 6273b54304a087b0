// Package policy judges: may this principal do this, through this door? It is
// pure: no network, no files, no clock of its own. What is not granted is
// denied, and every answer gives the reason that goes into the audit record.
package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verb is what a principal wants to do.
type Verb string

// The verbs of the DIMSE door.
const (
	Echo     Verb = "echo"     // C-ECHO
	Store    Verb = "store"    // C-STORE
	Query    Verb = "query"    // C-FIND
	Retrieve Verb = "retrieve" // C-GET, and C-MOVE to a destination that is granted
	Commit   Verb = "commit"   // storage commitment
)

// Verbs lists all verbs in the order in which they are printed.
func Verbs() []Verb { return []Verb{Echo, Store, Query, Retrieve, Commit} }

// ParseVerbs reads a list such as "echo,store".
func ParseVerbs(list string) ([]Verb, error) {
	var out []Verb
	for _, word := range strings.Split(list, ",") {
		v := Verb(strings.ToLower(strings.TrimSpace(word)))
		if v == "" {
			continue
		}
		if !slices.Contains(Verbs(), v) {
			return nil, fmt.Errorf("policy: %q is no verb; choose from echo, store, query, retrieve, commit", word)
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, nil
}

// Kind says what a principal is.
type Kind string

// The kinds of principals.
const (
	Device  Kind = "device"
	Person  Kind = "person"
	Service Kind = "service"
)

// Principal is who asks, as the door has authenticated it.
type Principal struct {
	Kind Kind
	Name string // the AE title of a device
	// Verbs are granted; others are denied.
	Verbs []Verb
	// Destinations are AE titles to which C-MOVE may send; the principal's own title needs no entry.
	Destinations []string
	// Plaintext is set when the peer was identified by its address alone.
	Plaintext bool
	// Until ends the grant; zero means no end.
	Until time.Time
}

// Request is one thing somebody wants to do.
type Request struct {
	Principal   Principal
	Verb        Verb
	Destination string // AE title, for C-MOVE only
	Now         time.Time
}

// Decision is the answer with the reason for the record.
type Decision struct {
	Allow  bool
	Reason string // neutral, names the rule, never holds patient data
}

// Decide applies the grants of the principal. Default deny.
func Decide(r Request) Decision {
	p := r.Principal
	switch {
	case p.Name == "":
		return deny("nobody is authenticated")
	case !p.Until.IsZero() && !r.Now.Before(p.Until):
		return deny("the grant of %s ended on %s", p.Name, p.Until.UTC().Format(time.DateOnly))
	case !slices.Contains(p.Verbs, r.Verb):
		return deny("%s may not %s", p.Name, r.Verb)
	case r.Destination != "" && r.Destination != p.Name && !slices.Contains(p.Destinations, r.Destination):
		return deny("%s may not send to this destination", p.Name)
	}
	return Decision{true, fmt.Sprintf("%s is granted %s", p.Name, r.Verb)}
}

func deny(format string, args ...any) Decision {
	return Decision{false, fmt.Sprintf(format, args...)}
}
