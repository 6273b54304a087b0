//go:build interop

package interop_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// TestDicomwebClientWorks lets dicomweb-client, which viewers use, store, search
// and retrieve.
func TestDicomwebClientWorks(t *testing.T) {
	t.Parallel()
	node := harness.Tool(t, "node", "nodejs")
	dir := npmInstall(t, "dicomweb-client")
	w := harness.StartWeb(t)
	files := map[string]string{}
	var list, study []string
	for i := range 3 {
		study = append(study, uid.New())
		series := uid.New()
		for k := range 2 {
			u := uid.New()
			files[u] = harness.Instance{Study: study[i], Series: series, UID: u, Pixels: 4096, Fill: byte(16*i + k)}.Write(t, t.TempDir())
			list = append(list, files[u])
		}
	}
	out, code := harness.Exec(t, time.Minute, nil, node, append([]string{filepath.Join(dir, "check.mjs"), w.URL}, list...)...)
	if code != 0 {
		t.Fatalf("dicomweb-client: %s", out)
	}
	var got struct {
		Stored, InStudies, StudyMetadata int
		Studies                          []string
		None                             []any
		Objects                          map[string]struct {
			Found, Size, Metadata int
			Frame, Bulk           string
			JPEG, PNG             []int
			Thumbnail             bool
		}
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(out))).Decode(&got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	slices.Sort(study)
	if got.Stored != 6 || got.InStudies != 6 || got.StudyMetadata != 6 || len(got.None) != 0 || !slices.Equal(got.Studies, study) || len(got.Objects) != 6 {
		t.Errorf("got %+v", got)
	}
	for u, path := range files {
		f, o := harness.ReadFile(t, path), got.Objects[u]
		frames, err := pixel.Index(f.DataSet)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := frames.Bytes(1)
		if err != nil {
			t.Fatal(err)
		}
		el, _ := f.DataSet.Get(tag.PixelData)
		if o.Found != 1 || o.Metadata != 1 || o.Size < len(frame) || o.Frame != digest(frame) || o.Bulk != digest(el.Bytes()) || !o.Thumbnail ||
			!slices.Equal(o.JPEG, []int{0xFF, 0xD8, 0xFF}) || !slices.Equal(o.PNG, []int{0x89, 'P', 'N', 'G'}) {
			t.Errorf("object: %+v", o)
		}
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
