package fetch

import (
	"testing"

	"collimator/dicom/uid"
	"collimator/internal/sender"
)

func TestGetProposesAtMostAsManyContextsAsFit(t *testing.T) {
	t.Parallel()
	for _, classes := range []int{1, 3, 7, 60, 127} {
		list := storageContexts(uid.StorageClasses()[:classes], AnySyntax())
		if len(list) > sender.MaxContexts-1 {
			t.Errorf("%d classes: %d contexts beside that of C-GET", classes, len(list))
		}
		seen := map[string]bool{}
		for _, pc := range list {
			seen[pc.AbstractSyntax] = true
		}
		if len(seen) != classes {
			t.Errorf("%d classes: %d are proposed", classes, len(seen))
		}
	}
}
