package archive

import (
	"bytes"
	"context"
	"io"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Whatever keeps an instance out, the record can say whose it was, as far as it
// was read.
func TestWhatIsRefusedSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	whole := func(t *testing.T) []byte {
		ds := image(t, 1, 1, 1, tag.PatientID, "ZZPHI-1", tag.IssuerOfPatientID, "H")
		return encoded(t, ds, uid.ExplicitVRLittleEndian)
	}
	full := fault.New(fault.Unavailable, "test: the disk is full")
	looked := func(i Inspection) func(*Options) {
		return func(o *Options) { o.Inspect = func(context.Context, Inspected) Inspection { return i } }
	}
	for name, c := range map[string]struct {
		change func(*Options)
		in     func(t *testing.T, in *Incoming, data []byte)
	}{
		"another instance than the request says": {in: func(_ *testing.T, in *Incoming, _ []byte) { in.SOPInstanceUID = "1.2.999" }},
		"cut off":                                {in: func(_ *testing.T, in *Incoming, data []byte) { in.Data = bytes.NewReader(data[:len(data)-3]) }},
		"the disk is full":                       {change: func(o *Options) { o.Room = func() error { return full } }},
		"refused by inspection":                  {change: looked(Inspection{Refuse: true})},
		"not inspected":                          {change: looked(Inspection{Busy: true})},
		"held back":                              {change: looked(Inspection{Hold: true})},
		"the peer breaks off": {in: func(_ *testing.T, in *Incoming, data []byte) {
			in.Data = io.MultiReader(bytes.NewReader(data[:len(data)-3]), brokenReader{})
		}},
		"a UID of the request is malformed": {in: func(_ *testing.T, in *Incoming, _ []byte) { in.SOPInstanceUID = "1..2" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := openTest(t, func(o *Options) {
				if c.change != nil {
					c.change(o)
				}
			})
			data, told := whole(t), []Whose(nil)
			in := Incoming{TransferSyntaxUID: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(data), Refused: func(w Whose) { told = append(told, w) }}
			if c.in != nil {
				c.in(t, &in, data)
			}
			if _, err := a.Ingest(t.Context(), in); err == nil {
				t.Fatal("it was taken in")
			}
			ds, err := dicom.Decode(bytes.NewReader(data), dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
			if err != nil {
				t.Fatal(err)
			}
			want := Whose{SOPClassUID: ds.Text(tag.SOPClassUID), StudyUID: ds.Text(tag.StudyInstanceUID), Patient: "ZZPHI-1", PatientIssuer: "H"}
			if len(told) != 1 || told[0] != want {
				t.Errorf("told %+v, want %+v", told, want)
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestWhatIsTakenInIsNotToldAsRefused(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	data := encoded(t, image(t, 1, 1, 1), uid.ExplicitVRLittleEndian)
	in := Incoming{TransferSyntaxUID: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(data), Refused: func(Whose) { t.Error("told") }}
	if _, err := a.Ingest(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// What contradicts patient or study is held back with the word of its own.
func TestWhatIsHeldBackIsRecordedWithItsOwnPatient(t *testing.T) {
	t.Parallel()
	var events []Event
	a := openTest(t, func(o *Options) {
		o.Record = func(_ context.Context, _ *db.Tx, e Event) error { events = append(events, e); return nil }
	})
	store(t, a, image(t, 1, 1, 1))
	data := encoded(t, image(t, 1, 1, 2, tag.PatientID, "ZZPHI-2"), uid.ExplicitVRLittleEndian)
	if _, err := a.Ingest(t.Context(), Incoming{TransferSyntaxUID: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(data)}); err == nil {
		t.Fatal("it was taken in")
	}
	last := events[len(events)-1]
	if last.Kind != Quarantined || last.Whose.Patient != "ZZPHI-2" || last.Whose.StudyUID != last.Instance.StudyUID {
		t.Errorf("%+v", last)
	}
}

// A value that nobody has checked is bounded before it is kept.
func TestWhoseIsBounded(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewElement(tag.PatientID, dicom.LO, bytes.Repeat([]byte("Z"), 5000)))
	ds.Set(dicom.NewElement(tag.StudyInstanceUID, dicom.UI, []byte("no UID")))
	if w := whoseOf(ds); len(w.Patient) != 64 || w.StudyUID != "" {
		t.Errorf("%d characters, study %q", len(w.Patient), w.StudyUID)
	}
}
