package house

import (
	"strings"
	"testing"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

func TestAStudyThatIsNotStoredIsGrantedOnlyAnyway(t *testing.T) {
	t.Parallel()
	in := made(t)
	in.Registry.InsecureWeakHashes()
	ctx := t.Context()
	if err := in.Registry.AddPerson(ctx, "practice", "referrer", "a long enough secret"); err != nil {
		t.Fatal(err)
	}

	studies := []string{"1.2.3", "1.2.4"}
	err := WithBlobs(in, func(a *archive.Archive) error {
		missing, err := in.GrantStudies(ctx, a, Grantee{Person: "practice"}, studies, false)
		if err != nil || len(missing) != 2 {
			t.Errorf("%q are missing, %v", missing, err)
		}
		for _, to := range []Grantee{{Person: "practice"}, {Group: "surgery"}} {
			if missing, err := in.GrantStudies(ctx, a, to, studies, true); err != nil || len(missing) != 0 {
				t.Errorf("%+v: %q are missing, %v", to, missing, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	who, err := in.PrincipalsOf(ctx, "practice", false)
	if err != nil || len(who) != 1 || len(who[0].Studies) != 2 {
		t.Errorf("%+v, %v", who, err)
	}
	answers := AskPolicy(who, policy.Request{Now: time.Now()}, []policy.Verb{policy.Query, policy.Delete})
	if len(answers) != 2 || !answers[0].Allowed || !answers[0].Limited || len(answers[0].OnlyStudies) != 2 || answers[1].Allowed {
		t.Errorf("%+v", answers)
	}

	if err := in.TakeBack(ctx, "practice", studies[:1]); err != nil {
		t.Error(err)
	}
	told := 0
	missing, err := in.TakeBackFromGroup(ctx, "surgery", []string{"9.9", studies[0], studies[1]}, func(string) error { told++; return nil })
	if err != nil || told != 2 || len(missing) != 1 || missing[0] != "9.9" {
		t.Errorf("%d are taken back, %q were not granted, %v", told, missing, err)
	}
	if err := in.NotGranted(ctx, "Surgery", missing, true); fault.Of(err) != fault.NotFound || in.NotGranted(ctx, "surgery", nil, false) != nil {
		t.Errorf("%v", err)
	}
	if got := recorded(t, in, audit.PersonChanged); len(got) != 7 {
		t.Errorf("%d records, want 7", len(got))
	}
	if _, err := in.PrincipalsOf(ctx, "nobody", false); fault.Of(err) != fault.NotFound {
		t.Errorf("nobody: %v", err)
	}
	if err := CheckStudies([]string{"1.2", "one"}); fault.EndingOf(err) != fault.Misused {
		t.Errorf("no UID: %v", err)
	}
}

func TestThereIsOneFirstAdministrator(t *testing.T) {
	t.Parallel()
	in := made(t)
	in.Registry.InsecureWeakHashes()
	if err := in.FirstAdministrator(t.Context(), "ada", "a long enough secret"); err != nil {
		t.Fatal(err)
	}
	if err := in.FirstAdministrator(t.Context(), "eve", "a long enough secret"); err == nil {
		t.Error("there is a second one")
	}
	p, err := in.Registry.Person(t.Context(), "ada")
	if err != nil || string(p.Role) != identity.Administrator || len(recorded(t, in, audit.PersonChanged)) != 1 {
		t.Errorf("%+v, %v", p, err)
	}

	found, err := in.SearchTrail(t.Context(), audit.Filter{Person: "ada"})
	if err != nil || len(found) != 1 {
		t.Errorf("%d records of ada, %v", len(found), err)
	}
	last, err := in.Trail.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if newest, err := in.Trail.Newest(t.Context(), last, 1, audit.Filter{}); err != nil || len(newest) != 1 || newest[0].Event != audit.PersonChanged {
		t.Errorf("the newest: %+v, %v", newest, err)
	}
}

func TestSomebodyIsShownWithWhatTheGroupsOpen(t *testing.T) {
	t.Parallel()
	in := made(t)
	in.Registry.InsecureWeakHashes()
	if err := in.Registry.AddPerson(t.Context(), "practice", "referrer", "a long enough secret"); err != nil {
		t.Fatal(err)
	}
	p, err := in.PersonNamed(t.Context(), "practice")
	if err != nil {
		t.Fatal(err)
	}
	if text := p.Text(); !strings.Contains(text, "Role             referrer\n") || !strings.Contains(text, "no authenticator app, 0 passkeys") {
		t.Errorf("shown:\n%s", text)
	}
	if _, err := in.PersonNamed(t.Context(), "nobody"); fault.Of(err) != fault.NotFound {
		t.Errorf("nobody: %v", err)
	}
	if err := in.Registry.DisablePerson(t.Context(), "practice"); err != nil {
		t.Fatal(err)
	}
	if _, err := in.PrincipalsOf(t.Context(), "practice", false); fault.Of(err) != fault.Conflict {
		t.Errorf("somebody who is disabled: %v", err)
	}
	if err := in.Reachable(t.Context(), "NOWHERE"); err == nil || in.Reachable(t.Context(), "") != nil {
		t.Errorf("a destination that is not registered: %v", err)
	}
	if lines, err := in.StillGranted(t.Context(), "1.2.3"); err != nil || len(lines) != 0 {
		t.Errorf("%q, %v", lines, err)
	}
}
