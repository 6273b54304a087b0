package sitetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"regexp"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/archive"
)

// Ingest stores instance i; fill is the value of its pixels.
func Ingest(t testing.TB, a *archive.Archive, i int, fill byte) {
	t.Helper()
	if err := ingest(t.Context(), a, i, fill); err != nil {
		t.Fatal(err)
	}
}

func ingest(ctx context.Context, a *archive.Archive, i int, fill byte) error {
	in, err := incoming(i, fill)
	if err != nil {
		return err
	}
	_, err = a.Ingest(ctx, in)

	return err
}

// Incoming is instance i on its way in: three to a study, and a study to a patient.
func Incoming(t testing.TB, i int, fill byte) archive.Incoming {
	t.Helper()
	in, err := incoming(i, fill)
	if err != nil {
		t.Fatal(err)
	}

	return in
}

func incoming(i int, fill byte) (in archive.Incoming, err error) {
	ds := dicom.NewDataSet()
	for k, v := range map[dicom.Tag]string{
		tag.SOPClassUID:       uid.SecondaryCaptureImageStorage,
		tag.SOPInstanceUID:    fmt.Sprintf("2.25.9%d", i),
		tag.StudyInstanceUID:  fmt.Sprintf("2.25.7%d", i/3),
		tag.SeriesInstanceUID: fmt.Sprintf("2.25.8%d%d", i/3+1, i%2),
		tag.PatientName:       fmt.Sprintf("ZZPHI^NUMBER%d", i/3),
		tag.PatientID:         fmt.Sprintf("ZZPHI-%d", i/3),
		tag.StudyDate:         "20260102",
		tag.Modality:          "OT",
		tag.StudyDescription:  "Test",
	} {
		if err := ds.SetText(k, v); err != nil {
			return in, err
		}
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, bytes.Repeat([]byte{fill}, 200)))

	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		return in, err
	}

	return archive.Incoming{
		TransferSyntaxUID: uid.ExplicitVRLittleEndian,
		Data:              &b,
		Source:            archive.Source{AETitle: "CT1", Address: "127.0.0.1", Principal: "CT1"},
	}, nil
}

// Part10 puts meta information in front of a data set in Explicit VR Little Endian.
func Part10(data []byte) []byte {
	ds, err := dicom.Decode(bytes.NewReader(data), dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		panic(err)
	}
	return append(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID:            ds.Text(tag.SOPClassUID),
		SOPInstanceUID:         ds.Text(tag.SOPInstanceUID),
		TransferSyntaxUID:      uid.ExplicitVRLittleEndian,
		ImplementationClassUID: "2.25.1",
	}), data...)
}

// Whole is an instance as a file with a preamble, and with meta information
// that names a SOP Instance.
func Whole(t testing.TB, i int, preamble, instance string) []byte {
	t.Helper()
	data, err := io.ReadAll(Incoming(t, i, 1).Data)
	if err != nil {
		t.Fatal(err)
	}

	b := dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID:            uid.SecondaryCaptureImageStorage,
		SOPInstanceUID:         instance,
		TransferSyntaxUID:      uid.ExplicitVRLittleEndian,
		ImplementationClassUID: "2.25.1",
	})

	copy(b, preamble)
	return append(b, data...)
}

// Multipart is the body of a STOW-RS request with one file.
func Multipart(t testing.TB, file []byte) (io.Reader, string) {
	t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/dicom"}})
	if err == nil {
		_, err = part.Write(file)
	}
	if err = errors.Join(err, m.Close()); err != nil {
		t.Fatal(err)
	}
	return &body, `multipart/related; type="application/dicom"; boundary=` + m.Boundary()
}

// HoldsUID reports a UID that matches the pattern whole: a random one begins
// with the digits of another one now and then.
func HoldsUID(text, pattern string) bool {
	return regexp.MustCompile(`(^|[^\d.])` + pattern + `($|\D)`).MatchString(text)
}
