package api

import (
	"collimator/dicom/uid"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// registerPeople puts the routes about people, what they see and how they come in on the guard's
// multiplexer.
func (s *Services) registerPeople(a *webapi.API) {
	a.Handle("GET /api/v1/people", policy.People, s.people)
	a.Handle("POST /api/v1/people", policy.People, s.invite)
	a.Handle("GET /api/v1/people/{name}", policy.People, s.person)
	a.Handle("POST /api/v1/people/{name}/role", policy.People, s.setRole)
	a.Handle("POST /api/v1/people/{name}/link", policy.People, s.linkPerson)
	a.Handle("POST /api/v1/people/{name}/disable", policy.People, s.disablePerson)
	a.Handle("POST /api/v1/people/{name}/enable", policy.People, s.enablePerson)
	a.Handle("DELETE /api/v1/people/{name}/sessions", policy.People, s.signOutPerson)
	a.Handle("POST /api/v1/people/{name}/studies", policy.People, s.grantStudy)
	a.Handle("DELETE /api/v1/people/{name}/studies/{study...}", policy.People, s.ungrantStudy)
	a.Handle("GET /api/v1/groups", policy.People, s.groups)
	a.Handle("POST /api/v1/groups/studies", policy.People, s.grantToGroup)
	a.Handle("POST /api/v1/groups/ungrant", policy.People, s.ungrantToGroup)
	a.Handle("GET /api/v1/links", policy.People, s.links)
	a.Handle("DELETE /api/v1/links/{id}", policy.People, s.endLink)

	a.Proven("POST /api/v1/people", "POST /api/v1/people/{name}/role", "POST /api/v1/people/{name}/link",
		"POST /api/v1/people/{name}/disable", "POST /api/v1/people/{name}/enable", "DELETE /api/v1/people/{name}/sessions",
		"POST /api/v1/people/{name}/studies", "POST /api/v1/groups/studies")
	a.Holds(listBytes, "GET /api/v1/people", "GET /api/v1/groups", "GET /api/v1/links")
	s.describePeople(a)
}

func (s *Services) describePeople(a *webapi.API) {
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/people": webapi.Does("List the people who have an account").
			Gives(webapi.List[*identity.PersonInfo]{}),
		"POST /api/v1/people": webapi.Does("Make a one-time link by which somebody new chooses a password").
			Takes(invitation{}).Gives(invited{}),
		"GET /api/v1/people/{name}": webapi.Does("Show somebody with what leads to a session").
			Gives(personDetail{}),
		"POST /api/v1/people/{name}/role": webapi.Does("Give somebody another role").
			Takes(newRole{}).Gives(personDetail{}),
		"POST /api/v1/people/{name}/link": webapi.Does("Make a one-time link for another password").
			Takes(linkOrder{}).Gives(invited{}),
		"POST /api/v1/people/{name}/disable": webapi.Does("Let somebody in no more, and end all they have").
			Gives(personDetail{}),
		"POST /api/v1/people/{name}/enable": webapi.Does("Let somebody come back by a one-time link").
			Gives(invited{}),
		"DELETE /api/v1/people/{name}/sessions": webapi.Does("End the sessions of somebody, and what was made in them").
			GivesNothing(),
		"POST /api/v1/people/{name}/studies": webapi.Does("Grant a study to somebody").
			Takes(studyGrant{}).Gives(personDetail{}),
		"DELETE /api/v1/people/{name}/studies/{study...}": webapi.Does("Take a granted study back").GivesNothing(),
		"GET /api/v1/groups": webapi.Does("List the groups of the identity provider to which studies are granted").
			Gives(webapi.List[identity.GroupGrants]{}),
		"POST /api/v1/groups/studies": webapi.Does("Grant a study to a group").Takes(groupGrant{}).GivesNothing(),
		"POST /api/v1/groups/ungrant": webapi.Does("Take a study back from a group").
			Takes(groupGrant{}).GivesNothing(),
		"GET /api/v1/links": webapi.Does("List the one-time links that count").
			Gives(webapi.List[identity.Link]{}),
		"DELETE /api/v1/links/{id}": webapi.Does("End a one-time link").GivesNothing(),
	})
}

