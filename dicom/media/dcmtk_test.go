package media

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/internal/synth"
)

// studies writes studies of many kinds as a file-set, and gives its path.
func studies(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()

	w := newWriter(t, Folder(root))
	for i, kind := range []synth.Kind{synth.CT, synth.MR, synth.US, synth.SR, synth.PDF, synth.ECG} {
		for f := range synth.Study(kind, synth.Options{Seed: uint64(i), Images: 3, Rows: 16, Columns: 16}) {
			if _, err := w.Add(context.Background(), from(synth.Bytes(f))); err != nil {
				t.Fatal(err)
			}
		}
	}
	finish(t, w)
	return dir
}

// withDirectory reads a folder with a directory.
func withDirectory(t testing.TB, dir string) *FileSet {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return open(t, root.FS())
}

func TestDCMTKMakesTheSameDirectoryOfOurFiles(t *testing.T) {
	t.Parallel()
	dir := studies(t)
	ours := withDirectory(t, dir)
	if list := told(ours); len(list) > 0 {
		t.Fatal(list)
	}
	kept := filepath.Join(t.TempDir(), "DICOMDIR")
	if err := os.Rename(filepath.Join(dir, "DICOMDIR"), kept); err != nil {
		t.Fatal(err)
	}

	for _, tool := range []string{"dcmmkdir", "dcmgpdir"} {
		dcmtktest.Must(t, tool, "+r", "+id", dir, "+D", filepath.Join(dir, "DICOMDIR"), "-Nxc", "+F", "ZZ_TEST")
		theirs := withDirectory(t, dir)
		if list := told(theirs); len(list) > 0 {
			t.Errorf("%s: %v", tool, list)
		}
		if got, want := outline(t, ours.Directory), outline(t, theirs.Directory); got != want {
			t.Errorf("%s makes another tree:\n%s\nours:\n%s", tool, want, got)
		}
		sameKeys(t, tool, ours.Directory, theirs.Directory)
		if err := os.Remove(filepath.Join(dir, "DICOMDIR")); err != nil {
			t.Fatal(err)
		}
	}
}

// sameKeys holds every key that the standard asks for to what another writer has in
// it, byte for byte.
func sameKeys(t *testing.T, tool string, ours, theirs *Directory) {
	t.Helper()
	others := map[string]*dicom.DataSet{}
	for r := range theirs.All() {
		ds, err := r.Load()
		if err != nil {
			t.Fatal(err)
		}
		others[identity(ds)] = ds
	}

	compared := 0
	for r := range ours.All() {
		ds, err := r.Load()
		if err != nil {
			t.Fatal(err)
		}
		other := others[identity(ds)]
		if other == nil {
			t.Errorf("%s has no %s record %s", tool, r.Type(), identity(ds))
			continue
		}
		for _, k := range append(keysOf[r.Type()], key{tag: tag.DirectoryRecordType}, key{tag: tag.RecordInUseFlag},
			key{tag: tag.ReferencedTransferSyntaxUIDInFile, need: some}) {
			a, here := ds.Get(k.tag)
			b, there := other.Get(k.tag)
			if k.need == some && !there {
				continue
			}
			compared++
			if here != there || a.VR != b.VR || !bytes.Equal(a.Bytes(), b.Bytes()) || len(a.Items()) != len(b.Items()) {
				t.Errorf("%s: %s of a %s record is different: %v (%d bytes), %v (%d bytes)", tool, k.tag.Keyword(), r.Type(), here, a.Length(), there, b.Length())
			}
		}
	}
	if compared < 100 {
		t.Errorf("%d keys were compared", compared)
	}
}

func identity(ds *dicom.DataSet) string {
	return strings.Join([]string{ds.Text(tag.DirectoryRecordType), ds.Text(tag.PatientID), ds.Text(tag.StudyInstanceUID),
		ds.Text(tag.SeriesInstanceUID), ds.Text(tag.ReferencedSOPInstanceUIDInFile)}, "|")
}

func TestDcmdumpFindsOurRecordsAtOurOffsets(t *testing.T) {
	t.Parallel()
	dir := studies(t)
	said := dcmtktest.Must(t, "dcmdump", filepath.Join(dir, "DICOMDIR"))
	if strings.Contains(said, "W: ") || strings.Contains(said, "E: ") {
		t.Errorf("dcmdump warns:\n%s", said)
	}
	for r := range withDirectory(t, dir).Directory.All() {
		if want := fmt.Sprintf("offset=$%d", r.Offset()); !strings.Contains(said, want) {
			t.Errorf("dcmdump has no record with %s", want)
		}
	}
}
