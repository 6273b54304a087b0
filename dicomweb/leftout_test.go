package dicomweb

import (
	"net/http"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// One frame that cannot be shown is named and takes no other along.
func TestRenderedNamesWhatCannotBeShownAndShowsTheRest(t *testing.T) {
	t.Parallel()
	const path, series = "/dicom-web/studies/1.2.3/rendered", "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/"
	for name, c := range map[string]struct {
		damaged []bool // the instances
		status  int
	}{
		"in the middle": {[]bool{false, true, false}, http.StatusOK}, "at the start": {[]bool{true, false}, http.StatusPartialContent},
		"at the end": {[]bool{false, true}, http.StatusOK}, "all": {[]bool{true, true}, http.StatusNotAcceptable},
	} {
		h, s := newTest(t)
		for i, damaged := range c.damaged {
			ds := made(t, "1.2.3.1."+string(rune('1'+i)))
			if damaged {
				ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, []byte{1, 2}))
			}
			s.keep(t, ds, uid.ExplicitVRLittleEndian)
		}

		rec := serve(t, h, http.MethodGet, path, nil, "Accept", "multipart/related; type=image/png")
		if rec.Code != c.status {
			t.Errorf("%s: %d, want %d", name, rec.Code, c.status)
		}
		if rec.Code == http.StatusNotAcceptable {
			continue
		}
		m, _ := parseMediaRange(rec.Header().Get("Content-Type"))
		text := rec.Body.String()
		bodies, err := readParts(strings.NewReader(text), m.boundary, 1<<10, 10)
		if err != nil || len(bodies) != len(c.damaged) {
			t.Fatalf("%s: %d parts, %v", name, len(bodies), err)
		}
		for i, damaged := range c.damaged {
			if damaged == strings.HasPrefix(bodies[i], "\x89PNG") || damaged && !strings.Contains(bodies[i], `"status":406`) {
				t.Errorf("%s: instance %d: %.40q", name, i+1, bodies[i])
			}
			if !strings.Contains(text, series+"1.2.3.1."+string(rune('1'+i))+"/frames/1/rendered") {
				t.Errorf("%s: instance %d has no address", name, i+1)
			}
		}
	}
}

func TestRenderedFramesOfAnInstanceNameWhatCannotBeShown(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	ds := made(t, "1.2.3.1.1")
	if err := ds.SetInt(tag.NumberOfFrames, 3); err != nil {
		t.Fatal(err)
	}
	ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, goodRLE(), []byte("no RLE"), goodRLE()))
	s.keep(t, ds, uid.RLELossless)

	for path, want := range map[string]int{"/rendered": http.StatusOK, "/frames/2,3/rendered": http.StatusPartialContent, "/frames/2/rendered": http.StatusNotAcceptable, "/frames/9/rendered": http.StatusNotFound} {
		rec := serve(t, h, http.MethodGet, "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"+path, nil, "Accept", "multipart/related; type=image/png")
		if rec.Code != want {
			t.Errorf("%s: %d, want %d", path, rec.Code, want)
		}
		if text := rec.Body.String(); want < 300 && (strings.Count(text, `"status":406`) != 1 || !strings.HasSuffix(text, "--\r\n")) {
			t.Errorf("%s: %q", path, text)
		}
	}
}

// goodRLE is a frame of 8 zeros (PS3.5 G).
func goodRLE() []byte {
	b := make([]byte, 64, 66)
	b[0], b[4] = 1, 64
	return append(b, 0xF9, 0)
}
