package index

import (
	"strings"
	"testing"

	"collimator/dicom"
)

func TestPatternTakesNoTimeToRefuse(t *testing.T) {
	t.Parallel()
	if glob(strings.Repeat("a*", 5000)+"b", strings.Repeat("a", 20000)) {
		t.Error("matched")
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		vr          dicom.VR
		key, stored string
		want        bool
	}{
		{dicom.DT, "20260102", "20260102101112", true},
		{dicom.DT, "2026", "20260102101112.5", true},
		{dicom.DT, "20260102-20260103", "20260103235959", true},
		{dicom.DT, "20260102-20260103", "20260104", false},
		{dicom.DT, "-2025", "20251231", true},
		{dicom.DT, "2026-", "20251231", false},
		{dicom.DT, "20260102100000+0100", "20260102090000+0000", true},
		{dicom.DT, "20260102100000-0500-20260102110000-0500", "20260102153000+0000", true},
		{dicom.DT, "20260102100000-0500-20260102110000-0500", "20260102103000+0000", false},
		{dicom.DT, "20261399", "20260102", false},
		{dicom.TM, "10-11", "105959.999", true},
		{dicom.TM, "-095959", "10", false},
		{dicom.TM, "10:30", "103015", true},
		{dicom.DA, "20260101-", "20260101", true},
		{dicom.DA, "20260101-", "", false},
	} {
		if got := matchMoment(c.vr, []string{c.key}, []string{c.stored}); got != c.want {
			t.Errorf("%s %s against %s: %v", c.vr, c.key, c.stored, got)
		}
	}
}
