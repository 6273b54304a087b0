package house_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/blob"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/verify"
)

// While people look at images and devices store and delete, each of which
// writes into the ledger all the time, every verification finds nothing.
func TestVerifyBesideABusyServerFindsNothing(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
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
		for kind, verified := range map[string]func(*testing.T, config.Config) []verify.Problem{
			"all": wholeVerified, "a sample": sampleVerified, "the trail alone": trailVerified,
		} {
			if p := verified(t, in.Config); len(p) > 0 {
				t.Errorf("%s: %v", kind, p)
			}
		}
	}
	close(stop)
	wg.Wait()
}
