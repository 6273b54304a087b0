package deid

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// corpus is the readable files of the shared corpus, or the test is skipped.
func corpus(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("COLLIMATOR_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(dir, "corpus", "MANIFEST.tsv"))
	if err != nil {
		t.Skip("no shared corpus (COLLIMATOR_SHARED): left out de-identifying some 900 real files")
	}
	defer f.Close()
	var out []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		cols := strings.Split(sc.Text(), "\t")
		if cols[len(cols)-1] == "yes" {
			out = append(out, filepath.Join(dir, "corpus", cols[0]))
		}
	}
	return out
}

func TestCorpusKeepsNoIdentity(t *testing.T) {
	t.Parallel()
	basic := New(testKey(), Profile{InsecureAllowBurnedIn: true, RemoveDocuments: true})
	devices := New(testKey(), Profile{InsecureAllowBurnedIn: true, RemoveDocuments: true, Dates: ShiftDates, RetainDeviceIdentity: true})
	rich := New(testKey(), Profile{
		InsecureAllowBurnedIn: true, RemoveDocuments: true, Dates: ShiftDates, CleanDescriptors: true, CleanStructuredContent: true,
		CleanGraphics: true, RetainPatientCharacteristics: true, RetainSafePrivate: true,
	})
	done := 0
	for i, path := range corpus(t) {
		if testing.Short() && i%8 != 0 {
			continue
		}
		r, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		done += checkFile(t, basic, path, r)
		checkFile(t, devices, path, r)
		checkFile(t, rich, path, r)
		r.Close()
	}
	t.Logf("%d files", done)
}

func checkFile(t *testing.T, d *Deidentifier, path string, r *os.File) int {
	t.Helper()
	info, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := dicom.OpenFile(r, info.Size(), dicom.DecodeOptions{BulkThreshold: 4 << 10})
	if err != nil {
		return 0
	}
	out, _, err := d.ApplyFile(f, "2.25.1")
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0
	}
	withoutBulk(out.DataSet) // pixels are not ours, and may hold any bytes
	var b bytes.Buffer
	if err := dicom.WriteFile(&b, out); err != nil {
		t.Errorf("%s: %v", path, err)
		return 0
	}
	back, err := dicom.ReadFile(bytes.NewReader(b.Bytes()), dicom.DecodeOptions{})
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0
	}

	secrets := secretsOf(f.DataSet, d.profile)
	secrets.search(back.DataSet, f.DataSet, "", func(where string, what string) {
		t.Errorf("%s: %s holds %s of the original", path, where, what)
	})
	secrets.search(back.Meta, f.Meta, "meta", func(where string, what string) {
		t.Errorf("%s: %s holds %s of the original", path, where, what)
	})
	if !uid.Valid(back.DataSet.Text(tag.SOPInstanceUID)) && f.DataSet.Text(tag.SOPInstanceUID) != "" {
		t.Errorf("%s: no valid instance UID", path)
	}
	return 1
}

func withoutBulk(ds *dicom.DataSet) {
	var bulk []dicom.Tag
	for el := range ds.All() {
		if _, ok := el.Bulk(); ok || el.Encapsulated() || el.Tag == tag.PixelData {
			bulk = append(bulk, el.Tag)
		}
		for _, item := range el.Items() {
			withoutBulk(item)
		}
	}
	for _, t := range bulk {
		ds.Delete(t)
	}
}
