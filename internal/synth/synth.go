// Package synth makes data for tests and benchmarks: studies that look like
// those of real equipment and are valid, files as odd as the field has them,
// and bytes that mean harm. All of it follows from a seed, the UIDs too, so
// that two runs make the same bytes. Every patient's name begins with the
// marker ZZPHI: found in a log, an error or a metric it shows a leak.
//
// It reads no files and opens no connections, and nothing in it comes from a
// patient. Broken options are a mistake in the test: they panic.
package synth

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"math/big"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Marker is the family name of every patient.
const Marker = "ZZPHI"

// Kind is what a study is made of.
type Kind uint8

// The kinds of studies.
const (
	CT  Kind = iota + 1 // series of axial slices through a phantom, 16 bits
	MR                  // series of sagittal slices, 16 bits
	US                  // color clips
	DX                  // radiographs for presentation
	SR                  // a comprehensive report with measurements
	PDF                 // an encapsulated document
	SEG                 // a binary segmentation, and the axial series over which it is
	ECG                 // a 12-lead waveform
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{CT, MR, US, DX, SR, PDF, SEG, ECG} }

// String is the modality of the kind, or PDF.
func (k Kind) String() string {
	names := [...]string{CT: "CT", MR: "MR", US: "US", DX: "DX", SR: "SR", PDF: "PDF", SEG: "SEG", ECG: "ECG"}
	if int(k) < len(names) && k > 0 {
		return names[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Image reports a kind with pixel data.
func (k Kind) Image() bool { return k == CT || k == MR || k == US || k == DX || k == SEG }

// OffsetTable says how the frames of encapsulated pixel data are found.
type OffsetTable uint8

// The tables (PS3.5 A.4, PS3.3 C.7.6.3.1.8).
const (
	BasicTable OffsetTable = iota
	ExtendedTable
	NoTable // an empty basic offset table
)

// Options say what study to make. The zero value is a small study of the first
// patient.
type Options struct {
	Seed    uint64
	Patient Patient // the first of Patients if it has no name
	Series  int     // of CT and MR; default 2
	Images  int     // of each series; default 10 for CT and MR, 2 for DX, 1 for the others
	Frames  int     // of US and SEG; default 8
	Rows    int     // default 512; 256 for MR, 240 for US
	Columns int     // default 512; 256 for MR, 320 for US
	Start   time.Time
	// TransferSyntax of the files; default Explicit VR Little Endian. RLE Lossless
	// goes for every image but SEG, JPEG Baseline for US.
	TransferSyntax string
	OffsetTable    OffsetTable
}

// plan is Options with everything filled in, and what all instances share.
type plan struct {
	Options
	kind  Kind
	study string
}

// Study makes the instances of one study, one at a time in order. The same
// kind and options make the same files.
func Study(k Kind, o Options) iter.Seq[*dicom.File] {
	p := newPlan(k, o)
	return func(yield func(*dicom.File) bool) {
		for series := range p.Series {
			for image := range p.Images {
				if !yield(p.file(p.instance(series+1, image+1))) {
					return
				}
			}
		}
		if k == SEG {
			p.sources(func(ds *dicom.DataSet) bool { return yield(p.file(ds)) })
		}
	}
}

// First is the first instance of a study.
func First(k Kind, o Options) *dicom.File {
	for f := range Study(k, o) {
		return f
	}
	return nil // Study makes at least one
}

func newPlan(k Kind, o Options) *plan {
	if k < CT || k > ECG {
		panic("synth: unknown kind")
	}

	set := func(n *int, most ...int) {
		if *n <= 0 {
			*n = most[0]
		}
	}

	images, series := 1, 1
	size, width := 512, 0
	switch k {
	case CT:
		images, series = 10, 2
	case MR:
		images, series = 10, 2
		size = 256
	case US:
		size, width = 240, 320
	case DX:
		images = 2
	case SEG:
		size = 128
	}

	if series == 1 {
		o.Series = 1
	}
	set(&o.Series, series)
	set(&o.Images, images)
	set(&o.Frames, 8)
	set(&o.Rows, size)
	set(&o.Columns, max(width, size))

	if o.Patient.Name == "" {
		o.Patient = Patients()[0]
	}
	if o.TransferSyntax == "" {
		o.TransferSyntax = uid.ExplicitVRLittleEndian
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 1, 5+int(o.Seed%300), 8, int(o.Seed%60), 0, 0, time.UTC)
	}

	return &plan{Options: o, kind: k, study: UID(o.Seed, k, "study")}
}

// instance makes a data set in memory, with native pixel data.
func (p *plan) instance(series, image int) *dicom.DataSet {
	switch p.kind {
	case CT:
		return p.ct(series, image)
	case MR:
		return p.mr(series, image)
	case US:
		return p.us(image)
	case DX:
		return p.dx(image)
	case SR:
		return p.sr(image)
	case PDF:
		return p.pdf(image)
	case SEG:
		return p.seg(image)
	}
	return p.ecg(image)
}

// UID makes a UID of the root 2.25 from what it is given (PS3.5 B.2): the same
// parts make the same UID.
func UID(seed uint64, parts ...any) string {
	h := sha256.New()

	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	h.Write(b[:])
	for _, part := range parts {
		fmt.Fprintf(h, "%v\x00", part)
	}

	id := h.Sum(nil)[:16]
	id[6] = id[6]&0x0F | 0x80 // version 8 of RFC 9562: from whatever its maker likes
	id[8] = id[8]&0x3F | 0x80
	return "2.25." + new(big.Int).SetBytes(id).String()
}

// common starts a data set with the patient, study, series and equipment
// modules (PS3.3 C.7.1.1, C.7.2.1, C.7.3.1, C.7.5.1).
func (p *plan) common(sopClass, modality string, series, image int) builder {
	b := builder{dicom.NewDataSet()}

	if len(p.Patient.CharacterSet) > 0 {
		check(b.ds.SetCharacterSet(p.Patient.CharacterSet...))
	}

	at := p.Start.Add(time.Duration(series)*5*time.Minute + time.Duration(image)*time.Second)

	b.text(tag.SOPClassUID, sopClass)
	b.text(tag.SOPInstanceUID, UID(p.Seed, p.kind, "instance", series, image))
	b.text(tag.InstanceCreationDate, at.Format("20060102"))
	b.text(tag.InstanceCreationTime, at.Format("150405"))

	b.text(tag.StudyDate, p.Start.Format("20060102"))
	b.text(tag.StudyTime, p.Start.Format("150405"))
	b.text(tag.ContentDate, at.Format("20060102"))
	b.text(tag.ContentTime, at.Format("150405.000000"))

	b.text(tag.AccessionNumber, fmt.Sprintf("A%08d", p.Seed%100_000_000))
	b.text(tag.Modality, modality)

	b.text(tag.Manufacturer, "Collimator")
	b.text(tag.ManufacturerModelName, "Phantom")
	b.text(tag.DeviceSerialNumber, fmt.Sprintf("SN%d", p.Seed%1000))
	b.text(tag.SoftwareVersions, "1")

	b.text(tag.ReferringPhysicianName, Marker+"^Referrer")
	b.text(tag.StudyDescription, studyDescription[p.kind])

	b.text(tag.PatientName, p.Patient.Name)
	b.text(tag.PatientID, p.Patient.ID)
	b.text(tag.PatientBirthDate, p.Patient.BirthDate)
	b.text(tag.PatientSex, p.Patient.Sex)

	b.text(tag.StudyInstanceUID, p.study)
	b.text(tag.SeriesInstanceUID, UID(p.Seed, p.kind, "series", series))
	b.text(tag.StudyID, fmt.Sprint(p.Seed%10_000))
	b.text(tag.SeriesNumber, fmt.Sprint(series))
	b.text(tag.InstanceNumber, fmt.Sprint(image))

	return b
}

var studyDescription = [...]string{
	CT: "CT thorax", MR: "MR head", US: "Echocardiography", DX: "Chest", SR: "Chest report",
	PDF: "Discharge letter", SEG: "Liver segmentation", ECG: "Resting ECG",
}
