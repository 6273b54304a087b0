package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"collimator/internal/fault"
)

func TestEveryRefusalIsSaidInGermanAndStandsInTheDocumentation(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}

	codes := codesOf(t, "..")
	if len(codes) < 20 {
		t.Fatalf("only %d codes were found in the source", len(codes))
	}
	for k := fault.Internal; k <= fault.Canceled; k++ {
		codes[fault.Code(k)] = true
	}
	for code := range codes {
		if germanRefusals[code] == "" {
			t.Errorf("%q has no sentence in German", code)
		}
		if !strings.Contains(string(doc), "`"+code+"`") {
			t.Errorf("%q does not stand in docs/api.md", code)
		}
	}
	for code := range germanRefusals {
		if !codes[code] {
			t.Errorf("nothing is refused with the code %q", code)
		}
	}
}

// codesOf are the codes that the source below a folder gives to outcomes.
func codesOf(t *testing.T, root string) map[string]bool {
	t.Helper()
	codes := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if code, ok := codeOf(n); ok {
				codes[code] = true
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

// codeOf is the code of a call of fault.NewCode.
func codeOf(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 3 {
		return "", false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "NewCode" {
		return "", false
	}
	lit, ok := call.Args[1].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	code, err := strconv.Unquote(lit.Value)
	return code, err == nil
}

func TestARefusalIsSaidInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	const detail = "The credentials do not count."
	for _, c := range []struct {
		t                  words
		code, detail, want string
	}{
		{english, "credentials", detail, detail},
		{german, "credentials", detail, germanRefusals["credentials"]},
		{german, "of-a-later-version", detail, germanRefused},
		{german, "", detail, germanRefused},
		{german, "", "", ""},
	} {
		if got := c.t.refusal(c.code, c.detail); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.t.Lang, c.code, got, c.want)
		}
	}
}
