package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"collimator/dicom/uid"
)

// Route is a system behind the gate. What a device may do there stands in the
// route's own rules; its registration at the archive grants nothing here.
type Route struct {
	Name  string
	Rules []RouteRule
	// Sends says that it is the system behind that calls, to reach something elsewhere: rules
	// grant it all that they can grant.
	Sends bool
}

// RouteRule grants something at a route. What it leaves empty it does not ask for,
// except who and verbs: a rule without them grants nothing.
type RouteRule struct {
	Name string // for the record
	// Registered grants every registered device what its registration grants, in
	// place of Who and Verbs.
	Registered bool
	// Everybody grants every registered device all that a rule can grant, in place of Who
	// and Verbs.
	Everybody bool
	// Until is when the rule grants nothing any more; zero means no end.
	Until time.Time
	Who   []string // AE titles of registered devices
	// Roles are those of people whom the rule grants its verbs; who they are is not asked.
	Roles    []Role
	Verbs    []Verb
	Classes  []string // SOP Class UIDs: of objects, of services or both; each narrows its kind
	Syntaxes []string // transfer syntax UIDs, of what is stored
	Hours    Hours
	Studies  []string // Study Instance UIDs
	Patients []string // Patient IDs
}

// match is how far a request meets a rule.
type match uint8

// How far: the first that is not met is named to whoever looks for the reason.
const (
	otherVerb match = iota
	ended
	otherClass
	otherSyntax
	otherHours
	otherStudy
	matched
)

// miss says what a rule would have wanted.
func (m match) miss(rule string) string {
	switch m {
	case ended:
		return fmt.Sprintf("rule %q has ended, and no other rule of the route grants it", rule)
	case otherClass:
		return fmt.Sprintf("rule %q grants it for other SOP Classes", rule)
	case otherSyntax:
		return fmt.Sprintf("rule %q grants it for other transfer syntaxes", rule)
	case otherHours:
		return fmt.Sprintf("rule %q grants it at other hours", rule)
	case otherStudy:
		return fmt.Sprintf("rule %q grants it for other studies", rule)
	}
	return "no rule of the route grants it"
}

// grants is the verbs of a rule for a principal; none for whom it is not meant.
func (r *RouteRule) grants(p Principal) []Verb {
	switch {
	case p.Kind == Person:
		if slices.Contains(r.Roles, p.Role) {
			return r.Verbs
		}
		return nil
	case r.Everybody && p.Kind == Device:
		return RouteVerbs()
	case r.Registered && p.Kind == Device:
		return p.Verbs
	case !r.Everybody && !r.Registered && slices.Contains(r.Who, p.Name):
		return r.Verbs
	}
	return nil
}

// meets holds a request against a rule. A study that is not known yet is no
// obstacle: what may be seen is narrowed to the rule's studies and patients.
func (r *RouteRule) meets(q Request) match {
	switch {
	case !slices.Contains(r.grants(q.Principal), q.Verb):
		return otherVerb
	case r.over(q.Now):
		return ended
	case q.SOPClass != "" && !r.covers(q.SOPClass):
		return otherClass
	case len(r.Syntaxes) > 0 && q.Verb == Store && q.TransferSyntax != "" && !slices.Contains(r.Syntaxes, q.TransferSyntax):
		return otherSyntax
	case !r.Hours.Contain(q.Now):
		return otherHours
	case q.Study != "" && len(r.Studies) > 0 && len(r.Patients) == 0 && !slices.Contains(r.Studies, q.Study):
		return otherStudy
	}
	return matched
}

// over reports a rule that has ended.
func (r *RouteRule) over(now time.Time) bool { return !r.Until.IsZero() && !now.Before(r.Until) }

// granting is the rules that grant a request; where none does, how near the nearest
// came.
func (r *Route) granting(q Request) (rules []RouteRule, nearest string) {
	best := otherVerb
	nearest = best.miss("")
	for _, rule := range r.Rules {
		m := rule.meets(q)
		if m == matched {
			rules = append(rules, rule)
			continue
		}
		if m > best {
			best = m
			nearest = m.miss(rule.Name)
		}
	}
	return rules, nearest
}

