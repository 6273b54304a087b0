package face_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/gate/face"
)

// TestNothingLeavesThatThePACSSendsUnasked asks for one study of a PACS that sends something else.
func TestNothingLeavesThatThePACSSendsUnasked(t *testing.T) {
	t.Parallel()
	good := func(t testing.TB) *dicom.DataSet { return image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1") }
	for name, c := range map[string]struct {
		sends   func(testing.TB) []*dicom.DataSet
		inspect func(archive.Inspected) archive.Inspection
		status  int  // of the metadata
		alarm   bool // something was recorded
	}{
		"what was asked for": {func(t testing.TB) []*dicom.DataSet { return []*dicom.DataSet{good(t)} }, nil, http.StatusOK, false},
		"more than that": {func(t testing.TB) []*dicom.DataSet {
			return []*dicom.DataSet{good(t), image(t, "1.2.1", "1.2.1.1", "1.2.1.1.77", "P1")}
		}, nil, http.StatusOK, true},
		"an image of another series": {func(t testing.TB) []*dicom.DataSet {
			return []*dicom.DataSet{image(t, "1.2.1", "1.2.1.77", "1.2.1.1.1", "P1")}
		}, nil, http.StatusServiceUnavailable, true},
		"an image of another study": {func(t testing.TB) []*dicom.DataSet {
			return []*dicom.DataSet{image(t, "1.2.77", "1.2.1.1", "1.2.1.1.1", "P1")}
		}, nil, http.StatusServiceUnavailable, true},
		"an image of no study": {func(t testing.TB) []*dicom.DataSet {
			return []*dicom.DataSet{image(t, "", "1.2.1.1", "1.2.1.1.1", "P1")}
		}, nil, http.StatusServiceUnavailable, true},
		"an image of another patient": {func(t testing.TB) []*dicom.DataSet {
			return []*dicom.DataSet{image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P77")}
		}, nil, http.StatusServiceUnavailable, true},
		"the same image twice": {func(t testing.TB) []*dicom.DataSet { return []*dicom.DataSet{good(t), good(t)} }, nil, http.StatusOK, true},
		"nothing":              {func(testing.TB) []*dicom.DataSet { return nil }, nil, http.StatusServiceUnavailable, false},
		"an executable": {func(t testing.TB) []*dicom.DataSet { return []*dicom.DataSet{good(t)} },
			func(archive.Inspected) archive.Inspection { return archive.Inspection{Refuse: true} }, http.StatusServiceUnavailable, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, sending(func() []*dicom.DataSet { return c.sends(t) }))
			s.inspect = c.inspect
			s.has(good(t))
			status, body := s.get("ada", face.Root("PACS")+"/studies/1.2.1/metadata")
			if status != c.status {
				t.Errorf("status %d, want %d: %.300s", status, c.status, body)
			}
			if strings.Contains(body, ".77") || strings.Contains(body, "P77") || status != http.StatusOK && strings.Contains(body, "ZZPHI") {
				t.Errorf("it leaves: %s", body)
			}
			alarms := slices.ContainsFunc(s.Records(t), func(r audit.Record) bool {
				return r.Event == audit.SecurityAlert && r.Peer.CalledAETitle == "PACS" && r.Principal != ""
			})
			if alarms != c.alarm {
				t.Errorf("recorded = %v, want %v", alarms, c.alarm)
			}
			if strings.Contains(s.log.String(), "ZZPHI") {
				t.Error("a patient in the log")
			}
		})
	}
}

func TestAPACSThatHangsOrBreaksOffLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	for name, get := range map[string]dimse.RetrieveHandler{
		"hangs": func(ctx context.Context, _ *dimse.Association, _ *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
			<-ctx.Done()
			return nil, dimse.Status{Code: dimse.Cancel}
		},
		"aborts": func(_ context.Context, a *dimse.Association, _ *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
			a.Abort()
			return nil, dimse.Status{}
		},
		"fails": func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
			return nil, dimse.Status{Code: dimse.CannotUnderstand}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, get)
			s.has(image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1"))
			began := time.Now()
			status, body := s.get("ada", face.Root("PACS")+"/studies/1.2.1/metadata")
			if status != http.StatusServiceUnavailable || time.Since(began) > 20*time.Second {
				t.Errorf("%d after %s: %.300s", status, time.Since(began), body)
			}
			if status, _ := s.get("ada", face.Root("PACS")+"/studies"); status != http.StatusOK {
				t.Errorf("afterwards a search: %d", status)
			}
		})
	}
}

// TestMatchesOfOthersAreNotShown asks a PACS that answers a question about a study with another.
func TestMatchesOfOthersAreNotShown(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.has(image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1"), image(t, "1.2.2", "1.2.2.1", "1.2.2.1.1", "P2"))
	s.person("ron")
	if err := s.Registry.GrantStudy(t.Context(), "ron", "PACS/1.2.1"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/studies": "1.2.1", "/series": "1.2.1", "/instances": "1.2.1", "/studies?PatientID=P2": "", "/studies?StudyInstanceUID=1.2.2": "",
		"/studies?StudyInstanceUID=1.2.2,1.2.1": "1.2.1", "/series?SeriesInstanceUID=1.2.2.1": "", "/instances?SOPInstanceUID=1.2.2.1.1": "",
	} {
		status, body := s.get("ron", face.Root("PACS")+path)
		if status >= 300 || strings.Contains(body, "1.2.2") || strings.Contains(body, "P2") || want != "" && !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, path := range []string{"/studies/1.2.2", "/studies/1.2.2/metadata", "/studies/1.2.1/series/1.2.2.1", "/studies/1.2.2/series/1.2.2.1/instances/1.2.2.1.1/frames/1"} {
		if status, body := s.get("ron", face.Root("PACS")+path); status < 400 || status >= 500 || strings.Contains(body, "P2") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// TestWhatComesByMoveIsHeldToWhatWasAskedFor is a PACS without C-GET, which calls the gate.
func TestWhatComesByMoveIsHeldToWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	good := image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1")
	for name, c := range map[string]struct {
		sends  *dicom.DataSet // nil: what was asked for
		status int
	}{
		"what was asked for": {nil, http.StatusOK},
		"another study":      {image(t, "1.2.77", "1.2.1.1", "1.2.1.1.1", "P1"), http.StatusServiceUnavailable},
		"another instance":   {image(t, "1.2.1", "1.2.1.1", "1.2.1.1.77", "P1"), http.StatusServiceUnavailable},
		"another patient":    {image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P77"), http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMovingSite(t, func(to dimse.Destination) dimse.RetrieveHandler {
				return sendingTo(to, func() []*dicom.DataSet { return []*dicom.DataSet{cmp.Or(c.sends, good)} })
			})
			s.has(good)
			status, body := s.get("ada", face.Root("PACS")+"/studies/1.2.1/metadata")
			if status != c.status || strings.Contains(body, ".77") || strings.Contains(body, "P77") {
				t.Errorf("%d, want %d: %.300s", status, c.status, body)
			}
			if n := s.gets.Load(); n != 0 {
				t.Errorf("%d C-GET", n)
			}
		})
	}
}

// TestAPACSWithoutGetAnswersByMove needs no handler of ours.
func TestAPACSWithoutGetAnswersByMove(t *testing.T) {
	t.Parallel()
	s := newMovingSite(t, nil)
	for i := range 5 {
		s.has(image(t, "1.2.1", "1.2.1.1", fmt.Sprintf("1.2.1.1.%d", i+1), "P1"))
	}
	status, body := s.get("ada", face.Root("PACS")+"/studies/1.2.1/metadata")
	if n := strings.Count(body, `"00080018"`); status != http.StatusOK || n != 5 {
		t.Errorf("%d, %d instances", status, n)
	}
}
