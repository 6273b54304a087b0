package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// oneFile is a file-set with a directory that leads to one file ID.
func oneFile(t testing.TB, fileID []string, names ...string) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{"DICOMDIR": &fstest.MapFile{Data: craft(t, uid.ExplicitVRLittleEndian, 1, 1, written{kind: "IMAGE", fileID: fileID})}}
	for _, name := range names {
		m[name] = &fstest.MapFile{Data: []byte("x")}
	}
	return m
}

func TestFilesAreFoundAsDiscsNameThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fileID []string
		files  []string
		found  string
		kinds  string
	}{
		{"as it is", []string{"IMAGES", "IM1"}, []string{"IMAGES/IM1"}, "IMAGES/IM1", "[]"},
		{"lower case", []string{"IMAGES", "IM1"}, []string{"images/im1"}, "images/im1", "[]"},
		{"lower case in the record", []string{"images", "im1"}, []string{"IMAGES/IM1"}, "IMAGES/IM1", "[]"},
		{"a version of ISO 9660", []string{"IMAGES", "IM1"}, []string{"IMAGES/IM1.;1"}, "IMAGES/IM1.;1", "[]"},
		{"a point behind", []string{"IM1"}, []string{"im1."}, "im1.", "[]"},
		{"an extension stays", []string{"IM1.DCM"}, []string{"im1.dcm;1"}, "im1.dcm;1", "[]"},
		{"another extension is another file", []string{"IM1"}, []string{"IM1.DCM"}, "", "[missing-file:1]"},
		{"the case that is written is taken first", []string{"IM1"}, []string{"IM1", "im1"}, "IM1", "[ambiguous-file:1]"},
		{"not there", []string{"IMAGES", "IM1"}, []string{"IMAGES/IM2"}, "", "[missing-file:1]"},
		{"no folder", []string{"IMAGES", "IM1"}, nil, "", "[missing-file:1]"},
		{"a folder is no file", []string{"IMAGES"}, []string{"IMAGES/IM1"}, "", "[missing-file:1]"},
		{"a file is no folder", []string{"IM1", "IM2"}, []string{"IM1"}, "", "[missing-file:1]"},
		{"a path in one component", []string{"IMAGES/IM1"}, []string{"IMAGES/IM1"}, "IMAGES/IM1", "[irregular:1]"},
		{"from the root", []string{"", "IMAGES", "IM1"}, []string{"IMAGES/IM1"}, "IMAGES/IM1", "[irregular:1]"},
		{"from here", []string{".", "IM1"}, []string{"IM1"}, "IM1", "[irregular:1]"},
		{"an absolute path stays inside", []string{"/etc/passwd"}, []string{"etc/passwd"}, "etc/passwd", "[irregular:1]"},
		{"up", []string{"..", "IM1"}, []string{"IM1"}, "", "[bad-file-id:1]"},
		{"up in a path", []string{"IMAGES/../../IM1"}, []string{"IM1"}, "", "[bad-file-id:1]"},
		{"NUL", []string{"IM1\x00.TXT"}, []string{"IM1"}, "", "[bad-file-id:1]"},
		{"a drive", []string{"C:", "IM1"}, []string{"IM1"}, "", "[bad-file-id:1]"},
		{"none", nil, nil, "", "[bad-file-id:1]"},
		{"empty", []string{"", ""}, nil, "", "[bad-file-id:1]"},
	} {
		objects := slices.Collect(open(t, oneFile(t, c.fileID, c.files...)).Objects())
		if len(objects) != 1 {
			t.Errorf("%s: %d objects", c.name, len(objects))
			continue
		}
		if got := kinds(objects[0].Problems); objects[0].Path != c.found || got != c.kinds {
			t.Errorf("%s: found %q with %s, want %q with %s", c.name, objects[0].Path, got, c.found, c.kinds)
		}
	}
}

