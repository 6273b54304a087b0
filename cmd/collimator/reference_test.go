package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/commands.md")

func TestReferenceOfCommandsIsWhatTheProgramSays(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/commands.head.md")
	if err != nil {
		t.Fatal(err)
	}
	var c cli
	var sink bytes.Buffer
	parser, err := newParser(&c, &env{stdout: &sink, stderr: &sink, ctx: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	b := bytes.NewBuffer(want)
	reference(b, parser.Model.Node, "collimator")
	if *update {
		if err := os.WriteFile("../../docs/commands.md", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), b.String()); diff != "" {
		t.Errorf("docs/commands.md is old; run  go test ./cmd/collimator -run Reference -update\n%s", diff)
	}
}

// reference writes a section for each command below n.
func reference(b *bytes.Buffer, n *kong.Node, path string) {
	for _, child := range n.Children {
		name := path + " " + child.Name
		if len(child.Children) > 0 {
			reference(b, child, name)
			continue
		}
		fmt.Fprintf(b, "\n### %s\n\n%s\n\n", name, child.Help)
		text, example, _ := strings.Cut(child.Detail, "Example")
		if text = strings.TrimSpace(text); text != "" {
			fmt.Fprintf(b, "%s\n\n", text)
		}
		_, example, _ = strings.Cut(example, ":\n")
		for _, line := range strings.Split(strings.TrimRight(example, "\n"), "\n") {
			fmt.Fprintf(b, "    %s\n", strings.TrimSpace(line))
		}
		b.WriteString("\n| argument or flag | |\n|---|---|\n")
		for _, p := range child.Positional {
			fmt.Fprintf(b, "| `%s` | %s |\n", p.Summary(), p.Help)
		}
		for _, f := range child.Flags {
			fmt.Fprintf(b, "| `%s` | %s |\n", flagName(f), f.Help)
		}
	}
}

func flagName(f *kong.Flag) string {
	name := "--" + f.Name
	if f.Short != 0 {
		name = fmt.Sprintf("-%c, %s", f.Short, name)
	}
	if !f.IsBool() {
		name += " " + f.FormatPlaceHolder()
	}
	return strings.ReplaceAll(name, "|", `\|`)
}
