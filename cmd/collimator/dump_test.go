package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func TestDumpNamesCompressedPixelsByTheirFile(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewElement(tag.SOPClassUID, dicom.UI, []byte(uid.CTImageStorage)))
	ds.Set(dicom.NewElement(tag.SOPInstanceUID, dicom.UI, []byte("2.25.1")))
	ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, bytes.Repeat([]byte{1}, 100_000)))
	b := dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "2.25.1", TransferSyntaxUID: uid.JPEG2000})
	w := bytes.NewBuffer(b)
	if err := dicom.Encode(w, ds, uid.JPEG2000); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "an image.dcm")
	if err := os.WriteFile(path, w.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	var out bytes.Buffer
	c := &dumpCmd{Files: []string{path}, Reveal: true, Output: "json"}
	if err := c.Run(&env{ctx: t.Context(), stdout: &out, stderr: &out}); err != nil {
		t.Fatal(err)
	}
	var got map[string]struct{ BulkDataURI string }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if u := got["7FE00010"].BulkDataURI; !strings.HasPrefix(u, "file:///") || !strings.HasSuffix(u, "/an%20image.dcm#7FE00010") {
		t.Errorf("the pixel data are at %q", u)
	}
}
