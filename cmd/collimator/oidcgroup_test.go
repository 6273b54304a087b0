package main

import (
	"strings"
	"testing"

	"collimator/internal/config"
)

func TestAReferrerSeesWhatIsGrantedToAGroupOfTheProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	x := newOIDCSite(t, p, func(o *config.OIDC) { o.GroupClaim = "groups" })
	if out, code := runOn(x.in, t, "group", "grant", "millers", "--study", "2.25.71"); code != 0 || !strings.Contains(out, "may see 1 more study") {
		t.Fatalf("code %d: %s", code, out)
	}
	if out, code := runOn(x.in, t, "group", "grant", "millers", "--study", "9.9.9"); code != exitPartial {
		t.Errorf("a study that is not there: code %d: %s", code, out)
	}
	opens := func(groups any) bool {
		t.Helper()
		p.claims = map[string]any{"sub": "r", "preferred_username": "referrer"}
		if groups != nil {
			p.claims["groups"] = groups
		}
		b := x.browser()
		b.must(200, "GET", b.oidc(p), nil)
		return strings.Contains(b.must(200, "GET", "/dicom-web/studies?StudyInstanceUID=2.25.71", nil).text, "2.25.71")
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

	if out, _ := runOn(x.in, t, "user", "show", "referrer"); !strings.Contains(out, "millers") {
		t.Errorf("the person does not show the group: %s", out)
	}
	if out, _ := runOn(x.in, t, "group", "list"); !strings.Contains(out, "referrer") {
		t.Errorf("the group does not show the person: %s", out)
	}
	if out, code := runOn(x.in, t, "group", "ungrant", "millers", "--study", "2.25.71"); code != 0 {
		t.Errorf("code %d: %s", code, out)
	}
	if opens([]string{"millers"}) {
		t.Error("what was taken back is seen")
	}
}

// Whom the provider no longer lets in as somebody who may loses the groups too.
func TestARefusedSignInEndsTheGroups(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	x := newOIDCSite(t, p, func(o *config.OIDC) {
		o.GroupClaim, o.RoleClaim, o.Roles = "groups", "role", []config.OIDCRole{{Value: "outside", Role: "referrer"}}
	})
	if out, code := runOn(x.in, t, "group", "grant", "millers", "--study", "2.25.71"); code != 0 {
		t.Fatalf("code %d: %s", code, out)
	}
	p.claims = map[string]any{"sub": "r", "preferred_username": "referrer", "role": "outside", "groups": "millers"}
	b := x.browser()
	b.must(200, "GET", b.oidc(p), nil)
	if groups, err := x.in.Registry.Groups(t.Context(), "referrer"); err != nil || len(groups) != 1 {
		t.Fatalf("%v, %v", groups, err)
	}

	p.claims["role"] = "gone"
	c := x.browser()
	c.must(401, "GET", c.oidc(p), nil)
	if groups, err := x.in.Registry.Groups(t.Context(), "referrer"); err != nil || len(groups) != 0 {
		t.Errorf("after a refusal: %v, %v", groups, err)
	}
}
