package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
)

// stopping writes to a trail until it is stopped.
type stopping struct {
	audit.Writer
	stopped atomic.Bool
}

func (s *stopping) Write(ctx context.Context, records ...audit.Record) error {
	if s.stopped.Load() {
		return fault.New(fault.Unavailable, "test: the disk is full")
	}
	return s.Writer.Write(ctx, records...)
}

// Reading the trail is an event of it: where nothing can be recorded it is closed
// like the images, and who looks after the archive learns why in another way.
func TestTheTrailIsClosedWhereReadingItCannotBeRecorded(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"no record may wait": 0, "one has waited": time.Nanosecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newPeopledSite(t, nil)
			auditor, administrator := x.signIn("auditor"), x.signIn("administrator")
			disk := &stopping{Writer: x.in.Trail}
			x.s.Guard.Keeper = audit.NewKeeper(disk, wait, x.s.States, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
			auditor.must(200, "GET", "/api/v1/audit", nil)
			if n := x.recorded(audit.LogUsed, "auditor", ""); n != 1 {
				t.Errorf("%d readings are recorded", n)
			}

			disk.stopped.Store(true)
			for _, b := range []*browser{auditor, administrator} {
				b.send("GET", "/api/v1/audit?event=query", nil) // the first that waits, where one may
				if a := b.must(503, "GET", "/api/v1/audit?event=query", nil); strings.Contains(a.text, `"items"`) || !strings.Contains(a.text, "collimator doctor") {
					t.Errorf("answered: %s", a.text)
				}
				b.must(503, "GET", "/api/v1/audit", nil) // which the auditor was reading
			}
			administrator.must(200, "GET", "/api/v1/session", nil)
			administrator.must(200, "GET", "/api/v1/devices", nil)
			x.signIn("technologist")
			if a := administrator.must(200, "GET", "/healthz", nil); !strings.Contains(a.text, `"status":"failing"`) || !strings.Contains(a.text, "records cannot be written and wait in memory") {
				t.Errorf("health: %s", a.text)
			}

			disk.stopped.Store(false)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			x.s.Guard.Keeper.Run(ctx) // writes what waits
			before := x.recorded(audit.LogUsed, "administrator", "")
			administrator.must(200, "GET", "/api/v1/audit?event=query&door=dicomweb", nil)
			if n := x.recorded(audit.LogUsed, "administrator", ""); n != before+1 {
				t.Errorf("%d readings are recorded after %d", n, before)
			}
		})
	}
}
