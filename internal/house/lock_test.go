//go:build unix

package house

import (
	"strings"
	"testing"

	"collimator/internal/fault"
)

func TestOneServerRunsOnADataDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := LockData(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = LockData(dir)
	if fault.EndingOf(err) != fault.Misused || !strings.Contains(err.Error(), "another server runs") {
		t.Errorf("a second one: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := LockData(dir)
	if err != nil {
		t.Fatalf("after the first one ended: %v", err)
	}
	third.Close()
}
