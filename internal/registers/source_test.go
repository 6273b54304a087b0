package registers_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"collimator/internal/registers"
)

// TestEveryWriteOfARegisterGoesThroughTheBook reads the sources: a statement that
// writes to a register stands in a call of Exec, Change or Touch of a book, or in
// a list in a function that runs no statement but by a book.
func TestEveryWriteOfARegisterGoesThroughTheBook(t *testing.T) {
	t.Parallel()
	found := 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		n, bad := writes(f)
		found += n
		for _, query := range bad {
			t.Errorf("%s writes to a register without the book: %s", path, query)
		}
		return nil
	})
	if err != nil || found < 30 {
		t.Errorf("%d statements found, %v", found, err)
	}
}

// The test itself finds what it is for.
func TestAWritePastTheBookIsFound(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		"tx.Exec(ctx, `UPDATE person SET role = ?1`)":                                1,
		"tx.QueryRow(ctx, `INSERT INTO access_token (id) VALUES (?1) RETURNING id`)": 1,
		"for _, q := range []string{`DELETE FROM totp`} { tx.Exec(ctx, q) }":         1,
		"q := `delete from session`; tx.Exec(ctx, q)":                                1,
		"r.run(`DELETE FROM session`)":                                               1,
		"tx.Exec(ctx, `INSERT OR REPLACE INTO device VALUES (?1)`)":                  1,
		"r.book.Exec(ctx, tx, `UPDATE person SET role = ?1`)":                        0,
		"for _, q := range []string{`DELETE FROM totp`} { r.book.Exec(ctx, tx, q) }": 0,
		"tx.Exec(ctx, `UPDATE pending_device SET attempts = 1`)":                     0,
		"tx.Query(ctx, `SELECT name FROM person`)":                                   0,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc f() {\n"+body+"\n}\n", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, bad := writes(f); len(bad) != want {
			t.Errorf("%s: found %q", body, bad)
		}
	}
}

// writes counts the statements that write to registers, and lists those that do
// not go through a book.
func writes(f *ast.File) (found int, bad []string) {
	for _, d := range f.Decls {
		plain := runsOtherStatements(d) || !usesBook(d)
		inBook := map[ast.Node]bool{}
		ast.Inspect(d, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && byBook(call) {
				for _, a := range call.Args {
					inBook[a] = true
				}
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			query, err := strconv.Unquote(lit.Value)
			if err != nil || !writing.MatchString(query) {
				return true
			}
			found++
			if !inBook[n] && plain {
				bad = append(bad, query)
			}
			return true
		})
	}
	return found, bad
}

// writing matches a statement that writes to a register.
var writing = func() *regexp.Regexp {
	var names []string
	for _, t := range registers.Tables() {
		names = append(names, t.Name)
	}
	return regexp.MustCompile(`(?i)\b(INSERT(\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE(\s+OR\s+\w+)?|DELETE\s+FROM)\s+(` + strings.Join(names, "|") + `)\b`)
}()

// byBook is a call such as r.book.Exec(ctx, tx, ...).
func byBook(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) < 3 {
		return false
	}
	tx, ok := call.Args[1].(*ast.Ident)
	return ok && tx.Name == "tx" && (sel.Sel.Name == "Exec" || sel.Sel.Name == "Change" || sel.Sel.Name == "Touch")
}

// usesBook reports a declaration that writes by a book.
func usesBook(d ast.Decl) (found bool) {
	ast.Inspect(d, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		found = found || ok && byBook(call)
		return !found
	})
	return found
}

// runsOtherStatements reports a declaration that hands something else than a
// book a statement, literal or not.
func runsOtherStatements(d ast.Decl) (found bool) {
	ast.Inspect(d, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || byBook(call) {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && len(call.Args) >= 2 {
			switch sel.Sel.Name {
			case "Exec", "Query", "QueryRow", "ExecContext", "QueryContext":
				lit, isLit := call.Args[1].(*ast.BasicLit)
				if !isLit {
					found = true
				} else if q, err := strconv.Unquote(lit.Value); err == nil && writing.MatchString(q) {
					found = true
				}
			}
		}
		return true
	})
	return found
}
