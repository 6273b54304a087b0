package house

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/policy"
)

// Grantee is to whom studies are granted: a person, or a group of the identity provider.
type Grantee struct {
	Person string // one of the two
	Group  string
}

// GrantStudies grants one study after the other, and records it. Those of which nothing
// is stored are left out and named in missing, unless they are to be granted anyway.
func (in *Installation) GrantStudies(ctx context.Context, a *archive.Archive, to Grantee, studies []string,
	anyway bool) (missing []string, err error) {

	for _, s := range studies {
		o, err := in.granted(ctx, a, s)
		if fault.Of(err) == fault.NotFound && !anyway {
			missing = append(missing, s)
			continue
		}
		if err != nil && fault.Of(err) != fault.NotFound && (fault.Of(err) != fault.Unavailable || !anyway) {
			return missing, err
		}
		if err := in.grant(ctx, to, s); err != nil {
			return missing, err
		}

		o.Person = to.Person
		o.Detail = "study granted" + o.Detail
		if to.Group != "" {
			o.Detail += " to the group " + to.Group
		}
		if err := in.Note(ctx, audit.PersonChanged, audit.Update, o); err != nil {
			return missing, err
		}
	}
	return missing, nil
}

func (in *Installation) grant(ctx context.Context, to Grantee, study string) error {
	if to.Group != "" {
		return in.Registry.GrantToGroup(ctx, to.Group, study)
	}
	return in.Registry.GrantStudy(ctx, to.Person, study)
}

// TakeBack ends the grants of studies to a person, and records it. The first that was
// not granted ends it.
func (in *Installation) TakeBack(ctx context.Context, person string, studies []string) error {
	for _, s := range studies {
		if err := in.Registry.UngrantStudy(ctx, person, s); err != nil {
			return err
		}
		o := audit.Object{Person: person, Study: s, Detail: "study not granted any more"}
		if err := in.Note(ctx, audit.PersonChanged, audit.Update, o); err != nil {
			return err
		}
	}
	return nil
}

// TakeBackFromGroup ends the grants of studies to a group, records it and tells of each.
// Those that were not granted are named in missing; the others are taken back all the
// same.
func (in *Installation) TakeBackFromGroup(ctx context.Context, group string, studies []string,
	told func(study string) error) (missing []string, err error) {

	for _, s := range studies {
		err := in.Registry.UngrantToGroup(ctx, group, s)
		if fault.Of(err) == fault.NotFound {
			missing = append(missing, s)
			continue
		}
		if err != nil {
			return missing, err
		}

		o := audit.Object{Study: s, Detail: "study not granted any more to the group " + group}
		if err := in.Note(ctx, audit.PersonChanged, audit.Update, o); err != nil {
			return missing, err
		}
		if err := told(s); err != nil {
			return missing, err
		}
	}
	return missing, nil
}

// NotGranted is the error that studies were not granted to a group; nil for none. Where
// all are missing the name of the group may be mistyped.
func (in *Installation) NotGranted(ctx context.Context, group string, missing []string, all bool) error {
	if len(missing) == 0 {
		return nil
	}
	list, err := in.Registry.GroupGrants(ctx)
	if err != nil {
		return err
	}

	known := slices.ContainsFunc(list, func(g identity.GroupGrants) bool { return g.Group == group })
	if !known && all {
		return fault.Newf(fault.NotFound,
			"nothing is granted to a group %s: it is spelled as the identity provider does, "+
				"large and small letters too; 'collimator group list' names the groups", group)
	}
	return fault.Newf(fault.NotFound, "not granted to the group %s: %s; 'collimator group list' names what is",
		group, strings.Join(missing, " "))
}

// CheckStudies refuses a value that is neither a UID nor ROUTE/UID.
func CheckStudies(studies []string) error {
	for _, s := range studies {
		if route, study := policy.PlaceOf(s); !uid.Tolerable(study) || s != study && route == "" {
			return fault.Usage("--study: that is not a UID: want numbers joined by dots, of at most %d characters, "+
				"such as 1.2.840.10008.1, and for a study of a route of the gate its name and a slash in front", uid.MaxLength)
		}
	}
	return nil
}

// StillGranted says in words to whom a study is granted.
func (in *Installation) StillGranted(ctx context.Context, study string) (lines []string, err error) {
	people, groups, err := in.Registry.GrantedTo(ctx, study)
	if err != nil {
		return nil, err
	}

	if len(people) > 0 {
		lines = append(lines, fmt.Sprintf("%s is still granted in person to %s ('collimator user ungrant')", study,
			strings.Join(people, ", ")))
	}
	if len(groups) > 0 {
		lines = append(lines, fmt.Sprintf("%s is still granted to the %s %s ('collimator group ungrant')",
			study, phrase.Of(len(groups), "group", "groups"), strings.Join(groups, ", ")))
	}
	return lines, nil
}

// SeesAll says that somebody sees every study without a grant; empty where that is not
// so.
func (in *Installation) SeesAll(ctx context.Context, person string) (string, error) {
	p, err := in.Registry.AnyPerson(ctx, person)
	if err != nil {
		return "", err
	}
	sight := policy.New().Decide(policy.Request{Principal: p.Principal(), Verb: policy.Query, Now: time.Now()}).Sight
	if !sight.Everything {
		return "", nil
	}
	return fmt.Sprintf("%s is %s and sees every study without a grant", person, p.Role), nil
}

// StillByGroup names the groups by which a person sees one of the studies.
func (in *Installation) StillByGroup(ctx context.Context, person string, studies []string) (lines []string, err error) {
	p, err := in.Registry.AnyPerson(ctx, person)
	if err != nil {
		return nil, err
	}
	for _, g := range p.ByGroup {
		if slices.Contains(studies, g.Study) {
			lines = append(lines, fmt.Sprintf("%s sees %s still by the group %s ('collimator group ungrant')", person, g.Study, g.Group))
		}
	}
	return lines, nil
}

// OtherGroups says which groups do not count by these settings: the settings may
// have changed, or a command may have others than the server.
func (in *Installation) OtherGroups(ctx context.Context) (lines []string, err error) {
	others, err := in.Registry.OtherGroups(ctx)
	for _, s := range others {
		lines = append(lines, fmt.Sprintf("groups that %s named in the claim %s do not count by these settings "+
			"(signin.oidc.issuer and group_claim) and are not shown; give --config where the server has others",
			s.Issuer, s.Claim))
	}
	return lines, err
}
