package main

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"collimator/internal/bounds"
	"collimator/internal/terminal"

	"github.com/alecthomas/kong"
)

// boundless are numbers that any value suits.
var boundless = map[string]string{
	"device pending --forget": "the number of an entry",
	"sample --seed":           "any number makes a study",
}

// commandLine is the model of all commands.
func commandLine(t *testing.T) *kong.Kong {
	t.Helper()
	var c cli
	var sink bytes.Buffer
	parser, err := newParser(&c, &env{stdout: &sink, stderr: &sink, ctx: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// numeric reports a flag that takes a number or a time. A lifetime is bounded by
// what it is for, and its help says so.
func numeric(f *kong.Flag) bool {
	switch f.Target.Kind() {
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64:
		return !f.IsCounter()
	}
	return false
}

// eachFlag calls look with each flag of each command.
func eachFlag(n *kong.Node, path string, look func(command string, f *kong.Flag)) {
	for _, child := range n.Children {
		name := strings.TrimSpace(path + " " + child.Name)
		for _, f := range child.Flags {
			look(name, f)
		}
		eachFlag(child, name, look)
	}
}

func TestEveryNumberSaysItsBounds(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	eachFlag(commandLine(t).Model.Node, "", func(command string, f *kong.Flag) {
		if !numeric(f) {
			return
		}
		name := command + " --" + f.Name
		seen[name] = true
		if f.Target.Type() == reflect.TypeFor[terminal.Lifetime]() {
			if !strings.Contains(f.Help, "at most") {
				t.Errorf("%s: %q", name, f.Help)
			}
			return
		}
		if boundless[name] != "" {
			return
		}

		low, high, err := bounds.Of(f.Value)
		if err != nil || low >= high || !strings.Contains(f.Help, f.Tag.Get(bounds.Tag)) {
			t.Errorf("%s: %d to %d, %v: %q", name, low, high, err, f.Help)
		}
	})
	for name := range boundless {
		if !seen[name] {
			t.Errorf("%s is no flag", name)
		}
	}
}

func TestANumberOutOfItsBoundsIsAUsageError(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"device", "add", "CT1", "--days", "0"}, {"device", "renew", "CT1", "--days", "3651"}, {"echo", "A@127.0.0.1:1", "--count", "0"},
		{"echo", "A@127.0.0.1:1", "--timeout", "2h"}, {"find", "A@127.0.0.1:1", "--limit=-1"}, {"audit", "tail", "-n", "100001"}, {"sample", "--images", "0"},
		{"scan", "127.0.0.1", "--rate", "0"}, {"scan", "127.0.0.1", "--pause", "2h"}, {"send", "A@127.0.0.1:1", ".", "-j", "65"}, {"backup", "x", "--keep", "0"},
		{"quarantine", "list", "--limit", "0"}, {"dump", "x", "--width=-1"},
	} {
		var out, said bytes.Buffer
		code := run(args, &env{stdout: &out, stderr: &said, ctx: t.Context()})
		if code != exitUsage || !strings.Contains(said.String(), ": want ") || !strings.Contains(said.String(), " to ") {
			t.Errorf("%s: code %d: %s", fmt.Sprint(args), code, said.String())
		}
	}
}
