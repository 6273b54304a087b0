package policy

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
)

//go:embed policies.cedar
var policies []byte

// Rules is the text of the rules.
func Rules() string { return string(policies) }

// Engine decides by the rules of policies.cedar. Safe for concurrent use.
type Engine struct {
	set     *cedar.PolicySet
	reasons map[cedar.PolicyID]rule
}

type rule struct{ id, reason string }

// New reads the rules. They are part of the program: a mistake in them is a
// broken invariant.
func New() *Engine {
	set, err := cedar.NewPolicySetFromBytes("policies.cedar", policies)
	if err != nil {
		panic(fmt.Sprintf("policy: %v", err))
	}

	e := &Engine{set: set, reasons: map[cedar.PolicyID]rule{}}
	for id, p := range set.All() {
		a := p.Annotations()
		e.reasons[id] = rule{id: string(a["id"]), reason: string(a["reason"])}
	}

	return e
}

// Decide applies the rules. Without a rule that permits, and with an error in any rule,
// the answer is no.
func (e *Engine) Decide(r Request) Decision {
	p := r.Principal
	if p.Name == "" {
		return Decision{Reason: "nobody is authenticated"}
	}

	p, known := p.at(r.place())
	r.Principal = p
	if why := r.nowhere(known); why != "" {
		return Decision{Reason: why}
	}

	resource, entities := resourceOf(r)
	var granting []RouteRule
	if r.Route != nil {
		granting, _ = r.Route.granting(r)
	}

	who := principalEntity(p)
	entities[who.UID] = who

	allow, why := cedar.Authorize(e.set, entities, cedar.Request{
		Principal: who.UID,
		Action:    cedar.NewEntityUID("Action", cedar.String(r.Verb)),
		Resource:  resource,
		Context: cedar.NewRecord(cedar.RecordMap{
			"verb":         cedar.String(r.Verb),
			"destination":  cedar.String(r.Destination),
			"now":          cedar.Long(r.Now.UnixMilli()),
			"deidentified": cedar.Boolean(r.Deidentified),
			"emergency":    cedar.Boolean(r.Emergency),
			"expected":     cedar.Boolean(r.Expected),
			"sends":        cedar.Boolean(r.Route != nil && r.Route.Sends),
			"granted":      stringSet(grantedBy(granting, p)),
		}),
	})

	if allow != cedar.Allow || len(why.Errors) > 0 {
		return e.denied(r, why)
	}

	d := e.allowed(r, why)
	if !r.atRules() {
		return d
	}
	d.Sight = sightOf(granting)
	if len(granting) > 0 {
		d.Reason += ", rule " + granting[0].Name
	}
	return d
}

// resourceOf is what a request is about: a route with its rules; else a study or the whole
// of the archive, or of what stands behind the face of a route.
func resourceOf(r Request) (cedar.EntityUID, cedar.EntityMap) {
	entities := cedar.EntityMap{}
	switch {
	case r.atRules():
		return cedar.NewEntityUID("Route", cedar.String(r.Route.Name)), entities
	case r.Study == "":
		return cedar.NewEntityUID("Archive", cedar.String(GrantedAt(r.place(), "archive"))), entities
	}

	study := cedar.NewEntityUID("Study", cedar.String(r.Study))
	entities[study] = cedar.Entity{
		UID:        study,
		Attributes: cedar.NewRecord(cedar.RecordMap{"uid": cedar.String(r.Study)}),
	}
	return study, entities
}

// grantedBy is the verbs that rules of a route grant somebody.
func grantedBy(rules []RouteRule, p Principal) (verbs []string) {
	for _, r := range rules {
		for _, v := range r.grants(p) {
			verbs = append(verbs, string(v))
		}
	}
	return verbs
}

