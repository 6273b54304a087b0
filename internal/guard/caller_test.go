package guard

import (
	"context"
	"testing"

	"collimator/internal/policy"
)

func TestOutsideOfARequestNothingIsSeen(t *testing.T) {
	t.Parallel()
	if s := Sight(t.Context()); s.Everything || len(s.Studies) > 0 {
		t.Errorf("the sight is %+v", s)
	}
	if s := Scope(t.Context()); s.Unbounded() || s.Holds("1.2") {
		t.Errorf("the scope is %+v", s)
	}
}

func TestTheScopeOfARequestIsTheSightOfItsCaller(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		sight policy.Sight
		holds bool // the study 1.2
		all   bool
	}{
		{"forgotten", policy.Sight{}, false, false},
		{"everything", policy.Sight{Everything: true}, true, true},
		{"this study", policy.Sight{Studies: []string{"1.2"}}, true, false},
		{"another study", policy.Sight{Studies: []string{"1.3"}}, false, false},
		{"without identity", policy.Sight{Everything: true, Deidentified: true}, false, false},
	} {
		ctx := identityContext(context.Background(), &Caller{sight: c.sight})
		s := Scope(ctx)
		if s.Holds("1.2") != c.holds || s.Unbounded() != c.all {
			t.Errorf("%s: holds the study %t, everything %t", c.name, s.Holds("1.2"), s.Unbounded())
		}
	}
}
