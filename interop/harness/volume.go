package harness

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// powercut builds the file system of tools/powercut once for all tests of a
// process.
var powercut = sync.OnceValues(func() (string, error) { return build("powercut", filepath.Join("tools", "powercut"), ".") })

// Volume is a mounted file system that forgets what was not made durable. After
// a cut every call on Mount hangs, and Backing holds what a disk would.
type Volume struct {
	Backing, Mount string

	t       testing.TB
	tool    string
	control string
	process *exec.Cmd
	output  *Buffer
}

// MountVolume mounts the directory backing with flags of tools/powercut. The
// test is skipped, with a sentence, where mounting is not possible; that is so in
// most containers, and no failure with CI=true.
func MountVolume(t testing.TB, backing string, flags ...string) *Volume {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Getuid() != 0 {
		t.Skip("left out: power cuts need /dev/fuse and root")
	}

	tool, err := powercut()
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	v := &Volume{
		Backing: backing, Mount: filepath.Join(dir, "mount"), t: t, tool: tool,
		control: filepath.Join(dir, "control"), output: &Buffer{},
	}
	if err := os.Mkdir(v.Mount, 0o755); err != nil {
		t.Fatal(err)
	}

	v.process = exec.Command(tool, append([]string{"-backing", backing, "-mount", v.Mount, "-control", v.control}, flags...)...)
	v.process.Stderr = v.output
	if err := v.process.Start(); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(v.End)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(v.control); err == nil {
			return v
		}
	}

	t.Fatalf("the volume is not mounted:\n%s", v.output)
	return nil
}

// Control gives a command, such as "arm at=900 seed=7 keep=random torn=512".
func (v *Volume) Control(words ...string) {
	v.t.Helper()
	out, err := exec.Command(v.tool, append([]string{"-control", v.control}, words...)...).CombinedOutput()
	if err != nil {
		v.t.Fatalf("powercut %s: %v\n%s", strings.Join(words, " "), err, out)
	}
}

// WaitCut waits until the power was cut at the change it was armed for, at most
// so long, or until done is closed, and reports whether it was.
func (v *Volume) WaitCut(most time.Duration, done <-chan struct{}) bool {
	wait := exec.Command(v.tool, "-control", v.control, "wait")
	if err := wait.Start(); err != nil {
		v.t.Fatal(err)
	}

	cut := make(chan error, 1)
	go func() { cut <- wait.Wait() }()
	select {
	case err := <-cut:
		return err == nil
	case <-done:
	case <-time.After(most):
	}

	_ = wait.Process.Kill()
	<-cut
	return false
}

// End ends the file system, and with it every call that hangs on it. Programs
// that use it are to be killed before. Without a cut Backing gets everything.
func (v *Volume) End() {
	if v.process.ProcessState != nil {
		return
	}
	_ = v.process.Process.Signal(syscall.SIGTERM)
	if err := v.process.Wait(); err != nil {
		v.t.Errorf("powercut: %v\n%s", err, v.output)
	}
	// The tool unmounts; what was busy then is detached here.
	if err := syscall.Unmount(v.Mount, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
		v.t.Logf("unmount: %v", err)
	}
}

// Trace is what the flag -trace printed: a line for each change.
func (v *Volume) Trace() []string { return strings.Split(v.output.String(), "\n") }
