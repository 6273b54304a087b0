package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/scan"
)

// scanTrail writes what a scan sends into the audit trail. Without a data
// directory it writes nothing.
type scanTrail struct{ in *installation }

// auditTrail opens the data directory where there is one. One that was named
// must exist.
func (c *scanCmd) auditTrail(e *env) (*scanTrail, func() error, error) {
	cfg, err := c.loadChecked()
	if err != nil {
		return nil, nil, err
	}
	if c.Data == "" && !fileExists(filepath.Join(cfg.Data, indexFile)) {
		return &scanTrail{}, func() error { return nil }, nil
	}
	in, err := openInstallation(e.ctx, cfg, false)
	if err != nil {
		return nil, nil, err
	}
	return &scanTrail{in}, in.close, nil
}

// sink is where --record stores results.
func (t *scanTrail) sink() (scan.Sink, error) {
	if t.in == nil {
		return nil, usageError("--record needs a data directory; name it with --data")
	}
	return nil, usageError("--record: this data directory has no inventory")
}

func (t *scanTrail) begin(ctx context.Context, c *scanCmd, opt *scan.Options) error {
	var words []string
	for w := range opt.OptIn {
		words = append(words, w)
	}
	slices.Sort(words)
	detail := fmt.Sprintf("targets %s", strings.Join(c.Targets, " "))
	if len(words) > 0 {
		detail += "; opt-in " + strings.Join(words, " ")
	}
	if c.Consent != "" {
		detail += "; consent " + printable(c.Consent)
	}
	return t.write(ctx, audit.Record{Event: audit.Scanned, Action: audit.Execute, Reason: "scan begins", Objects: []audit.Object{{Detail: detail}}})
}

func (t *scanTrail) refused(ctx context.Context, err error) error {
	return t.write(ctx, audit.Record{Event: audit.Scanned, Action: audit.Execute, Outcome: audit.MinorFailure, Reason: "scan refused", Objects: []audit.Object{{Detail: printable(err.Error())}}})
}

// end writes one record for each host that was asked, and one for the scan.
func (t *scanTrail) end(ctx context.Context, r *scan.Result) error {
	var records []audit.Record
	for _, h := range r.Hosts {
		detail := fmt.Sprintf("%d connections; %s", h.Connections, strings.Join(scan.Services(h.Facts), "; "))
		if h.Facts.Stopped != "" {
			detail += "; " + h.Facts.Stopped
		}
		records = append(records, audit.Record{Event: audit.Scanned, Action: audit.Execute, Reason: "host asked",
			Peer: audit.Peer{Address: h.Facts.Address.String()}, Objects: []audit.Object{{Detail: detail}}})
	}
	detail := fmt.Sprintf("%d of %d addresses looked at, %d answered, %d connections", r.Looked, r.Addresses, r.Alive, r.Connections)
	records = append(records, audit.Record{Event: audit.Scanned, Action: audit.Execute, Reason: "scan ends", Objects: []audit.Object{{Detail: detail}}})
	return t.write(ctx, records...)
}

func (t *scanTrail) write(ctx context.Context, records ...audit.Record) error {
	if t.in == nil {
		return nil
	}
	for i := range records {
		records[i].Door, records[i].Kind, records[i].Principal = "command", "person", operator()
	}
	return t.in.trail.Write(ctx, records...)
}
