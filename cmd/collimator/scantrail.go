package main

import (
	"context"
	"path/filepath"

	"collimator/internal/advisory"
	"collimator/internal/audit"
	"collimator/internal/house"
	"collimator/internal/policy"
	"collimator/internal/posture"
	"collimator/internal/scan"
	"collimator/internal/shown"
)

// scanTrail writes what a scan sends into the audit trail. Without a data
// directory it writes nothing.
type scanTrail struct{ in *house.Installation }

// auditTrail opens the data directory where there is one. One that was named
// must exist.
func (c *scanCmd) auditTrail(e *env) (*scanTrail, func() error, error) {
	cfg, err := c.loadChecked()
	if err != nil {
		return nil, nil, err
	}
	if c.Data == "" && !house.FileExists(filepath.Join(cfg.Data, house.IndexFile)) {
		return &scanTrail{}, func() error { return nil }, nil
	}
	in, err := e.open(cfg, false)
	if err != nil {
		return nil, nil, err
	}
	return &scanTrail{in}, in.Close, nil
}

// recorder is where --record stores results.
func (t *scanTrail) recorder(ctx context.Context, opt *scan.Options) (*posture.Recorder, error) {
	return posture.NewRecorder(ctx, t.in.Inventory, *opt, "scan by "+house.Operator())
}

// advisories are those of the data directory, or without one the built-in ones.
func (t *scanTrail) advisories(ctx context.Context) (*advisory.Table, error) {
	if t.in == nil {
		return advisory.Default(), nil
	}
	return t.in.Inventory.Advisories(ctx)
}

// trust adds the authority of the data directory to those that are known: what
// it issued is nobody's unknown certificate in this house.
func (t *scanTrail) trust(opt *scan.Options) {
	switch {
	case t.in == nil:
	case opt.Roots == nil:
		opt.Roots = t.in.Authority.Pool()
	default:
		opt.Roots.AppendCertsFromPEM(t.in.Authority.CertPEM())
	}
}

func (t *scanTrail) begin(ctx context.Context, c *scanCmd, opt *scan.Options) error {
	return t.write(ctx, posture.Begins(c.Targets, *opt, shown.Text(c.Consent)))
}

func (t *scanTrail) refused(ctx context.Context, err error) error {
	return t.write(ctx, audit.Record{Event: audit.Scanned, Action: audit.Execute, Outcome: audit.MinorFailure, Reason: "scan refused", Objects: []audit.Object{{Detail: shown.Text(err.Error())}}})
}

// end writes one record for each host that was asked, and one for the scan.
func (t *scanTrail) end(ctx context.Context, r *scan.Result) error {
	return t.write(ctx, posture.Ends(r)...)
}

func (t *scanTrail) write(ctx context.Context, records ...audit.Record) error {
	if t.in == nil {
		return nil
	}
	for i := range records {
		records[i].Door, records[i].Kind, records[i].Principal = audit.DoorCommand, string(policy.Person), house.Operator()
	}
	return t.in.Trail.Write(ctx, records...)
}
