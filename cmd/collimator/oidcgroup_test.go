package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

func TestAReferrerSeesWhatIsGrantedToAGroupOfTheProvider(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(func(o *config.OIDC) { o.GroupClaim = "groups" })
	if out, code := runOn(x.In, t, "group", "grant", "millers", "--study", "2.25.71"); code != 0 || !strings.Contains(out, "may see 1 more study") {
		t.Fatalf("code %d: %s", code, out)
	}
	if out, code := runOn(x.In, t, "group", "grant", "millers", "--study", "9.9.9"); code != exitPartial {
		t.Errorf("a study that is not there: code %d: %s", code, out)
	}
	opens := func(groups any) bool {
		t.Helper()
		p.Claims = map[string]any{"sub": "r", "preferred_username": "referrer"}
		if groups != nil {
			p.Claims["groups"] = groups
		}
		b := x.Browser()
		b.Must(200, "GET", b.SignInAt(p), nil)
		return strings.Contains(b.Must(200, "GET", "/dicom-web/studies?StudyInstanceUID=2.25.71", nil).Text, "2.25.71")
	}

	for _, c := range []struct {
		groups any
		sees   bool
	}{
		{[]string{"staff", "millers"}, true}, {nil, false}, {"millers", true}, {[]string{"Millers"}, false},
		{[]any{7, map[string]any{"millers": true}}, false}, {[]string{"millers"}, true},
	} {
		if got := opens(c.groups); got != c.sees {
			t.Errorf("groups %v: sees the study: %t", c.groups, got)
		}
	}

	if out, _ := runOn(x.In, t, "user", "show", "referrer"); !strings.Contains(out, "millers") {
		t.Errorf("the person does not show the group: %s", out)
	}
	if out, _ := runOn(x.In, t, "group", "list"); !strings.Contains(out, "referrer") {
		t.Errorf("the group does not show the person: %s", out)
	}
	if out, code := runOn(x.In, t, "user", "ungrant", "referrer", "--study", "2.25.71"); code == 0 || !strings.Contains(out, "by the group millers") {
		t.Errorf("taking from the person what the group opens: code %d: %s", code, out)
	}
	if out, code := runOn(x.In, t, "user", "grant", "referrer", "--study", "2.25.71"); code != 0 {
		t.Fatalf("code %d: %s", code, out)
	}
	if out, code := runOn(x.In, t, "user", "ungrant", "referrer", "--study", "2.25.71"); code != 0 || !strings.Contains(out, "still by the group millers") {
		t.Errorf("taking from the person what the group opens too: code %d: %s", code, out)
	}
	if out, code := runOn(x.In, t, "group", "ungrant", "millers", "--study", "2.25.71"); code != 0 || strings.Contains(out, "still") {
		t.Errorf("code %d: %s", code, out)
	}
	if opens([]string{"millers"}) {
		t.Error("what was taken back is seen")
	}
}

// Whom the provider no longer lets in as somebody who may loses the groups too.
func TestARefusedSignInEndsTheGroups(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(func(o *config.OIDC) {
		o.GroupClaim, o.RoleClaim, o.Roles = "groups", "role", []config.OIDCRole{{Value: "outside", Role: "referrer"}}
	})
	if out, code := runOn(x.In, t, "group", "grant", "millers", "--study", "2.25.71"); code != 0 {
		t.Fatalf("code %d: %s", code, out)
	}
	p.Claims = map[string]any{"sub": "r", "preferred_username": "referrer", "role": "outside", "groups": "millers"}
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)
	if groups, err := x.In.Registry.Groups(t.Context(), "referrer"); err != nil || len(groups) != 1 {
		t.Fatalf("%v, %v", groups, err)
	}

	p.Claims["role"] = "gone"
	c := x.Browser()
	c.Must(401, "GET", c.SignInAt(p), nil)
	if groups, err := x.In.Registry.Groups(t.Context(), "referrer"); err != nil || len(groups) != 0 {
		t.Errorf("after a refusal: %v, %v", groups, err)
	}
}

