package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/gate/kind"
	"collimator/internal/gate/messages"
	"collimator/internal/gate/outbound"
	"collimator/internal/gate/reverse"
	"collimator/internal/patch"
	"collimator/internal/policy"
)

// File is the name of the file with the routes in the data directory.
const File = "routes.yaml"

// addressable is a name that stands in an address as it is.
var addressable = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

// Addressable reports a name that a route with DICOMweb may have: it is a part of addresses.
func Addressable(name string) bool { return len(name) <= 16 && addressable.MatchString(name) }

// routesMost is how many routes one gate has.
const routesMost = 256

// Route is one block of the file: a PACS, or a modality, that is reached through the
// gate alone.
type Route struct {
	// Name is the AE title that callers call.
	Name string `yaml:"name" json:"name"`
	// Protect is the system behind the gate, AETITLE@HOST:PORT, reached without TLS. It, or
	// one of the blocks of other kinds, says of what kind a route is.
	Protect string `yaml:"protect,omitempty" json:"protect,omitempty"`
	// Outbound is a modality that sends elsewhere.
	Outbound *outbound.Block `yaml:"outbound,omitempty" json:"outbound,omitempty"`
	// Messages are senders of HL7 v2 and a system behind that takes them.
	Messages *messages.Block `yaml:"messages,omitempty" json:"messages,omitempty"`
	// Web are the pages of the system behind.
	Web *reverse.Block `yaml:"web,omitempty" json:"web,omitempty"`
	// As is the AE title that system is called by; empty: that of the caller.
	As string `yaml:"as,omitempty" json:"as,omitempty"`
	// Associations is the most that are open to it at a time; 0 means 4.
	Associations int `yaml:"associations,omitempty" json:"associations,omitempty"`
	// Waiting is how many requests may wait for one, and Wait how long; 0 means 64
	// and 30 s.
	Waiting int           `yaml:"waiting,omitempty" json:"waiting,omitempty"`
	Wait    time.Duration `yaml:"wait,omitempty" json:"wait,omitempty"`
	// FindMatches is the most matches of one C-FIND; 0 means 1000.
	FindMatches int `yaml:"find_matches,omitempty" json:"findMatches,omitempty"`
	// ObjectMiB is the longest object that is let through, in MiB: many systems hold one in memory;
	// 0 means 4096.
	ObjectMiB int `yaml:"object_mib,omitempty" json:"objectMiB,omitempty"`
	// Patches says of patches by name whether they are in force; those it leaves out are as patch has
	// them by default.
	Patches map[string]bool `yaml:"patches,omitempty" json:"patches,omitempty"`
	// DICOMweb lets people, tokens and links reach the system behind by DICOMweb, by their roles.
	DICOMweb bool `yaml:"dicomweb,omitempty" json:"dicomweb,omitempty"`
	// DICOMwebAs is the AE title that system is called by for them, and sends to where it has no C-GET;
	// empty: As, or else Name.
	DICOMwebAs string `yaml:"dicomweb_as,omitempty" json:"dicomwebAs,omitempty"`
	// Closed lets nobody through.
	Closed bool `yaml:"closed,omitempty" json:"closed,omitempty"`
	// LearnUntil is until when every registered device may do everything, of which rules are learned;
	// zero: nothing is learned.
	LearnUntil time.Time `yaml:"learn_until,omitempty" json:"learnUntil,omitzero"`
	Rules      []Rule    `yaml:"rules,omitempty" json:"rules"`
}

// Rule is who may do what at a route. What a rule leaves empty it does not ask for, but for
// who and allow.
type Rule struct {
	Name string `yaml:"name" json:"name"`
	// Who are AE titles of registered devices.
	Who []string `yaml:"who,omitempty" json:"who,omitempty"`
	// Allow is what they may do: echo, store, query, retrieve, commit, worklist, performed.
	Allow []string `yaml:"allow,omitempty" json:"allow,omitempty"`
	// Registered lets every registered device do here what its registration grants, in
	// place of Who and Allow.
	Registered bool `yaml:"registered,omitempty" json:"registered,omitempty"`
	// Classes are SOP Classes, by UID or name.
	Classes []string `yaml:"classes,omitempty" json:"classes,omitempty"`
	// Syntaxes are transfer syntaxes of what is stored, by UID or name.
	Syntaxes []string `yaml:"syntaxes,omitempty" json:"syntaxes,omitempty"`
	// Hours are times of day at the server, such as mon-fri 06:00-20:00.
	Hours string `yaml:"hours,omitempty" json:"hours,omitempty"`
	// Studies are Study Instance UIDs, and Patients are Patient IDs.
	Studies  []string `yaml:"studies,omitempty" json:"studies,omitempty"`
	Patients []string `yaml:"patients,omitempty" json:"patients,omitempty"`
}

// MarshalJSON implements json.Marshaler: times are written as in the file.
func (r Route) MarshalJSON() ([]byte, error) {
	type fields Route
	out := struct {
		fields
		Wait string `json:"wait,omitempty"`
	}{fields: fields(r)}
	if r.Wait > 0 {
		out.Wait = r.Wait.String()
	}
	return json.Marshal(out)
}

