package pacs_test

import (
	"bytes"
	"context"
	"fmt"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/policy"
)

func TestObjectsComeOutInTheTransferSyntaxAskedFor(t *testing.T) {
	t.Parallel()
	w := openWeb(t, everything)
	gray := map[dicom.Tag]int64{tag.BitsAllocated: 8, tag.BitsStored: 8, tag.HighBit: 7}
	native := spec{study: 1, series: 1, instance: 1}
	photoSpec := spec{study: 1, series: 1, instance: 2, ints: gray, pixels: dicom.NewFragments(tag.PixelData, dicom.OB, nil, photo(t, color.Gray{Y: 99}))}
	j2k := spec{study: 1, series: 1, instance: 3, pixels: dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("J2K."))}
	deflated := spec{study: 1, series: 1, instance: 4}
	w.put(file(t, native.dataSet(t), uid.ImplicitVRLittleEndian), file(t, photoSpec.dataSet(t), uid.JPEGBaseline8Bit),
		file(t, j2k.dataSet(t), uid.JPEG2000Lossless), file(t, deflated.dataSet(t), uid.DeflatedExplicitVRLittleEndian))
	for _, c := range []struct {
		s          spec
		ask        []string
		want       string
		sameValues bool
	}{
		{native, nil, uid.ExplicitVRLittleEndian, true}, {native, []string{uid.ExplicitVRLittleEndian}, uid.ExplicitVRLittleEndian, true},
		{native, []string{uid.JPEG2000, uid.DeflatedExplicitVRLittleEndian}, uid.DeflatedExplicitVRLittleEndian, true},
		{photoSpec, nil, uid.JPEGBaseline8Bit, true}, {photoSpec, []string{uid.ExplicitVRLittleEndian}, uid.ExplicitVRLittleEndian, false},
		{j2k, nil, uid.JPEG2000Lossless, true}, {deflated, nil, uid.DeflatedExplicitVRLittleEndian, true}, {deflated, []string{uid.ExplicitVRLittleEndian}, uid.ExplicitVRLittleEndian, true},
	} {
		for p, err := range w.client.Retrieve(t.Context(), c.s.resource(), c.ask...) {
			if err != nil {
				t.Fatal(err)
			}
			f, err := dicom.ReadFile(p.Data, dicom.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			same := f.DataSet.Equal(c.s.dataSet(t))
			if f.TransferSyntax != c.want || p.TransferSyntax != c.want || c.sameValues && !same {
				t.Errorf("instance %d as %v: %s, same %v", c.s.instance, c.ask, uid.Name(f.TransferSyntax), same)
			}
			if el, _ := f.DataSet.Get(tag.PixelData); !c.sameValues && (len(el.Bytes()) != 64*64 || el.Bytes()[0] != 99) {
				t.Errorf("instance %d is not decoded: %v", c.s.instance, el)
			}
		}
	}
	// Of the study as Explicit VR Little Endian one object is missing, which the status says.
	a := w.ask(http.MethodGet, "/studies/1.2.3.1", `multipart/related; type="application/dicom"`).want(t, http.StatusPartialContent)
	if types, _ := parts(t, a); len(types) != 3 {
		t.Errorf("%d parts", len(types))
	}
	a = w.ask(http.MethodGet, "/studies/1.2.3.1/series/1.2.3.1.1/instances/1.2.3.1.1.3", `multipart/related; type="application/dicom"`).want(t, http.StatusNotAcceptable)
	if !strings.Contains(string(a.body), uid.JPEG2000Lossless) {
		t.Errorf("the problem does not say what is possible: %s", a.body)
	}
	for p, err := range w.client.Frames(t.Context(), deflated.resource(), []int{1}) {
		if b, err2 := io.ReadAll(p.Data); err != nil || err2 != nil || !bytes.Equal(b, ramp(64*64)) {
			t.Errorf("frame of a deflated object: %d bytes, %v, %v", len(b), err, err2)
		}
	}
}

