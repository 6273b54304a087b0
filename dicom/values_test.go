package dicom

import (
	"slices"
	"testing"

	"collimator/dicom/tag"
)

func TestValuesLeavesOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]string{"": nil, `\`: nil, `1.2`: {"1.2"}, `1.2\\1.3\`: {"1.2", "1.3"}} {
		ds := NewDataSet()
		ds.Set(NewElement(tag.StudyInstanceUID, UI, []byte(raw)))
		if got := ds.Values(tag.StudyInstanceUID); !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
	if got := NewDataSet().Values(tag.StudyInstanceUID); got != nil {
		t.Errorf("of an element that is missing: %q", got)
	}
}
