package identity_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/identity"
)

func TestGrantsToAGroupCountWhileThePersonIsInIt(t *testing.T) {
	t.Parallel()
	r, _, clock := open(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sees := func(when string, want ...string) {
		t.Helper()
		p, err := r.Person(ctx, "practice")
		must(err)
		if !slices.Equal(p.Studies, want) {
			t.Errorf("%s: sees %v, want %v", when, p.Studies, want)
		}
	}
	must(r.AddPerson(ctx, "practice", "referrer", "correct horse battery"))
	must(r.GrantStudy(ctx, "practice", "1.2.1"))
	must(r.GrantToGroup(ctx, "millers", "1.2.2"))
	must(r.GrantToGroup(ctx, "millers", "1.2.1"))
	must(r.GrantToGroup(ctx, "others", "1.2.3"))
	sees("before a sign-in", "1.2.1")

	must(r.SetGroups(ctx, "practice", []string{"millers", "staff"}))
	sees("in the group", "1.2.1", "1.2.2")
	must(r.GrantToGroup(ctx, "millers", "1.2.4"))
	sees("with another grant to it", "1.2.1", "1.2.2", "1.2.4")
	must(r.GrantToGroup(ctx, "staff", "1.2.5"))
	sees("with a grant to a group that had none at the sign-in", "1.2.1", "1.2.2", "1.2.4")
	must(r.UngrantToGroup(ctx, "millers", "1.2.4"))
	sees("with that grant taken back", "1.2.1", "1.2.2")
	if err := r.UngrantToGroup(ctx, "millers", "1.2.4"); fault.Of(err) != fault.NotFound {
		t.Errorf("taking back what is not granted: %v", err)
	}

	list, err := r.GroupGrants(ctx)
	must(err)
	if len(list) != 3 || list[0].Group != "millers" || !slices.Equal(list[0].People, []string{"practice"}) || len(list[1].People) != 0 {
		t.Errorf("listed: %+v", list)
	}

	must(r.SetGroups(ctx, "practice", []string{"staff"}))
	sees("signed in again, in another group", "1.2.1", "1.2.5")
	clock.Advance(13 * time.Hour)
	sees("a day after the last sign-in", "1.2.1")

	must(r.SetGroups(ctx, "practice", []string{"millers"}))
	_, err = r.EndMade(ctx, "practice")
	must(err)
	sees("after all of the person ended", "1.2.1")
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
