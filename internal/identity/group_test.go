package identity_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/house/housetest"
	"collimator/internal/identity"
)

const idp = "https://idp.example"

// member is a referrer whose groups a provider names.
type member struct {
	*testing.T
	*housetest.Register
	*identity.Sessions
	session string // the cookie of one that began at the provider
}

func newMember(t *testing.T) *member {
	t.Helper()
	reg := housetest.NewRegister(t)
	m := &member{T: t, Register: reg, Sessions: identity.NewSessions(reg.Registry, identity.SessionLimits{Idle: 100 * time.Hour, Absolute: 100 * time.Hour})}
	m.Sessions.GroupsFrom(idp, "groups")
	m.must(m.Sessions.AddPerson(t.Context(), "practice", "referrer", "correct horse battery"))
	m.must(m.Sessions.GrantStudy(t.Context(), "practice", "1.2.1"))
	m.must(m.Sessions.GrantToGroup(t.Context(), "millers", "1.2.2"))
	m.must(m.Sessions.GrantToGroup(t.Context(), "millers", "1.2.1"))
	m.must(m.Sessions.GrantToGroup(t.Context(), "others", "1.2.3"))
	_, cookie, err := m.StartAtProvider(t.Context(), idp, "practice", "192.0.2.1", "")
	m.must(err)
	m.session = cookie
	return m
}

func (m *member) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// named is what the provider says at a sign-in.
func (m *member) named(groups ...string) {
	m.Helper()
	_, err := m.Sessions.SetGroups(m.T.Context(), "practice", idp, "groups", groups)
	m.must(err)
}

// sees holds the studies against what is seen in a session.
func (m *member) sees(when, cookie string, want ...string) {
	m.Helper()
	s, p, err := m.Sessions.Authenticate(m.T.Context(), cookie)
	m.must(err)
	if got := p.PrincipalIn(s, m.Clock.Now()).Studies; !slices.Equal(got, want) {
		m.Errorf("%s: sees %v, want %v", when, got, want)
	}
}

func TestGrantsToAGroupCountWhileThePersonIsInIt(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	ctx, r := t.Context(), m.Sessions.Registry
	m.sees("before a sign-in", m.session, "1.2.1")

	m.named("millers", "staff")
	m.sees("in the group", m.session, "1.2.1", "1.2.2")
	m.must(r.GrantToGroup(ctx, "millers", "1.2.4"))
	m.sees("with another grant to it", m.session, "1.2.1", "1.2.2", "1.2.4")
	m.must(r.GrantToGroup(ctx, "staff", "1.2.5"))
	m.sees("with a grant to a group that had none at the sign-in", m.session, "1.2.1", "1.2.2", "1.2.4")
	m.must(r.UngrantToGroup(ctx, "millers", "1.2.4"))
	m.sees("with that grant taken back", m.session, "1.2.1", "1.2.2")
	if err := r.UngrantToGroup(ctx, "millers", "1.2.4"); fault.Of(err) != fault.NotFound {
		t.Errorf("taking back what is not granted: %v", err)
	}

	list, err := r.GroupGrants(ctx)
	m.must(err)
	if len(list) != 3 || list[0].Group != "millers" || !slices.Equal(list[0].People, []string{"practice"}) || len(list[1].People) != 0 {
		t.Errorf("listed: %+v", list)
	}
	if want := []identity.StudyGrant{{Person: "practice", Study: "1.2.1"}}; !slices.Equal(list[0].Also, want) {
		t.Errorf("granted in person, too: %+v", list[0].Also)
	}

	m.named("staff")
	m.sees("signed in again, in another group", m.session, "1.2.1", "1.2.5")
	m.Clock.Advance(13 * time.Hour)
	m.sees("a day after the sign-in", m.session, "1.2.1")
	_, later, err := m.StartAtProvider(ctx, idp, "practice", "192.0.2.1", "")
	m.must(err)
	m.sees("in a session of late", later, "1.2.1", "1.2.5")

	_, err = r.EndMade(ctx, "practice")
	m.must(err)
	_, later, err = m.StartAtProvider(ctx, idp, "practice", "192.0.2.1", "")
	m.must(err)
	m.sees("after all of the person ended", later, "1.2.1")
}

