package archive

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// rich is an image with values of every word size, an item, and an odd length.
func rich(t *testing.T) *dicom.DataSet {
	t.Helper()
	ds := image(t, 1, 1, 1)
	item := ds.NewItem()
	if err := item.SetText(tag.CodeValue, "113100"); err != nil {
		t.Fatal(err)
	}
	if err := item.SetFloat(tag.RecommendedDisplayFrameRateInFloat, 12.5); err != nil {
		t.Fatal(err)
	}
	ds.SetItems(tag.ProcedureCodeSequence, item)
	if err := ds.SetInt(tag.Rows, 513); err != nil {
		t.Fatal(err)
	}
	if err := ds.SetInt(tag.BitsAllocated, 16); err != nil {
		t.Fatal(err)
	}
	ds.Set(dicom.NewElement(0x00091010, dicom.LO, []byte("ZZPHI private")))

	return ds
}

func sent(t *testing.T, ds *dicom.DataSet, data []byte, ts string) Incoming {
	t.Helper()
	in := incoming(t, ds)
	in.TransferSyntaxUID = ts
	in.Data = bytes.NewReader(data)

	return in
}

// Two programs write one object in two ways. It is the same object.
func TestTheSameElementsInAnotherEncodingAreADuplicate(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ds := rich(t)
	store(t, a, ds)
	plain := encoded(t, ds, uid.ExplicitVRLittleEndian)

	group := dicom.NewElement(0x00080000, dicom.UL, []byte{1, 0, 0, 0})
	grouped := ds.Clone()
	grouped.Set(group)
	for name, in := range map[string]Incoming{
		"implicit":      sent(t, ds, encoded(t, ds, uid.ImplicitVRLittleEndian), uid.ImplicitVRLittleEndian),
		"big endian":    sent(t, ds, encoded(t, ds, uid.ExplicitVRBigEndian), uid.ExplicitVRBigEndian),
		"deflated":      sent(t, ds, encoded(t, ds, uid.DeflatedExplicitVRLittleEndian), uid.DeflatedExplicitVRLittleEndian),
		"group lengths": sent(t, ds, encoded(t, grouped, uid.ExplicitVRLittleEndian), uid.ExplicitVRLittleEndian),
		"undefined":     sent(t, ds, undefinedLengths(t, plain), uid.ExplicitVRLittleEndian),
		"padding":       sent(t, ds, append(slices.Clone(plain), 0xFC, 0xFF, 0xFC, 0xFF, 'O', 'B', 0, 0, 4, 0, 0, 0, 0, 0, 0, 0), uid.ExplicitVRLittleEndian),
	} {
		r, err := a.Ingest(t.Context(), in)
		if err != nil || !r.Duplicate {
			t.Errorf("%s: %+v, %v", name, r.Duplicate, err)
		}
	}
	wantStats(t, a, 1, 1, 1, 1, 0)
	if n := blobCount(t, a); n != 1 {
		t.Errorf("%d files", n)
	}
}

// undefinedLengths writes the one sequence of rich with undefined length, as
// other toolkits do.
func undefinedLengths(t *testing.T, data []byte) []byte {
	t.Helper()
	head := []byte{0x08, 0x00, 0x32, 0x10, 'S', 'Q', 0, 0}
	at := bytes.Index(data, head)
	if at < 0 {
		t.Fatal("no sequence")
	}
	n := int(data[at+8]) | int(data[at+9])<<8
	if data[at+8] == 0xFF {
		t.Skip("written with undefined length already")
	}
	out := slices.Clone(data[:at+8])
	out = append(out, 0xFF, 0xFF, 0xFF, 0xFF)
	out = append(out, data[at+12:at+12+n]...)
	out = append(out, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0)

	return append(out, data[at+12+n:]...)
}

// One value that differs, however deep and in whatever encoding, is another
// object.
func TestOneOtherValueIsAnotherObject(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	store(t, a, rich(t))
	changes := map[string]func(ds *dicom.DataSet){
		"text":     func(ds *dicom.DataSet) { text(t, ds, tag.StudyDescription, "Chesu") },
		"missing":  func(ds *dicom.DataSet) { ds.Delete(tag.PatientSex) },
		"more":     func(ds *dicom.DataSet) { text(t, ds, tag.SeriesDescription, "x") },
		"number":   func(ds *dicom.DataSet) { ds.Set(dicom.NewElement(tag.Rows, dicom.US, []byte{2, 1})) },
		"in items": func(ds *dicom.DataSet) { text(t, ds.Items(tag.ProcedureCodeSequence)[0], tag.CodeValue, "113101") },
		"pixels": func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, bytes.Repeat([]byte{1, 1}, 3999)))
		},
		"last pixel": func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, append(bytes.Repeat([]byte{1, 1}, 3999), 1, 2)))
		},
	}
	for name, change := range changes {
		for _, ts := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian} {
			ds := rich(t)
			change(ds)
			_, err := a.Ingest(t.Context(), sent(t, ds, encoded(t, ds, ts), ts))
			if conflict, ok := errors.AsType[*ConflictError](err); !ok || conflict.Reason != DifferentContent {
				t.Errorf("%s as %s: %v", name, uid.Name(ts), err)
			}
		}
	}
}
