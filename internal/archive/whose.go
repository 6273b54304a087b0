package archive

import (
	"io"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Whose is what an instance says of whose it is, as far as it was read before it
// was refused: each field may be empty. It is for the record and never for a log.
type Whose struct {
	SOPClassUID string
	StudyUID    string
	// Patient and PatientIssuer are Patient ID and Issuer of Patient ID, cut at
	// 64 characters, the most that a value of VR LO has (PS3.5 6.2).
	Patient       string
	PatientIssuer string
}

// reading is how far Ingest came with an instance.
type reading struct {
	ds *dicom.DataSet // nil: nothing of it was read
}

// beginningBytes is how much is read of a data set that was refused unread: what
// says whose it is stands among its first elements.
const beginningBytes = 64 << 10

// whose says whose a refused instance is. Where it was refused before anything of
// it was read, its beginning is read now: the rest is skipped over in any case.
func (a *Archive) whose(in Incoming, read *reading) Whose {
	if read.ds == nil && in.Data != nil {
		limits := a.dicomLimits()
		limits.Inflated = beginningBytes
		o := dicom.DecodeOptions{TransferSyntax: in.TransferSyntaxUID, BulkThreshold: bulkThreshold, Limits: limits}
		read.ds, _ = dicom.Decode(io.LimitReader(in.Data, beginningBytes), o) // it is cut off
	}

	w := whoseOf(read.ds)
	if w.SOPClassUID == "" {
		w.SOPClassUID = in.SOPClassUID
	}

	return w
}

func whoseOf(ds *dicom.DataSet) Whose {
	if ds == nil {
		return Whose{}
	}

	return Whose{
		SOPClassUID: uidOf(ds, tag.SOPClassUID), StudyUID: uidOf(ds, tag.StudyInstanceUID),
		Patient: wordOf(ds, tag.PatientID), PatientIssuer: wordOf(ds, tag.IssuerOfPatientID),
	}
}

// uidOf is a UID of a data set; empty where the value is missing or malformed.
func uidOf(ds *dicom.DataSet, t dicom.Tag) string {
	if u := ds.Text(t); uid.Tolerable(u) {
		return u
	}

	return ""
}

// wordOf is a short text of a data set that nobody has checked yet.
func wordOf(ds *dicom.DataSet, t dicom.Tag) string {
	const most = 64
	text := []rune(strings.ToValidUTF8(ds.Text(t), ""))

	return string(text[:min(len(text), most)])
}