func TestSingleFilesComeWithRanges(t *testing.T) {
	t.Parallel()
	w := openWeb(t, everything)
	s := spec{study: 1, series: 1, instance: 1}
	w.put(file(t, s.dataSet(t), uid.ExplicitVRLittleEndian))
	const path = "/studies/1.2.3.1/series/1.2.3.1.1/instances/1.2.3.1.1.1"
	whole := w.ask(http.MethodGet, path, "application/dicom").want(t, http.StatusOK)
	if string(whole.body[128:132]) != "DICM" || whole.header.Get("Content-Type") != "application/dicom; transfer-syntax=1.2.840.10008.1.2.1" {
		t.Errorf("%v", whole.header)
	}
	a := w.ask(http.MethodGet, path, "application/dicom", "Range", "bytes=128-131").want(t, http.StatusPartialContent)
	if string(a.body) != "DICM" {
		t.Errorf("range is %q", a.body)
	}
	w.ask(http.MethodGet, path, "application/dicom", "Range", "bytes=9999999-").want(t, http.StatusRequestedRangeNotSatisfiable)
	w.ask(http.MethodGet, path, "application/dicom", "If-None-Match", whole.header.Get("ETag")).want(t, http.StatusNotModified)
	if a := w.ask(http.MethodHead, path, "application/dicom").want(t, http.StatusOK); len(a.body) > 0 || a.header.Get("Content-Length") != fmt.Sprint(len(whole.body)) {
		t.Errorf("HEAD: %v", a.header)
	}
}

func TestPicturesAreRendered(t *testing.T) {
	t.Parallel()
	w := openWeb(t, everything)
	s := spec{study: 1, series: 1, instance: 1, ints: map[dicom.Tag]int64{tag.NumberOfFrames: 3}}
	w.put(file(t, s.dataSet(t), uid.ExplicitVRLittleEndian))
	const path = "/studies/1.2.3.1/series/1.2.3.1.1/instances/1.2.3.1.1.1"
	for _, c := range []struct {
		path, accept string
		w, h         int
	}{
		{path + "/rendered", "image/png", 64, 64}, {path + "/rendered?viewport=32,16", "image/png", 16, 16}, {path + "/frames/3/rendered?viewport=128,128", "image/png", 128, 128},
		{path + "/rendered?viewport=32,32,0,0,32,64", "image/png", 16, 32}, {path + "/rendered?viewport=32,32,,,-64,64", "image/png", 32, 32},
		{path + "/rendered?window=100,200,linear-exact&quality=50", "image/png", 64, 64}, {path + "/thumbnail", "image/png", 128, 128}, {"/studies/1.2.3.1/thumbnail", "image/png", 128, 128},
		{"/studies/1.2.3.1/series/1.2.3.1.1/thumbnail?accept=image/png", "image/jpeg", 128, 128},
		{"/wado?requestType=WADO&studyUID=1.2.3.1&seriesUID=1.2.3.1.1&objectUID=1.2.3.1.1.1&contentType=image/png&rows=32", "*/*", 32, 32},
		{"/wado?requestType=WADO&studyUID=1.2.3.1&seriesUID=1.2.3.1.1&objectUID=1.2.3.1.1.1&contentType=image/png&frameNumber=2&windowCenter=10&windowWidth=20&region=0,0,0.5,0.5", "*/*", 32, 32},
	} {
		a := w.ask(http.MethodGet, c.path, c.accept).want(t, http.StatusOK)
		img, err := png.Decode(bytes.NewReader(a.body))
		if err != nil {
			t.Errorf("%s: %s, %v", c.path, a.header.Get("Content-Type"), err)
			continue
		}
		if b := img.Bounds(); b.Dx() != c.w || b.Dy() != c.h {
			t.Errorf("%s: %v", c.path, b)
		}
	}
	types, bodies := parts(t, w.ask(http.MethodGet, path+"/frames/1,3/rendered", "multipart/related; type=image/jpeg").want(t, http.StatusOK))
	if len(types) != 2 || types[0] != "image/jpeg" {
		t.Errorf("parts are %q", types)
	}
	if _, err := jpeg.Decode(bytes.NewReader(bodies[1])); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"?viewport=0,0", "?viewport=1", "?viewport=99999,1", "?viewport=NaN,1", "?window=1,0", "?window=a,b", "?quality=101", "?quality=0"} {
		w.ask(http.MethodGet, path+"/rendered"+bad, "image/png").want(t, http.StatusBadRequest)
	}
	for bad, status := range map[string]int{"&anonymize=yes": 400, "&frameNumber=x": 400, "&contentType=video/mp4": 406, "&contentType=image/png&rows=0": 400, "&contentType=image/png&frameNumber=9": 404} {
		w.ask(http.MethodGet, "/wado?requestType=WADO&studyUID=1.2.3.1&seriesUID=1.2.3.1.1&objectUID=1.2.3.1.1.1"+bad, "*/*").want(t, status)
	}
	a := w.ask(http.MethodGet, "/wado?requestType=WADO&studyUID=1.2.3.1&seriesUID=1.2.3.1.1&objectUID=1.2.3.1.1.1&contentType=application/dicom", "").want(t, http.StatusOK)
	if string(a.body[128:132]) != "DICM" {
		t.Error("WADO-URI gave no file")
	}
}