// personDetail is somebody with what leads to a session.
type personDetail struct {
	*identity.PersonInfo
	Factors   identity.Factors    `json:"factors"`
	Providers []string            `json:"identityProviders,omitempty"` // issuers
	Groups    []string            `json:"groups,omitempty"`            // named by the provider, to which studies are granted
	Sessions  []*identity.Session `json:"sessions"`
}

func (s *Services) person(rq *webapi.Request) (any, error) { return s.detail(rq, rq.Path("name")) }

func (s *Services) detail(rq *webapi.Request, name string) (any, error) {
	ctx := rq.Context()
	p, err := s.Registry.AnyPerson(ctx, name)
	if err != nil {
		return nil, err
	}
	x := personDetail{PersonInfo: p}
	if x.Factors, err = s.Registry.Factors(ctx, name); err != nil {
		return nil, err
	}
	if x.Providers, err = s.Registry.Subjects(ctx, name); err != nil {
		return nil, err
	}
	if x.Groups, err = s.Registry.Groups(ctx, name); err != nil {
		return nil, err
	}
	if x.Sessions, err = s.Sessions.List(ctx, name); x.Sessions == nil {
		x.Sessions = []*identity.Session{}
	}
	return x, err
}

// noAdministratorByToken refuses what a token must not do: make or undo administrators.
func (s *Services) noAdministratorByToken(rq *webapi.Request, name, role string) error {
	if !rq.ByToken() {
		return nil
	}
	p, err := s.Registry.AnyPerson(rq.Context(), name)
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	if policy.Role(role) == policy.Administrator || err == nil && p.Role == policy.Administrator {
		return fault.New(fault.Denied, "api: a token neither makes nor changes administrators; sign in to do that")
	}
	return nil
}

// newRole is another role for somebody.
type newRole struct {
	Role string `json:"role"`
}

func (s *Services) setRole(rq *webapi.Request) (any, error) {
	var in newRole
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	name := rq.Path("name")
	if err := identity.CheckRole(in.Role); err != nil {
		return nil, err
	}
	if err := s.noAdministratorByToken(rq, name, in.Role); err != nil {
		return nil, err
	}
	if err := s.Registry.SetRole(rq.Context(), name, in.Role); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: name, Detail: "role " + in.Role})
	return s.detail(rq, name)
}

// linkOrder is a one-time link for somebody who has an account.
type linkOrder struct {
	// DropFactors: what counted beside the password is dropped, too.
	DropFactors bool `json:"dropSecondFactors,omitempty"`
}

func (s *Services) linkPerson(rq *webapi.Request) (any, error) {
	var in linkOrder
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	name := rq.Path("name")
	if err := s.noAdministratorByToken(rq, name, ""); err != nil {
		return nil, err
	}
	l, secret, err := s.Registry.LinkBy(rq.Context(), name, in.DropFactors, rq.Person().Name)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Create, audit.Object{Person: name, Detail: "one-time link: " + string(l.Purpose)})
	return invited{l, s.Links + secret}, nil
}

func (s *Services) disablePerson(rq *webapi.Request) (any, error) {
	name := rq.Path("name")
	if err := s.noAdministratorByToken(rq, name, ""); err != nil {
		return nil, err
	}
	if name == rq.Person().Name {
		return nil, fault.New(fault.Conflict, "api: somebody else has to disable you; 'sign out everywhere' ends your sessions")
	}
	if err := s.Registry.DisablePerson(rq.Context(), name); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Delete, audit.Object{Person: name, Detail: "disabled"})
	return s.detail(rq, name)
}

func (s *Services) enablePerson(rq *webapi.Request) (any, error) {
	name := rq.Path("name")
	if err := s.noAdministratorByToken(rq, name, ""); err != nil {
		return nil, err
	}
	l, secret, err := s.Registry.EnablePerson(rq.Context(), name)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: name, Detail: "enabled again; one-time link: " + string(l.Purpose)})
	return invited{l, s.Links + secret}, nil
}