// Who comes in by what this archive knows is in no group: the provider has not let
// that person in.
func TestGroupsCountOnlyInASessionThatBeganAtTheProvider(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.named("millers")
	_, local, err := m.Start(t.Context(), "practice", "password", "192.0.2.1", true, "")
	m.must(err)
	_, elsewhere, err := m.StartAtProvider(t.Context(), "https://old.example", "practice", "192.0.2.1", "")
	m.must(err)
	m.sees("at the provider", m.session, "1.2.1", "1.2.2")
	m.sees("by a password", local, "1.2.1")
	m.sees("at another provider", elsewhere, "1.2.1")

	p, err := m.Sessions.Person(t.Context(), "practice")
	m.must(err)
	if got := p.Principal().Studies; !slices.Equal(got, []string{"1.2.1"}) || len(p.ByGroup) != 2 {
		t.Errorf("without a session: %v, by groups %v", got, p.ByGroup)
	}

	// A second factor that is shown again does not change how it began.
	s, _, err := m.Sessions.Authenticate(t.Context(), m.session)
	m.must(err)
	proven, err := m.Prove(t.Context(), s, "totp")
	m.must(err)
	m.sees("with a second factor shown again", proven, "1.2.1", "1.2.2")
}

func TestAnotherProviderOrClaimNamesNoGroupUntilTheNextSignIn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"another issuer": {"https://new.example", "groups"},
		"another claim":  {idp, "roles"},
		"no claim":       {idp, ""},
		"no issuer":      {"", "groups"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMember(t)
			m.named("millers")
			m.Sessions.GroupsFrom(change[0], change[1])
			m.sees("after the change", m.session, "1.2.1")
			if groups, err := m.Sessions.Groups(t.Context(), "practice"); err != nil || len(groups) > 0 {
				t.Errorf("in %v, %v", groups, err)
			}
			list, err := m.Sessions.GroupGrants(t.Context())
			m.must(err)
			if len(list[0].People) > 0 || len(list[0].Also) > 0 {
				t.Errorf("listed: %+v", list)
			}

			_, err = m.Sessions.SetGroups(t.Context(), "practice", "https://new.example", "groups", []string{"others"})
			m.must(err)
			m.Sessions.GroupsFrom(idp, "groups")
			m.sees("as before the change, after a sign-in elsewhere", m.session, "1.2.1")
		})
	}
}

func TestASignInWithTheSameGroupsWritesNothing(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	size := func() (n int64) {
		t.Helper()
		m.must(m.DB.Read(t.Context(), func(tx *db.Tx) (err error) { n, err = m.Ledger.Size(t.Context(), tx); return err }))
		return n
	}
	for _, c := range []struct {
		groups  []string
		changed bool
		leaves  int64
	}{
		{[]string{"millers"}, true, 1},
		{[]string{"staff", "millers"}, false, 0}, // nothing is granted to staff
		{[]string{"millers", "others"}, true, 1},
		{[]string{"others", "millers"}, false, 0},
		{[]string{"others"}, true, 1},
		{nil, true, 1},
		{nil, false, 0},
	} {
		before := size()
		changed, err := m.Sessions.SetGroups(t.Context(), "practice", idp, "groups", c.groups)
		m.must(err)
		if n := size() - before; changed != c.changed || n != c.leaves {
			t.Errorf("%v: changed %t, %d leaves", c.groups, changed, n)
		}
	}
}

func TestTakingBackWhatAGroupOpensSaysSo(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.named("millers")
	err := m.Sessions.UngrantStudy(t.Context(), "practice", "1.2.2")
	if fault.Of(err) != fault.NotFound || !strings.Contains(err.Error(), "by the group millers") {
		t.Errorf("%v", err)
	}
	people, groups, err := m.Sessions.GrantedTo(t.Context(), "1.2.1")
	m.must(err)
	if !slices.Equal(people, []string{"practice"}) || !slices.Equal(groups, []string{"millers"}) {
		t.Errorf("granted to %v and %v", people, groups)
	}
}

func TestNamesOfGroupsAreBounded(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	for _, name := range []string{"", strings.Repeat("x", 257), "a\nb", "\xff"} {
		if err := r.GrantToGroup(t.Context(), name, "1.2.3"); fault.Of(err) != fault.Invalid || identity.CheckGroup(name) == nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
