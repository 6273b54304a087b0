// Package posture brings together what is known about the attack surface of a
// house: it runs scans into the inventory, one at a time, at once or by a
// schedule; it judges the archive itself; it assembles the report of how things
// stand; and it tells the channels of alarms what somebody has to look at. It
// probes, judges and writes nothing itself: scan, finding and report do. What it
// handles holds no data of patients.
package posture

import (
	"context"
	"crypto/x509"
	"log/slog"
	"sync"
	"time"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/inventory"
	"collimator/internal/registers"
	"collimator/internal/scan"
)

// Options are the parts of a Posture; all but Scope, Scan and Log are needed.
type Options struct {
	DB        *db.DB
	Registers *registers.Book
	Inventory *inventory.Register
	Trail     *audit.Trail
	Now       func() time.Time
	Log       *slog.Logger
	// Scope is the declared scope, read anew for each scan; nil: this machine alone.
	Scope func() (*scan.Scope, error)
	// Roots are authorities whose certificates a scan knows, beside those of the system.
	Roots *x509.CertPool
	// Archive collects what is known of the archive itself; nil leaves it out.
	Archive func(context.Context) (ArchiveFacts, error)
	// Version is that of the program.
	Version string
	// Scan replaces the engine, for tests.
	Scan func(context.Context, scan.Options) (*scan.Result, error)
}

// Posture is safe for concurrent use.
type Posture struct {
	Options

	mu      sync.Mutex
	current *job
	history []Job // the newest first
	last    int64
	ended   bool
	running sync.WaitGroup
}

// New makes one. Close ends a scan that is running.
func New(o Options) *Posture {
	if o.Scan == nil {
		o.Scan = scan.Run
	}
	if o.Scope == nil {
		o.Scope = func() (*scan.Scope, error) { return &scan.Scope{}, nil }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	return &Posture{Options: o}
}
