package collimator_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The packages that others import have a listing of what they export in api/. A
// change of it is a decision: docs/compatibility.md says what is promised.

var updateAPI = flag.Bool("update", false, "write the listings in api/ anew")

// publicPackages are those of the layer standard, with what lies below them.
func publicPackages(t *testing.T) []string {
	t.Helper()
	drawn := readLayers(t)
	standard, ok := locate(drawn, "dicom")
	if !ok {
		t.Fatal("ARCHITECTURE.md does not draw dicom")
	}

	var out []string
	for name, p := range drawn {
		if p.layer == standard.layer {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func TestTheExportedAPIIsThatOfItsListing(t *testing.T) {
	listed := map[string]bool{}
	for _, pkg := range publicPackages(t) {
		path := filepath.Join("api", strings.ReplaceAll(pkg, "/", ".")+".txt")
		listed[path] = true
		got := strings.Join(exported(t, pkg), "\n") + "\n"
		if *updateAPI {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}

		want, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s has no listing; go test -run API -update . makes it", pkg)
			continue
		}
		if added, gone := difference(got, string(want)); len(added)+len(gone) > 0 {
			t.Errorf("%s: the exported API has changed; see docs/compatibility.md, then go test -run API -update .\nadded:\n%s\ngone:\n%s",
				pkg, strings.Join(added, "\n"), strings.Join(gone, "\n"))
		}
	}

	there, err := filepath.Glob("api/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if !listed[path] {
			t.Errorf("%s is of no package", path)
		}
	}
}

// difference is the lines of got that want does not have, and the other way round.
func difference(got, want string) (added, gone []string) {
	g := strings.Split(strings.TrimSpace(got), "\n")
	w := strings.Split(strings.TrimSpace(want), "\n")
	for _, line := range g {
		if !slices.Contains(w, line) {
			added = append(added, line)
		}
	}
	for _, line := range w {
		if !slices.Contains(g, line) {
			gone = append(gone, line)
		}
	}
	return added, gone
}

// exported lists what a package exports, a line each, sorted. Tables that are
// generated from the standard are left out: their names are its keywords.
func exported(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}

	var out []string
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if ast.IsGenerated(f) {
			continue
		}
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				out = append(out, function(d)...)
			case *ast.GenDecl:
				out = append(out, declared(d)...)
			}
		}
	}
	slices.Sort(out)
	return out
}

func function(d *ast.FuncDecl) []string {
	if !d.Name.IsExported() {
		return nil
	}
	if d.Recv == nil {
		return []string{"func " + d.Name.Name + typeParameters(d.Type.TypeParams) + signature(d.Type)}
	}

	of := types.ExprString(d.Recv.List[0].Type)
	if name, _, _ := strings.Cut(strings.TrimPrefix(of, "*"), "["); !ast.IsExported(name) {
		return nil
	}
	return []string{"method (" + of + ") " + d.Name.Name + signature(d.Type)}
}

// signature is the types of parameters and results; their names are no promise.
func signature(f *ast.FuncType) string {
	s := "(" + strings.Join(fieldTypes(f.Params), ", ") + ")"
	results := fieldTypes(f.Results)
	switch len(results) {
	case 0:
		return s
	case 1:
		return s + " " + results[0]
	}
	return s + " (" + strings.Join(results, ", ") + ")"
}

func typeParameters(list *ast.FieldList) string {
	if list == nil {
		return ""
	}
	return "[" + strings.Join(fieldTypes(list), ", ") + "]"
}

func fieldTypes(list *ast.FieldList) []string {
	if list == nil {
		return nil
	}
	var out []string
	for _, f := range list.List {
		for range max(len(f.Names), 1) {
			out = append(out, typeOf(f.Type))
		}
	}
	return out
}

// typeOf prints a type; functions without the names of their parameters.
func typeOf(e ast.Expr) string {
	if f, ok := e.(*ast.FuncType); ok {
		return "func" + signature(f)
	}
	return types.ExprString(e)
}

// declared lists constants, variables and types.
func declared(d *ast.GenDecl) []string {
	var out []string
	inherited := "" // the type of a constant that repeats the one before
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec:
			if s.Type != nil {
				inherited = " " + typeOf(s.Type)
			} else if len(s.Values) > 0 {
				inherited = ""
			}
			for _, name := range s.Names {
				if name.IsExported() {
					out = append(out, d.Tok.String()+" "+name.Name+inherited)
				}
			}
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				out = append(out, typeLines(s)...)
			}
		}
	}
	return out
}

func typeLines(s *ast.TypeSpec) []string {
	name := s.Name.Name + typeParameters(s.TypeParams)
	if s.Assign.IsValid() {
		name += " ="
	}
	switch u := s.Type.(type) {
	case *ast.StructType:
		return append([]string{"type " + name + " struct"}, members("field", s.Name.Name, u.Fields)...)
	case *ast.InterfaceType:
		return append([]string{"type " + name + " interface"}, members("imethod", s.Name.Name, u.Methods)...)
	}
	return []string{"type " + name + " " + typeOf(s.Type)}
}

// members are the exported fields of a struct, or the methods of an interface: one
// that is not exported keeps others from implementing it, which is a promise too.
func members(kind, of string, list *ast.FieldList) []string {
	var out []string
	for _, f := range list.List {
		if len(f.Names) == 0 {
			out = append(out, fmt.Sprintf("%s %s embeds %s", kind, of, typeOf(f.Type)))
		}
		for _, name := range f.Names {
			switch {
			case !name.IsExported() && kind == "field":
			case kind == "imethod":
				out = append(out, fmt.Sprintf("%s %s.%s%s", kind, of, name.Name, strings.TrimPrefix(typeOf(f.Type), "func")))
			default:
				out = append(out, fmt.Sprintf("%s %s.%s %s", kind, of, name.Name, typeOf(f.Type)))
			}
		}
	}
	return out
}
