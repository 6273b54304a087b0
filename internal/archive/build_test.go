package archive

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/db/dbtest"
)

// opened is an archive in a directory of its own.
type opened struct {
	*Archive
	db    *db.DB
	blobs *blob.Dir
}

func openTest(t testing.TB, change ...func(*Options)) *opened {
	t.Helper()
	a, err := openIn(t.TempDir(), change...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.close() })
	return a
}

// openIn opens the archive of a directory, and makes it where there is none.
func openIn(dir string, change ...func(*Options)) (*opened, error) {
	d, err := dbtest.Open(context.Background(), filepath.Join(dir, "collimator.db"))
	if err != nil {
		return nil, err
	}
	b, err := blob.OpenDir(filepath.Join(dir, "blobs"))
	if err != nil {
		return nil, err
	}
	o := Options{DB: d, Blobs: b}
	for _, f := range change {
		f(&o)
	}
	a, err := Open(o)
	return &opened{a, d, b}, err
}

func (o *opened) close() {
	o.db.Close()
	o.blobs.Close()
}

// image makes a small CT image of study s, series e, instance i. Pairs of tag
// and text follow, in UTF-8.
func image(t testing.TB, s, e, i int, pairs ...any) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	text(t, ds, tag.SpecificCharacterSet, "ISO_IR 192")
	text(t, ds, tag.SOPClassUID, uid.CTImageStorage)
	text(t, ds, tag.SOPInstanceUID, fmt.Sprintf("1.2.3.%d.%d.%d", s, e, i))
	text(t, ds, tag.StudyInstanceUID, fmt.Sprintf("1.2.3.%d", s))
	text(t, ds, tag.SeriesInstanceUID, fmt.Sprintf("1.2.3.%d.%d", s, e))
	text(t, ds, tag.PatientName, fmt.Sprintf("ZZPHI^Patient%d", s))
	text(t, ds, tag.PatientID, fmt.Sprintf("ID%d", s))
	text(t, ds, tag.PatientBirthDate, "19700102")
	text(t, ds, tag.PatientSex, "F")
	text(t, ds, tag.StudyDate, "20260102")
	text(t, ds, tag.StudyTime, "101112.5")
	text(t, ds, tag.AccessionNumber, fmt.Sprintf("ACC%d", s))
	text(t, ds, tag.StudyDescription, "Chest")
	text(t, ds, tag.Modality, "CT")
	text(t, ds, tag.SeriesNumber, fmt.Sprint(e))
	text(t, ds, tag.InstanceNumber, fmt.Sprint(i))
	for k := 0; k < len(pairs); k += 2 {
		text(t, ds, pairs[k].(dicom.Tag), pairs[k+1].(string))
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, bytes.Repeat([]byte{byte(i), byte(s)}, 4000)))
	return ds
}

func text(t testing.TB, ds *dicom.DataSet, tg dicom.Tag, value string) {
	t.Helper()
	if err := ds.SetText(tg, value); err != nil {
		t.Fatal(err)
	}
}

func encoded(t testing.TB, ds *dicom.DataSet, ts string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, ts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func incoming(t testing.TB, ds *dicom.DataSet) Incoming {
	return Incoming{
		SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID),
		TransferSyntaxUID: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(encoded(t, ds, uid.ExplicitVRLittleEndian)),
		Source: Source{AETitle: "CT1", Address: "127.0.0.1"},
	}
}

func store(t testing.TB, a *opened, ds *dicom.DataSet) Receipt {
	t.Helper()
	r, err := a.Ingest(t.Context(), incoming(t, ds))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantStats(t testing.TB, a *opened, patients, studies, series, instances, quarantined int64) {
	t.Helper()
	s, err := a.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Bytes, s.QuarantinedBytes = 0, 0
	if want := (Stats{Patients: patients, Studies: studies, Series: series, Instances: instances, Quarantined: quarantined}); s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	for p, err := range a.Verify(t.Context(), VerifyOptions{}) {
		t.Errorf("verify: %+v, %v", p, err)
	}
}

// newLatin is a data set with one text written over, of the same length in bytes.
func newLatin(data []byte, from, to string) *bytes.Reader {
	return bytes.NewReader(bytes.Replace(data, []byte(from), []byte(to), 1))
}
