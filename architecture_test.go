package collimator_test

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// beside lists the folders that stand beside the layers: they may import
// anything and nothing may import them.
var beside = []string{"tools", "bench", "interop"}

// place is where a package is drawn: its layer from the top, and its position
// on a chain of `>`; packages of one layer in other chains are strangers.
type place struct {
	layer, chain, link int
	name               string
}

func TestImportsPointDownThroughTheLayers(t *testing.T) {
	drawn := readLayers(t)
	planned := readBlock(t, "planned")
	module := modulePath(t)
	missing := map[string]bool{}
	for name := range drawn {
		missing[name] = true
	}

	for _, pkg := range listPackages(t) {
		name := pkg.Dir
		delete(missing, name)
		if _, later := planned[name]; later {
			t.Errorf("%s is there: draw it in the layers, and no longer as planned", name)
		}
		if name == "." || isBeside(name) {
			continue
		}
		from, ok := locate(drawn, name)
		if !ok {
			t.Errorf("%s is not drawn in ARCHITECTURE.md: draw it first", name)
			continue
		}
		for _, imported := range pkg.Imports {
			checkImport(t, drawn, name, from, module, imported)
		}
	}

	for name := range missing {
		t.Errorf("%s is drawn in the layers and not there: draw it as planned", name)
	}
}

// modulePath is the name of the module, which may change (tools/rename).
func modulePath(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	return modfile.ModulePath(b)
}

func checkImport(t *testing.T, drawn map[string]place, name string, from place, module, imported string) {
	t.Helper()
	target, ours := strings.CutPrefix(imported, module+"/")
	if !ours {
		if drawn["dicom"].layer == from.layer && strings.Contains(strings.Split(imported, "/")[0], ".") && !strings.HasPrefix(imported, "golang.org/x/") {
			t.Errorf("%s imports %s: public packages use the standard library and golang.org/x only", name, imported)
		}
		return
	}
	if isBeside(target) {
		t.Errorf("%s imports %s, which stands beside the layers", name, target)
		return
	}
	to, ok := locate(drawn, target)
	switch {
	case !ok:
		t.Errorf("%s imports %s, which is not drawn", name, target)
	case to.layer < from.layer:
		t.Errorf("%s imports %s: the arrow points up", name, target)
	case to.layer == from.layer && to != from && (to.chain != from.chain || to.link <= from.link):
		t.Errorf("%s imports %s: the drawing has no arrow between these two of one layer", name, target)
	}
}

// readLayers is where the packages are drawn.
func readLayers(t *testing.T) map[string]place {
	t.Helper()
	return readBlock(t, "layers")
}

// readBlock parses the block between two marks of ARCHITECTURE.md.
func readBlock(t *testing.T, mark string) map[string]place {
	t.Helper()
	b, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok1 := strings.Cut(string(b), "<!-- "+mark+" -->")
	block, _, ok2 := strings.Cut(rest, "<!-- /"+mark+" -->")
	if !ok1 || !ok2 {
		t.Fatalf("ARCHITECTURE.md has no block between the marks %q", mark)
	}
	drawn := map[string]place{}
	layer := 0
	for _, line := range strings.Split(block, "\n") {
		_, list, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			continue
		}
		layer++
		// A chain is joined by `>`; a stroke inside it names packages of one
		// link, a stroke outside it parts chains.
		chains := strings.Split(list, "|")
		if strings.Contains(list, ">") {
			chains = []string{list}
		}
		for c, chain := range chains {
			for l, link := range strings.Split(chain, ">") {
				for _, name := range strings.Split(link, "|") {
					drawn[strings.TrimSpace(name)] = place{layer, c, l, strings.TrimSpace(name)}
				}
			}
		}
	}
	return drawn
}

// locate finds the drawn package that name is or lies below.
func locate(drawn map[string]place, name string) (place, bool) {
	for ; name != ""; name = name[:max(strings.LastIndexByte(name, '/'), 0)] {
		if p, ok := drawn[name]; ok {
			return p, true
		}
	}
	return place{}, false
}

func isBeside(name string) bool {
	for _, b := range beside {
		if name == b || strings.HasPrefix(name, b+"/") {
			return true
		}
	}
	return false
}

type goPackage struct {
	Dir     string // from the root of the module, with slashes
	Imports []string
}

// listPackages reads the imports of every package from its files, tests left
// out. It opens the files itself, so that go test's cache knows of them.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	byDir := map[string]*goPackage{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if byDir[dir] == nil {
			byDir[dir] = &goPackage{Dir: dir}
		}
		for _, imp := range f.Imports {
			byDir[dir].Imports = append(byDir[dir].Imports, strings.Trim(imp.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []goPackage
	for _, p := range byDir {
		pkgs = append(pkgs, *p)
	}
	if len(pkgs) < 10 {
		t.Fatalf("only %d packages found", len(pkgs))
	}
	return pkgs
}

// The page steers newcomers by the names of files: each of them has to be there.
func TestTheFilesThatTheArchitectureNamesExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}

	names := regexp.MustCompile("`([a-zA-Z0-9/_*-]+\\.(?:go|cedar|txtar|md))`").FindAllStringSubmatch(string(page), -1)
	if len(names) < 30 {
		t.Fatalf("only %d names of files were found", len(names))
	}
	for _, name := range names {
		found, err := filepath.Glob(name[1])
		if err == nil && len(found) == 0 && !strings.Contains(name[1], "/") {
			found, err = anywhere(name[1])
		}
		if err != nil || len(found) == 0 {
			t.Errorf("%s is not there: %v", name[1], err)
		}
	}
}

// anywhere finds a file by its name alone, in whatever package it stands.
func anywhere(name string) (found []string, err error) {
	for _, root := range []string{"cmd", "dicom", "dimse", "dicomweb", "internal"} {
		err = errors.Join(err, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if ok, _ := filepath.Match(name, filepath.Base(path)); ok {
				found = append(found, path)
			}
			return err
		}))
	}

	return found, err
}