// The groups are what the provider said when it let somebody in. A password of the
// archive, a token and a workstation let in by something else.
func TestAGroupOpensNothingToWhoDidNotComeFromTheProvider(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(func(o *config.OIDC) { o.GroupClaim = "groups" })
	if out, code := runOn(x.In, t, "group", "grant", "millers", "--study", "2.25.71"); code != 0 {
		t.Fatalf("code %d: %s", code, out)
	}
	p.Claims = map[string]any{"sub": "r", "preferred_username": "referrer", "groups": "millers"}
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)
	b.Must(200, "GET", "/dicom-web/studies/2.25.71/metadata", nil)

	x.SignIn("referrer").Must(403, "GET", "/dicom-web/studies/2.25.71/metadata", nil)

	_, secret, err := x.In.Registry.OperatorToken(t.Context(), "referrer", []policy.Verb{policy.Query, policy.Retrieve}, nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	x.Browser().Must(200, "GET", "/dicom-web/studies/2.25.70/metadata", nil, "Authorization", "Bearer "+secret)
	x.Browser().Must(403, "GET", "/dicom-web/studies/2.25.71/metadata", nil, "Authorization", "Bearer "+secret)

	address, cfg := workstation(x, t)
	cfg.Identity = &ul.UserIdentity{Kind: ul.IdentityUsernamePasscode, Primary: ul.NewSecret([]byte("referrer")), Secondary: ul.NewSecret([]byte(sitetest.Password))}
	a, err := dimse.Dial(t.Context(), address, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release(t.Context())
	if own, group := getAll(t, a, "2.25.70"), getAll(t, a, "2.25.71"); own != 3 || group != 0 {
		t.Errorf("at a workstation: %d images of the person's own study, %d of the group's", own, group)
	}

	out, _ := runOn(x.In, t, "user", "show", "referrer")
	if !strings.Contains(out, "Granted studies  1\n                 2.25.70\nIn the group     millers, which opens 1 study in a session that began at the identity provider\n                 2.25.71\n") {
		t.Errorf("the person shows: %s", out)
	}
	if out, _ := runOn(x.In, t, "user", "show", "referrer", "-o", "json"); !strings.Contains(out, `"group": "millers"`) {
		t.Errorf("the person shows: %s", out)
	}
	if out, _ := runOn(x.In, t, "user", "list"); !strings.Contains(out, "1, 1 more by a group") {
		t.Errorf("people are listed as: %s", out)
	}
	if out, _ := runOn(x.In, t, "policy", "check", "--as", "referrer"); !strings.Contains(out, "sees 1 study more by a group") {
		t.Errorf("policy says: %s", out)
	}
}

// Settings of which the groups do not come show none, and say why.
func TestGroupsThatDoNotCountByTheSettingsAreSaid(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(func(o *config.OIDC) { o.GroupClaim = "groups" })
	if out, code := runOn(x.In, t, "group", "grant", "millers", "--study", "2.25.71"); code != 0 {
		t.Fatalf("code %d: %s", code, out)
	}
	p.Claims = map[string]any{"sub": "r", "preferred_username": "referrer", "groups": "millers"}
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)
	if err := os.Remove(filepath.Join(x.In.Config.Data, "collimator.yaml")); err != nil {
		t.Fatal(err)
	}

	for _, args := range [][]string{{"group", "list"}, {"user", "show", "referrer"}} {
		out, code := runOn(x.In, t, args...)
		if code != 0 || strings.Contains(out, "In the group") || !strings.Contains(out, "named in the claim groups do not count by these settings") {
			t.Errorf("%v: code %d: %s", args, code, out)
		}
	}
}

// A sign-in that changes several things of a person records them all, and only then.
func TestASignInRecordsTheRoleAndTheGroupsThatItChanged(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(func(o *config.OIDC) {
		o.GroupClaim, o.RoleClaim = "groups", "role"
		o.Roles = []config.OIDCRole{{Value: "outside", Role: "referrer"}, {Value: "inside", Role: "radiologist"}}
	})
	if out, code := runOn(x.In, t, "group", "grant", "millers", "--study", "2.25.71"); code != 0 {
		t.Fatalf("code %d: %s", code, out)
	}
	many := make([]string, 201)
	for i := range many {
		many[i] = fmt.Sprint("millers", i)
	}
	many[7] = "millers"
	bound, tooMany := "bound to the identity provider; ", "the identity provider names 201 groups, more than 200: none of them counts"
	for _, c := range []struct {
		role   string
		groups any
		want   string // the records of this sign-in
	}{
		{"inside", "millers", bound + "role radiologist by the identity provider; groups millers by the identity provider"},
		{"inside", []string{"millers"}, ""},
		{"outside", "millers", "role referrer by the identity provider"},
		{"inside", nil, "role radiologist by the identity provider; in no group to which something is granted any more, by the identity provider"},
		{"inside", many[1:], "groups millers by the identity provider"},
		{"inside", many, tooMany},
		{"inside", many, tooMany},
	} {
		before := len(changesOf(x))
		p.Claims = map[string]any{"sub": "r", "preferred_username": "referrer", "role": c.role}
		if c.groups != nil {
			p.Claims["groups"] = c.groups
		}
		b := x.Browser()
		b.Must(200, "GET", b.SignInAt(p), nil)
		if got := strings.Join(changesOf(x)[before:], "|"); got != c.want {
			t.Errorf("role %s: recorded %q, want %q", c.role, got, c.want)
		}
	}
	if groups, err := x.In.Registry.Groups(t.Context(), "referrer"); err != nil || len(groups) > 0 {
		t.Errorf("with too many: in %v, %v", groups, err)
	}
}

// changesOf are what was recorded of people, the oldest first.
func changesOf(x *sitetest.Site) (list []string) {
	for _, r := range x.Records() {
		if r.Event == audit.PersonChanged && r.Reason != "" {
			list = append(list, r.Reason)
		}
	}
	return list
}

func TestTakingBackFromAGroupThatHasNothingSaysWhatToDo(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	if out, code := runOn(in, t, "group", "grant", "millers", "--study", "1.2.3", "--anyway"); code != 0 {
		t.Fatalf("code %d: %s", code, out)
	}
	for _, c := range []struct{ group, study, want string }{
		{"Millers", "1.2.3", "nothing is granted to a group Millers"},
		{"millers", "1.2.4", "not granted to the group millers: 1.2.4"},
	} {
		out, code := runOn(in, t, "group", "ungrant", c.group, "--study", c.study)
		if code == 0 || !strings.Contains(out, c.want) || !strings.Contains(out, "'collimator group list'") || strings.Contains(out, "identity:") || strings.Contains(out, "0 studies") {
			t.Errorf("%s: code %d: %s", c.group, code, out)
		}
	}
	if out, code := runOn(in, t, "group", "ungrant", "millers", "--study", "1.2.3", "--study", "1.2.4"); code == 0 ||
		!strings.Contains(out, "1 study is taken back") || !strings.Contains(out, "not granted to the group millers: 1.2.4") {
		t.Errorf("one of two: code %d: %s", code, out)
	}
}
