package dicomweb

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// uris collects the addresses of bulk data in metadata, at all levels.
func uris(v any, out *[]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if s, ok := inner.(string); ok && k == "BulkDataURI" {
				*out = append(*out, s)
			}
			uris(inner, out)
		}
	case []any:
		for _, inner := range v {
			uris(inner, out)
		}
	}
}

func TestEveryAddressThatMetadataGiveCanBeRead(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	const one = "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1."

	video := made(t, "1.2.3.1.1", tag.NumberOfFrames, "30")
	video.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("a video "), []byte("stream")))
	s.keep(t, video, uid.MPEG4HP41)

	icon := made(t, "1.2.3.1.2")
	icon.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("the main image..")))
	item := icon.NewItem()
	for _, t := range []dicom.Tag{tag.SamplesPerPixel, tag.Rows, tag.Columns, tag.BitsAllocated, tag.BitsStored, tag.HighBit, tag.PixelRepresentation, tag.PhotometricInterpretation} {
		el, _ := icon.Get(t)
		item.Set(el)
	}
	item.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("the icon")))
	item.Set(dicom.NewElement(tag.ICCProfile, dicom.OB, []byte(strings.Repeat("profile ", 200))))
	icon.SetItems(tag.IconImageSequence, item)
	s.keep(t, icon, uid.JPEGLSLossless)

	odd := made(t, "1.2.3.1.3", tag.NumberOfFrames, "7")
	odd.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("frag"), []byte("ment")))
	s.keep(t, odd, uid.JPEG2000Lossless)

	for _, n := range []string{"1", "2", "3"} {
		var metadata any
		if err := json.Unmarshal(serve(t, h, http.MethodGet, one+n+"/metadata", nil).Body.Bytes(), &metadata); err != nil {
			t.Fatal(err)
		}
		var list []string
		uris(metadata, &list)
		if len(list) == 0 {
			t.Errorf("instance %s has no address", n)
		}
		for _, u := range list {
			for _, accept := range []string{"*/*", `multipart/related; type="application/octet-stream"; transfer-syntax=*`} {
				if rec := serve(t, h, http.MethodGet, u, nil, "Accept", accept); rec.Code != http.StatusOK || rec.Body.Len() == 0 {
					t.Errorf("%s as %s: %d %s", u, accept, rec.Code, rec.Body)
				}
			}
		}
	}
	for _, c := range []struct{ path, accept, contentType, body string }{
		{one + "1/bulkdata/7FE00010", "*/*", "video/mp4; transfer-syntax=" + uid.MPEG4HP41, "a video stream"},
		{one + "1/bulkdata/7FE00010", "video/mp4", "video/mp4; transfer-syntax=" + uid.MPEG4HP41, "a video stream"},
		{one + "1/bulkdata/7FE00010", typeOctets, typeOctets + "; transfer-syntax=" + uid.MPEG4HP41, "a video stream"},
		{one + "1/rendered", "video/mp4", "video/mp4", "a video stream"},
		{one + "2/bulkdata/00880200/1/7FE00010", "image/jls", "image/jls; transfer-syntax=" + uid.JPEGLSLossless, "the icon"},
		{one + "2/bulkdata/7FE00010", "image/jls", "image/jls; transfer-syntax=" + uid.JPEGLSLossless, "the main image.."},
		{one + "3/bulkdata/7FE00010", typeOctets, typeOctets + "; transfer-syntax=" + uid.JPEG2000Lossless, "fragment"},
		{"/dicom-web/wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.1&objectUID=1.2.3.1.1&contentType=video/mp4", "*/*", "video/mp4", "a video stream"},
	} {
		rec := serve(t, h, http.MethodGet, c.path, nil, "Accept", c.accept)
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != c.contentType || rec.Body.String() != c.body {
			t.Errorf("%s as %s: %d %s with %q", c.path, c.accept, rec.Code, rec.Header().Get("Content-Type"), rec.Body)
		}
	}
	for _, r := range []struct{ bytes, want string }{{"bytes=2-6", "video"}, {"bytes=6-10", "o str"}, {"bytes=-6", "stream"}, {"bytes=8-", "stream"}} {
		rec := serve(t, h, http.MethodGet, one+"1/bulkdata/7FE00010", nil, "Accept", "video/mp4", "Range", r.bytes)
		if rec.Code != http.StatusPartialContent || rec.Body.String() != r.want {
			t.Errorf("%s of a video: %d %q", r.bytes, rec.Code, rec.Body)
		}
	}
	all := serve(t, h, http.MethodGet, "/dicom-web/studies/1.2.3/bulkdata", nil).Body.String()
	for _, want := range []string{"a video stream", "the icon", "the main image..", "fragment", "profile", "Content-Type: video/mp4"} {
		if !strings.Contains(all, want) {
			t.Errorf("the bulk data of the study have no %q", want)
		}
	}
}

