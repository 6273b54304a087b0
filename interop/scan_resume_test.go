//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"collimator/interop/harness"
)

// TestAScanThatWasKilledGoesOnWithoutLossOrDouble kills the program again and again
// in the middle, then lets it end.
func TestAScanThatWasKilledGoesOnWithoutLossOrDouble(t *testing.T) {
	const services = 60
	want := map[string]bool{}
	for i := range services {
		a := fmt.Sprintf("127.78.%d.%d", i%8, 3+i*4)
		want[a] = true
		serve(t, a+":104", modality)
	}
	state := filepath.Join(t.TempDir(), "scan.state")
	args := []string{"scan", "127.78.0.0/21", "--ports", "104", "--hl7-ports=", "--no-host", "--hosts", "4", "--rate", "3000", "--state", state, "-o", "json"}
	killed := 0
	for round := 1; round <= 5; round++ {
		cmd := exec.Command(harness.Binary(t), args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
			b, _ := os.ReadFile(state)
			if bytes.Count(b, []byte(`"host":`)) >= round*services/8 {
				break
			}
			select {
			case <-done:
				end = time.Now()
			case <-time.After(5 * time.Millisecond):
			}
		}
		if cmd.Process.Kill() == nil {
			killed++
			<-done
		}
	}
	if killed < 3 {
		t.Fatalf("the program was killed %d times only", killed)
	}
	out, code := harness.Run(t, args...)
	if code != 0 {
		t.Fatalf("exit code %d\n%.2000s", code, out)
	}
	var result struct {
		Looked uint64
		Hosts  []struct {
			Facts struct{ Address string }
		}
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, h := range result.Hosts {
		if seen[h.Facts.Address] {
			t.Errorf("%s is there twice", h.Facts.Address)
		}
		if seen[h.Facts.Address] = true; !want[h.Facts.Address] {
			t.Errorf("%s was invented", h.Facts.Address)
		}
	}
	if len(seen) != services {
		t.Errorf("%d of %d services after %d kills", len(seen), services, killed)
	}
	if result.Looked < 2048 {
		t.Errorf("%d of 2048 addresses were looked at", result.Looked)
	}
}
