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

// Zeros up to the end are what some writers fill up a block with: the data set
// ends where they begin. Between elements they are an error.
func TestZerosBehindTheDataSetEndIt(t *testing.T) {
	t.Parallel()
	ds := NewDataSet()
	if err := ds.SetText(tag.PatientID, "ZZPHI-1"); err != nil {
		t.Fatal(err)
	}
	for _, ts := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian} {
		var b bytes.Buffer
		if err := Encode(&b, ds, ts); err != nil {
			t.Fatal(err)
		}
		element := bytes.Clone(b.Bytes())
		for _, n := range []int{1, 7, 8, 513, 100_000} {
			got, err := Decode(bytes.NewReader(append(bytes.Clone(element), make([]byte, n)...)), DecodeOptions{TransferSyntax: ts})
			if err != nil || !got.Equal(ds) || len(got.Notes()) == 0 {
				t.Errorf("%s, %d zeros: %v", ts, n, err)
			}
		}

		between := append(append(bytes.Clone(element), make([]byte, 16)...), element...)
		if _, err := Decode(bytes.NewReader(between), DecodeOptions{TransferSyntax: ts}); err == nil {
			t.Errorf("%s: zeros between elements were read over", ts)
		}
	}
}
