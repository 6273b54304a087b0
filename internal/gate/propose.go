package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/policy"
)

// Propose makes rules of what went through: one for callers that did the same things
// with the same classes, so that a person can read them. Hours are left out: that
// somebody worked by day is no reason to refuse a patient at night.
func Propose(list []Flow) []Rule {
	type did struct {
		verbs   []string
		classes []string
	}
	by := map[string]*did{}
	for _, f := range list {
		one := by[f.Device]
		if one == nil {
			one = &did{}
			by[f.Device] = one
		}
		if !slices.Contains(one.verbs, string(f.Verb)) {
			one.verbs = append(one.verbs, string(f.Verb))
		}
		if f.Verb == policy.Store && !slices.Contains(one.classes, f.Class) {
			one.classes = append(one.classes, f.Class)
		}
	}

	alike := map[string]*Rule{} // by what was done
	for device, one := range by {
		slices.SortFunc(one.verbs, func(a, b string) int {
			return slices.Index(policy.RouteVerbs(), policy.Verb(a)) - slices.Index(policy.RouteVerbs(), policy.Verb(b))
		})
		classes := make([]string, len(one.classes))
		for i, class := range one.classes {
			classes[i] = uid.Name(class)
		}
		slices.Sort(classes)
		key := strings.Join(one.verbs, " ") + "\x00" + strings.Join(classes, "\x00")
		if alike[key] == nil {
			alike[key] = &Rule{Allow: one.verbs, Classes: classes}
		}
		alike[key].Who = append(alike[key].Who, device)
	}

	var rules []Rule
	for _, r := range alike {
		slices.Sort(r.Who)
		rules = append(rules, *r)
	}
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.Who[0], b.Who[0]) })
	for i := range rules {
		rules[i].Name = fmt.Sprintf("learned %d: %s", i+1, strings.Join(rules[i].Allow, " and "))
	}
	return rules
}

// Refused is what of a route's flows its rules would refuse, with the reason: a dry run.
type Refused struct {
	Flow
	Reason string `json:"reason"`
}

// Try holds flows against the rules of a route, at the hours at which they happened.
// registered gives what a device's registration grants.
func (r *Route) Try(list []Flow, registered func(device string) []policy.Verb) ([]Refused, error) {
	rules, err := r.policy()
	if err != nil {
		return nil, err
	}

	var out []Refused
	engine := policy.New()
	sunday := time.Date(2026, 11, 1, 0, 0, 0, 0, time.Local)
	for _, f := range list {
		d := engine.Decide(policy.Request{
			Principal:      policy.Principal{Kind: policy.Device, Name: f.Device, Verbs: registered(f.Device)},
			Verb:           f.Verb,
			Route:          rules,
			SOPClass:       f.Class,
			TransferSyntax: f.Syntax,
			Now:            sunday.Add(time.Duration(f.Hour) * time.Hour),
		})
		if !d.Allow {
			out = append(out, Refused{Flow: f, Reason: d.Reason})
		}
	}
	return out, nil
}
