package phrase_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"collimator/internal/phrase"
)

func TestACountHasTheWordOfItsNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 copies are", 1: "1 copy is", 2: "2 copies are", 21: "21 copies are"} {
		if got := phrase.Count(n, "copy", "copies") + " " + phrase.Of(n, "is", "are"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// What commands print counts by this package: a number before a plural that is
// part of the text reads "1 files" one day.
func TestCommandsCountByThisPackage(t *testing.T) {
	t.Parallel()
	plural := regexp.MustCompile(`%d (?:more )?(copies|files|leaves|things|sessions|studies|systems|images|statements|passkeys|links|objects|checkpoints|answers|advisories|documents|contexts|callers|remarks|recovery codes|issues)\b`)
	dirs := []string{"../../cmd/collimator", "../identity", "../posture", "../verify", "../report"}
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.FromSlash(dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && plural.MatchString(lit.Value) {
					t.Errorf("%s: %s", path, lit.Value)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
