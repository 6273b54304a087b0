package dicom

import (
	"bytes"
	"io"
	"slices"

	"collimator/dicom/uid"
)

// longestPeek is the most bytes of a UID that is looked at; a valid one has 64.
const longestPeek = 128

// PeekUIDs reads UIDs of a data set of which only the beginning is there: those
// of the tags that stand in it outside of sequences. What is cut off, damaged,
// or no UID is left out: who reads the whole data set is told.
func PeekUIDs(beginning []byte, transferSyntax string, tags ...Tag) map[Tag]string {
	found := map[Tag]string{}
	last := slices.Max(tags)
	d := NewDecoder(bytes.NewReader(beginning), DecodeOptions{TransferSyntax: transferSyntax})
	for {
		ev, err := d.Next()
		if err != nil || ev.Depth == 0 && ev.Tag > last {
			return found
		}
		if ev.Kind != ElementEvent || ev.Depth > 0 || ev.Length > longestPeek || !slices.Contains(tags, ev.Tag) {
			continue
		}

		value := make([]byte, ev.Length)
		if _, err := io.ReadFull(d, value); err != nil {
			return found
		}
		if u := NewElement(ev.Tag, UI, value).Text(); uid.Tolerable(u) {
			found[ev.Tag] = u
		}
	}
}
