package collimator_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// interopTests are the names of the tests against other people's software. They
// are read and not run, because the table must hold where no peer is installed.
func interopTests(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("interop/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}

	out := map[string]string{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			out[m[1]] = string(b)
		}
	}
	return out
}

func TestEachRowOfTheInteroperabilityTableNamesATest(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("docs/interop.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := interopTests(t)
	var named []string
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.TrimSpace(cells[0]) == "peer" {
			continue
		}
		name := strings.Trim(strings.TrimSpace(cells[len(cells)-1]), "`")
		if _, ok := tests[name]; !ok || len(cells) != 5 {
			t.Errorf("the row of %s names %q, which is not a test in interop/", strings.TrimSpace(cells[0]), name)
		}
		if strings.TrimSpace(cells[1]) == "" {
			t.Errorf("the row of %s has no version", strings.TrimSpace(cells[0]))
		}
		named = append(named, name)
	}
	if len(named) < 10 {
		t.Errorf("docs/interop.md has %d rows", len(named))
	}

	// A test with a peer of its own file stands in the table.
	for _, file := range []string{"dcmtk_test.go", "orthanc_test.go", "dicomweb_client_test.go", "browser_test.go", "clamd_test.go", "nmap_test.go", "repository_test.go"} {
		source, err := os.ReadFile(filepath.Join("interop", file))
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range tests {
			if text == string(source) && !slices.Contains(named, name) {
				t.Errorf("docs/interop.md does not name %s", name)
			}
		}
	}
}

func TestTheVersionOfDicomwebClientIsTheOneThatIsRun(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("interop/dicomweb-client/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Dependencies map[string]string }
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile("docs/interop.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "| dicomweb-client (npm) | " + p.Dependencies["dicomweb-client"] + " |"; !strings.Contains(string(docs), want) {
		t.Errorf("docs/interop.md has no row %q", want)
	}
}
