package face_test

import (
	"fmt"
	"net/http"
	"testing"

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
