package house

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
	"collimator/internal/posture"
	"collimator/internal/report"
	"collimator/internal/scan"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// Scanning is a scan by command.
type Scanning struct {
	Targets []string // as they were named, for the record
	Consent string   // as it was given, for the record
	Record  bool     // whether what is found goes into the inventory
}

// Scan runs a scan with the advisories of an installation and the authorities that
// it knows, and records what is sent. Without a data directory, in is nil: the
// built-in advisories count, and nothing is recorded. A scan that was stopped gives
// its result with the reason; one that may not run ends as fault.Misused.
func Scan(ctx context.Context, in *Installation, s Scanning, opt *scan.Options) (*scan.Result, error) {
	trail := scanTrail{in}
	recorder, err := trail.prepare(ctx, s, opt)
	if err != nil {
		return nil, err
	}
	if err := trail.write(ctx, posture.Begins(s.Targets, *opt, shown.Text(s.Consent))); err != nil {
		return nil, err
	}

	result, stopped := scan.Run(ctx, *opt)

	// What was sent is recorded also where somebody broke the scan off.
	ctx = context.WithoutCancel(ctx)
	if result == nil {
		return nil, fault.Ended(fault.Misused, trail.refused(ctx, stopped))
	}

	if err := trail.write(ctx, posture.Ends(result)...); err != nil {
		return nil, err
	}
	if recorder != nil {
		if err := recorder.Finish(ctx); err != nil {
			return nil, err
		}
	}
	return result, stopped
}

// scanTrail writes what a scan sends into the audit trail. Without a data
// directory it writes nothing.
type scanTrail struct{ in *Installation }

// prepare gives the scan its advisories and authorities, and the inventory where
// it is to be stored there.
func (t scanTrail) prepare(ctx context.Context, s Scanning, opt *scan.Options) (*posture.Recorder, error) {
	table, err := t.advisories(ctx)
	if err != nil {
		return nil, err
	}
	opt.Advise = posture.Advise(table)
	t.trust(opt)

	if !s.Record {
		return nil, nil
	}
	if t.in == nil {
		return nil, fault.Usage("--record needs a data directory; name it with --data")
	}
	if _, err := scan.Explain(*opt); err != nil {
		return nil, nil // refused before anything is noted
	}
	recorder, err := posture.NewRecorder(ctx, t.in.Inventory, *opt, "scan by "+Operator())
	if err == nil {
		opt.Sink = recorder
	}
	return recorder, err
}

// advisories are those of the data directory, or without one the built-in ones.
func (t scanTrail) advisories(ctx context.Context) (*advisory.Table, error) {
	if t.in == nil {
		return advisory.Default(), nil
	}
	return t.in.Inventory.Advisories(ctx)
}

// trust adds the authority of the data directory to those that are known: what
// it issued is nobody's unknown certificate in this house.
func (t scanTrail) trust(opt *scan.Options) {
	switch {
	case t.in == nil:
	case opt.Roots == nil:
		opt.Roots = t.in.Authority.Pool()
	default:
		opt.Roots.AppendCertsFromPEM(t.in.Authority.CertPEM())
	}
}

// refused records a scan out of scope, and gives the reason on.
func (t scanTrail) refused(ctx context.Context, err error) error {
	if !errors.Is(err, scan.ErrScope) {
		return err
	}
	return errors.Join(err, t.write(ctx, audit.Record{
		Event: audit.Scanned, Action: audit.Execute, Outcome: audit.MinorFailure, Reason: "scan refused",
		Objects: []audit.Object{{Detail: shown.Text(err.Error())}},
	}))
}

func (t scanTrail) write(ctx context.Context, records ...audit.Record) error {
	if t.in == nil {
		return nil
	}
	for i := range records {
		records[i].Door = audit.DoorCommand
		records[i].Kind = string(policy.Person)
		records[i].Principal = Operator()
	}
	return t.in.Trail.Write(ctx, records...)
}

// WriteScan writes a result in a form: json with all that was found, or one of report.Write.
func WriteScan(w io.Writer, form string, r *scan.Result) error {
	rep := ScanReport(r)
	if form != "json" {
		return report.Write(w, form, rep)
	}
	return terminal.JSON(w, struct {
		Sentence string `json:"sentence"`
		*scan.Result
	}{rep.Sentence, r})
}

// ScanReport puts a result into the form of a report.
func ScanReport(r *scan.Result) *report.Report {
	issues := r.Issues()
	rep := &report.Report{
		Title: "Attack surface of imaging", Sentence: report.Sentence(issues), Made: r.Ended, Issues: issues, Version: Version(),
		Facts: []string{fmt.Sprintf("%d of %d addresses were looked at with %d connections in %s; %d answered, %d have services.",
			r.Looked, r.Addresses, r.Connections, r.Ended.Sub(r.Started).Round(100*time.Millisecond), r.Alive, len(r.Hosts))},
	}
	for _, h := range r.Hosts {
		a := report.Asset{Name: h.Facts.Name, Address: h.Facts.Address, Services: scan.Services(h.Facts), Note: h.Facts.Stopped}
		rep.Assets = append(rep.Assets, a)
	}
	return rep
}
