package sender

import (
	"fmt"
	"slices"
	"testing"

	"collimator/dicom/uid"
)

// manyKinds are files of so many SOP Classes, a few of each.
func manyKinds(classes, each int) []*File {
	var files []*File
	for c := range classes {
		for i := range each {
			files = append(files, &File{SOPClassUID: fmt.Sprintf("2.25.%d", c+1), SOPInstanceUID: fmt.Sprintf("2.25.%d.%d", c+1, i+1), TransferSyntax: uid.ExplicitVRLittleEndian})
		}
	}
	return files
}

func TestBatchesFitTheirContextsIntoAnAssociation(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ classes, each, parallel, least int }{
		{0, 0, 2, 0}, {1, 1, 4, 1}, {1, 10, 2, 2}, {200, 1, 1, 4}, {200, 3, 2, 4}, {64, 2, 1, 1}, {65, 1, 1, 2},
	} {
		files := manyKinds(tc.classes, tc.each)
		list := batches(files, tc.parallel)
		if len(list) < tc.least {
			t.Errorf("%+v: %d batches", tc, len(list))
		}
		var all []*File
		for _, b := range list {
			if n := len(proposals(b)); n < 1 || n > MaxContexts {
				t.Errorf("%+v: a batch of %d files needs %d contexts", tc, len(b), n)
			}
			all = append(all, b...)
		}
		if !slices.Equal(all, files) {
			t.Errorf("%+v: the batches do not hold each file once, in order", tc)
		}
	}
}