// sightOf is what the rules that grant a request let be seen together.
func sightOf(rules []RouteRule) Sight {
	var s Sight
	for _, r := range rules {
		if len(r.Studies) == 0 && len(r.Patients) == 0 {
			return Sight{Everything: true}
		}
		s.Studies = append(s.Studies, r.Studies...)
		s.Patients = append(s.Patients, r.Patients...)
	}
	return s
}

// Could reports whether a device could be granted anything with an abstract syntax at
// a route, at any hour from now on: contexts of which it could not are refused when an
// association is negotiated.
func (r *Route) Could(now time.Time, device Principal, abstractSyntax string, verbs ...Verb) bool {
	return slices.ContainsFunc(r.Rules, func(rule RouteRule) bool {
		granted := rule.grants(device)
		return !rule.over(now) && slices.ContainsFunc(verbs, func(v Verb) bool { return slices.Contains(granted, v) }) &&
			rule.covers(abstractSyntax)
	})
}

// covers reports a SOP Class that a rule grants something with: a list with classes
// of objects narrows objects, one with those of services narrows services.
func (r *RouteRule) covers(class string) bool {
	narrowed := slices.ContainsFunc(r.Classes, func(named string) bool { return uid.Storable(named) == uid.Storable(class) })
	return !narrowed || slices.Contains(r.Classes, class)
}

// Hours are times of day, in the time zone of the time that is asked about, on some days of
// the week. The zero value is always.
type Hours struct {
	From, To time.Duration // since midnight; To may be before From, and is the next day then
	Days     []time.Weekday
}

// ParseHours reads "06:00-20:00", with days in front of it: "mon-fri 06:00-20:00" or
// "sat,sun 08:00-12:00". Empty is always.
func ParseHours(text string) (Hours, error) {
	words := strings.Fields(strings.ToLower(text))
	var h Hours
	switch len(words) {
	case 0:
		return h, nil
	case 2:
		days, err := parseDays(words[0])
		if err != nil {
			return h, err
		}
		h.Days = days
		words = words[1:]
	case 1:
	default:
		return h, errHours
	}

	from, to, ok := strings.Cut(words[0], "-")
	if !ok {
		return h, errHours
	}
	var err error
	if h.From, err = parseClock(from); err != nil {
		return h, err
	}
	if h.To, err = parseClock(to); err != nil {
		return h, err
	}
	if h.From == h.To {
		return h, fmt.Errorf("policy: %q has no length; leave the hours out for the whole day", text)
	}
	return h, nil
}

var errHours = fmt.Errorf("policy: hours are written as 06:00-20:00, or mon-fri 06:00-20:00")

func parseClock(text string) (time.Duration, error) {
	if text == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, errHours
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// weekdays are the words for days, as ParseHours reads them.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func parseDays(list string) ([]time.Weekday, error) {
	var days []time.Weekday
	for _, part := range strings.Split(list, ",") {
		first, last, several := strings.Cut(part, "-")
		if !several {
			last = first
		}
		from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if from < 0 || to < 0 {
			return nil, fmt.Errorf("policy: %q is an unknown day; write mon, tue, wed, thu, fri, sat, sun, or mon-fri", part)
		}
		for day := from; ; day = (day + 1) % len(weekdays) {
			days = append(days, time.Weekday(day))
			if day == to {
				break
			}
		}
	}
	return days, nil
}

// Contain reports whether a time is within. What begins on one day and ends on the
// next counts to the day on which it began.
func (h Hours) Contain(t time.Time) bool {
	if h.From == h.To && len(h.Days) == 0 {
		return true
	}

	at := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
	day := t.Weekday()
	if h.From < h.To {
		return h.on(day) && at >= h.From && at < h.To
	}
	if at >= h.From {
		return h.on(day)
	}
	return at < h.To && h.on((day+6)%7)
}

func (h Hours) on(day time.Weekday) bool { return len(h.Days) == 0 || slices.Contains(h.Days, day) }
