package index

import (
	"slices"
	"testing"

	"collimator/dicom/tag"
)

func TestIndexedKeysAreThoseOfTheInformationModels(t *testing.T) {
	t.Parallel()
	p := &plan{}
	for l := PatientLevel; l <= ImageLevel; l++ {
		keys := IndexedKeys(l)
		if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
			t.Errorf("%s: keys are not in order or stand twice: %v", l, keys)
		}
		for _, k := range keys {
			_, column := p.columnOf(k)
			if special := k == tag.PatientName || k == tag.ReferringPhysicianName || k == tag.ModalitiesInStudy || k == tag.SOPClassesInStudy; !column && !special {
				t.Errorf("%s: %s has no column", l, k.Keyword())
			}
		}
	}
}
