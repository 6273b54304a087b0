package webtest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"collimator/dicom"
	"collimator/dicom/memory"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/dicomweb/webtest"
)

func server(t testing.TB) *webtest.Server {
	t.Helper()
	s := webtest.NewServer()
	t.Cleanup(s.Close)
	return s
}

// file is a small Part 10 file.
func file(t testing.TB, study, series, instance string) []byte {
	t.Helper()
	ds := dicom.NewDataSet()
	for k, v := range map[dicom.Tag]string{
		tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: instance, tag.StudyInstanceUID: study, tag.SeriesInstanceUID: series,
		tag.PatientName: "ZZPHI^WEB", tag.PatientID: "ZZPHI-1", tag.Modality: "CT",
	} {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	b := bytes.NewBuffer(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: uid.CTImageStorage, SOPInstanceUID: instance, TransferSyntaxUID: uid.ExplicitVRLittleEndian,
	}))
	if err := dicom.Encode(b, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func send(t testing.TB, c *dicomweb.Client, files ...[]byte) *dicomweb.StoreReport {
	t.Helper()
	report, err := c.Store(t.Context(), "", func(yield func(io.Reader, error) bool) {
		for _, f := range files {
			if !yield(bytes.NewReader(f), nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func count[T any](t testing.TB, seq iter.Seq2[T, error]) int {
	t.Helper()
	n := 0
	for _, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestWhatIsStoredIsFoundRetrievedAndDeleted(t *testing.T) {
	t.Parallel()
	s := server(t)
	c := s.Client()
	report := send(t, c, file(t, "1.2.1", "1.2.1.1", "1.2.1.1.1"), file(t, "1.2.1", "1.2.1.2", "1.2.1.2.1"), file(t, "1.2.2", "1.2.2.1", "1.2.2.1.1"))
	if len(report.Stored) != 3 || len(report.Failed) != 0 {
		t.Fatalf("%+v", report)
	}

	study := dicomweb.Resource{StudyUID: "1.2.1"}
	for name, got := range map[string][2]int{
		"studies":              {2, count(t, c.Search(t.Context(), dicomweb.StudyLevel, dicomweb.Resource{}, nil))},
		"studies by a key":     {1, count(t, c.Search(t.Context(), dicomweb.StudyLevel, dicomweb.Resource{}, url.Values{"StudyInstanceUID": {"1.2.2"}}))},
		"a page of one":        {1, count(t, c.Search(t.Context(), dicomweb.StudyLevel, dicomweb.Resource{}, url.Values{"limit": {"1"}, "offset": {"1"}}))},
		"series of a study":    {2, count(t, c.Search(t.Context(), dicomweb.SeriesLevel, study, nil))},
		"instances of a study": {2, count(t, c.Search(t.Context(), dicomweb.InstanceLevel, study, nil))},
		"files of a study":     {2, count(t, c.Retrieve(t.Context(), study))},
		"metadata of a study":  {2, count(t, c.Metadata(t.Context(), study))},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", name, got[1], got[0])
		}
	}

	if err := c.Delete(t.Context(), study); err != nil {
		t.Fatal(err)
	}
	err := c.Delete(t.Context(), study)
	if answer, ok := errors.AsType[*dicomweb.ResponseError](err); !ok || answer.Status != http.StatusNotFound {
		t.Errorf("deleted twice: %v", err)
	}
	if n := len(s.Backend.Archive.All()); n != 1 {
		t.Errorf("%d instances are left", n)
	}
}

func TestAFileComesBackAsItWasStored(t *testing.T) {
	t.Parallel()
	c := server(t).Client()
	send(t, c, file(t, "1.2.1", "1.2.1.1", "1.2.1.1.1"))
	r, err := c.RetrieveInstance(t.Context(), dicomweb.Resource{StudyUID: "1.2.1", SeriesUID: "1.2.1.1", SOPInstanceUID: "1.2.1.1.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := dicom.ReadFile(r, dicom.DecodeOptions{})
	if err != nil || f.DataSet.Text(tag.PatientName) != "ZZPHI^WEB" {
		t.Errorf("%v", err)
	}
}

func TestARestrictionHidesAndAnUnknownOneIsRefused(t *testing.T) {
	t.Parallel()
	b := &webtest.Backend{}
	for _, study := range []string{"1.2.1", "1.2.2"} {
		f, err := dicom.ReadFile(bytes.NewReader(file(t, study, study+".1", study+".1.1")), dicom.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Archive.Add(f.DataSet, uid.ExplicitVRLittleEndian); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		restriction any
		want        int
		status      int
	}{
		{nil, 2, 0},
		{webtest.Visible(func(i *memory.Instance) bool { return i.StudyInstanceUID == "1.2.2" }), 1, 0},
		{"something else", 0, http.StatusForbidden},
	} {
		restrict := func(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
			call.Restriction = c.restriction
			return next(ctx)
		}
		s := httptest.NewServer(dicomweb.NewHandler(b, restrict, dicomweb.Options{}))
		found := 0
		var failed error
		for _, err := range (&dicomweb.Client{Base: s.URL}).Search(t.Context(), dicomweb.StudyLevel, dicomweb.Resource{}, nil) {
			if err != nil {
				failed = err
				continue
			}
			found++
		}
		s.Close()

		answer, _ := errors.AsType[*dicomweb.ResponseError](failed)
		if found != c.want || (answer != nil) != (c.status != 0) || answer != nil && answer.Status != c.status {
			t.Errorf("%v: %d found, %v", c.restriction, found, failed)
		}
	}
}
