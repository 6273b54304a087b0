package gate

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/policy"
)

// changed is an image with an element of its own.
func changed(t *testing.T, instance string, els ...dicom.Element) *dicom.DataSet {
	t.Helper()
	ds := image(t, instance, "1.2.3", "ZZPHI-1")
	for _, el := range els {
		ds.Set(el)
	}
	return ds
}

func TestWhatASystemMayFileByIsNoPathAndNotLong(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{} // takes everything
	s := newSite(t, "", pacs.options(nil))
	s.device("CT1", policy.Store)
	a := s.mustDial("CT1", ct)
	long := strings.Repeat("ZZPHI-1 ", 1000)
	for name, el := range map[string]dicom.Element{
		"series that is a path":      dicom.NewElement(tag.SeriesInstanceUID, dicom.UI, []byte("../../x\x00")),
		"series that is a directory": dicom.NewElement(tag.SeriesInstanceUID, dicom.UI, []byte("..")),
		"series with a NUL":          dicom.NewElement(tag.SeriesInstanceUID, dicom.UI, []byte("1.2\x00.3")),
		"series of 65 characters":    dicom.NewElement(tag.SeriesInstanceUID, dicom.UI, []byte(strings.Repeat("1", 65))),
		"patient ID that is a book":  dicom.NewElement(tag.PatientID, dicom.UT, []byte(long)),
		"issuer that is a book":      dicom.NewElement(tag.IssuerOfPatientID, dicom.UT, []byte(long)),
	} {
		if got := store(t, a, changed(t, "1.2.3.1", el)); got.Code.Class() != dimse.ClassFailure {
			t.Errorf("%s: %s", name, got)
		}
	}
	odd := dicom.NewElement(tag.SeriesInstanceUID, dicom.UI, []byte("REMSAMPLES1"))
	if got := store(t, a, changed(t, "1.2.3.2", odd)); got.Code != dimse.Success {
		t.Errorf("a series that is only odd: %s", got)
	}
	if pacs.n != 1 {
		t.Errorf("%d arrived, want one", pacs.n)
	}
	for _, r := range s.Records(t) {
		for _, o := range r.Objects {
			if len(o.Patient) > 100 || len(o.PatientIssuer) > 100 {
				t.Errorf("a record of %s names a patient with %d characters", r.Event, len(o.Patient))
			}
		}
	}
}

func TestAnObjectWithoutAStudyDoesNotAskForEverything(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	o := answers(func(level string, n int, keys *dicom.DataSet) *dicom.DataSet {
		if n == 0 {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, level+" of study "+keys.Text(tag.StudyInstanceUID)+", instance "+keys.Text(tag.SOPInstanceUID))
		}
		return nil
	})
	s := newSite(t, "", o)
	s.device("CT1", policy.Store)
	a := s.mustDial("CT1", ct)
	for _, instance := range []string{"1.2.3.1", "1.2.3.2"} {
		ds := image(t, instance, "1.2.3", "ZZPHI-1")
		ds.Delete(tag.StudyInstanceUID)
		store(t, a, ds)
	}
	for _, line := range asked {
		if !strings.HasPrefix(line, "IMAGE of study , instance 1.2.3.") {
			t.Errorf("asked: %s", line)
		}
	}
	if len(asked) != 2 {
		t.Errorf("asked %d times, want once for each", len(asked))
	}
}

// program is what begins like a Windows program.
func program() []byte {
	b := append([]byte("MZ"), make([]byte, 1<<12)...)
	b[60] = 0x80
	copy(b[0x80:], "PE\x00\x00")
	return b
}

func TestWhatStandsBehindThePixelDataIsInspectedToo(t *testing.T) {
	t.Parallel()
	item := dicom.NewDataSet()
	item.Set(dicom.NewElement(tag.New(0x7FE1, 0x1001), dicom.OB, program()))
	nested := image(t, "1.2.3.3", "1.2.3", "ZZPHI-1")
	nested.SetItems(tag.New(0x7FE1, 0x1000), item)
	for name, ds := range map[string]*dicom.DataSet{
		"private element behind pixel data": changed(t, "1.2.3.1", dicom.NewElement(tag.New(0x7FE1, 0x1001), dicom.OB, program())),
		"padding behind the data set":       changed(t, "1.2.3.2", dicom.NewElement(tag.DataSetTrailingPadding, dicom.OB, program())),
		"private sequence":                  nested,
		"pixel data":                        changed(t, "1.2.3.4", dicom.NewElement(tag.PixelData, dicom.OB, program())),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "", dimsetest.Options{})
			s.device("CT1", policy.Store)
			s.programs()
			if got := store(t, s.mustDial("CT1", ct), ds); got.Code != dimse.InvalidSOPInstance {
				t.Errorf("%s", got)
			}
			if n := len(s.behind.Archive.All()); n > 0 {
				t.Error("it arrived")
			}
			if got := store(t, s.mustDial("CT1", ct), image(t, "1.2.3.9", "1.2.3", "ZZPHI-1")); got.Code != dimse.Success {
				t.Errorf("the next: %s", got)
			}
		})
	}
}

// zeros gives nothing else.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestAnObjectThatNeverEndsDoesNotReachThePACS(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("CT1", policy.Store)
	s.gate.mu.Lock()
	s.gate.routes["PACS"].ObjectMiB = 8
	s.gate.mu.Unlock()
	ds := image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, nil))
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, native); err != nil {
		t.Fatal(err)
	}
	head := b.Bytes()
	copy(head[len(head)-4:], "\xFE\xFF\xFF\xFF") // 4 GiB of pixel data
	status, err := s.mustDial("CT1", ct).Store(context.Background(), dimse.StoreRequest{
		SOPClassUID: ct, SOPInstanceUID: "1.2.3.1", TransferSyntax: native,
		Data: io.MultiReader(bytes.NewReader(head), io.LimitReader(zeros{}, 64<<20)),
	})
	if st := statusIn(status, err); st.Code != dimse.CannotUnderstand {
		t.Errorf("%s: %v", st, err)
	}
	if n := len(s.behind.Archive.All()); n > 0 {
		t.Error("it arrived")
	}
	if got := store(t, s.mustDial("CT1", ct), image(t, "1.2.3.2", "1.2.3", "ZZPHI-1")); got.Code != dimse.Success {
		t.Errorf("the next: %s", got)
	}
}
