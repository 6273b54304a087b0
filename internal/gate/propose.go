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
	alike := map[string]*Rule{} // by what was done
	for device, did := range granted(list) {
		key := strings.Join(did.Allow, " ") + "\x00" + strings.Join(did.Classes, "\x00")
		if alike[key] == nil {
			alike[key] = did
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

// granted is by device a rule that grants what it did, without who that is.
func granted(list []Flow) map[string]*Rule {
	by := map[string]*Rule{}
	for _, f := range list {
		if f.Verb == policy.Store && !uid.Valid(f.Class) {
			continue // no rule can name it
		}
		r := by[f.Device]
		if r == nil {
			r = &Rule{Classes: []string{}}
			by[f.Device] = r
		}
		if !slices.Contains(r.Allow, string(f.Verb)) {
			r.Allow = append(r.Allow, string(f.Verb))
		}
		if class := uid.Name(f.Class); f.Verb == policy.Store && !slices.Contains(r.Classes, class) {
			r.Classes = append(r.Classes, class)
		}
	}

	for _, r := range by {
		slices.SortFunc(r.Allow, func(a, b string) int {
			return slices.Index(policy.RouteVerbs(), policy.Verb(a)) - slices.Index(policy.RouteVerbs(), policy.Verb(b))
		})
		slices.Sort(r.Classes)
	}
	return by
}

// Proposed is the rules that a route gets by what went through: those that name devices
// stay, and what they do not grant is learned. A rule for every registered device gives
// way to what the devices really did.
func (r *Route) Proposed(list []Flow) ([]Rule, error) {
	kept := Route{Name: r.Name}
	for _, rule := range r.Rules {
		if !rule.Registered {
			kept.Rules = append(kept.Rules, rule)
		}
	}

	missed := list
	if len(kept.Rules) > 0 {
		refused, err := kept.Try(list, func(string) []policy.Verb { return nil })
		if err != nil {
			return nil, err
		}
		missed = nil
		for _, f := range refused {
			missed = append(missed, f.Flow)
		}
	}

	rules := kept.Rules
	for _, learned := range Propose(missed) {
		learned.Name = freeName(rules, learned.Name)
		rules = append(rules, learned)
	}
	return rules, nil
}

// Seen is what one caller did at a route in one way, at whatever hours.
type Seen struct {
	Device   string      `json:"device"`
	Verb     policy.Verb `json:"verb"`
	Class    string      `json:"class"`
	Syntax   string      `json:"syntax,omitempty"`
	Hours    []int       `json:"hours"` // of the week, 0 is Sunday 00:00
	Last     time.Time   `json:"last"`
	Requests int64       `json:"requests"`
	Bytes    int64       `json:"bytes"`
}

// Summary joins the hours of flows, which are in the order in which Flows gives them.
func Summary(list []Flow) []Seen {
	out := []Seen{}
	for _, f := range list {
		n := len(out)
		if n == 0 || out[n-1].Device != f.Device || out[n-1].Verb != f.Verb || out[n-1].Class != f.Class || out[n-1].Syntax != f.Syntax {
			out = append(out, Seen{Device: f.Device, Verb: f.Verb, Class: f.Class, Syntax: f.Syntax})
			n++
		}

		s := &out[n-1]
		s.Hours = append(s.Hours, f.Hour)
		s.Requests += f.Requests
		s.Bytes += f.Bytes
		if f.Last.After(s.Last) {
			s.Last = f.Last
		}
	}
	return out
}

// When says in short on which days and between which hours it happened.
func (s *Seen) When() string {
	from, to := 23, 0
	var days []string
	for _, hour := range s.Hours {
		from = min(from, hour%24)
		to = max(to, hour%24)
		if day := strings.ToLower(time.Weekday(hour / 24).String()[:3]); !slices.Contains(days, day) {
			days = append(days, day)
		}
	}
	return fmt.Sprintf("%s %02d:00-%02d:00", strings.Join(days, ","), from, to+1)
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
	sunday := time.Date(2026, 11, 1, 0, 0, 0, 0, time.Local) // one of many: hours of flows count from a Sunday
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