func TestTheDirectoryIsFoundWhateverItsCase(t *testing.T) {
	t.Parallel()
	b := craft(t, uid.ExplicitVRLittleEndian, 1, 1, written{kind: "PATIENT"})
	for _, name := range []string{"DICOMDIR", "dicomdir", "DicomDir.;1"} {
		if got := tree(t, open(t, fstest.MapFS{name: {Data: b}}).Directory); got != "P" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, m := range []fstest.MapFS{{}, {"SUB/DICOMDIR": {Data: b}}, {"DICOMDIR/IM1": {Data: b}}} {
		if _, err := Open(m, Options{}); !errors.Is(err, ErrNoDirectory) {
			t.Errorf("%v", err)
		}
	}
}

func TestSymbolicLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "SECRET")
	if err := os.WriteFile(outside, part10(t, instance(1, 1, 1, 1), uid.ExplicitVRLittleEndian), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b := craft(t, uid.ExplicitVRLittleEndian, 1, 1, written{kind: "IMAGE", next: 2, fileID: []string{"LINK"}}, written{kind: "IMAGE", fileID: []string{"AWAY", "SECRET"}})
	for name, err := range map[string]error{
		"DICOMDIR": os.WriteFile(filepath.Join(dir, "DICOMDIR"), b, 0o600),
		"LINK":     os.Symlink(outside, filepath.Join(dir, "LINK")),
		"AWAY":     os.Symlink(filepath.Dir(outside), filepath.Join(dir, "AWAY")),
	} {
		if err != nil {
			t.Fatal(name, err)
		}
	}

	// os.DirFS would follow them.
	for name, s := range map[string]*FileSet{"os.DirFS": open(t, os.DirFS(dir)), "os.Root": withDirectory(t, dir)} {
		for o := range s.Check() {
			if got := kinds(o.Problems); o.Path != "" || got != "[link:1]" {
				t.Errorf("%s: %q, %s", name, o.Path, got)
			}
		}
		for o := range Scan(s.fsys, Options{}) {
			if got := kinds(o.Problems); o.Head != nil || got != "[link:1]" {
				t.Errorf("%s: %q, %s", name, o.Path, got)
			}
		}
	}
}

func TestAFileIsHeldToItsRecord(t *testing.T) {
	t.Parallel()
	m := memory{}
	w := newWriter(t, m)
	path := add(t, w, instance(1, 1, 1, 1)).Path()
	finish(t, w)

	file := func(syntax string, more ...value) []byte { return part10(t, instance(1, 1, 1, 1, more...), syntax) }
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"the same", file(uid.ExplicitVRLittleEndian), "[]"},
		{"another class", file(uid.ExplicitVRLittleEndian, value{tag.SOPClassUID, uid.MRImageStorage}), "[wrong-file:1]"},
		{"another object", file(uid.ExplicitVRLittleEndian, value{tag.SOPInstanceUID, "2.25.7"}), "[wrong-file:1]"},
		{"another syntax", file(uid.ImplicitVRLittleEndian), "[wrong-file:1]"},
		{"another patient", file(uid.ExplicitVRLittleEndian, value{tag.PatientID, "ZZPHI7"}), "[wrong-file:1]"},
		{"another series and study", file(uid.ExplicitVRLittleEndian, value{tag.StudyInstanceUID, "2.25.7"}, value{tag.SeriesInstanceUID, "2.25.8"}), "[wrong-file:2]"},
		{"no object", []byte("ZZPHI"), "[not-dicom:1]"},
		{"empty", nil, "[not-dicom:1]"},
		{"cut off", file(uid.ExplicitVRLittleEndian)[:320], "[damaged:1]"},
	} {
		m[path] = &fstest.MapFile{Data: c.file}
		for o := range open(t, fstest.MapFS(m)).Check() {
			if got := kinds(o.Problems); got != c.want {
				t.Errorf("%s: %s, want %s\n%v", c.name, got, c.want, o.Problems)
			}
		}
	}
}

