package verify

import (
	"fmt"
	"testing"

	"collimator/dicom/sign"

	"collimator/internal/fault"
)

func TestSampleTakesAPercentage(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]float64{"": 1, "5%": 0.05, "100%": 1, "0.5": 0.005} {
		if got, err := ParseShare(s); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"0", "-1", "101%", "x", "NaN", "%"} {
		if _, err := ParseShare(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestTheVerdictAboutSignaturesNamesTheWorst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		verdicts []sign.State
		want     fault.Ending
		none     bool
	}{
		"all valid":            {[]sign.State{sign.Valid, sign.Valid}, fault.Failed, true},
		"one altered":          {[]sign.State{sign.Valid, sign.Untrusted, sign.Altered}, fault.Failed, false},
		"one that is doubtful": {[]sign.State{sign.Valid, sign.Untrusted}, fault.Partly, false},
	} {
		k := &Signatures{}
		for _, v := range c.verdicts {
			k.Found = append(k.Found, Signature{Verdict: v})
		}
		if err := k.Verdict(); (err == nil) != c.none || fault.EndingOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
