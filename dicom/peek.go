package dicom

import (
	"bufio"
	"bytes"
	"io"
	"slices"

	"collimator/dicom/uid"
)

// PeekSize is the bytes of a data set in which its UIDs are looked for: they
// are among the first elements. A reader for Peek needs a buffer of this size.
const PeekSize = 256 << 10

// longestPeek is the most bytes of a UID that is looked at; a valid one has 64.
const longestPeek = 128

// Peek reads UIDs at the start of a data set, as far as they stand in its first
// PeekSize bytes or in what fits the buffer of r, and takes no bytes from r. It
// gives the UIDs of the tags that stand outside of sequences. A UID that is cut
// off, damaged or malformed is left out, and so is the error of r: the decoder
// that reads the whole data set meets it again.
func Peek(r *bufio.Reader, transferSyntax string, tags ...Tag) map[Tag]string {
	beginning, _ := r.Peek(min(PeekSize, r.Size()))
	return peekUIDs(beginning, transferSyntax, tags)
}

func peekUIDs(beginning []byte, transferSyntax string, tags []Tag) map[Tag]string {
	found := map[Tag]string{}
	if len(tags) == 0 {
		return found
	}

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
