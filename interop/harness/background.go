package harness

import (
	"os/exec"
	"testing"
	"time"
)

// Background starts a program that runs until the test ends, and waits until
// it listens at address.
func Background(t testing.TB, address, name string, args ...string) {
	t.Helper()
	out := &Buffer{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})

	if !WaitListening(address, 20*time.Second) {
		t.Fatalf("%s does not listen at %s:\n%s", name, address, out)
	}
}
