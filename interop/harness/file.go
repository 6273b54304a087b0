package harness

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Instance says what a small image holds. Fields that are empty get a value.
type Instance struct {
	PatientName, PatientID string
	CharacterSet           []string
	Study, Series, UID     string
	Modality               string
	StudyDate              string
	Pixels                 int // bytes of pixel data; even
	Fill                   byte
	Set                    map[dicom.Tag]string
}

// DataSet makes a Secondary Capture image.
func (in Instance) DataSet(t testing.TB) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	if len(in.CharacterSet) > 0 {
		if err := ds.SetCharacterSet(in.CharacterSet...); err != nil {
			t.Fatal(err)
		}
	}

	or := func(v, otherwise string) string {
		if v == "" {
			return otherwise
		}
		return v
	}

	values := map[dicom.Tag]string{
		tag.SOPClassUID: uid.SecondaryCaptureImageStorage, tag.SOPInstanceUID: or(in.UID, uid.New()),
		tag.StudyInstanceUID: or(in.Study, uid.New()), tag.SeriesInstanceUID: or(in.Series, uid.New()),
		tag.PatientName: or(in.PatientName, Marker+"^TEST"), tag.PatientID: or(in.PatientID, "ZZPHI-1"),
		tag.StudyDate: or(in.StudyDate, "20260102"), tag.StudyTime: "101112", tag.Modality: or(in.Modality, "OT"),
		tag.ConversionType: "WSD", tag.PhotometricInterpretation: "MONOCHROME2", tag.InstanceNumber: "1", tag.SeriesNumber: "1",
	}
	for k, v := range in.Set {
		values[k] = v
	}

	for k, v := range values {
		if err := ds.SetText(k, v); err != nil {
			t.Fatalf("%s: %v", k, err)
		}
	}

	n := max(in.Pixels, 256)
	rows := n / 256
	for k, v := range map[dicom.Tag]int64{
		tag.SamplesPerPixel: 1, tag.Rows: int64(rows), tag.Columns: 256, tag.BitsAllocated: 8, tag.BitsStored: 8, tag.HighBit: 7, tag.PixelRepresentation: 0,
	} {
		if err := ds.SetInt(k, v); err != nil {
			t.Fatal(err)
		}
	}

	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, bytes.Repeat([]byte{in.Fill, 1}, rows*128)))
	return ds
}

// Write writes the image as a Part 10 file and returns its path.
func (in Instance) Write(t testing.TB, dir string) string {
	t.Helper()
	return WriteFile(t, dir, in.DataSet(t))
}

// WriteFile writes a data set as a Part 10 file in Explicit VR Little Endian.
func WriteFile(t testing.TB, dir string, ds *dicom.DataSet) string {
	t.Helper()
	var b bytes.Buffer
	b.Write(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntaxUID: uid.ExplicitVRLittleEndian,
		ImplementationClassUID: "2.25.1",
	}))
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}

	path := filepath.Join(dir, ds.Text(tag.SOPInstanceUID)+".dcm")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ReadFile reads a Part 10 file.
func ReadFile(t testing.TB, path string) *dicom.File {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return f
}

// Files lists the files below a directory.
func Files(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ReadBytes is the content of a file.
func ReadBytes(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
