package face_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/audit"
	"collimator/internal/gate/face"
)

// TestEachPatientOfAStudyIsInTheRecord is a PACS that does not say whose its studies are, and has images
// of two patients in one.
func TestEachPatientOfAStudyIsInTheRecord(t *testing.T) {
	t.Parallel()
	s := answering(t, func(level string, n int) *dicom.DataSet {
		switch {
		case level == "STUDY" && n == 0:
			return dataSet(t, map[tag.Tag]string{tag.StudyInstanceUID: "1.2.1"})
		case level == "SERIES" && n == 0:
			return dataSet(t, map[tag.Tag]string{tag.StudyInstanceUID: "1.2.1", tag.SeriesInstanceUID: "1.2.1.1"})
		case level == "IMAGE" && n < 2:
			return dataSet(t, map[tag.Tag]string{tag.SOPInstanceUID: fmt.Sprintf("1.2.1.1.%d", n+1), tag.SOPClassUID: uid.CTImageStorage})
		}
		return nil
	})
	s.has(image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1"), image(t, "1.2.1", "1.2.1.1", "1.2.1.1.2", "P2"))
	if status, body := s.get("ada", face.Root("PACS")+"/studies/1.2.1"); status != http.StatusOK {
		t.Fatalf("%d %.200s", status, body)
	}

	s.web.Close() // the last record is written after the answer

	records := s.Records(t)
	for _, event := range []audit.Event{audit.Transferring, audit.Transferred} {
		named := map[string]int{}
		for _, r := range records {
			for _, o := range r.Objects {
				if r.Event == event && o.Patient != "" {
					named[o.Patient] += max(o.Instances, 1)
				}
			}
		}
		if named["P1"] != 1 || named["P2"] != 1 {
			t.Errorf("%s: %v", event, named)
		}
	}
}

// TestWhatIsKeptOfAnotherPatientIsNotGiven is a study that was put right in the PACS after it was looked at.
func TestWhatIsKeptOfAnotherPatientIsNotGiven(t *testing.T) {
	t.Parallel()
	var patient atomic.Value
	patient.Store("P1")
	s := answering(t, func(level string, n int) *dicom.DataSet {
		switch {
		case n > 0:
			return nil
		case level == "STUDY":
			return dataSet(t, map[tag.Tag]string{tag.StudyInstanceUID: "1.2.1", tag.PatientID: patient.Load().(string)})
		}
		return dataSet(t, map[tag.Tag]string{tag.SeriesInstanceUID: "1.2.1.1", tag.SOPInstanceUID: "1.2.1.1.1", tag.SOPClassUID: uid.CTImageStorage})
	})
	s.has(image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1"))
	c := s.client("ada")
	for _, want := range []int{http.StatusOK, http.StatusServiceUnavailable} {
		if status, body := s.ask(http.MethodGet, c.Token, face.Root("PACS")+"/studies/1.2.1/metadata"); status != want {
			t.Errorf("%d, want %d: %.200s", status, want, body)
		}
		patient.Store("P2")
		s.Clock.Advance(20 * time.Second)
	}
}

func TestOneMatchThatCannotBeReadHidesNoOther(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]func(*dicom.DataSet){
		"an unknown character set": func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.SpecificCharacterSet, dicom.CS, []byte("ISO_IR 999")))
			ds.Set(dicom.NewElement(tag.PatientName, dicom.PN, []byte{0xC4, 0xFF}))
		},
		"bytes that are no characters": func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.SpecificCharacterSet, dicom.CS, []byte("ISO_IR 192")))
			ds.Set(dicom.NewElement(tag.PatientName, dicom.PN, []byte{0xC4, 0xFF}))
		},
		"a control character": func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.StudyDescription, dicom.LO, []byte("a\x01\x1bb")))
		},
		"a long value": func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.StudyDescription, dicom.LO, bytes.Repeat([]byte("a"), 300)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := answering(t, func(level string, n int) *dicom.DataSet {
				if level != "STUDY" || n > 1 {
					return nil
				}
				ds := dataSet(t, map[tag.Tag]string{tag.StudyInstanceUID: fmt.Sprintf("1.2.%d", n+1), tag.PatientID: "P1"})
				if n == 0 {
					bad(ds)
				}
				return ds
			})
			if status, body := s.get("ada", face.Root("PACS")+"/studies"); status != http.StatusOK || !strings.Contains(body, "1.2.2") {
				t.Errorf("%d %.300s", status, body)
			}
		})
	}
}
