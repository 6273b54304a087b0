package collimator_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// textured are the packages whose functions read in paragraphs (CONVENTIONS.md,
// Shape). The list grows until it is all of them; the test holds only what a
// program can see, whether the breaks stand between steps is for the reader.
var textured = []string{
	"cmd/collimator",
	"dicom", "dicom/dcmtktest", "dicom/deid", "dicom/media", "dicom/memory", "dicom/pixel", "dicom/sign", "dicom/tag",
	"dicom/uid",
	"dicomweb", "dicomweb/webtest", "dimse", "dimse/dimsetest", "dimse/ul",
	"internal/advisory", "internal/alarm", "internal/api", "internal/archive", "internal/archive/index",
	"internal/audit", "internal/backup", "internal/blob", "internal/blob/blobtest", "internal/bounds",
	"internal/budget", "internal/budget/budgettest", "internal/clamd", "internal/completion", "internal/config",
	"internal/console", "internal/db", "internal/db/dbtest", "internal/disc", "internal/disclosure", "internal/dump", "internal/durable",
	"internal/export", "internal/fault", "internal/fetch", "internal/firstwrite", "internal/gate", "internal/gate/face", "internal/gate/kind",
	"internal/gate/maintenance", "internal/gate/messages", "internal/gate/outbound", "internal/gate/reverse", "internal/guard", "internal/hl7",
	"internal/house", "internal/house/housetest", "internal/house/sitetest", "internal/httpsec",
	"internal/identity", "internal/inspect", "internal/inventory", "internal/ledger",
	"internal/ledger/ledgertest", "internal/lockout", "internal/outbox", "internal/outbox/outboxtest", "internal/outward", "internal/pacs", "internal/patch", "internal/phi",
	"internal/phrase", "internal/places", "internal/policy", "internal/posture", "internal/recovery",
	"internal/registers", "internal/report", "internal/reserve", "internal/scan", "internal/scratch", "internal/sender",
	"internal/shown", "internal/signin", "internal/state", "internal/stream", "internal/synth", "internal/syslog",
	"internal/terminal", "internal/tlsprofile", "internal/upstream", "internal/verify", "internal/webapi",
}

const (
	longFunction = 25  // lines from which on a function needs a break, if it has more than two statements
	longLine     = 140 // characters
)

func TestFunctionsReadInParagraphs(t *testing.T) {
	t.Parallel()
	for _, dir := range textured {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, path := range files {
			if !strings.HasSuffix(path, "_test.go") {
				checkTexture(t, path)
			}
		}
	}
}

func checkTexture(t *testing.T, path string) {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if ast.IsGenerated(f) {
		return
	}

	// What stands outside of functions is a table, or a sentence.
	table := map[int]bool{}
	for _, decl := range f.Decls {
		if _, ok := decl.(*ast.GenDecl); ok {
			for at := set.Position(decl.Pos()).Line; at <= set.Position(decl.End()).Line; at++ {
				table[at] = true
			}
		}
	}
	lines := strings.Split(string(source), "\n")
	for i, line := range lines {
		if table[i+1] {
			continue
		}
		if n := len([]rune(strings.ReplaceAll(line, "\t", "    "))); n > longLine {
			t.Errorf("%s:%d: a line of %d characters", path, i+1, n)
		}
	}
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		from := set.Position(fn.Body.Lbrace).Line
		to := set.Position(fn.Body.Rbrace).Line
		if to-from >= longFunction && len(fn.Body.List) > 2 && !broken(lines[from:to-1]) {
			t.Errorf("%s:%d: %s is %d lines without a break", path, from, fn.Name.Name, to-from-1)
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if branch, ok := n.(*ast.IfStmt); ok && ignoring(branch) {
				t.Errorf("%s: an if whose condition does not look at what stands in front of it", set.Position(n.Pos()))
			}
			return true
		})
	}
}

// broken reports a blank line, or a comment on a line of its own.
func broken(lines []string) bool {
	for _, line := range lines {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "//") {
			return true
		}
	}
	return false
}

// ignoring reports `if x = y; cond` where cond names none of what is assigned.
func ignoring(branch *ast.IfStmt) bool {
	assign, ok := branch.Init.(*ast.AssignStmt)
	if !ok {
		return false
	}

	assigned := map[string]bool{}
	for _, to := range assign.Lhs {
		ast.Inspect(to, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				assigned[id.Name] = true
			}
			return true
		})
	}
	looks := false
	ast.Inspect(branch.Cond, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			looks = looks || assigned[id.Name]
		}
		return true
	})
	return !looks
}
