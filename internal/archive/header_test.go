package archive

import (
	"bytes"
	"io"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Encapsulated values stand in items too, as the icon of a compressed image
// does (PS3.3 C.7.6.1.1.6). The header of such an object reads back, its values
// open, and it spoils no search among others.
func TestEncapsulatedValuesInItemsAreShown(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	store(t, a, image(t, 1, 1, 1))

	long := bytes.Repeat([]byte{1, 2, 3, 4}, 3000)
	for i, icon := range []dicom.Element{
		dicom.NewFragments(tag.PixelData, dicom.OB, nil, bytes.Repeat([]byte{5, 6}, 40)),
		dicom.NewFragments(tag.PixelData, dicom.OB, []byte{0, 0, 0, 0}, long, long[:8]),
		dicom.NewFragments(tag.PixelData, dicom.OB, nil, long, nil, long),
	} {
		ds := image(t, 1, 1, 2+i)
		item := ds.NewItem()
		item.Set(icon)
		deep := item.NewItem()
		deep.Set(icon)
		item.SetItems(0x00091010, deep)
		ds.SetItems(tag.IconImageSequence, item)
		ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, long))
		in := Incoming{TransferSyntaxUID: uid.RLELossless, Data: bytes.NewReader(encoded(t, ds, uid.RLELossless))}
		if _, err := a.Ingest(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}

	got := findAll(t, a, Query{Scope: Everything(), Level: ImageLevel, Relational: true, Keys: keys(t, tag.StudyInstanceUID, "1.2.3.1", tag.ImageType, "")})
	if len(got) != 4 {
		t.Errorf("%d of 4 images are found by a key that no column answers", len(got))
	}
	n := 0
	for h, err := range a.Headers(t.Context(), RetrieveQuery{StudyUIDs: []string{"1.2.3.1"}, Scope: Everything()}) {
		if err != nil {
			t.Fatal(err)
		}
		for v := range h.DataSet.Walk() {
			if v.Tag != tag.PixelData || !v.Encapsulated() {
				continue
			}
			for i := range v.FragmentCount() {
				r, err := v.OpenFragment(i)
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(r)
				if err != nil || len(b) >= len(long) && !bytes.Equal(b, long) {
					t.Errorf("fragment %d of %v: %d bytes, %v", i, v.Path, len(b), err)
				}
			}
			n++
		}
	}
	if n != 9 {
		t.Errorf("%d of 9 encapsulated values are in the headers", n)
	}
}