func TestScanFindsObjectsWithoutADirectory(t *testing.T) {
	t.Parallel()
	var alone []byte
	whole := part10(t, instance(1, 1, 1, 3), uid.ExplicitVRLittleEndian)
	f, err := dicom.ReadFile(bytes.NewReader(whole), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	alone = whole[f.DataSetOffset:]

	m := fstest.MapFS{
		"DICOMDIR":     {Data: craft(t, uid.ExplicitVRLittleEndian, 0, 0)},
		"B/IM2.dcm":    {Data: part10(t, instance(1, 1, 1, 2), uid.ExplicitVRLittleEndian)},
		"A/IM1":        {Data: part10(t, instance(1, 1, 1, 1), uid.DeflatedExplicitVRLittleEndian)},
		"C/alone":      {Data: alone},
		"AUTORUN.INF":  {Data: []byte("[autorun]")},
		"C/README.TXT": {Data: []byte("read me")},
		"D/PIPE":       {Mode: fs.ModeNamedPipe},
	}
	var objects, others []string
	for o := range Scan(m, Options{}) {
		if o.Head == nil {
			others = append(others, o.Path+" "+kinds(o.Problems))
			continue
		}
		objects = append(objects, fmt.Sprint(o.Path, " ", o.Head.Text(tag.InstanceNumber), " ", kinds(o.Problems)))
	}
	if want := []string{"A/IM1 1 []", "B/IM2.dcm 2 []", "C/alone 3 [irregular:1]"}; !slices.Equal(objects, want) {
		t.Errorf("%q", objects)
	}
	if want := []string{"AUTORUN.INF [not-dicom:1]", "C/README.TXT [not-dicom:1]", "D/PIPE [not-dicom:1]"}; !slices.Equal(others, want) {
		t.Errorf("%q", others)
	}

	for range Scan(m, Options{}) {
		break // whoever has enough ends it
	}
}

func TestScanIsBounded(t *testing.T) {
	t.Parallel()
	m := fstest.MapFS{"A/B/C/D/IM1": {Data: []byte("x")}, "MANY/1": {}, "MANY/2": {}, "MANY/3": {}}
	var got []string
	for o := range Scan(m, Options{Limits: Limits{Folders: 2, Entries: 2}}) {
		got = append(got, o.Path+" "+kinds(o.Problems))
	}
	if want := []string{"A/B/C [too-much:1]", "MANY [unreadable:1]"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// sequential is a file system whose files cannot be read at an offset, like those of a
// zip, and counts the bytes that are read.
type sequential struct {
	fs.FS
	read *int64
}

func (s sequential) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if list, ok := f.(fs.ReadDirFile); ok {
		return list, nil
	}
	return &sequentialFile{f, s.read}, nil
}

type sequentialFile struct {
	fs.File
	read *int64
}

func (f *sequentialFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	*f.read += int64(n)
	return n, err
}

// large is a file-set of n objects with pixel data of so many bytes, which are not
// in memory.
func large(t testing.TB, n, pixels int) (fs.FS, *int64) {
	t.Helper()
	m := memory{}
	w := newWriter(t, m)
	for i := range n {
		ds := instance(1, 1+i/1000, 1+i%10, i)
		if _, err := w.Add(context.Background(), from(part10(t, ds, uid.ExplicitVRLittleEndian))); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, w)
	read := new(int64)
	padding := make([]byte, pixels)
	for name, f := range m {
		if name != DirectoryName {
			f.Data = append(f.Data[:len(f.Data):len(f.Data)], 0xE0, 0x7F, 0x10, 0, 'O', 'B', 0, 0)
			f.Data = append(f.Data, byte(pixels), byte(pixels>>8), byte(pixels>>16), 0)
			f.Data = append(f.Data, padding...)
		}
	}
	return sequential{fstest.MapFS(m), read}, read
}

func TestAMediumIsReadWithoutReadingItsFilesWhole(t *testing.T) {
	t.Parallel()
	const objects, pixels = 200, 200_000
	fsys, read := large(t, objects, pixels)
	s := open(t, fsys)
	directory := *read
	n := 0
	for o := range s.Check() {
		if len(o.Problems) > 0 {
			t.Fatal(o.Problems)
		}
		n++
	}
	if n != objects {
		t.Fatalf("%d objects", n)
	}
	if per := (*read - directory) / objects; per > 16<<10 {
		t.Errorf("%d bytes were read of each object of %d", per, pixels)
	}

	before := *read
	for range s.Objects() {
	}
	if *read != before {
		t.Errorf("%d bytes of files were read to list them", *read-before)
	}
}

func TestADirectoryInMemoryIsBounded(t *testing.T) {
	t.Parallel()
	read := new(int64)
	m := fstest.MapFS{"DICOMDIR": {Data: craft(t, uid.ExplicitVRLittleEndian, 1, 1, written{kind: "PATIENT"}), ModTime: time.Time{}}}
	if _, err := Open(sequential{m, read}, Options{Limits: Limits{InMemory: 100}}); err == nil || *read > 600 {
		t.Errorf("%v, %d bytes read", err, *read)
	}
	open(t, sequential{m, read})
}

func BenchmarkCheck(b *testing.B) {
	fsys, _ := large(b, 20_000, 10_000)
	s := open(b, fsys)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range s.Check() {
			n++
		}
		if n != 20_000 {
			b.Fatal(n)
		}
	}
}
