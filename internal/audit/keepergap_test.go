package audit_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/state"
)

// fitful is a disk that fails for another while the gap is written.
type fitful struct {
	disk
	k *audit.Keeper
}

func (f *fitful) Write(ctx context.Context, records ...audit.Record) error {
	if strings.Contains(records[0].Reason, "could not be kept") && f.k != nil {
		k := f.k
		f.k = nil
		note(k, "meanwhile")
	} else if records[0].Principal == "meanwhile" && f.disk.written[len(f.disk.written)-1].Principal != "collimator" {
		return fault.New(fault.Unavailable, "db: the disk is full")
	}
	return f.disk.Write(ctx, records...)
}

func TestARecordThatHasToWaitWhileTheGapIsWrittenIsNotLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &fitful{}
		k := audit.NewKeeper(d, time.Minute, state.New(time.Now), slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
		d.k = k
		d.set(true)
		for range 5 {
			note(k, strings.Repeat("x", 1<<20))
		}
		d.set(false)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); k.Run(ctx) }()
		time.Sleep(5 * time.Second) // of the bubble
		cancel()
		<-ended

		if !slices.ContainsFunc(d.written, func(r audit.Record) bool { return r.Principal == "meanwhile" }) {
			t.Error("a record that waited was taken for written")
		}
		if waiting, lost := k.Waiting(); waiting != 0 || lost != 0 {
			t.Errorf("%d wait, %d lost", waiting, lost)
		}
	})
}
