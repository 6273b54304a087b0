package house

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// Person is somebody with what leads to a session.
type Person struct {
	*identity.PersonInfo
	Factors   identity.Factors `json:"factors"`
	Providers []string         `json:"identityProviders,omitempty"` // issuers
	Groups    []string         `json:"groups,omitempty"`            // that the provider named, to which studies are granted
}

// PersonNamed is who has a name, also somebody who is disabled, with what leads to a
// session.
func (in *Installation) PersonNamed(ctx context.Context, name string) (p Person, err error) {
	if p.PersonInfo, err = in.Registry.AnyPerson(ctx, name); err != nil {
		return p, err
	}
	if p.Factors, err = in.Registry.Factors(ctx, name); err != nil {
		return p, err
	}
	if p.Providers, err = in.Registry.Subjects(ctx, name); err != nil {
		return p, err
	}
	if p.Groups, err = in.Registry.Groups(ctx, name); err != nil {
		return p, err
	}
	return p, nil
}

// Text says in words who somebody is.
func (p Person) Text() string {
	var b strings.Builder
	line := func(label, text string) { fmt.Fprintf(&b, "%-16s %s\n", label, shown.Text(text)) }
	line("Name", p.Name)
	line("Role", string(p.Role))
	line("Since", terminal.Day(p.Created))
	if !p.Disabled.IsZero() {
		line("Disabled", terminal.Day(p.Disabled)+"; 'collimator user enable' lets the person come back")
	}

	app := "no authenticator app"
	if p.Factors.TOTP {
		app = "authenticator app"
	}
	line("Second factors", fmt.Sprintf("%s, %s, %s", app,
		phrase.Count(p.Factors.Passkeys, "passkey", "passkeys"), phrase.Count(p.Factors.Recovery, "recovery code", "recovery codes")))

	for _, issuer := range p.Providers {
		line("Signs in at", issuer)
	}
	line("Granted studies", fmt.Sprint(len(p.Studies)))
	for _, s := range p.Studies {
		line("", s)
	}
	for _, group := range p.Groups {
		opened := p.openedBy(group)
		line("In the group", fmt.Sprintf("%s, which opens %s in a session that began at the identity provider",
			group, phrase.Count(len(opened), "study", "studies")))
		for _, s := range opened {
			line("", s)
		}
	}
	return b.String()
}

// openedBy are the studies that a person sees by one group.
func (p Person) openedBy(group string) (studies []string) {
	for _, g := range p.ByGroup {
		if g.Group == group {
			studies = append(studies, g.Study)
		}
	}
	return studies
}

// BySomeGroup are the studies that a person sees by groups alone.
func BySomeGroup(p *identity.PersonInfo) (studies []string) {
	for _, g := range p.ByGroup {
		if !slices.Contains(p.Studies, g.Study) && !slices.Contains(studies, g.Study) {
			studies = append(studies, g.Study)
		}
	}
	return studies
}
