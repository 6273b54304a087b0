package dicom

import (
	"bytes"
	"testing"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func TestNewDataSetRoundTripsInEverySyntax(t *testing.T) {
	for _, ts := range []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian} {
		for _, open := range []bool{false, true} {
			ds := NewDataSet()
			if err := ds.SetText(tag.PatientName, "ZZPHI^Test"); err != nil {
				t.Fatal(err)
			}
			if err := ds.SetInt(tag.Rows, 513); err != nil {
				t.Fatal(err)
			}
			item := NewDataSet()
			item.SetText(tag.CodeValue, "123")
			ds.SetItems(tag.ConceptNameCodeSequence, item, NewDataSet())
			var buf bytes.Buffer
			if err := EncodeWith(&buf, ds, EncodeOptions{TransferSyntax: ts, UndefinedLengths: open}); err != nil {
				t.Fatal(err)
			}
			got, err := Decode(bytes.NewReader(buf.Bytes()), DecodeOptions{TransferSyntax: ts})
			if err != nil {
				t.Fatal(ts, err)
			}
			if got.Text(tag.PatientName) != "ZZPHI^Test" {
				t.Error(ts, "name differs")
			}
			if v, ok := got.Int(tag.Rows); !ok || v != 513 {
				t.Error(ts, v, ok)
			}
			if items := got.Items(tag.ConceptNameCodeSequence); len(items) != 2 || items[0].Text(tag.CodeValue) != "123" {
				t.Error(ts, "items differ")
			}
			var again bytes.Buffer
			if err := Encode(&again, got, ts); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again.Bytes(), buf.Bytes()) {
				t.Error(ts, "written differently")
			}
		}
	}
}
