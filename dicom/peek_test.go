package dicom

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"testing"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func TestPeekReadsTheUIDsThatAreThereAndTakesNothing(t *testing.T) {
	t.Parallel()
	ds := NewDataSet()
	inner := NewDataSet()
	for _, err := range []error{
		inner.SetText(tag.StudyInstanceUID, "1.2.9"),
		ds.SetText(tag.SOPClassUID, uid.CTImageStorage),
		ds.SetText(tag.SOPInstanceUID, "1.2.3"),
		ds.SetText(tag.StudyInstanceUID, "1.2.4"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ds.SetItems(tag.ReferencedStudySequence, inner)
	ds.Set(NewElement(tag.SeriesInstanceUID, UI, []byte("no UID")))

	var b bytes.Buffer
	if err := Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	asked := []Tag{tag.SOPClassUID, tag.SOPInstanceUID, tag.StudyInstanceUID, tag.SeriesInstanceUID}
	want := map[Tag]string{tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: "1.2.3", tag.StudyInstanceUID: "1.2.4"}
	r := bufio.NewReaderSize(bytes.NewReader(b.Bytes()), PeekSize)
	for range 2 {
		if got := Peek(r, uid.ExplicitVRLittleEndian, asked...); !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if rest, err := io.ReadAll(r); err != nil || !bytes.Equal(rest, b.Bytes()) {
		t.Errorf("%d bytes are left of %d: %v", len(rest), b.Len(), err)
	}
	if got := Peek(r, uid.ExplicitVRLittleEndian); len(got) != 0 {
		t.Errorf("without a tag: %v", got)
	}

	// What is cut off is not there, and nothing is made of a part of it.
	for n := range b.Len() {
		for k, u := range Peek(bufio.NewReader(bytes.NewReader(b.Bytes()[:n])), uid.ExplicitVRLittleEndian, asked...) {
			if u != want[k] {
				t.Errorf("%d bytes: %s is %q", n, k, u)
			}
		}
	}
}
