package collimator_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// makes is what makes a file, a directory or a name without a word about a
// power cut.
var makes = regexp.MustCompile(`\bos\.(Link|Rename|Symlink|Mkdir|MkdirAll|MkdirTemp|WriteFile|Create|CreateTemp|OpenRoot)\(|\bO_CREATE\b|\bO_EXCL\b`)

// mayBeLost are the files that may make something beside package durable, with
// the reason why a power cut may take it.
var mayBeLost = map[string]string{
	"dicom/media/target.go":               "a copy of objects that stand elsewhere; without its DICOMDIR, which comes last, it is no file-set",
	"internal/disc/disc.go":               "a medium that is read",
	"internal/disc/make.go":               "files that are read, and the folder of their copies",
	"internal/house/lock.go":              "a lock: the file is empty, and a new one does as well",
	"internal/dump/dump.go":               "the data set of a deflated file while it is printed",
	"internal/house/sample.go":            "a drawn study, drawn again with the same words",
	"dicomweb/storemeta.go":               "bulk data of a request that is not answered yet",
	"internal/db/dbtest/place.go":         "databases of tests",
	"internal/house/sitetest/sitetest.go": "installations of tests",
	"internal/house/sitetest/site.go":     "routes of tests",
	"internal/db/sqlite.go":               "empty files, for their mode; SQLite makes their names durable with its first commit",
	"internal/db/share.go":                "locks, and a mark that no process outlives",
	"internal/scratch/scratch.go":         "what the process alone can read, and needs no longer than it runs",
	"internal/house/gate.go":              "the directory for that, made again at the next start",
	"internal/demo/demo.go":               "a hospital that goes away with the program",
	"internal/demo/behind.go":             "as demo.go",
	"internal/demo/stranger.go":           "as demo.go",
	"internal/scan/state.go":              "how far a scan came: without it it begins anew",
}

func TestWhatMustLastIsMadeByPackageDurable(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name := d.Name(); isBeside(filepath.ToSlash(path)) || path != "." && strings.HasPrefix(name, ".") || name == "testdata" {
				return fs.SkipDir
			}
			return nil
		case !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"), strings.HasPrefix(filepath.ToSlash(path), "internal/durable/"):
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found := makes.Find(b)
		name := filepath.ToSlash(path)
		if _, ok := mayBeLost[name]; found != nil && !ok {
			t.Errorf("%s uses %s: make it with package durable, or say in mayBeLost why a power cut may take it", name, found)
		}
		used[name] = found != nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range mayBeLost {
		if !used[name] {
			t.Errorf("%s makes nothing any more: take it out of mayBeLost", name)
		}
	}
}
