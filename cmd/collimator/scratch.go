package main

import (
	"os"
	"path/filepath"
	"time"

	"collimator/internal/archive"
	"collimator/internal/durable"
)

// oldScratch is how long a verification of an earlier version may have run: its
// directory has no lock.
const oldScratch = 7 * 24 * time.Hour

// sweepScratch removes the indexes of verifications that were killed.
func sweepScratch(data string) {
	durable.SweepScratch(filepath.Join(data, archive.ScratchDir), time.Now())
	old, _ := filepath.Glob(filepath.Join(data, "verify-*")) // the pattern is well formed
	for _, dir := range old {
		log, err := os.Stat(filepath.Join(dir, indexFile+"-wal"))
		if err != nil || time.Since(log.ModTime()) > oldScratch {
			os.RemoveAll(dir)
		}
	}
}