func TestConflictsHaveTheReasonsOfCStore(t *testing.T) {
	t.Parallel()
	w := openWeb(t, everything)
	first := spec{study: 1, series: 1, instance: 1}
	w.put(file(t, first.dataSet(t), uid.ExplicitVRLittleEndian))
	w.put(file(t, first.dataSet(t), uid.ExplicitVRLittleEndian)) // the same again is no error
	other := first
	other.set = map[dicom.Tag]string{tag.SeriesDescription: "changed"}
	patient := spec{study: 1, series: 1, instance: 2, set: map[dicom.Tag]string{tag.PatientID: "ZZPHI-9"}}
	class := spec{study: 2, series: 1, instance: 1, class: uid.StudyRootFind}
	for name, c := range map[string]struct {
		s      spec
		ts     string
		reason uint16
	}{
		"other content": {other, uid.ExplicitVRLittleEndian, 0x0111}, "other patient": {patient, uid.ExplicitVRLittleEndian, 0x0117},
		"no storage class": {class, uid.ExplicitVRLittleEndian, 0x0122}, "JPIP": {spec{study: 3, series: 1, instance: 1}, "1.2.840.10008.1.2.4.94", 0xC000},
	} {
		report, err := w.client.Store(t.Context(), "", each([][]byte{file(t, c.s.dataSet(t), c.ts)}))
		if err != nil || report.Status != http.StatusConflict || len(report.Failed) != 1 || report.Failed[0].Reason != c.reason {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
	}
	cut := file(t, spec{study: 4, series: 1, instance: 1}.dataSet(t), uid.ExplicitVRLittleEndian)
	report, err := w.client.Store(t.Context(), "", each([][]byte{cut[:len(cut)-100], file(t, spec{study: 4, series: 1, instance: 2}.dataSet(t), uid.ExplicitVRLittleEndian)}))
	if err != nil || report.Status != http.StatusAccepted || len(report.Stored) != 1 || len(report.Failed) != 1 || report.Failed[0].Reason != 0xC000 {
		t.Errorf("cut short: %+v, %v", report, err)
	}
}

// TestScopeHoldsForEveryRequest gives a caller one study and asks for another.
func TestScopeHoldsForEveryRequest(t *testing.T) {
	t.Parallel()
	w := openWeb(t, func(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
		if call.Verb != dicomweb.Storing {
			call.Restriction = archive.Scope{StudyUIDs: []string{"1.2.3.1"}}
		}
		return next(ctx)
	})
	w.put(file(t, spec{study: 1, series: 1, instance: 1}.dataSet(t), uid.ExplicitVRLittleEndian), file(t, spec{study: 2, series: 1, instance: 1}.dataSet(t), uid.ExplicitVRLittleEndian))
	const instance = "/series/1.2.3.%[1]d.1/instances/1.2.3.%[1]d.1.1"
	for _, path := range []string{"", "/metadata", "/rendered", "/thumbnail", "/bulkdata", "/series/1.2.3.%[1]d.1", "/series/1.2.3.%[1]d.1/metadata",
		instance, instance + "/metadata", instance + "/frames/1", instance + "/frames/1/rendered", instance + "/rendered", instance + "/bulkdata/7FE00010"} {
		for study, status := range map[int]int{1: http.StatusOK, 2: http.StatusNotFound} {
			p := "/studies/1.2.3.%[1]d" + path
			w.ask(http.MethodGet, fmt.Sprintf(p, study), "*/*").want(t, status)
		}
	}
	for _, path := range []string{"/studies", "/series", "/instances", "/studies?00100020=COL2", "/studies/1.2.3.2/series", "/studies/1.2.3.2/instances", "/studies?includefield=all"} {
		a := w.ask(http.MethodGet, path, "application/dicom+json").want(t, http.StatusOK)
		if strings.Contains(string(a.body), "1.2.3.2") || strings.Contains(string(a.body), "COL2") {
			t.Errorf("%s leaks: %s", path, a.body)
		}
	}
}

func TestWithoutASightThatIsKnownNothingIsSeen(t *testing.T) {
	t.Parallel()
	for name, restriction := range map[string]any{"unknown": "something else", "none": nil, "zero scope": archive.Scope{}, "zero sight": policy.Sight{}} {
		w := openWeb(t, func(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
			call.Restriction = restriction
			return next(ctx)
		})
		w.put(file(t, spec{study: 1, series: 1, instance: 1}.dataSet(t), uid.ExplicitVRLittleEndian))

		if a := w.ask(http.MethodGet, "/studies", "*/*").want(t, http.StatusOK); string(a.body) != "[]" {
			t.Errorf("%s: %s", name, a.body)
		}
		w.ask(http.MethodGet, "/studies/1.2.3.1", "*/*").want(t, http.StatusNotFound)
	}
}

func TestNothingIsDeletedWhereItIsNotOffered(t *testing.T) {
	t.Parallel()
	w := openWeb(t, everything)
	w.put(file(t, spec{study: 1, series: 1, instance: 1}.dataSet(t), uid.ExplicitVRLittleEndian))
	w.ask(http.MethodDelete, "/studies/1.2.3.1", "").want(t, http.StatusMethodNotAllowed)
}

func TestManyFramesAreFetchedAtTheSameTime(t *testing.T) {
	t.Parallel()
	w := openWeb(t, everything)
	const frames = 40
	s := spec{study: 1, series: 1, instance: 1, ints: map[dicom.Tag]int64{tag.NumberOfFrames: frames}}
	w.put(file(t, s.dataSet(t), uid.ExplicitVRLittleEndian))
	all := ramp(64 * 64 * frames)
	var wg sync.WaitGroup
	for n := 1; n <= frames; n++ {
		wg.Go(func() {
			for p, err := range w.client.Frames(t.Context(), s.resource(), []int{n}) {
				b, err2 := io.ReadAll(p.Data)
				if err != nil || err2 != nil || !bytes.Equal(b, all[(n-1)*8192:n*8192]) {
					t.Errorf("frame %d: %d bytes, %v, %v", n, len(b), err, err2)
				}
			}
		})
	}
	wg.Wait()
}

func TestHTTP2IsSpoken(t *testing.T) {
	t.Parallel()
	w := openWeb(t, everything)
	rs, err := w.server.Client().Get(w.server.URL + root + "/studies")
	if err != nil {
		t.Fatal(err)
	}
	defer rs.Body.Close()
	if rs.ProtoMajor != 2 {
		t.Errorf("protocol is %s", rs.Proto)
	}
}

func TestErrorsQuoteNoPatientData(t *testing.T) {
	t.Parallel()
	var outcomes []dicomweb.Outcome
	w := openWeb(t, func(ctx context.Context, _ *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
		out := next(ctx)
		outcomes = append(outcomes, out)
		return out
	})
	for _, path := range []string{"/studies?StudyDate=ZZPHI", "/studies?PatientName=ZZPHI%00", "/studies?ZZPHI%5EDoe=1", "/studies?StudyInstanceUID=ZZPHI", "/studies/ZZPHI", "/studies?NumberOfStudyRelatedSeries=ZZPHI",
		"/studies?PatientName.ZZPHI=1", "/wado?requestType=WADO&studyUID=ZZPHI", "/studies/1.2.3.1/rendered?ZZPHI^Doe=1"} {
		a := w.ask(http.MethodGet, path, "*/*")
		if strings.Contains(string(a.body), "ZZPHI") {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	for _, out := range outcomes {
		if out.Err != nil && strings.Contains(out.Err.Error(), "ZZPHI") {
			t.Errorf("outcome: %v", out.Err)
		}
	}
}

func TestAKeyThatIsNotMatchedAtItsLevelIsNamed(t *testing.T) {
	t.Parallel()
	w := openWeb(t, everything)
	w.put(file(t, spec{study: 1, series: 1, instance: 1, set: map[dicom.Tag]string{tag.InstitutionName: "Here"}}.dataSet(t), uid.ExplicitVRLittleEndian))
	for query, want := range map[string]string{
		"/studies?Modality=MR&InstitutionName=Nowhere&PatientID=COL1": "level: Modality, InstitutionName",
		"/studies?SeriesInstanceUID=1.2.3":                            "level: SeriesInstanceUID",
		"/studies?PatientID=COL1&StudyDate=20240506&PatientName=zz*":  "",
		"/series?Modality=CT&StudyInstanceUID=1.2.3.1":                "",
		"/instances?Rows=64&SOPClassUID=" + uid.CTImageStorage:        "",
		"/studies?ModalitiesInStudy=CT&AccessionNumber=A1":            "",
	} {
		a := w.ask(http.MethodGet, query, "*/*").want(t, http.StatusOK)
		if got := a.header.Get("Warning"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: Warning %q, want %q", query, got, want)
		}
	}
}
