package inventory

import (
	"context"
	"slices"
	"strings"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/finding"
)

// Look is what one look at a place found, with what it covered.
type Look struct {
	Run   int64
	Place finding.Place
	// Ports are the ones that were looked at; nil: all. Issues at other ports
	// stay as they are, and those of the host as a whole stay while another port
	// still has one.
	Ports []uint16
	// Checks are those that ran; issues of others stay as they are.
	Checks []string
	Issues []finding.Issue
}

// ReportLook is Report for a look at some ports only.
func (r *Register) ReportLook(ctx context.Context, l Look) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		o := Observation{Source: Scan, Run: l.Run, Asset: l.Place.Asset}
		if l.Place.Address.IsValid() {
			o.Addresses = append(o.Addresses, l.Place.Address)
		}

		id, err := r.resolveOrMake(ctx, tx, &o)
		if err != nil {
			return err
		}

		return r.reportPorts(ctx, tx, id, l)
	})
}

// Advise lists an issue for each advisory that speaks of the system that is believed
// to stand at a place. The asset need not be in the register.
func Advise(table *advisory.Table, a *Asset, place finding.Place) []finding.Issue {
	c := judge(table, a)

	var out []finding.Issue
	for _, m := range c.Matches {
		i := AdvisoryIssue(m.Match, place)
		if m.Class != advisory.All && distributed(m.Product) && !i.Possible {
			i.Possible = true
			i.Text += " This is not certain: distributions patch this software and leave its version number as it was; " +
				"compare the changelog of the package."
		}

		out = append(out, i)
	}
	return out
}

// distributed reports software that Linux distributions carry, and patch
// without another version number. What such a service announces proves nothing.
func distributed(product string) bool {
	p := strings.ToLower(product)
	return strings.Contains(p, "orthanc") || strings.Contains(p, "dcmtk")
}

// AdvisoryChecks are the checks that hold assets against advisories.
func AdvisoryChecks() []string { return slices.Clone(advisoryChecks) }

// IssueByID finds an issue; the error is of kind NotFound where there is none.
func (r *Register) IssueByID(ctx context.Context, name string) (Issue, error) {
	all, err := r.Issues(ctx, "")
	if err != nil {
		return Issue{}, err
	}

	i := slices.IndexFunc(all, func(i Issue) bool { return strings.EqualFold(i.ID, name) })
	if i < 0 {
		return Issue{}, fault.New(fault.NotFound, "inventory: there is no such issue; see 'collimator inventory issues'")
	}
	return all[i], nil
}

// Event is a change with its place in the order of all changes.
type Event struct {
	ID int64
	Change
}

// EventsAfter lists changes behind one, in order, at most most.
func (r *Register) EventsAfter(ctx context.Context, after int64, most int) (list []Event, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanEvent,
			`SELECT id, at, run, asset, kind, field, old, new FROM inventory_event WHERE id > ?1 ORDER BY id LIMIT ?2`, after, most)

		return err
	})

	return list, err
}

func scanEvent(scan db.Scan) (e Event, err error) {
	var at, asset int64
	err = scan(&e.ID, &at, &e.Run, &asset, &e.Kind, &e.Field, &e.Old, &e.New)
	e.At = db.Instant(at)
	e.Asset = assetName(asset)

	return e, err
}

// LastEvent is the place of the newest change; 0 where there is none.
func (r *Register) LastEvent(ctx context.Context) (id int64, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(MAX(id), 0) FROM inventory_event`).Scan(&id)
	})
	return id, err
}

// LastRun is when a source last began to look; zero where it never did.
func (r *Register) LastRun(ctx context.Context, source Source) (time.Time, error) {
	var at int64
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx,
			`SELECT COALESCE(MAX(started), 0) FROM inventory_run WHERE source = ?1`, string(source)).Scan(&at)
	})

	return db.Instant(at), err
}

// places tells at which ports of an address a look says something.
func (l *Look) covers(port int, others bool) bool {
	switch {
	case l.Ports == nil:
		return l.Place.Port == 0 || int(l.Place.Port) == port
	case port == 0:
		return !others
	}
	return slices.Contains(l.Ports, uint16(port))
}
