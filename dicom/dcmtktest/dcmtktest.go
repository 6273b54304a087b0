// Package dcmtktest lets tests ask DCMTK, the toolkit of OFFIS, what it thinks of
// the same file or association. It finds a tool, runs it with an end in time, and
// gives what it said. It does not install anything, and knows the options of no
// tool.
package dcmtktest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Most is how long a tool may take. It is meant for a few hundred objects on
// loopback, on a busy machine.
const Most = time.Minute

// Find is the path of a tool, which may have had other names in earlier releases.
// Where it is missing the test is skipped and says what is left out; with CI=true
// it fails, because there everything is run.
func Find(t testing.TB, name string, earlier ...string) string {
	t.Helper()
	for _, n := range append([]string{name}, earlier...) {
		if path, err := exec.LookPath(n); err == nil {
			return path
		}
	}

	if os.Getenv("CI") == "true" {
		t.Fatalf("%s of DCMTK is missing; install Debian's dcmtk", name)
	}
	t.Skipf("left out, as %s of DCMTK is missing: %s; install Debian's dcmtk, or run 'make peers'", name, t.Name())

	return ""
}

// Run runs a tool and gives what it said: its standard output and its log, which
// DCMTK writes to standard error. The error is that it ended with another code
// than 0, and names it; a tool that does not end within Most fails the test.
func Run(t testing.TB, name string, args ...string) (said string, err error) {
	t.Helper()
	out, err := run(t, name, args, (*exec.Cmd).CombinedOutput)

	return string(out), err
}

// Output is Run for what is compared byte for byte: standard output alone. The
// error has the log.
func Output(t testing.TB, name string, args ...string) ([]byte, error) {
	t.Helper()
	out, err := run(t, name, args, (*exec.Cmd).Output)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}

	return out, err
}

// Must is Run where the tool has to succeed.
func Must(t testing.TB, name string, args ...string) (said string) {
	t.Helper()
	said, err := Run(t, name, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}

	return said
}

func run(t testing.TB, name string, args []string, output func(*exec.Cmd) ([]byte, error)) ([]byte, error) {
	t.Helper()
	path := Find(t, name)
	ctx, cancel := context.WithTimeout(context.Background(), Most)
	defer cancel()

	out, err := output(exec.CommandContext(ctx, path, args...))
	if ctx.Err() != nil {
		t.Fatalf("%s did not end within %s:\n%s", name, Most, out)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}

	return out, err
}
