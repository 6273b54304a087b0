package dcmtktest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"collimator/dicom/dcmtktest"
)

// probe is a test that writes down how it ended instead of ending.
type probe struct {
	testing.TB
	skipped, failed string
}

func (p *probe) Helper()      {}
func (p *probe) Name() string { return "TestOfTheProbe" }

func (p *probe) Skipf(format string, args ...any) {
	p.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (p *probe) Fatalf(format string, args ...any) {
	p.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// look runs a part of a test that may end early.
func look(t *testing.T, part func(testing.TB)) *probe {
	t.Helper()
	p := &probe{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		part(p)
	}()
	<-done

	return p
}

// script puts a program of that name in the place of DCMTK.
func script(t *testing.T, name, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

func TestAMissingToolSkipsAndFailsInCI(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for ci, skips := range map[string]bool{"": true, "false": true, "true": false} {
		t.Setenv("CI", ci)
		p := look(t, func(t testing.TB) { dcmtktest.Find(t, "dcmdump") })
		if (p.skipped != "") != skips || (p.failed != "") == skips {
			t.Errorf("CI=%q: skipped %q, failed %q", ci, p.skipped, p.failed)
		}
		if told := p.skipped + p.failed; !strings.Contains(told, "dcmdump") || !strings.Contains(told, "install") {
			t.Errorf("CI=%q: told %q", ci, told)
		}
		if skips && !strings.Contains(p.skipped, "TestOfTheProbe") {
			t.Errorf("not told what is left out: %q", p.skipped)
		}
	}
}

func TestOutputIsWithoutTheLogAndRunIsWithIt(t *testing.T) {
	script(t, "dcmdump", "echo out $1; echo log >&2; exit $2")
	if said, err := dcmtktest.Run(t, "dcmdump", "a", "0"); err != nil || said != "out a\nlog\n" {
		t.Errorf("%q, %v", said, err)
	}
	if out, err := dcmtktest.Output(t, "dcmdump", "a", "0"); err != nil || string(out) != "out a\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := dcmtktest.Output(t, "dcmdump", "a", "3"); err == nil || string(out) != "out a\n" || !strings.Contains(err.Error(), "log") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestMustFailsWithWhatTheToolSaid(t *testing.T) {
	script(t, "dcmdump", "echo out; echo log >&2; exit 3")
	if p := look(t, func(t testing.TB) { dcmtktest.Must(t, "dcmdump") }); !strings.Contains(p.failed, "dcmdump") || !strings.Contains(p.failed, "log") {
		t.Errorf("failed %q", p.failed)
	}
}
