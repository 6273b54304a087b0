// Package policy judges: may this principal do this, through this door? It is
// pure: no network, no files, no clock of its own. The rules stand in
// policies.cedar, one set for every door. What is not granted is denied, and
// every answer gives the reason that goes into the audit record. A grant can
// carry restrictions that whoever acts must honour.
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
	Store    Verb = "store"    // C-STORE, STOW-RS
	Query    Verb = "query"    // C-FIND, QIDO-RS
	Retrieve Verb = "retrieve" // C-GET, WADO-RS, and C-MOVE to a destination that is granted
	Commit   Verb = "commit"   // storage commitment
)

// The verbs that a device has at a route of the gate alone.
const (
	Worklist  Verb = "worklist"  // C-FIND of the modality worklist
	Performed Verb = "performed" // N-CREATE, N-SET of modality performed procedure steps
)

// Web is a request to a page of a system behind a route, which a rule grants to roles of people.
const Web Verb = "web"

// inSentence is the verb as it stands behind "may not".
func (v Verb) inSentence() string {
	if v == Web {
		return "do this at these pages"
	}
	return string(v)
}

// Report is N-EVENT-REPORT, which a system behind a route sends when it was asked to;
// nobody can be granted it.
const Report Verb = "report"

// The verbs that only people and tokens have.
const (
	Delete     Verb = "delete"     // of a study, a series or an instance
	ShareStudy Verb = "share"      // make a link
	Label      Verb = "label"      // say something of a study: labels, a status, a note
	Quarantine Verb = "quarantine" // decide about what is held back
	Audit      Verb = "audit"      // read the trail
	Verify     Verb = "verify"     // hold everything against the ledger
	Configure  Verb = "configure"  // change settings
	Devices    Verb = "devices"    // register and remove devices
	People     Verb = "people"     // register people, make tokens for others
	Surface    Verb = "surface"    // see systems, what is wrong with them, and reports
	Scan       Verb = "scan"       // look for services in the declared scope
	Doors      Verb = "doors"      // open and shut doors for maintenance
	Maintain   Verb = "maintain"   // come through one that was opened for oneself
	Metrics    Verb = "metrics"    // read numbers for monitoring: nothing of patients
)

// Verbs lists the verbs a device can be granted, in the order in which they are
// printed.
func Verbs() []Verb { return []Verb{Echo, Store, Query, Retrieve, Commit} }

// RouteVerbs lists the verbs that a rule of a route can grant.
func RouteVerbs() []Verb { return append(Verbs(), Worklist, Performed) }

// AllVerbs lists every verb.
func AllVerbs() []Verb {
	return append(RouteVerbs(), Web, Report, Delete, ShareStudy, Label, Quarantine, Audit, Verify, Configure, Devices, People, Surface,
		Scan, Doors, Maintain, Metrics)
}

// ParseVerbs reads a list such as "echo,store" of what a device can be granted.
func ParseVerbs(list string) ([]Verb, error) { return parseVerbs(list, Verbs()) }

// ParseRouteVerbs reads a list such as "echo,worklist" of what a rule of a route can
// grant.
func ParseRouteVerbs(list string) ([]Verb, error) { return parseVerbs(list, RouteVerbs()) }

func parseVerbs(list string, known []Verb) ([]Verb, error) {
	var out []Verb
	for _, word := range strings.Split(list, ",") {
		v := Verb(strings.ToLower(strings.TrimSpace(word)))
		if v == "" {
			continue
		}

		if !slices.Contains(known, v) {
			return nil, fmt.Errorf("policy: %q is an unknown verb; choose from %s", word, Join(known, ", "))
		}

		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, nil
}

// Scope is what a token of this scope may do: read, write (read and store),
// metrics (numbers for monitoring alone) or admin (all its owner may); false for
// another word.
func Scope(name string) ([]Verb, bool) {
	switch name {
	case "read":
		return []Verb{Echo, Query, Retrieve}, true
	case "write":
		return []Verb{Echo, Query, Retrieve, Store}, true
	case "admin":
		return AllVerbs(), true
	case "metrics":
		return []Verb{Metrics}, true
	}
	return nil, false
}

// Kind says what a principal is.
type Kind string

// The kinds of principals.
const (
	Device  Kind = "device"
	Person  Kind = "person"
	Service Kind = "service" // a token
	Share   Kind = "share"   // a link to one study
	System  Kind = "system"  // what stands behind a route of the gate
)

// Role is what a person is.
type Role string

// The roles. A person has one.
const (
	Administrator Role = "administrator"
	Radiologist   Role = "radiologist"
	Technologist  Role = "technologist"
	Referrer      Role = "referrer"   // sees only studies that were granted
	Researcher    Role = "researcher" // sees only what is de-identified
	Auditor       Role = "auditor"    // sees the trail, not the images
	Vendor        Role = "vendor"     // comes through doors for maintenance, and sees nothing else
)

// Roles lists the roles.
func Roles() []Role {
	return []Role{Administrator, Radiologist, Technologist, Referrer, Researcher, Auditor, Vendor}
}

// Principal is who asks, as the door has authenticated it.
type Principal struct {
	Kind Kind
	Name string // the AE title of a device
	Role Role   // of a person
	// Verbs are granted to a device or a token; others are denied.
	Verbs []Verb
	// Destinations are AE titles to which C-MOVE may send; the principal's own title needs no entry.
	Destinations []string
	// Studies are the only ones a referrer, a token or a link may see. For a
	// token, none means all of its owner's.
	Studies []string
	// Deidentified: a link gives only what is de-identified.
	Deidentified bool
	// Plaintext is set when the peer was identified by its address alone.
	Plaintext bool
	// Until ends the grant; zero means no end.
	Until time.Time
}

// Request is one thing somebody wants to do.
type Request struct {
	Principal   Principal
	Verb        Verb
	Study       string // Study Instance UID it is about; empty for the archive as a whole
	Destination string // AE title, for C-MOVE only
	// Route is where it is to be done; nil is the archive.
	Route *Route
	// Face: it came by DICOMweb, from people, tokens or links, whom no rule of the route names.
	Face bool
	// Expected: the system behind the route was asked for what it sends.
	Expected bool
	// SOPClass and TransferSyntax it is about, at a route; empty where not known.
	SOPClass, TransferSyntax string
	// Deidentified: whoever acts will hand out only what is de-identified.
	Deidentified bool
	// Emergency: the principal says with a reason that a patient is in danger.
	Emergency bool
	Now       time.Time
}

// Decision is the answer with the reason for the record.
type Decision struct {
	Allow  bool
	Reason string // neutral, names the rule, never holds patient data
	// Sight must be honoured by whoever acts.
	Sight Sight
	// Alarm: this was emergency access, somebody must look at it.
	Alarm bool
}

// Sight is what of the archive, or of a route, may be seen. The zero Sight sees nothing.
type Sight struct {
	// Everything: any study may be seen; otherwise only Studies, be they none.
	Everything bool
	Studies    []string
	Patients   []string // Patient IDs whose studies may be seen, too, at a route
	// Deidentified: only what is de-identified may leave, with the pseudonyms of
	// Project. What two projects hand out cannot be linked.
	Deidentified bool
	Project      string
}

// Join writes words one behind the other; verbs with a comma between them ParseVerbs reads
// again.
func Join[T ~string](list []T, between string) string {
	words := make([]string, len(list))
	for i, word := range list {
		words[i] = string(word)
	}
	return strings.Join(words, between)
}
