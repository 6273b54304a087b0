package dicomweb

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"collimator/dicom/uid"
)

func TestFramesAreCompressedWhereThatIsSetAndAskedFor(t *testing.T) {
	t.Parallel()
	const one, several = "application/octet-stream", `multipart/related; type="application/octet-stream"`
	for _, c := range []struct {
		set             bool
		accept, encoded string
		more            []string
		want            string
	}{
		{true, one, "gzip", nil, "gzip"}, {true, several, "gzip, br", nil, "gzip"}, {true, one, "", nil, ""}, {true, one, "gzip;q=0", nil, ""},
		{false, one, "gzip", nil, ""}, {false, several, "gzip", nil, ""}, {true, one, "gzip", []string{"Range", "bytes=0-3"}, ""},
	} {
		h, s := newTest(t)
		h.o.CompressFrames = c.set
		s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
		const path = "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/frames/1"
		plain := serve(t, h, http.MethodGet, path, nil, "Accept", one).Body.String()
		rec := serve(t, h, http.MethodGet, path, nil, append([]string{"Accept", c.accept, "Accept-Encoding", c.encoded}, c.more...)...)
		if got := rec.Header().Get("Content-Encoding"); got != c.want || rec.Code >= 300 {
			t.Errorf("%+v: %d %q", c, rec.Code, got)
			continue
		}
		if c.want == "" {
			continue
		}

		z, err := gzip.NewReader(rec.Body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(z)
		if err != nil || len(plain) == 0 || !strings.Contains(string(body), plain) || rec.Header().Get("Content-Length") != "" {
			t.Errorf("%+v: %v, %d bytes", c, err, len(body))
		}
		if vary := strings.Join(rec.Header().Values("Vary"), ","); !strings.Contains(vary, "Accept-Encoding") {
			t.Errorf("%+v: varies by %q", c, vary)
		}
	}
}
