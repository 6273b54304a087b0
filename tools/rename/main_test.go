package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRenameTouchesImportsAndTheModuleAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":          "module old\n\ngo 1.26.0\n",
		"a.go":            "package a\n\nimport (\n\t\"fmt\"\n\n\tb \"old/b\"\n\t\"older/c\"\n)\n\n// name is \"old/b\".\nconst name = \"old/ledger\"\n\nvar _, _ = fmt.Sprint(b.X), c.Y\n",
		"nested/go.mod":   "module nested\n",
		"nested/b.go":     "package n\n\nimport _ \"old/b\"\n",
		"testdata/t.go":   "package t\n\nimport _ \"old/b\"\n",
		"without/text.md": "import old/b\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := rename(dir, "example.org/new"); err != nil {
		t.Fatal(err)
	}

	for name, want := range map[string]string{
		"go.mod":          "module example.org/new\n\ngo 1.26.0\n",
		"a.go":            "package a\n\nimport (\n\t\"fmt\"\n\n\tb \"example.org/new/b\"\n\t\"older/c\"\n)\n\n// name is \"old/b\".\nconst name = \"old/ledger\"\n\nvar _, _ = fmt.Sprint(b.X), c.Y\n",
		"nested/b.go":     "package n\n\nimport _ \"old/b\"\n",
		"testdata/t.go":   "package t\n\nimport _ \"old/b\"\n",
		"without/text.md": "import old/b\n",
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	if err := rename(dir, "no host"); err == nil {
		t.Error("a malformed path was taken")
	}
}
