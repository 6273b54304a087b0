package collimator_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// eachSource calls a function with every Go file of the project, its tests too,
// by its path with slashes.
func eachSource(t *testing.T, look func(path string, source []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != "." && strings.HasPrefix(name, ".") || name == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}

		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		look(filepath.ToSlash(path), b)

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// asksRows is a query whose rows the caller reads by itself.
var asksRows = regexp.MustCompile(`\btx\.Query\(`)

// readsByItself are the files that need two results at once, side by side.
var readsByItself = map[string]string{
	"internal/archive/compare.go": "two results are read in step, a row of each",
}

// A loop of its own forgets to close the rows, or takes half a list for all of
// it because it did not ask what ended them.
func TestRowsAreReadByPackageDB(t *testing.T) {
	t.Parallel()
	eachSource(t, func(path string, source []byte) {
		if strings.HasPrefix(path, "internal/db/") || strings.HasSuffix(path, "_test.go") {
			return
		}
		_, may := readsByItself[path]
		found := asksRows.Match(source)
		switch {
		case found && !may:
			t.Errorf("%s reads rows by itself: use db.All, db.Column or db.Each", path)
		case !found && may:
			t.Errorf("%s reads no rows by itself any more: take it out of readsByItself", path)
		}
	})
}

// asksKindOtherwise is a question for the kind of an error that is not fault.Of.
var asksKindOtherwise = regexp.MustCompile(
	`\berrors\.(Is|As)\(.*\bfault\.(` + strings.Join(kinds, "|") + `)\)|\berrors\.AsType\[fault\.Kind\]`)

// kinds are the names of the kinds of package fault.
var kinds = []string{
	"None", "Internal", "NotFound", "Denied", "Conflict", "Invalid", "TooLarge", "Busy", "Unavailable", "Unsupported",
	"Canceled",
}

// errors.Is finds any kind in a chain and fault.Of the outermost: two ways to ask
// would answer the same error in two ways.
func TestTheKindOfAnErrorIsAskedInOneWay(t *testing.T) {
	t.Parallel()
	eachSource(t, func(path string, source []byte) {
		if strings.HasPrefix(path, "internal/fault/") {
			return
		}
		if found := asksKindOtherwise.Find(source); found != nil {
			t.Errorf("%s: %s: ask fault.Of(err) == KIND", path, found)
		}
	})
}

// TestTheNamesOfTheKindsAreThoseOfPackageFault holds the list above against the
// package, so that a new kind is asked for in that way too.
func TestTheNamesOfTheKindsAreThoseOfPackageFault(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("internal/fault/fault.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(source), "const (\n")
	block, _, _ = strings.Cut(block, "\n)")

	var got []string
	for line := range strings.Lines(block) {
		got = append(got, strings.Fields(line)[0])
	}
	if !slices.Equal(got, kinds) {
		t.Errorf("the kinds are %q, this test knows %q", got, kinds)
	}
}

// decidesBySentence compares with a text of several words, or looks into a reason
// that is written for people.
var decidesBySentence = regexp.MustCompile(
	`(?:[!=]=\s*|\bcase\s+)"[^"\n]* [^"\n]*"|strings\.(?:Contains|HasPrefix|HasSuffix)\([a-zA-Z.]*\.Reason\b`)

// byCode are the packages that act on what others recorded.
var byCode = []string{
	"internal/posture/", "internal/inventory/", "internal/audit/", "internal/guard/", "internal/api/", "internal/report/",
}

// A sentence that is put better must not silence an alarm.
func TestWhatWasRecordedIsActedOnByItsCode(t *testing.T) {
	t.Parallel()
	eachSource(t, func(path string, source []byte) {
		covered := slices.ContainsFunc(byCode, func(dir string) bool { return strings.HasPrefix(path, dir) })
		if !covered || strings.HasSuffix(path, "_test.go") {
			return
		}
		if found := decidesBySentence.Find(source); found != nil {
			t.Errorf("%s decides by a sentence: %s: ask a typed code", path, found)
		}
	})
}

// seesEverything are the files that may say archive.Everything, with the reason
// why nobody's sight is wider than it should be.
var seesEverything = map[string]string{
	"cmd/collimator/delete.go":          "a command of whoever runs the server and reads its files",
	"cmd/collimator/label.go":           "a command of whoever runs the server and reads its files",
	"cmd/collimator/studies.go":         "a command of whoever runs the server and reads its files",
	"cmd/collimator/export.go":          "a command of whoever runs the server and reads its files",
	"internal/house/export.go":          "a command of whoever runs the server and reads its files",
	"internal/house/medium.go":          "a command of whoever runs the server and reads its files",
	"internal/verify/signature.go":      "a command of whoever runs the server and reads its files",
	"internal/archive/find.go":          "the name of it",
	"internal/archive/index/scope.go":   "the making of it",
	"internal/guard/caller.go":          "the sight that policy gave to the caller",
	"interop/harness/web.go":            "an archive of tests",
	"internal/house/sitetest/filled.go": "an archive of tests",
}

// The zero scope sees nothing. What is served asks guard.Scope, which is what
// policy decided about the caller.
func TestWhoSeesEverythingIsListed(t *testing.T) {
	t.Parallel()
	says := regexp.MustCompile(`\bEverything\(\)`)
	eachSource(t, func(path string, source []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		_, may := seesEverything[path]
		found := says.Match(source)
		switch {
		case found && !may:
			t.Errorf("%s sees everything: ask guard.Scope, or say in seesEverything why", path)
		case !found && may:
			t.Errorf("%s does not say Everything any more: take it out of seesEverything", path)
		}
	})
}
