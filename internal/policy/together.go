package policy

import "slices"

// DecideTogether applies the rules to each of several principals who act as
// one, such as a token and its owner: all must be allowed, and their
// sights narrow each other. The principal of rq is ignored; nobody is denied.
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
		all.Sight = all.Sight.And(d.Sight)
	}

	if len(who) == 0 {
		return Decision{Reason: "nobody is authenticated"}
	}

	return all
}

// And is what both may see, without identity where one of them sees it so. The project
// of s goes before that of other.
func (s Sight) And(other Sight) Sight {
	both := Sight{
		Everything: s.Everything && other.Everything, Deidentified: s.Deidentified || other.Deidentified, Project: s.Project,
	}
	if both.Project == "" {
		both.Project = other.Project
	}

	switch {
	case s.Everything:
		both.Studies = other.Studies
		both.Patients = other.Patients
	case other.Everything:
		both.Studies = s.Studies
		both.Patients = s.Patients
	default: // of a study and a patient nobody knows here whether they are together
		both.Studies = inBoth(s.Studies, other.Studies)
		both.Patients = inBoth(s.Patients, other.Patients)
	}

	return both
}

func inBoth(a, b []string) (both []string) {
	for _, word := range a {
		if slices.Contains(b, word) {
			both = append(both, word)
		}
	}
	return both
}