// signOutPerson ends what somebody has open, as after a telephone was lost.
func (s *Services) signOutPerson(rq *webapi.Request) (any, error) {
	name := rq.Path("name")
	if _, err := s.Registry.AnyPerson(rq.Context(), name); err != nil {
		return nil, err
	}
	if err := s.noAdministratorByToken(rq, name, ""); err != nil {
		return nil, err
	}
	ended, err := s.Registry.EndMade(rq.Context(), name)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.UserSignedOut, audit.Execute, audit.Object{Person: name, Detail: "by an administrator; " + ended.String() + " ended"})
	return nil, nil
}

// studyGrant is a study that somebody is to see.
type studyGrant struct {
	Study string `json:"study"` // its UID, or ROUTE/UID
}

func (s *Services) grantStudy(rq *webapi.Request) (any, error) {
	var in studyGrant
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	name := rq.Path("name")
	o, err := s.grantable(rq, in.Study)
	if err != nil {
		return nil, err
	}
	if err := s.Registry.GrantStudy(rq.Context(), name, in.Study); err != nil {
		return nil, err
	}
	o.Person, o.Detail = name, "study granted"
	rq.Record(audit.PersonChanged, audit.Update, o)
	return s.detail(rq, name)
}

// grantable is a study as it stands in the record of its grant: one of which nothing is stored is
// mistyped more often than early.
func (s *Services) grantable(rq *webapi.Request, place string) (audit.Object, error) {
	route, study := policy.PlaceOf(place)
	if !uid.Tolerable(study) || route == "" && study != place {
		return audit.Object{}, fault.New(fault.Invalid, "api: study is the UID of a study, or ROUTE/UID for one of a route")
	}
	return s.linked(rq, route, study)
}

func (s *Services) ungrantStudy(rq *webapi.Request) (any, error) {
	name, study := rq.Path("name"), rq.Path("study")
	if err := s.Registry.UngrantStudy(rq.Context(), name, study); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: name, Study: study, Detail: "study not granted any more"})
	return nil, nil
}

func (s *Services) groups(rq *webapi.Request) (any, error) {
	all, err := s.Registry.GroupGrants(rq.Context())
	return webapi.NewList(all), err
}

// groupGrant is a study that a group of the identity provider is to see.
type groupGrant struct {
	Group string `json:"group"`
	Study string `json:"study"`
}

func (s *Services) grantToGroup(rq *webapi.Request) (any, error) {
	var in groupGrant
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	o, err := s.grantable(rq, in.Study)
	if err != nil {
		return nil, err
	}
	if err := s.Registry.GrantToGroup(rq.Context(), in.Group, in.Study); err != nil {
		return nil, err
	}
	o.Detail = "study granted to the group " + in.Group
	rq.Record(audit.PersonChanged, audit.Update, o)
	return nil, nil
}

func (s *Services) ungrantToGroup(rq *webapi.Request) (any, error) {
	var in groupGrant
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if err := s.Registry.UngrantToGroup(rq.Context(), in.Group, in.Study); err != nil {
		return nil, err
	}
	o := audit.Object{Study: in.Study, Detail: "study not granted any more to the group " + in.Group}
	rq.Record(audit.PersonChanged, audit.Update, o)
	return nil, nil
}

// links are the one-time links that count; to an administrator those of administrators, too.
func (s *Services) links(rq *webapi.Request) (any, error) {
	all, err := s.Registry.Links(rq.Context())
	return webapi.NewList(all), err
}

func (s *Services) endLink(rq *webapi.Request) (any, error) {
	name := rq.Path("id")
	if err := s.noAdministratorByToken(rq, name, ""); err != nil {
		return nil, err
	}
	if err := s.Registry.EndLink(rq.Context(), name); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Delete, audit.Object{Person: name, Detail: "one-time link ended"})
	return nil, nil
}