// Check fails with a field that cannot be as it is.
func (r *Route) Check() error {
	if err := kind.CheckAETitle(r.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if err := r.checkKind(); err != nil {
		return err
	}
	if b := r.block(); b != nil {
		if err := b.Check(); err != nil {
			return fmt.Errorf("%s: %w", r.Kind(), err)
		}
		return nil
	}
	if _, _, err := r.Target(); err != nil {
		return fmt.Errorf("protect: %w", err)
	}
	if r.As != "" {
		if err := kind.CheckAETitle(r.As); err != nil {
			return fmt.Errorf("as: %w", err)
		}
	}
	if r.DICOMweb && !Addressable(r.Name) {
		return errors.New("dicomweb: the name of the route is a part of addresses then: take letters, digits, -, _ and . alone")
	}
	if r.DICOMwebAs != "" {
		if err := kind.CheckAETitle(r.DICOMwebAs); err != nil {
			return fmt.Errorf("dicomweb_as: %w", err)
		}
	}
	if r.Associations < 0 || r.Associations > 256 || r.Waiting < 0 || r.Waiting > 4096 || r.Wait < 0 || r.FindMatches < 0 {
		return errors.New("associations is 1 to 256, waiting 1 to 4096, wait and find_matches are positive")
	}
	if r.ObjectMiB < 0 || r.ObjectMiB > objectMiBMost {
		return fmt.Errorf("object_mib is 1 to %d", objectMiBMost)
	}
	if _, err := patch.Of(r.Patches); err != nil {
		return fmt.Errorf("patches: %w", err)
	}

	if err := r.checkWeb(); err != nil {
		return err
	}
	_, err := r.policy()
	return err
}

// Target is the AE title and the address, host:port, of the system behind the gate.
func (r *Route) Target() (aeTitle, address string, err error) {
	return kind.System(r.Protect, "OLDPACS@10.0.0.5:104")
}

// policy is the route as policy has it.
func (r *Route) policy() (*policy.Route, error) {
	if len(r.Rules) == 0 && r.LearnUntil.IsZero() && !r.DICOMweb && r.Web == nil {
		return nil, errors.New("rules: there is none, so that nobody may do anything; add one with 'collimator gate add --allow'")
	}

	p := &policy.Route{Name: r.Name}
	for i, rule := range r.Rules {
		converted, err := rule.policy()
		if err != nil {
			return nil, fmt.Errorf("rule %d (%s): %w", i+1, rule.Name, err)
		}
		p.Rules = append(p.Rules, converted)
	}
	if !r.LearnUntil.IsZero() { // behind the others: the record names it for what no other rule grants
		p.Rules = append(p.Rules, policy.RouteRule{Name: learning, Everybody: true, Until: r.LearnUntil})
	}
	return p, nil
}

func (r *Rule) policy() (out policy.RouteRule, err error) {
	out = policy.RouteRule{Name: r.Name, Registered: r.Registered, Who: r.Who, Studies: r.Studies, Patients: r.Patients}
	switch {
	case r.Name == "":
		return out, errors.New("name is missing; the record names the rule by it")
	case r.Name == learning:
		return out, errors.New("name: the record names by it what is let through to learn; take another")
	case r.Registered && (len(r.Who) > 0 || len(r.Allow) > 0):
		return out, errors.New("registered stands in place of who and allow: leave them out, or leave it out")
	case !r.Registered && (len(r.Who) == 0 || len(r.Allow) == 0):
		return out, errors.New("who and allow are needed: a rule without them grants nothing")
	}

	for _, title := range r.Who {
		if err := kind.CheckAETitle(title); err != nil {
			return out, fmt.Errorf("who: %w", err)
		}
	}
	if out.Verbs, err = policy.ParseRouteVerbs(strings.Join(r.Allow, ",")); err != nil {
		return out, fmt.Errorf("allow: %w", err)
	}
	if out.Classes, err = uids(r.Classes); err != nil {
		return out, fmt.Errorf("classes: %w", err)
	}
	if out.Syntaxes, err = uids(r.Syntaxes); err != nil {
		return out, fmt.Errorf("syntaxes: %w", err)
	}
	if out.Hours, err = policy.ParseHours(r.Hours); err != nil {
		return out, fmt.Errorf("hours: %w", err)
	}
	if i := slices.IndexFunc(r.Studies, func(study string) bool { return !uid.Valid(study) }); i >= 0 {
		return out, fmt.Errorf("studies: number %d is not a Study Instance UID", i+1)
	}
	return out, nil
}

// uids reads UIDs, or their registered names.
func uids(list []string) (out []string, err error) {
	for _, word := range list {
		if uid.Valid(word) {
			out = append(out, word)
			continue
		}
		found, ok := uid.Named(word)
		if !ok {
			return nil, fmt.Errorf("%q is neither a UID nor a registered name of one", word)
		}
		out = append(out, found)
	}
	return out, nil
}
