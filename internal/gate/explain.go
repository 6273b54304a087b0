package gate

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/gate/kind"
	"collimator/internal/phrase"
	"collimator/internal/policy"
	"collimator/internal/terminal"
	"collimator/internal/upstream"
)

// House is what a route is explained by besides itself.
type House struct {
	AETitle string // of the archive
	// Devices are those that are registered, as they come in.
	Devices []policy.Principal
	// Unknown says why the register could not be read; empty: it was.
	Unknown string
	Routes  []Route // all there are
	// Hosts are those by which browsers reach the server's own pages.
	Hosts []string
	Now   time.Time
}

// device is a registered device; nil where none has the title.
func (h *House) device(aeTitle string) *policy.Principal {
	i := slices.IndexFunc(h.Devices, func(d policy.Principal) bool { return d.Name == aeTitle })
	if i < 0 {
		return nil
	}
	return &h.Devices[i]
}

// What is said of a route, whatever its kind.
type (
	Remark      = kind.Remark
	Explanation = kind.Explanation
)

// Explain says what a route lets through. It was checked.
func Explain(r Route, h House) Explanation {
	e := Explanation{Name: r.Name, Remarks: []Remark{}}
	explainName(&e, r, h)
	if b := r.block(); b != nil {
		b.Explain(&e)
	} else {
		explainProtected(&e, r, h)
	}
	if r.Closed {
		e.Says[0] = "CLOSED, nobody is let through. When it is open: " + e.Says[0]
	}
	return e
}

// explainProtected says what callers of a system behind a route may do.
func explainProtected(e *Explanation, r Route, h House) {
	e.Say("%s", r.sentence())
	if h.Unknown != "" {
		e.Remark(kind.Note, "which devices are registered is not known here: %s", h.Unknown)
	}
	if r.DICOMweb {
		explainFace(e, r, h)
	} else if r.DICOMwebAs != "" {
		e.Remark(kind.Never, "dicomweb_as counts with dicomweb: true alone")
	}
	explainWeb(e, r, h)
	explainPlace(e, r, h)
	explainLearning(e, r, h.Now)
	explainPatches(e, r)

	for _, rule := range r.Rules {
		e.Says = append(e.Says, rule.sentence(r, h))
		explainWho(e, r, rule, h)
		explainWhat(e, rule)
	}
}

// explainFace says who reaches a route by DICOMweb.
func explainFace(e *Explanation, r Route, h House) {
	e.Say("By DICOMweb, at /routes/%s/dicom-web: people by their roles, tokens and links; "+
		"referrers, tokens and links see studies that were granted as %[1]s/UID. It is called by %[2]s for them.", r.Name, r.WebTitle())
	if h.device(r.WebTitle()) != nil {
		e.Remark(kind.Unsafe, "%s is a registered device, too: what the system behind sends there may be taken for either; "+
			"set dicomweb_as", r.WebTitle())
	}
}

// sentence says where a route leads.
func (r *Route) sentence() string {
	title, address, _ := r.Target()
	as := "under the AE title of the caller"
	if r.As != "" {
		as = "under the AE title " + r.As
	}
	return fmt.Sprintf("Who calls %s reaches %s at %s, %s; %s at a time, %s may wait for up to %s, and a search has at most %s.",
		r.Name, title, address, as,
		phrase.Count(cmp.Or(r.Associations, upstream.DefaultAssociations), "association", "associations"),
		phrase.Count(cmp.Or(r.Waiting, upstream.DefaultWaiting), "request", "requests"), cmp.Or(r.Wait, upstream.DefaultWait),
		phrase.Count(cmp.Or(r.FindMatches, findMatches), "match", "matches"))
}

// sentence says what a rule grants.
func (r *Rule) sentence(of Route, h House) string {
	text := fmt.Sprintf("Rule %q: ", r.Name)
	if r.Registered {
		text += "every registered device may do what its registration grants"
		if list := grantsOf(h.Devices); list != "" {
			text += ": " + list
		}
	} else {
		text += kind.Listed(named(r.Who, of)) + " may " + kind.Listed(r.Allow)
	}

	for _, narrowed := range []struct {
		what string
		by   []string
	}{
		{", of ", namesOf(r.Classes)},
		{", stored as ", namesOf(r.Syntaxes)},
	} {
		if len(narrowed.by) > 0 {
			text += narrowed.what + kind.Listed(narrowed.by)
		}
	}
	if r.Hours != "" {
		text += ", " + r.Hours + " by the clock of the server"
	}
	return text + r.sight() + "."
}

// sight says how few studies a rule is for.
func (r *Rule) sight() string {
	var words []string
	if n := len(r.Studies); n > 0 {
		words = append(words, phrase.Count(n, "study", "studies")+" alone")
	}
	if n := len(r.Patients); n > 0 {
		words = append(words, "what is of "+phrase.Count(n, "patient", "patients")+" alone")
	}
	if len(words) == 0 {
		return ""
	}
	return ", in " + strings.Join(words, " and ")
}

