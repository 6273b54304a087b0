package sitetest_test

import (
	"testing"

	"collimator/internal/house/sitetest"
)

func TestRandomUIDIsNotTakenForTheOtherStudy(t *testing.T) {
	t.Parallel()
	if sitetest.HoldsUID(`"2.25.71426733734346247683862382955109611372"`, `2.25.71`) {
		t.Error("a random UID counts as another study")
	}
	for _, text := range []string{"2.25.71", `["2.25.71"]`, "/studies/2.25.71/series"} {
		if !sitetest.HoldsUID(text, `2.25.71`) {
			t.Errorf("%s: not found", text)
		}
	}
}
