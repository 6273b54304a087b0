package policy

import "slices"

// DecideTogether applies the rules to each of several principals who act as
// one, such as a token and its owner: all must be allowed, and their
// restrictions add up. The principal of rq is ignored; nobody is denied.
func (e *Engine) DecideTogether(rq Request, who ...Principal) Decision {
	var all Decision
	for i, p := range who {
		rq.Principal = p
		d := e.Decide(rq)
		if !d.Allow {
			return d
		}
		if i == 0 {
			all = d
			continue
		}
		all.Reason += "; " + d.Reason
		all.Alarm = all.Alarm || d.Alarm
		all.Restriction = all.Restriction.And(d.Restriction)
	}
	if len(who) == 0 {
		return Decision{Reason: "nobody is authenticated"}
	}
	return all
}

// And is what two restrictions leave.
func (r Restriction) And(other Restriction) Restriction {
	both := Restriction{Limited: r.Limited || other.Limited, Deidentified: r.Deidentified || other.Deidentified, Project: r.Project}
	if both.Project == "" {
		both.Project = other.Project
	}
	switch {
	case !r.Limited:
		both.Studies = other.Studies
	case !other.Limited:
		both.Studies = r.Studies
	default:
		for _, s := range r.Studies {
			if slices.Contains(other.Studies, s) {
				both.Studies = append(both.Studies, s)
			}
		}
	}
	return both
}
