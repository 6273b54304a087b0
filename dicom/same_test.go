package dicom_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// scan is a data set with values of several word sizes, an item and pixel data.
func scan(t *testing.T, patient string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for k, v := range map[tag.Tag]string{tag.SOPInstanceUID: "1.2.3", tag.PatientID: patient, tag.PatientName: "ZZPHI^A"} {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range map[tag.Tag]int64{tag.Rows: 513, tag.BitsAllocated: 16} {
		if err := ds.SetInt(k, v); err != nil {
			t.Fatal(err)
		}
	}
	item := ds.NewItem()
	if err := item.SetText(tag.CodeValue, "113100"); err != nil {
		t.Fatal(err)
	}
	ds.SetItems(tag.ProcedureCodeSequence, item)
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, bytes.Repeat([]byte{1, 2}, 5000)))
	return ds
}

func in(t *testing.T, ds *dicom.DataSet, ts string) dicom.Encoded {
	t.Helper()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, ts); err != nil {
		t.Fatal(err)
	}
	return dicom.Encoded{Data: &b, TransferSyntax: ts}
}

func TestElementsAreTheSameInWhateverNativeSyntax(t *testing.T) {
	t.Parallel()
	syntaxes := []string{
		uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian,
	}
	for _, x := range syntaxes {
		for _, y := range syntaxes {
			for patient, want := range map[string]bool{"ZZPHI-1": true, "ZZPHI-2": false} {
				got, err := dicom.SameElements(in(t, scan(t, "ZZPHI-1"), x), in(t, scan(t, patient), y), dicom.Limits{})
				if err != nil || got != want {
					t.Errorf("%s and %s, %s: %v, %v", uid.Name(x), uid.Name(y), patient, got, err)
				}
			}
		}
	}

	half := in(t, scan(t, "ZZPHI-1"), uid.ExplicitVRLittleEndian)
	half.Data = io.LimitReader(half.Data, 100)
	if same, _ := dicom.SameElements(half, in(t, scan(t, "ZZPHI-1"), uid.ExplicitVRLittleEndian), dicom.Limits{}); same {
		t.Error("half a data set is taken for the whole")
	}
}

func TestTheHashOfAPassageIsOfWhatTheDataSetSaysInItsSyntax(t *testing.T) {
	t.Parallel()
	sum := func(ds *dicom.DataSet, ts string) [32]byte {
		p, err := dicom.ReadPassage(in(t, ds, ts).Data, dicom.DecodeOptions{TransferSyntax: ts})
		if err != nil {
			t.Fatal(err)
		}
		p.Hash = sha256.New()
		if _, err := p.WriteTo(io.Discard); err != nil {
			t.Fatal(err)
		}
		return [32]byte(p.Hash.Sum(nil))
	}
	for _, ts := range []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian} {
		first, second := sum(scan(t, "ZZPHI-1"), ts), sum(scan(t, "ZZPHI-1"), ts)
		if first != second {
			t.Errorf("%s: one data set, two hashes", ts)
		}
		if sum(scan(t, "ZZPHI-1"), ts) == sum(scan(t, "ZZPHI-2"), ts) {
			t.Errorf("%s: two data sets, one hash", ts)
		}
	}
	if sum(scan(t, "ZZPHI-1"), uid.DeflatedExplicitVRLittleEndian) != sum(scan(t, "ZZPHI-1"), uid.ExplicitVRLittleEndian) {
		t.Error("deflation is in the hash")
	}
}
