package collimator_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/standards.tsv and the code say the same about the standard:
//
//   - A citation in a package is covered by a row of that package whose clause
//     is the cited one or stands above it (PS3.8 9.3 covers PS3.8 9.3.2). The
//     longest such row counts. A whole part (PS3.8) covers only citations of
//     the whole part, a whole RFC covers its sections too.
//     internal/synth, which makes test data, is left out.
//   - A row that is implemented or partial counts for at least one citation in
//     its package.

// standardsRow is one line of the table.
type standardsRow struct{ clause, title, status, pkg, note string }

const clauseNumber = `(?:[A-Z]{1,2}|\d{1,3})(?:\.\d{1,3})*`

var (
	citation = regexp.MustCompile(`PS3\.\d{1,2}(?: ` + clauseNumber + `\b(?:(?:, | and )(?:[A-Z]{1,2}\b(?:\.\d{1,3})*|\d{1,3}(?:\.\d{1,3})+)\b)*)?|RFC \d{3,5}(?: \d{1,3}(?:\.\d{1,3})*\b)?`)
	lineWrap = regexp.MustCompile(`\n[\t ]*// ?`)
	listSep  = regexp.MustCompile(`, | and `)
)

// cited lists the clauses that a text cites: PS3.4 C.4.1, C.4.2 are two.
func cited(text string) []string {
	var out []string
	for _, m := range citation.FindAllString(lineWrap.ReplaceAllString(text, " "), -1) {
		part, list, found := strings.Cut(m, " ")
		if strings.HasPrefix(m, "RFC ") {
			out = append(out, m)
			continue
		}
		if !found {
			out = append(out, part)
			continue
		}
		for _, clause := range listSep.Split(list, -1) {
			out = append(out, part+" "+clause)
		}
	}
	return out
}

func TestCitationsAreFoundInText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"reads (PS3.8 9.3.2), 16 bytes":            {"PS3.8 9.3.2"},
		"all of PS3.4 A, B, C, J over it":          {"PS3.4 A", "PS3.4 B", "PS3.4 C", "PS3.4 J"},
		"PS3.4 C.4.1.1.4, C.4.2.1.5 and C.4.3.1.4": {"PS3.4 C.4.1.1.4", "PS3.4 C.4.2.1.5", "PS3.4 C.4.3.1.4"},
		"of PS3.5\n\t// 6.2 or RFC 9325 4.2.1.":    {"PS3.5 6.2", "RFC 9325 4.2.1"},
		"keywords of PS3.6. A word":                {"PS3.6"},
		"PS3.18 JSON and RFC 1951":                 {"PS3.18", "RFC 1951"},
	} {
		if got := cited(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// covers reports whether a row for clause row speaks of clause c.
func covers(row, c string) bool {
	if row == c {
		return true
	}
	rest, ok := strings.CutPrefix(c, row)
	return ok && (rest[0] == '.' && strings.Contains(row, " ") || rest[0] == ' ' && strings.HasPrefix(row, "RFC "))
}

func TestStandardsTableAndCodeAgree(t *testing.T) {
	t.Parallel()
	rows := readStandards(t)
	used := map[standardsRow]bool{}
	for pkg, clauses := range citations(t) {
		for _, c := range clauses {
			best, found := standardsRow{}, false
			for _, r := range rows {
				if r.pkg == pkg && covers(r.clause, c) && (!found || len(r.clause) > len(best.clause)) {
					best, found = r, true
				}
			}
			if !found {
				t.Errorf("%s cites %s: docs/standards.tsv has no row for it", pkg, c)
			}
			used[best] = true
		}
	}
	for _, r := range rows {
		if (r.status == "implemented" || r.status == "partial") && !used[r] {
			t.Errorf("docs/standards.tsv says that %s is %s in %s, which does not cite it", r.clause, r.status, r.pkg)
		}
	}
}

func readStandards(t *testing.T) []standardsRow {
	t.Helper()
	b, err := os.ReadFile("docs/standards.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if lines[0] != "clause\ttitle\tstatus\tpackage\tnote" {
		t.Fatalf("docs/standards.tsv has the columns %q", lines[0])
	}
	whole := regexp.MustCompile(`^(?:PS3\.\d{1,2}(?: ` + clauseNumber + `)?|RFC \d{3,5}(?: \d{1,3}(?:\.\d{1,3})*)?)$`)
	statuses := []string{"implemented", "partial", "not applicable", "planned"}
	var rows []standardsRow
	seen := map[string]bool{}
	for i, line := range lines[1:] {
		f := strings.Split(line, "\t")
		if len(f) != 5 || !whole.MatchString(f[0]) || f[1] == "" || !slices.Contains(statuses, f[2]) || f[3] == "" {
			t.Errorf("docs/standards.tsv line %d: want clause, title, status, package, note: %q", i+2, line)
			continue
		}
		if f[2] != "implemented" && f[4] == "" {
			t.Errorf("docs/standards.tsv line %d: %s needs a note that says why or what", i+2, f[2])
		}
		if seen[f[0]+f[3]] {
			t.Errorf("docs/standards.tsv line %d: %s of %s stands twice", i+2, f[0], f[3])
		}
		seen[f[0]+f[3]] = true
		rows = append(rows, standardsRow{f[0], f[1], f[2], f[3], f[4]})
	}
	return rows
}

// citations are the clauses that the code of each package cites, tests and
// what stands beside the layers left out.
func citations(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string]map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (isBeside(path) || strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		if pkg == "internal/synth" {
			return nil
		}
		if found[pkg] == nil {
			found[pkg] = map[string]bool{}
		}
		for _, c := range cited(string(b)) {
			found[pkg][c] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for pkg, set := range found {
		out[pkg] = slices.Sorted(maps.Keys(set))
	}
	return out
}
