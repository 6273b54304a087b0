//go:build interop

package interop_test

import (
	"collimator/interop/harness"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFullDiskAtTheFirstStartIsOverWhenThereIsRoom lets each write of a key fail
// once, under the name it is written under and under its final one.
func TestFullDiskAtTheFirstStartIsOverWhenThereIsRoom(t *testing.T) {
	writes := 0
	for _, pattern := range []string{".new-*", "*.key", "*.pem"} {
		for n := 1; firstStartWithout(t, fmt.Sprintf("enospc:%d:1:%s", n, pattern)); n++ {
			writes++
		}
	}
	if writes < 5 {
		t.Errorf("only %d keys and certificates are written at the first start", writes)
	}
}

// firstStartWithout starts on a disk with a fault, and again on one without. It
// reports false where the fault did not strike.
func firstStartWithout(t *testing.T, fault string) bool {
	t.Helper()
	backing := t.TempDir()
	v := harness.MountVolume(t, backing, "-faults", fault)
	s := harness.Launch(t, v.Mount+"/data")
	listens := s.Listens(20 * time.Second)
	s.Strike()
	s.Kill()
	v.End()
	if listens {
		return false
	}
	startsAgain(t, backing+"/data", fault)
	return true
}

// startsAgain starts the archive, and verifies it before, where there is one,
// and after.
func startsAgain(t *testing.T, data, why string) {
	t.Helper()
	s := harness.Launch(t, data)
	if !s.Listens(20 * time.Second) {
		t.Errorf("%s: the archive does not start: %s", why, last(s.Output()))
	}
	s.Strike()
	s.Kill()
	if text, code := harness.Run(t, "verify", "--data", data); code != 0 {
		t.Errorf("%s: verify: %s", why, last(text))
	}
}

// TestPowerCutAnywhereInTheFirstStart cuts in front of changes that do not
// concern the index: of all with COLLIMATOR_POWERCUT_ROUNDS, else of a few.
func TestPowerCutAnywhereInTheFirstStart(t *testing.T) {
	v := harness.MountVolume(t, t.TempDir(), "-trace")
	s := harness.Launch(t, v.Mount+"/data")
	s.Listens(20 * time.Second)
	s.Strike()
	s.Kill()
	v.End()
	var at []string
	for _, line := range v.Trace() {
		if number, what, ok := strings.Cut(line, " "); ok && !strings.Contains(what, "index.db") {
			at = append(at, number)
		}
	}
	step := max(len(at)/6, 1)
	if _, many := cuts(); many {
		step = 1
	}
	for i := step - 1; i < len(at); i += step {
		for _, mode := range []string{"strict", "ext4"}[i%2:][:1] {
			backing := t.TempDir()
			v := harness.MountVolume(t, backing, "-mode", mode, "-cut", fmt.Sprintf("at=%s seed=%d keep=random torn=512", at[i], i))
			s := harness.Launch(t, v.Mount+"/data")
			if !v.WaitCut(10*time.Second, s.Exited()) {
				v.Control("cut", fmt.Sprintf("seed=%d", i), "keep=random", "torn=512")
			}
			s.Strike()
			v.End()
			s.Kill()
			startsAgain(t, backing+"/data", fmt.Sprintf("%s, cut at %s of %d", mode, at[i], len(at)))
		}
	}
}

// TestPowerCutKeepsTheKeysOfAcknowledgedCommands cuts right after commands that
// said that they were done.
func TestPowerCutKeepsTheKeysOfAcknowledgedCommands(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"strict", "ext4"} {
		backing := t.TempDir()
		v := harness.MountVolume(t, backing, "-mode", mode)
		data, out := v.Mount+"/data", v.Mount+"/new"
		must := func(args ...string) string {
			text, code := harness.Run(t, args...)
			if code != 0 {
				t.Fatalf("%s: %s: exit code %d: %s", mode, args[0], code, text)
			}
			return text
		}
		must("init", "--data", data, "--admin", "ada", "--password-file", password)
		must("device", "add", "CT1", "--data", data, "--out", out)
		key := must("ledger", "key", "--data", data)
		v.Control("cut", "keep=none")
		v.End()
		if text, _ := harness.Run(t, "ledger", "key", "--data", backing+"/data"); text != key {
			t.Errorf("%s: the key of the ledger is another one after the cut: %s", mode, last(text))
		}
		for _, name := range []string{"CT1.key.pem", "CT1.cert.pem", "ca.pem"} {
			if b, err := os.ReadFile(filepath.Join(backing, "new", name)); err != nil || !strings.HasPrefix(string(b), "-----BEGIN") {
				t.Errorf("%s: %s holds %d bytes after the cut (%v)", mode, name, len(b), err)
			}
		}
		startsAgain(t, backing+"/data", mode)
	}
}
