package dicomweb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"collimator/dicom/uid"
)

// direct is a transport without a network.
type direct struct{ h http.Handler }

// readParts reads all parts of a body.
func readParts(r io.Reader, boundary string, header, parts int) (bodies []string, err error) {
	pr := newPartReader(r, boundary, header, parts)
	for {
		p, err := pr.next()
		if err == io.EOF {
			return bodies, nil
		}
		if err != nil {
			return bodies, err
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return bodies, err
		}
		bodies = append(bodies, string(b))
	}
}

func TestMultipartBodiesAreRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       []string
		err        error
	}{
		{"two", "--b\r\nA: 1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--", []string{"one", "two"}, nil},
		{"preamble and epilogue", "ignored\r\n--b\r\n\r\none\r\n--b--\r\nignored", []string{"one"}, nil},
		{"empty line in front", "\r\n--b\r\n\r\none\r\n--b--\r\n", []string{"one"}, nil},
		{"empty part", "--b\r\n\r\n\r\n--b--", []string{""}, nil},
		{"blanks behind the boundary", "--b \t\r\n\r\none\r\n--b--", []string{"one"}, nil},
		{"line feeds only in the header", "--b\nA: 1\n\none\r\n--b--", []string{"one"}, nil},
		{"almost a boundary", "--b\r\n\r\n\r\n-b\r--b\r\n\r\n--b--", []string{"\r\n-b\r--b\r\n"}, nil},
		{"no parts", "--b--", nil, nil},
		{"no closing boundary", "--b\r\n\r\none", nil, errBoundary},
		{"cut in the header", "--b\r\nA: 1", nil, errBoundary},
		{"no boundary", "one two three", nil, errBoundary},
		{"empty", "", nil, errBoundary},
		{"longer boundary", "--b\r\n\r\none\r\n--bb\r\n", []string{}, errPartHeader},
		{"header that is none", "--b\r\nnonsense\r\n\r\none\r\n--b--", nil, errPartHeader},
		{"header of a megabyte", "--b\r\nA: " + strings.Repeat("x", 1<<20) + "\r\n\r\none\r\n--b--", nil, errPartLimit},
		{"many short headers", "--b\r\n" + strings.Repeat("A: x\r\n", 10000) + "\r\none\r\n--b--", nil, errPartLimit},
	} {
		for how, r := range map[string]io.Reader{"whole": strings.NewReader(c.body), "byte by byte": iotest.OneByteReader(strings.NewReader(c.body)),
			"with the end": iotest.DataErrReader(strings.NewReader(c.body))} {
			got, err := readParts(r, "b", 16<<10, 100)
			if !errors.Is(err, c.err) || err == nil && !slices.Equal(got, c.want) {
				t.Errorf("%s, %s: %q, %v", c.name, how, got, err)
			}
		}
	}
}

func TestPartsAreCounted(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("--b\r\n\r\nx\r\n", 101) + "--b--"
	if got, err := readParts(strings.NewReader(body), "b", 1024, 100); !errors.Is(err, errTooMany) || len(got) != 100 {
		t.Errorf("%d parts, %v", len(got), err)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte("\r\n--"), 100_000)
	var b bytes.Buffer
	w := newPartWriter(&b)
	for _, body := range [][]byte{{}, []byte("one"), large} {
		if err := w.begin("a/b", "/here", int64(len(body))); err != nil {
			t.Fatal(err)
		}
		b.Write(body)
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	got, err := readParts(bytes.NewReader(b.Bytes()), w.boundary, 1024, 10)
	if err != nil || !slices.Equal(got, []string{"", "one", string(large)}) {
		t.Errorf("%d parts, %v", len(got), err)
	}
	// And by somebody else.
	r := multipart.NewReader(bytes.NewReader(b.Bytes()), w.boundary)
	for i := range 3 {
		p, err := r.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := io.Copy(io.Discard, p); fmt.Sprint(n) != p.Header.Get("Content-Length") {
			t.Errorf("part %d: %d bytes", i, n)
		}
	}
}

func FuzzMultipart(f *testing.F) {
	f.Add([]byte("--b\r\nA: 1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--"), 3)
	f.Add([]byte("x\r\n--b \r\n\r\n\r\n--b--"), 1)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		whole, err := readParts(bytes.NewReader(body), "b", 256, 8)
		slowly, err2 := readParts(iotest.OneByteReader(bytes.NewReader(body)), "b", 256, 8)
		if (err == nil) != (err2 == nil) || err == nil && !slices.Equal(whole, slowly) {
			t.Errorf("%q, %v; byte by byte %q, %v", whole, err, slowly, err2)
		}
	})
}

func TestBoundariesOfOtherProgramsAreTaken(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 70, 73, 256} {
		h, s := newTest(t)
		boundary := strings.Repeat("b", n)
		body := "--" + boundary + "\r\n\r\n" + string(part10(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)) + "\r\n--" + boundary + "--"
		rec := serve(t, h, http.MethodPost, "/dicom-web/studies", strings.NewReader(body), "Content-Type", `multipart/related; type="application/dicom"; boundary=`+boundary)
		if rec.Code != http.StatusOK || len(s.objects) != 1 {
			t.Errorf("%d characters: %d %s", n, rec.Code, rec.Body)
		}
	}
	if c := newPartWriter(io.Discard); len(c.boundary) > 70 {
		t.Errorf("a boundary of %d characters is sent", len(c.boundary))
	}
}

func TestAContentTypeThatCannotBeUsedIsExplained(t *testing.T) {
	t.Parallel()
	const form = "multipart/related; type=application/dicom"
	for contentType, says := range map[string]string{
		form: "it has no boundary", form + "; boundary=" + strings.Repeat("b", 300): "its boundary has 300 characters, the most is 256",
		form + `; boundary="a b "`: "ends with a blank", form + `; boundary="ab#c"`: "character 3 of its boundary", "text/html": "media type is not accepted",
	} {
		h, _ := newTest(t)
		rec := serve(t, h, http.MethodPost, "/dicom-web/studies", strings.NewReader("x"), "Content-Type", contentType)
		if rec.Code != http.StatusUnsupportedMediaType || !strings.Contains(rec.Body.String(), says) {
			t.Errorf("%.80s: %d %s", contentType, rec.Code, rec.Body)
		}
	}
}
