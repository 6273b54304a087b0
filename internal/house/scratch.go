package house

import (
	"os"
	"path/filepath"
	"time"

	"collimator/internal/archive"
	"collimator/internal/durable"
)

// OldScratch is how long a verification of an earlier version may have run: its
// directory has no lock.
const OldScratch = 7 * 24 * time.Hour

// SweepScratch removes the indexes of verifications that were killed.
func SweepScratch(data string) {
	durable.SweepScratch(filepath.Join(data, archive.ScratchDir), time.Now())
	old, _ := filepath.Glob(filepath.Join(data, "verify-*")) // the pattern is well formed
	for _, dir := range old {
		log, err := os.Stat(filepath.Join(dir, IndexFile+"-wal"))
		if err != nil || time.Since(log.ModTime()) > OldScratch {
			os.RemoveAll(dir)
		}
	}
}
