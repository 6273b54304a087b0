// Package inventory keeps which systems stand in the house, what is known about
// them and who says so, what is wrong with them and what was decided about it.
// A device is one asset however often and by whatever source it is seen. The
// scan, the archive's door and later the gate and the map write through Sink.
// It also keeps imported advisories and matches assets with them. What is
// written here comes from registers and headers: no patient data.
package inventory

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/finding"
)

// Source says how an asset or a value became known.
type Source string

// The sources.
const (
	Typed   Source = "typed"   // somebody said so
	CSV     Source = "csv"     // a register
	Nmap    Source = "nmap"    // a port scan
	Scan    Source = "scan"    // our own scan
	Door    Source = "door"    // an association that was let in
	Refused Source = "refused" // a caller that was refused
	Gate    Source = "gate"    // traffic through a gate
	Capture Source = "capture" // a capture of the network
	JSON    Source = "json"    // an export of an inventory
	Self    Source = "self"    // this archive about itself
	// Advisory is the source of runs that hold assets against advisories.
	Advisory Source = "advisory"
)

// confidence is what a value of a source is worth, from 0 to 1, where nobody says otherwise.
var confidence = map[Source]float64{Typed: 0.95, CSV: 0.7, JSON: 0.7, Nmap: 0.5, Scan: 0.8, Door: 0.8, Gate: 0.8, Capture: 0.7, Refused: 0.1, Self: 1}

// Observation is what one look says about one system. Empty fields say nothing.
type Observation struct {
	Source Source
	// Confidence from 0 to 1; 0 stands for what the source is usually worth.
	Confidence float64
	// Asset names the asset, such as "A12", where it is known already.
	Asset string
	// Record tells rows of one list apart that have nothing else to tell them apart by.
	Record string
	Run    int64

	Name, Vendor, Product, Version, Serial string
	Location, Zone, Owner, Hostname, Note  string

	Addresses []netip.Addr
	MACs      []string
	AETitles  []string
	Ports     []uint16
	// Implementations are class UID and version name of an association, joined with a blank.
	Implementations []string
}

// Run is one look at many systems.
type Run struct {
	ID      int64     `json:"id"`
	Source  Source    `json:"source"`
	Detail  string    `json:"detail,omitempty"`
	Started time.Time `json:"started"`
}

// Sink takes what others see. Safe for concurrent use.
type Sink interface {
	// Observe notes what was seen and says which asset it is.
	Observe(ctx context.Context, o Observation) (asset string, err error)
	// Report notes the issues found at a place. Issues of the checks that ran
	// and are not among them any more become fixed.
	Report(ctx context.Context, run int64, place finding.Place, checks []string, issues []finding.Issue) error
}

// Limits bound what the inventory takes.
type Limits struct {
	Assets    int // in all
	Strangers int // assets known only from refused callers; the oldest give way
	Values    int // of one field of one asset; the oldest give way
	Text      int // bytes of one value
	Issues    int // of one asset
	Events    int // kept; the oldest give way
}

// DefaultLimits are above what a large hospital has.
func DefaultLimits() Limits {
	return Limits{Assets: 100_000, Strangers: 500, Values: 32, Text: 500, Issues: 2000, Events: 200_000}
}

// Register is the inventory. Safe for concurrent use.
type Register struct {
	db     *db.DB
	now    func() time.Time
	limits Limits
	// vendors knows how makers are written.
	vendors *advisory.Table
}

var _ Sink = (*Register)(nil)

// New opens the inventory in a database.
func New(d *db.DB, now func() time.Time) *Register {
	return &Register{db: d, now: now, limits: DefaultLimits(), vendors: advisory.NewTable()}
}

// Begin notes that somebody begins to look.
func (r *Register) Begin(ctx context.Context, source Source, detail string) (Run, error) {
	run := Run{Source: source, Detail: r.clip(detail), Started: r.now().UTC().Truncate(time.Millisecond)}

	err := r.db.Write(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `INSERT INTO inventory_run (source, detail, started) VALUES (?1, ?2, ?3) RETURNING id`,
			string(source), run.Detail, db.Millis(run.Started)).Scan(&run.ID)
	})
	return run, err
}

// clip shortens a value to what is kept, and takes control characters out.
func (r *Register) clip(s string) string {
	s = strings.TrimSpace(strings.Map(func(c rune) rune {
		if c < 0x20 || c == 0x7F || c >= 0x80 && c < 0xA0 {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?")))

	if len(s) > r.limits.Text {
		s = strings.ToValidUTF8(s[:r.limits.Text], "")
	}
	return s
}

// assetName is how an asset is written.
func assetName(id int64) string { return "A" + strconv.FormatInt(id, 10) }

// parseAsset reads what assetName writes.
func parseAsset(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimLeft(strings.TrimSpace(s), "Aa"), 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.Newf(fault.Invalid,
			"inventory: %q is not an asset; assets are written like A12, see 'collimator inventory list'", s)
	}
	return n, nil
}

// event notes a change of an asset, and removes the oldest events beyond the limit.
func (r *Register) event(ctx context.Context, tx *db.Tx, run, asset int64, kind ChangeKind, field, old, value string) error {
	_, err := tx.Exec(ctx,
		`INSERT INTO inventory_event (at, run, asset, kind, field, old, new) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
		db.Millis(r.now()), run, asset, string(kind), field, old, value)
	if err != nil {
		return fmt.Errorf("inventory: note a change: %w", err)
	}

	_, err = tx.Exec(ctx,
		`DELETE FROM inventory_event WHERE id <= (SELECT MAX(id) FROM inventory_event) - ?1`, r.limits.Events)
	return err
}
