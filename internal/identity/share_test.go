package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/identity"
)

func TestLinksCountUntilTheyEnd(t *testing.T) {
	t.Parallel()
	r, _, clock := open(t)
	if err := r.AddPerson(t.Context(), "grace", "radiologist", "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	make := func(n identity.NewShare) (identity.Share, string, string) {
		t.Helper()
		s, secret, password, err := r.CreateShare(t.Context(), n)
		if err != nil || !strings.HasPrefix(secret, "clms_") || (password != "") != n.Password {
			t.Fatal(secret, password, err)
		}
		return s, secret, password
	}
	first, openSecret, _ := make(identity.NewShare{Study: "1.2.3", Lifetime: time.Hour})
	_, lockedSecret, password := make(identity.NewShare{Study: "1.2.3", Lifetime: 24 * time.Hour, Password: true, Deidentified: true, Owner: "grace"})
	check := func(what, secret, password string, want error) {
		t.Helper()
		s, err := r.AuthenticateShare(t.Context(), secret, password)
		if !errors.Is(err, want) || err == nil && s.Study != "1.2.3" {
			t.Errorf("%s: %+v, %v", what, s, err)
		}
	}
	check("open", openSecret, "", nil)
	check("open with a password it has not", openSecret, "x", nil)
	check("locked", lockedSecret, password, nil)
	check("locked, read out", lockedSecret, " "+strings.ToUpper(password), nil)
	check("locked, without", lockedSecret, "", identity.ErrSharePassword)
	check("locked, wrong", lockedSecret, password[:18]+"0", identity.ErrSharePassword)
	check("nothing", "", "", identity.ErrCredentials)
	check("another", "clms_"+strings.Repeat("A", 43), "", identity.ErrCredentials)
	if err := r.RevokeShare(t.Context(), first.ID, "grace"); fault.Of(err) != fault.NotFound {
		t.Errorf("somebody else's link: %v", err)
	}
	if err := r.RevokeShare(t.Context(), first.ID, ""); err != nil {
		t.Fatal(err)
	}
	check("revoked", openSecret, "", identity.ErrCredentials)
	clock.Advance(24*time.Hour - time.Second)
	check("a second before its end", lockedSecret, password, nil)
	clock.Advance(time.Second)
	check("at its end", lockedSecret, password, identity.ErrCredentials)
	list, err := r.Shares(t.Context(), "grace")
	if err != nil || len(list) != 1 || !list[0].Deidentified || !list[0].HasPassword || list[0].Used.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}

	_, secret, _ := make(identity.NewShare{Study: "1.2.3", Lifetime: time.Hour, Owner: "grace"})
	check("of somebody who is there", secret, "", nil)
	if err := r.DisablePerson(t.Context(), "grace"); err != nil {
		t.Fatal(err)
	}
	check("of somebody who is gone", secret, "", identity.ErrCredentials)
	for what, n := range map[string]identity.NewShare{
		"no study": {Lifetime: time.Hour}, "no time": {Study: "1.2.3"}, "too long": {Study: "1.2.3", Lifetime: 93 * 24 * time.Hour}, "nobody's": {Study: "1.2.3", Lifetime: time.Hour, Owner: "nobody"},
	} {
		if _, _, _, err := r.CreateShare(t.Context(), n); err == nil {
			t.Errorf("%s: a link was made", what)
		}
	}
}