func principalEntity(p Principal) cedar.Entity {
	until := int64(0)
	if !p.Until.IsZero() {
		until = p.Until.UnixMilli()
	}

	verbs := make([]string, len(p.Verbs))
	for i, v := range p.Verbs {
		verbs[i] = string(v)
	}
	kind := map[Kind]cedar.EntityType{Device: "Device", Person: "Person", Service: "Service", Share: "Share", System: "System"}[p.Kind]

	return cedar.Entity{
		UID: cedar.NewEntityUID(kind, cedar.String(p.Name)),
		Attributes: cedar.NewRecord(cedar.RecordMap{
			"name":         cedar.String(p.Name),
			"role":         cedar.String(p.Role),
			"until":        cedar.Long(until),
			"plaintext":    cedar.Boolean(p.Plaintext),
			"deidentified": cedar.Boolean(p.Deidentified),
			"verbs":        stringSet(verbs),
			"destinations": stringSet(p.Destinations),
			"studies":      stringSet(p.Studies),
		}),
	}
}

func stringSet(list []string) cedar.Set {
	values := make([]cedar.Value, len(list))
	for i, s := range list {
		values[i] = cedar.String(s)
	}
	return cedar.NewSet(values...)
}

// denied names the rule that forbids, or says that none permits. A rule that
// could not be evaluated denies.
func (e *Engine) denied(r Request, why cedar.Diagnostic) Decision {
	for _, reason := range why.Reasons {
		if rule := e.reasons[reason.PolicyID]; rule.reason != "" {
			return Decision{Reason: rule.sentence(r)}
		}
	}
	return Decision{Reason: fmt.Sprintf("%s may not %s: %s", r.Principal.Name, r.Verb.inSentence(), missing(r))}
}

// missing says what would have let a request through that no rule permits.
func missing(r Request) string {
	p := r.Principal
	if p.Kind == System {
		return "nobody asked for this, and no rule of the route lets it send by itself"
	}
	if p.Kind == Device && r.Route != nil {
		_, nearest := r.Route.granting(r)
		return nearest
	}

	switch {
	case p.Kind == Person && r.Verb == Web:
		return "no rule of the route grants this to the role"
	case p.Kind == Device && slices.Contains(Verbs(), r.Verb):
		return "this was not granted to the device"
	case p.Kind == Device:
		return "no device can be granted this"
	case p.Kind == Share:
		return "the link is for looking at one study, and this is something else"
	case p.Kind == Service && !slices.Contains(p.Verbs, r.Verb):
		return "this was not granted to the token"
	case p.Kind == Service && r.Study == "":
		return "studies were granted to the token, and not the archive as a whole"
	case p.Kind == Service:
		return "this study was not granted to the token"
	case p.Role == Referrer && looking(r.Verb) && r.Study == "":
		return "a referrer sees studies one by one, those that were granted"
	case p.Role == Referrer && looking(r.Verb):
		return "this study was not granted"
	case p.Role == Researcher && looking(r.Verb):
		return "a researcher sees what is without identity alone"
	}
	return "the role of the person is not for this"
}

func looking(v Verb) bool { return v == Query || v == Retrieve }

// allowed names a rule that permits. Where emergency access is one of several,
// the others were enough, unless they only let a search through whose result
// they narrow; the alarm is for where it was needed.
func (e *Engine) allowed(r Request, why cedar.Diagnostic) Decision {
	d := Decision{Allow: true, Sight: sight(r)}
	var emergency string
	for _, reason := range why.Reasons {
		rule := e.reasons[reason.PolicyID]
		if rule.id == "emergency" {
			emergency = rule.sentence(r)
		} else if d.Reason == "" {
			d.Reason = rule.sentence(r)
		}
	}

	if emergency != "" && (d.Reason == "" || r.Study == "" && !d.Sight.Everything) {
		return Decision{Allow: true, Reason: emergency, Sight: Sight{Everything: true}, Alarm: true}
	}
	return d
}

func (r rule) sentence(q Request) string {
	return strings.ReplaceAll(r.reason, "%s", q.Principal.Name)
}

// sight is what a permitted request may see: the studies that were named to a referrer,
// a link or a token, everything without identity for a researcher, else everything.
func sight(r Request) Sight {
	p := r.Principal
	switch {
	case p.Kind == Person && p.Role == Referrer, p.Kind == Share, p.Kind == Service && len(p.Studies) > 0:
		s := Sight{Studies: p.Studies}
		if p.Kind == Share && p.Deidentified {
			s.Deidentified = true
			s.Project = p.Name
		}

		return s
	case p.Kind == Person && p.Role == Researcher:
		return Sight{Everything: true, Deidentified: true}
	}

	return Sight{Everything: true}
}
