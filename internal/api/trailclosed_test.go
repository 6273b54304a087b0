package api_test

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
	"collimator/internal/house/sitetest"
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
			x := sitetest.NewPeopledSite(t, nil)
			auditor, administrator := x.SignIn("auditor"), x.SignIn("administrator")
			disk := &stopping{Writer: x.In.Trail}
			x.Server.Guard.Keeper = audit.NewKeeper(disk, wait, x.Server.States, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
			auditor.Must(200, "GET", "/api/v1/audit", nil)
			if n := x.Recorded(audit.LogUsed, "auditor", ""); n != 1 {
				t.Errorf("%d readings are recorded", n)
			}

			disk.stopped.Store(true)
			for _, b := range []*sitetest.Browser{auditor, administrator} {
				b.Send("GET", "/api/v1/audit?event=query", nil) // the first that waits, where one may
				if a := b.Must(503, "GET", "/api/v1/audit?event=query", nil); strings.Contains(a.Text, `"items"`) || !strings.Contains(a.Text, "collimator doctor") {
					t.Errorf("answered: %s", a.Text)
				}
				b.Must(503, "GET", "/api/v1/audit", nil) // which the auditor was reading
			}
			administrator.Must(200, "GET", "/api/v1/session", nil)
			administrator.Must(200, "GET", "/api/v1/devices", nil)
			x.SignIn("technologist")
			if a := administrator.Must(200, "GET", "/healthz", nil); !strings.Contains(a.Text, `"status":"failing"`) || !strings.Contains(a.Text, "records cannot be written and wait in memory") {
				t.Errorf("health: %s", a.Text)
			}

			disk.stopped.Store(false)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			x.Server.Guard.Keeper.Run(ctx) // writes what waits
			before := x.Recorded(audit.LogUsed, "administrator", "")
			administrator.Must(200, "GET", "/api/v1/audit?event=query&door=dicomweb", nil)
			if n := x.Recorded(audit.LogUsed, "administrator", ""); n != before+1 {
				t.Errorf("%d readings are recorded after %d", n, before)
			}
		})
	}
}
