package house_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"collimator/internal/house"
	"collimator/internal/house/sitetest"
)

func TestVerifyRemovesWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	var left []string
	for _, name := range []string{"verify/KILLED", "verify-123"} {
		dir := filepath.Join(in.Config.Data, filepath.FromSlash(name))
		left = append(left, dir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"lock", "index.db-wal"} {
			if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		old := time.Now().Add(-2 * house.OldScratch)
		for _, path := range []string{filepath.Join(dir, "index.db-wal"), dir} {
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	if p := sitetest.Verified(t, in); len(p) != 0 {
		t.Errorf("what a killed verification left is told as tampering: %v", p)
	}
	for _, dir := range left {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is still there", filepath.Base(dir))
		}
	}
}
