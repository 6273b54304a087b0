package archive

import (
	"bytes"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// TestAHeaderThatIsAnotherDoesNotReadBack changes one thing of a data set at a
// time: the stored form of the first is not that of the second.
func TestAHeaderThatIsAnotherDoesNotReadBack(t *testing.T) {
	t.Parallel()
	ts, _ := dicom.LookupTransferSyntax(uid.RLELossless)
	var wire []byte
	read := func(change func(ds, item *dicom.DataSet)) *dicom.DataSet {
		ds := dicom.NewDataSet()
		item := ds.NewItem()
		ds.Set(dicom.NewText(tag.PatientName, dicom.PN, "ZZPHI^A"))
		item.Set(dicom.NewText(tag.CodeValue, dicom.SH, "B"))
		ds.SetItems(tag.ConceptNameCodeSequence, item)
		ds.Set(dicom.NewElement(tag.RedPaletteColorLookupTableData, dicom.OW, bytes.Repeat([]byte{1}, 5000)))
		ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, []byte{0, 0, 0, 0}, []byte{1, 2}, []byte{3, 4, 5, 6}))
		change(ds, item)

		wire = encoded(t, ds, ts.UID)
		sp := &spool{}
		out, err := dicom.Decode(bytes.NewReader(wire), dicom.DecodeOptions{TransferSyntax: ts.UID, BulkThreshold: bulkThreshold, Source: sp})
		if err != nil {
			t.Fatal(err)
		}
		sp.ds = out
		return out
	}
	same := read(func(_, _ *dicom.DataSet) {})
	packed, err := packHeader(same, ts, int64(len(wire)))
	if err != nil || packed == nil {
		t.Fatalf("%v, %d bytes", err, len(packed))
	}
	if !readsBack(packed, ts, same) {
		t.Error("the data set itself does not read back")
	}
	for name, change := range map[string]func(ds, item *dicom.DataSet){
		"a value":        func(ds, _ *dicom.DataSet) { ds.Set(dicom.NewText(tag.PatientName, dicom.PN, "ZZPHI^C")) },
		"a length":       func(ds, _ *dicom.DataSet) { ds.Set(dicom.NewText(tag.PatientName, dicom.PN, "ZZPHI^AAAA")) },
		"a VR":           func(ds, _ *dicom.DataSet) { ds.Set(dicom.NewText(tag.PatientName, dicom.LO, "ZZPHI^A")) },
		"one more":       func(ds, _ *dicom.DataSet) { ds.Set(dicom.NewText(tag.PatientID, dicom.LO, "")) },
		"one less":       func(ds, _ *dicom.DataSet) { ds.Delete(tag.PatientName) },
		"one at the end": func(ds, _ *dicom.DataSet) { ds.Set(dicom.NewText(0x7FE10010, dicom.LO, "X")) },
		"in an item":     func(_, item *dicom.DataSet) { item.Set(dicom.NewText(tag.CodeValue, dicom.SH, "C")) },
		"an item more":   func(ds, item *dicom.DataSet) { ds.SetItems(tag.ConceptNameCodeSequence, item, ds.NewItem()) },
		"no item":        func(ds, _ *dicom.DataSet) { ds.SetItems(tag.ConceptNameCodeSequence) },
		"a large value": func(ds, _ *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.RedPaletteColorLookupTableData, dicom.OW, bytes.Repeat([]byte{1}, 5002)))
		},
		"the offset table": func(ds, _ *dicom.DataSet) {
			ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, []byte{1, 0, 0, 0}, []byte{1, 2}, []byte{3, 4, 5, 6}))
		},
		"a fragment": func(ds, _ *dicom.DataSet) {
			ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, []byte{0, 0, 0, 0}, []byte{1, 2, 3, 4}, []byte{5, 6}))
		},
		"a fragment more": func(ds, _ *dicom.DataSet) {
			ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, []byte{0, 0, 0, 0}, []byte{1, 2}, []byte{3, 4, 5, 6}, []byte{1, 2}))
		},
		"a fragment less": func(ds, _ *dicom.DataSet) {
			ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, []byte{0, 0, 0, 0}, []byte{1, 2}))
		},
	} {
		if readsBack(packed, ts, read(change)) {
			t.Errorf("%s is another, and reads back as the same", name)
		}
	}
}
