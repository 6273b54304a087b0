package outward_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// own are the files that make clients by themselves, and why.
var own = map[string]string{
	"internal/gate/reverse/behind.go":     "a system behind a route, which no proxy stands in front of",
	"internal/outward/outward.go":         "this package",
	"internal/house/health.go":            "asks the server on this machine",
	"internal/identity/oidcdiscovery.go":  "bounds the transport that it is given",
	"internal/alarm/webhook.go":           "bounds the transport that it is given",
	"internal/gate/maintenance/client.go": "runs at a vendor without settings, and its connections are taken over, which no proxy of these takes",
}

// TestEveryOutwardClientIsMadeHere reads the sources: a client or a transport of
// HTTP that is made elsewhere would not know the proxy.
func TestEveryOutwardClientIsMadeHere(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	root := filepath.Join("..", "..")
	for _, dir := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			support := strings.HasSuffix(filepath.Dir(path), "test") // of tests, which call this machine
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || support {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if !makesClient(n) {
					return true
				}
				seen[name] = true
				if own[name] == "" && !strings.HasPrefix(name, "internal/scan/") {
					t.Errorf("%s makes a client of HTTP by itself: see internal/outward", name)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range own {
		if !seen[name] {
			t.Errorf("%s makes no client", name)
		}
	}
}

func makesClient(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.CompositeLit:
		return isHTTP(x.Type, "Client", "Transport")
	case ast.Expr:
		return isHTTP(x, "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm", "ProxyFromEnvironment")
	}
	return false
}

func isHTTP(e ast.Expr, names ...string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "http" && slices.Contains(names, sel.Sel.Name)
}
