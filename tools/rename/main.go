// Command rename gives the module another path, in go.mod and in every import. It
// touches nothing else: names inside of texts, such as that of the ledger, stay.
//
//	go run ./tools/rename example.org/imaging/collimator
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./tools/rename PATH, in the directory of go.mod")
		os.Exit(2)
	}
	if err := rename(".", os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
}

// rename gives the module in dir the path to. Imports come before go.mod, so that
// a run that was broken off can be repeated.
func rename(dir, to string) error {
	if err := module.CheckPath(to); err != nil {
		return err
	}
	name := filepath.Join(dir, "go.mod")
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	mod, err := modfile.Parse(name, source, nil)
	if err != nil {
		return err
	}
	if mod.Module == nil {
		return errors.New("go.mod names no module")
	}

	if err := imports(dir, mod.Module.Mod.Path, to); err != nil {
		return err
	}
	if err := mod.AddModuleStmt(to); err != nil {
		return err
	}
	changed, err := mod.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(name, changed, 0o644)
}

// imports rewrites each Go file below dir. Modules below it, which have a go.mod of
// their own, and test data are left alone.
func imports(dir, from, to string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			if strings.HasSuffix(path, ".go") {
				return file(path, from, to)
			}
			return nil
		}

		_, nested := os.Stat(filepath.Join(path, "go.mod"))
		if path != dir && (nested == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		return nil
	})
}

func file(path, from, to string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, source, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}

	changed := replaced(source, set, f.Imports, from, to)
	if bytes.Equal(changed, source) {
		return nil
	}
	changed, err = format.Source(changed) // sorts the imports
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, changed, 0o644)
}

// replaced is the source with each import below from under to.
func replaced(source []byte, set *token.FileSet, specs []*ast.ImportSpec, from, to string) []byte {
	var out []byte
	done := 0
	for _, spec := range specs {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || path != from && !strings.HasPrefix(path, from+"/") {
			continue
		}
		at := set.Position(spec.Path.Pos()).Offset
		out = append(out, source[done:at]...)
		out = strconv.AppendQuote(out, to+strings.TrimPrefix(path, from))
		done = at + len(spec.Path.Value)
	}
	return append(out, source[done:]...)
}
