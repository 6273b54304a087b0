package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// peakInto names the file into which a process of the tests writes the peak of the program that it
// runs; it runs no tests then.
const peakInto = "COLLIMATOR_TEST_PEAK_INTO"

// Measure runs a program to its end and gives what it wrote, its exit code and the most memory it
// used, in bytes. A child begins with the peak of the process that starts it: that is another
// one here, which holds nothing.
func Measure(t testing.TB, most time.Duration, name string, args ...string) (output string, code int, peak int64) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "peak")
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, append([]string{name}, args...)...)
	cmd.Env = append(os.Environ(), peakInto+"="+file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}

	text, err := os.ReadFile(file)
	if err == nil {
		peak, err = strconv.ParseInt(string(text), 10, 64)
	}
	if err != nil {
		t.Fatalf("%s was not measured: %v: %s", name, err, out)
	}
	return string(out), cmd.ProcessState.ExitCode(), peak
}

// measure runs the program of the command line for Measure.
func measure(file string) (code int) {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}

	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	if err := os.WriteFile(file, []byte(strconv.FormatInt(peak, 10)), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return cmd.ProcessState.ExitCode()
}
