package house

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/policy"
)

// PolicyAnswer says whether a verb is allowed, by which rule and how far.
type PolicyAnswer struct {
	Verb         policy.Verb `json:"verb"`
	Allowed      bool        `json:"allowed"`
	Reason       string      `json:"reason"`
	OnlyStudies  []string    `json:"onlyStudies,omitempty"`
	Limited      bool        `json:"limited,omitempty"`
	Deidentified bool        `json:"deidentified,omitempty"`
	Alarm        bool        `json:"alarm,omitempty"`
}

// AskPolicy asks the rules about each verb as the doors do. Who acts together, such as
// a token and its owner, is asked for together. The verb of asked is not looked at.
func AskPolicy(who []policy.Principal, asked policy.Request, verbs []policy.Verb) (list []PolicyAnswer) {
	for _, v := range verbs {
		asked.Verb = v
		list = append(list, askPolicy(who, asked))
	}
	return list
}

// VerbsNamed is the verb that somebody named at a command line, or all of them.
func VerbsNamed(name string) ([]policy.Verb, error) {
	verbs := policy.AllVerbs()
	if name == "" {
		return verbs, nil
	}
	if !slices.Contains(verbs, policy.Verb(name)) {
		return nil, fault.Usage("--do: no such verb; choose from %v", verbs)
	}
	return []policy.Verb{policy.Verb(name)}, nil
}

// Restrictions say in words how far an answer reaches; empty for all the way.
func (a PolicyAnswer) Restrictions() string {
	var only []string
	if a.Limited {
		only = append(only, phrase.Count(len(a.OnlyStudies), "study", "studies")+" "+strings.Join(a.OnlyStudies, " "))
	}
	if a.Deidentified {
		only = append(only, "what is de-identified")
	}
	if a.Alarm {
		only = append(only, "raises an alarm")
	}
	return strings.TrimSpace(strings.Join(only, ", "))
}

// MoreByGroup says what a person of this name sees by groups alone, which counts where
// the identity provider let the person in; empty for nothing.
func (in *Installation) MoreByGroup(ctx context.Context, name string) string {
	p, err := in.Registry.Person(ctx, name)
	if err != nil || len(BySomeGroup(p)) == 0 {
		return ""
	}
	return fmt.Sprintf("%s sees %s more by a group, in a session that began at the identity provider; "+
		"'user show' lists them. Here they do not count.", name, phrase.Count(len(BySomeGroup(p)), "study", "studies"))
}

func askPolicy(who []policy.Principal, asked policy.Request) PolicyAnswer {
	d := policy.New().DecideTogether(asked, who...)

	// Who sees granted studies alone may do nothing to the archive as a whole: the
	// answer is that for one of those.
	if granted := who[0].Studies; !d.Allow && asked.Study == "" && len(granted) > 0 {
		asked.Study = granted[0]
		if of := policy.New().DecideTogether(asked, who...); of.Allow {
			d = of
			d.Sight.Everything = false
			d.Sight.Studies = granted
		}
	}

	a := PolicyAnswer{Verb: asked.Verb, Allowed: d.Allow, Reason: d.Reason, Alarm: d.Alarm}
	if d.Allow {
		a.Limited = !d.Sight.Everything
		a.OnlyStudies = d.Sight.Studies
		a.Deidentified = d.Sight.Deidentified
	}
	return a
}

// PrincipalsOf finds who acts under a name: a person, a device, or a token with
// its owner.
func (in *Installation) PrincipalsOf(ctx context.Context, name string, plaintext bool) ([]policy.Principal, error) {
	p, err := in.personOf(ctx, name)
	if err == nil {
		return []policy.Principal{p.Principal()}, nil
	}
	if fault.Of(err) != fault.NotFound {
		return nil, err
	}

	d, err := in.Registry.Device(ctx, name)
	if err == nil {
		way := identity.ByCertificate
		if plaintext {
			way = identity.Plain
		}
		return []policy.Principal{d.Principal(way)}, nil
	}
	if fault.Of(err) != fault.NotFound {
		return nil, err
	}

	tokens, err := in.Registry.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tokens {
		if t.ID != name || !t.Revoked.IsZero() {
			continue
		}
		owner, err := in.personOf(ctx, t.Owner)
		if err != nil {
			return nil, err
		}
		return []policy.Principal{t.Principal(), owner.Principal()}, nil
	}
	return nil, fault.New(fault.NotFound,
		"no person, device or token of this name; see 'collimator user list', 'device list' and 'token list'")
}

// personOf is who has a name. Somebody who is disabled may do nothing, and is not
// taken for nobody.
func (in *Installation) personOf(ctx context.Context, name string) (*identity.PersonInfo, error) {
	p, err := in.Registry.AnyPerson(ctx, name)
	if err == nil && !p.Disabled.IsZero() {
		return nil, fault.Newf(fault.Conflict,
			"%s is disabled and may do nothing; 'collimator user enable %s' lets the person come back", name, name)
	}
	return p, err
}

// Reachable refuses a destination that is not registered, or is called nowhere: C-MOVE
// looks it up before it asks the rules.
func (in *Installation) Reachable(ctx context.Context, destination string) error {
	if destination == "" {
		return nil
	}

	d, err := in.Registry.Device(ctx, destination)
	if err != nil {
		return fmt.Errorf("--destination: %w", err)
	}
	if d.Listen == "" {
		return fmt.Errorf("--destination: %s accepts no associations; "+
			"say where with 'collimator device set %s --listen HOST:PORT'", d.AETitle, d.AETitle)
	}
	return nil
}