func TestInstancesAsOctetsAreTheirBulkData(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	for _, path := range []string{"/dicom-web/studies/1.2.3", "/dicom-web/studies/1.2.3/series/1.2.3.1", "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"} {
		rec := serve(t, h, http.MethodGet, path, nil, "Accept", `multipart/related; type="application/octet-stream"`)
		if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "/bulkdata/7FE00010") || strings.Contains(rec.Body.String(), "DICM") {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}

func TestImplicitVRAndBigEndianAreNotUsedOnTheWeb(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	s.keep(t, made(t, "1.2.3.1.1"), uid.ImplicitVRLittleEndian)
	const one = "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
	for _, accept := range []string{"application/dicom; transfer-syntax=*", "*/*", "application/dicom", `multipart/related; type="application/dicom"; transfer-syntax=*`} {
		rec := serve(t, h, http.MethodGet, one, nil, "Accept", accept)
		if !strings.Contains(rec.Body.String(), "converted to "+uid.ExplicitVRLittleEndian) {
			t.Errorf("%s: %d %.200s", accept, rec.Code, rec.Body)
		}
	}
	rec := serve(t, h, http.MethodGet, one, nil, "Accept", "application/dicom; transfer-syntax="+uid.ImplicitVRLittleEndian)
	if rec.Code != http.StatusNotAcceptable || strings.Contains(rec.Body.String(), uid.ImplicitVRLittleEndian+`"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	rec = serve(t, h, http.MethodGet, "/dicom-web/wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.1&objectUID=1.2.3.1.1&contentType=application/dicom&transferSyntax="+uid.ImplicitVRLittleEndian, nil)
	if rec.Code != http.StatusNotAcceptable {
		t.Errorf("WADO-URI: %d", rec.Code)
	}
}

func TestLinksNameTheConfiguredAddressThatWasUsed(t *testing.T) {
	t.Parallel()
	h, s := newTest(t, func(o *Options) {
		o.Origins = []string{"https://localhost:8443", "https://pacs.example.org"}
		o.Origin = "https://pacs.example.org"
	})
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	s.answers = []*dicom.DataSet{made(t, "1.2.3.1.1")}
	for host, want := range map[string]string{"localhost:8443": "https://localhost:8443", "PACS.example.org": "https://pacs.example.org", "evil.example.net": "https://pacs.example.org"} {
		for _, path := range []string{"/studies", "/studies/1.2.3/metadata", "/studies/1.2.3/bulkdata"} {
			rec := serve(t, h, http.MethodGet, "http://"+host+"/dicom-web"+path, nil)
			if body := rec.Body.String(); !strings.Contains(body, want+"/dicom-web/studies/1.2.3") || strings.Contains(body, "evil") {
				t.Errorf("%s by %s: %d %s", path, host, rec.Code, body)
			}
		}
	}
	a := serve(t, h, http.MethodGet, "http://localhost:8443/dicom-web/studies/1.2.3/metadata", nil).Header().Get("ETag")
	if b := serve(t, h, http.MethodGet, "http://pacs.example.org/dicom-web/studies/1.2.3/metadata", nil).Header().Get("ETag"); a == b {
		t.Error("two contents have the same entity tag")
	}
}
