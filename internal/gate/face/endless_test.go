package face_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/gate/face"
)

// answering is a PACS that answers C-FIND with what match gives, until it gives nil or is asked to stop.
func answering(t testing.TB, match func(level string, n int) *dicom.DataSet) *site {
	t.Helper()
	return newSiteBehind(t, dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleFind(func(ctx context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
			for n := 0; ctx.Err() == nil; n++ {
				ds := match(rq.Identifier.Text(tag.QueryRetrieveLevel), n)
				if ds == nil || !yield(dimse.Match{Identifier: ds}) {
					break
				}
			}
			return dimse.Status{}
		}, uid.StudyRootFind)
	}})
}

func dataSet(t testing.TB, values map[tag.Tag]string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for k, v := range values {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

func TestMatchesWithoutEndAreAnEnd(t *testing.T) {
	t.Parallel()
	for name, match := range map[string]*dicom.DataSet{
		"of another study": dataSet(t, map[tag.Tag]string{tag.StudyInstanceUID: "1.2.77"}),
		"always the same":  dataSet(t, map[tag.Tag]string{tag.StudyInstanceUID: "1.2.1", tag.SeriesInstanceUID: "1.2.1.1"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := answering(t, func(string, int) *dicom.DataSet { return match })
			c := s.client("ada")
			ended := make(chan int)
			go func() {
				status, _ := s.ask(http.MethodGet, c.Token, face.Root("PACS")+"/studies/1.2.1/metadata")
				ended <- status
			}()
			select {
			case status := <-ended:
				if status != http.StatusRequestEntityTooLarge && status != http.StatusServiceUnavailable { // where it takes long
					t.Errorf("%d", status)
				}
			case <-time.After(60 * time.Second):
				t.Error("no end")
			}
		})
	}
}

func TestLongUIDsOfSeriesTakeNoMemory(t *testing.T) {
	long := strings.Repeat("1", 60_000)
	study := dataSet(t, map[tag.Tag]string{tag.StudyInstanceUID: "1.2.1"})
	var most uint64
	s := answering(t, func(level string, n int) *dicom.DataSet {
		if level == "STUDY" {
			if n == 0 {
				return study
			}
			return nil
		}
		if n%500 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		if n == 2000 {
			return nil
		}
		return dataSet(t, map[tag.Tag]string{tag.SeriesInstanceUID: fmt.Sprintf("%s.%d", long, n), tag.Modality: "CT"})
	})
	status, body := s.get("ada", face.Root("PACS")+"/studies")
	if most > 100<<20 {
		t.Errorf("%d MiB are held; %d %.200s", most>>20, status, body)
	}
}
