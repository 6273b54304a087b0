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
	left := map[string]bool{}
	texts(back.DataSet, left)
	texts(back.Meta, left)
	for _, v := range telling(f.DataSet) {
		if left[v.text] {
			t.Errorf("%s: a value of %s remains", path, v.tag.Keyword())
		}
	}
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

// texts collects the values of a data set at all levels.
func texts(ds *dicom.DataSet, into map[string]bool) {
	for el := range ds.All() {
		for _, v := range el.Texts() {
			if el.VR != dicom.CS {
				into[v] = true
			}
		}
		for _, item := range el.Items() {
			texts(item, into)
		}
	}
}

type tellingValue struct {
	tag  dicom.Tag
	text string
}

// telling is the names, identifiers, dates and UIDs of a data set, at all
// levels.
func telling(ds *dicom.DataSet) []tellingValue {
	var out []tellingValue
	for el := range ds.All() {
		for _, item := range el.Items() {
			out = append(out, telling(item)...)
		}
		if el.Tag.Private() || el.Tag.Group() <= 8 && el.Tag.Element() == 0 {
			continue
		}
		e, _ := tag.Lookup(el.Tag)
		who := el.VR == dicom.PN || el.VR == dicom.DA || el.VR == dicom.DT || el.Tag == tag.PatientID || el.Tag == tag.AccessionNumber
		for _, v := range el.Texts() {
			object := el.VR == dicom.UI && !classLike(e.Keyword) && !strings.HasPrefix(v, standardRoot)
			if (who || object) && len(v) >= 6 && strings.Trim(v, "0 ^.") != "" && !strings.EqualFold(v, dummyText) && v != dummies[el.VR] {
				out = append(out, tellingValue{el.Tag, v})
			}
		}
	}
	return out
}
