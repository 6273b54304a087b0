package main

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/blob"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
)

// While people look at images and devices store and delete, each of which
// writes into the ledger all the time, every verification finds nothing.
func TestVerifyBesideABusyServerFindsNothing(t *testing.T) {
	t.Parallel()
	in := filled(t)
	blobs, err := blob.OpenDir(filepath.Join(in.Config.Data, house.BlobsDir))
	if err != nil {
		t.Fatal(err)
	}
	defer blobs.Close()
	a, err := archive.Open(archive.Options{DB: in.DB, Blobs: blobs, Record: guard.RecordInstance(in.Ledger, in.Trail, in.Registry)})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	busy := func(pause time.Duration, work func(i int) error) {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(pause):
				}
				if err := work(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	busy(time.Millisecond, func(int) error {
		return in.Record(t.Context(), audit.Record{Event: audit.Query, Principal: "ada", Kind: "person"})
	})
	busy(5*time.Millisecond, func(i int) error {
		_, err := a.Ingest(t.Context(), sitetest.Incoming(t, 100+i%40, byte(i%40)))
		return err
	})
	busy(30*time.Millisecond, func(i int) error {
		study := []string{"2.25.733", "2.25.735", "2.25.740"}[i%3] // they come again
		_, err := a.Delete(t.Context(), archive.Deletion{Scope: archive.Everything(), StudyUID: study, Why: "because of the test"})
		if fault.Of(err) == fault.NotFound {
			return nil
		}
		return err
	})
	for range 4 {
		for _, args := range [][]string{{"verify"}, {"verify", "--sample", "20%"}, {"audit", "verify"}} {
			if out, code := runOn(in, t, args...); code != 0 {
				t.Errorf("%v: %s", args, out)
			}
		}
	}
	close(stop)
	wg.Wait()
}