// named marks the system behind a route among those who may do something at it.
func named(who []string, of Route) (list []string) {
	system, _, _ := of.Target()
	for _, title := range who {
		if title == system {
			title += " (the system itself, to registered devices)"
		}
		list = append(list, title)
	}
	return list
}

// namesMost is how many devices a sentence names.
const namesMost = 20

func grantsOf(devices []policy.Principal) string {
	var words []string
	for i, d := range devices {
		if i == namesMost {
			words = append(words, fmt.Sprintf("%d more", len(devices)-i))
			break
		}
		words = append(words, fmt.Sprintf("%s (%s)", d.Name, cmp.Or(policy.Join(d.Verbs, ", "), "nothing")))
	}
	return kind.Listed(words)
}

// namesOf are the names of UIDs that may be written by name or number.
func namesOf(list []string) (names []string) {
	for _, word := range list {
		names = append(names, uid.Name(word))
	}
	return names
}

// explainName remarks on the name of a route.
func explainName(e *Explanation, r Route, h House) {
	if r.Name == h.AETitle {
		e.Remark(kind.Never, "%s is the AE title of the archive, which all callers reach by it: give the route another name", r.Name)
	}
	if h.device(r.Name) != nil && r.block() == nil {
		e.Remark(kind.Note, "a registered device is called %s, too: "+
			"what a system behind a route sends to that title goes to the device", r.Name)
	}
}

// explainPlace remarks on where a route stands and where it leads.
func explainPlace(e *Explanation, r Route, h House) {
	title, address, _ := r.Target()
	for _, other := range h.Routes {
		if other.Name == r.Name {
			continue
		}
		if otherTitle, otherAddress, err := other.Target(); err == nil && otherTitle == title && otherAddress == address {
			e.Remark(kind.Note, "%s leads to the same system, which gets the associations of both", other.Name)
		}
	}

	host, _, _ := net.SplitHostPort(address)
	if a, err := netip.ParseAddr(host); err == nil && kind.Public(a) {
		e.Remark(kind.Unsafe, "%s is a public address, and what goes there is not encrypted", host)
	}
}

// explainWho remarks on whom a rule is for.
func explainWho(e *Explanation, of Route, r Rule, h House) {
	if r.Registered {
		e.Remark(kind.Unsafe, "rule %q is for every device that is registered now or later: "+
			"name devices (who) and what they may do (allow) where the system behind is not for all of them", r.Name)
		if len(h.Devices) == 0 && h.Unknown == "" {
			e.Remark(kind.Never, "rule %q: no device is registered; 'collimator device add AET --out DIR' registers one", r.Name)
		}
		return
	}

	system, _, _ := of.Target()
	for _, title := range r.Who {
		d := h.device(title)
		switch {
		case title == system || h.Unknown != "":
		case d == nil:
			e.Remark(kind.Never, "rule %q: %s is not registered; 'collimator device add %s --out DIR' registers it", r.Name, title, title)
		case d.Plaintext:
			e.Remark(kind.Unsafe, "rule %q: %s comes in without TLS until %s", r.Name, title, terminal.LastDay(d.Until))
		}
	}
}

// explainWhat remarks on classes and syntaxes that change nothing.
func explainWhat(e *Explanation, r Rule) {
	for _, word := range r.Classes {
		class := uidOf(word)
		verbs := verbsOf(class)
		switch {
		case len(verbs) == 0:
			e.Remark(kind.Never, "rule %q: the gate carries nothing of %s", r.Name, uid.Name(class))
		case !r.Registered && !slices.ContainsFunc(verbs, func(v policy.Verb) bool { return allows(r, v) }):
			e.Remark(kind.Never, "rule %q: %s needs %s, which the rule does not allow", r.Name, uid.Name(class), policy.Join(verbs, " or "))
		case uid.Name(class) == class:
			e.Remark(kind.Note, "rule %q: %s is not a SOP Class of the standard: right where a device has it as its own", r.Name, class)
		}
	}

	for _, v := range []policy.Verb{policy.Commit, policy.Performed} {
		if len(r.Studies)+len(r.Patients) > 0 && allows(r, v) {
			e.Remark(kind.Never, "rule %q: %s needs a rule for all studies, because it is not known of which one is asked", r.Name, v)
		}
	}

	for _, word := range r.Syntaxes {
		if uid.Name(uidOf(word)) == uidOf(word) {
			e.Remark(kind.Note, "rule %q: %s is not a transfer syntax of the standard", r.Name, word)
		}
	}
	if len(r.Syntaxes) > 0 && !r.Registered && !allows(r, policy.Store) {
		e.Remark(kind.Never, "rule %q: syntaxes are those of what is stored, which the rule does not allow", r.Name)
	}
}

func allows(r Rule, v policy.Verb) bool {
	return slices.ContainsFunc(r.Allow, func(word string) bool { return strings.EqualFold(strings.TrimSpace(word), string(v)) })
}

// uidOf is a UID that may be written by its name. It was checked.
func uidOf(word string) string {
	list, err := uids([]string{word})
	if err != nil {
		return word
	}
	return list[0]
}
