package ul

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata")

// compare holds got to a file of testdata.
func compare(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs; run with -update and read the diff\n%s", path, got)
	}
}

// describe is one line of a transcript: what went in and what is to be done.
func describe(in string, step Step, ok bool) string {
	if !ok {
		return fmt.Sprintf("%-22s -> undefined in %s", in, step.From)
	}
	names := make([]string, len(step.Effects))
	for i, e := range step.Effects {
		names[i] = e.String()
	}
	return fmt.Sprintf("%-22s -> %-5s %s: %s", in, step.Action, step.To, strings.Join(names, ", "))
}

func parseInput(t *testing.T, s string) Input {
	t.Helper()
	var in Input
	name, more, _ := strings.Cut(s, " ")
	if _, err := fmt.Sscanf(name, "Evt%d", &in.Event); err != nil {
		t.Fatalf("input %q: %v", s, err)
	}
	switch more {
	case "refuse":
		in.Refuse = true
	case "provider":
		in.Source = AbortServiceProvider
	case "", "user":
	default:
		t.Fatalf("input %q", s)
	}
	return in
}

// TestTranscripts plays the inputs of each transcript and compares the effects. A
// transcript begins with the role; "> " lines are inputs.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/machine_*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			var m Machine
			for line := range strings.Lines(string(script)) {
				line = strings.TrimSuffix(line, "\n")
				switch {
				case strings.HasPrefix(line, "#"), line == "":
					fmt.Fprintln(&out, line)
				case line == "requestor", line == "acceptor":
					fmt.Fprintln(&out, line)
					m = NewMachine(line == "requestor")
				default:
					in, _, _ := strings.Cut(line, "->")
					in = strings.TrimSpace(in)
					next, step, ok := m.Next(parseInput(t, in))
					m = next
					fmt.Fprintln(&out, strings.TrimRight(describe(in, step, ok), " "))
				}
			}
			compare(t, path, out.Bytes())
		})
	}
}

// TestWholeTable writes out table 9-10 for both roles and every branch.
func TestWholeTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, requestor := range []bool{true, false} {
		fmt.Fprintf(&out, "# requestor=%v\n", requestor)
		for s := Sta1; s <= Sta13; s++ {
			for e := Evt1; e <= Evt19; e++ {
				inputs := []string{e.String()}
				switch e {
				case Evt6:
					inputs = append(inputs, e.String()+" refuse")
				case Evt16:
					inputs = append(inputs, e.String()+" provider")
				}
				for _, in := range inputs {
					_, step, ok := Machine{state: s, requestor: requestor}.Next(parseInput(t, in))
					if ok {
						fmt.Fprintln(&out, strings.TrimRight(s.String()+" "+describe(in, step, ok), " "))
					}
				}
			}
		}
	}
	compare(t, "testdata/table_9-10.txt", out.Bytes())
}

func TestEveryPDUAndCloseIsDefinedWhileConnected(t *testing.T) {
	t.Parallel()
	for s := Sta2; s <= Sta13; s++ {
		if s == Sta4 { // no connection yet, nothing can be received
			continue
		}
		for _, e := range []Event{Evt3, Evt4, Evt6, Evt10, Evt12, Evt13, Evt16, Evt17, Evt19} {
			if lookup(s, e) == 0 {
				t.Errorf("%s in %s is undefined", e, s)
			}
		}
	}
}

func FuzzMachine(f *testing.F) {
	f.Add(true, []byte{1, 2, 3, 9, 10, 11, 13})
	f.Add(false, []byte{5, 6, 7, 10, 9, 12, 14, 17})
	f.Add(true, []byte{1, 2, 3, 11, 12, 14, 13})
	f.Fuzz(func(t *testing.T, requestor bool, events []byte) {
		m := NewMachine(requestor)
		for _, e := range events {
			in := Input{Event: Event(e & 0x1F), Refuse: e&0x20 != 0, Source: AbortSource(e >> 6)}
			next, step, ok := m.Next(in)
			if !ok {
				if next != m || len(step.Effects) != 0 {
					t.Fatal("an undefined event changed something")
				}
				continue
			}
			if next.State() < Sta1 || next.State() > Sta13 || step.To != next.State() || next.Requestor() != requestor {
				t.Fatalf("%v in %s led to %s", in, step.From, next.State())
			}
			// Only Sta6 hands out data, and Sta7 while a release is under way.
			for _, eff := range step.Effects {
				if eff == IndicateData && step.From != Sta6 && step.From != Sta7 {
					t.Fatalf("data indicated in %s", step.From)
				}
			}
			m = next
		}
	})
}
