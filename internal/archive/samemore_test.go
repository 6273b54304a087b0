package archive

import (
	"bytes"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Values of both objects that one VR of UN makes look the same.
func TestValuesUnderUNAreComparedAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		vr   dicom.VR
		x, y []byte
		ts   string
	}{
		// In big endian a UN is written as it is; the stored US is swapped.
		"number in big endian": {dicom.US, []byte{1, 2}, []byte{2, 1}, uid.ExplicitVRLittleEndian},
		"blanks in the middle": {dicom.LO, []byte("A \\B "), []byte("A\\B "), uid.ExplicitVRLittleEndian},
		"zeros of OB":          {dicom.OB, []byte{1, 0, 0, 0}, []byte{1, 0}, uid.ExplicitVRLittleEndian},
		"zeros of text":        {dicom.LO, []byte{'A', 0, 0, 0}, []byte{'A', ' '}, uid.ExplicitVRLittleEndian},
	} {
		a := openTest(t)
		ds := image(t, 1, 1, 1)
		plain := encoded(t, ds, uid.ExplicitVRLittleEndian)
		short := func(v []byte, vr dicom.VR) []byte {
			d := image(t, 1, 1, 1)
			d.Set(dicom.NewElement(0x00091010, vr, v))
			return encoded(t, d, uid.ExplicitVRLittleEndian)
		}
		_ = plain
		if _, err := a.Ingest(t.Context(), sent(t, ds, short(c.x, c.vr), c.ts)); err != nil {
			t.Fatal(err)
		}
		r, err := a.Ingest(t.Context(), sent(t, ds, short(c.y, dicom.UN), c.ts))
		t.Logf("%s: duplicate %v, %v", name, r.Duplicate, err)
	}
}

// Two elements of one tag, of which the second differs or is missing.
func TestAnElementThatStandsTwiceCounts(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ds := image(t, 1, 1, 1)
	plain := encoded(t, ds, uid.ExplicitVRLittleEndian)
	one := explicit(0x0029, 0x1010, "OB", []byte{1, 2})
	two := explicit(0x0029, 0x1010, "OB", []byte{3, 4})
	if _, err := a.Ingest(t.Context(), sent(t, ds, beforePixels(plain, append(one[:len(one):len(one)], two...)), uid.ExplicitVRLittleEndian)); err != nil {
		t.Logf("refused: %v", err)
		return
	}
	other(t, a, sent(t, ds, beforePixels(plain, one), uid.ExplicitVRLittleEndian))
}

// What hides in a group length or behind FFFC,FFFC in an item is lost when it is called padding.
func TestContentInItemsUnderThePaddingTag(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	store(t, a, image(t, 1, 1, 1))
	ds := image(t, 1, 1, 1)
	data := beforePixels(encoded(t, ds, uid.ExplicitVRLittleEndian), explicit(0x0029, 0x0000, "OB", bytes.Repeat([]byte("payload!"), 1000)))
	r, err := a.Ingest(t.Context(), sent(t, ds, data, uid.ExplicitVRLittleEndian))
	t.Logf("group length of 8000 bytes OB: duplicate %v, %v", r.Duplicate, err)
	_ = tag.PixelData
}
