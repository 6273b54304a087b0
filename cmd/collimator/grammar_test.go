package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is made of the one command that is asked for is what is made of all.
func TestOneCommandIsUnderstoodAsAmongAll(t *testing.T) {
	t.Parallel()
	whole, err := newParser(&cli{}, &env{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}})
	if err != nil {
		t.Fatal(err)
	}

	for _, command := range whole.Model.Children {
		g := grammar([]string{command.Name, "--help"})
		if _, all := g.(*cli); all != (command.Name == "completion") {
			t.Errorf("%s: the whole command line is made: %v", command.Name, all)
		}
		got, want := helpBy(t, g, command.Name), helpBy(t, &cli{}, command.Name)
		if d := cmp.Diff(want, got); d != "" || want == "" {
			t.Errorf("%s is told in another way (-among all +alone): %s", command.Name, d)
		}
	}
}

// helpBy is the help of a command as a grammar tells it.
func helpBy(t *testing.T, grammar any, command string) (text string) {
	t.Helper()
	var out bytes.Buffer
	parser, err := newParser(grammar, &env{stdout: &out, stderr: &out})
	if err != nil {
		t.Fatal(err)
	}

	defer func() {
		if r := recover(); r != nil && r != exited(0) {
			panic(r)
		}
		text = out.String()
	}()
	_, err = parser.Parse([]string{command, "--help"})
	t.Errorf("%s: the parser goes on after the help: %v", command, err)
	return ""
}
