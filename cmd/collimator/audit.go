package main

import (
	"fmt"
	"slices"

	"collimator/internal/audit"
	"collimator/internal/house"
)

type auditCmd struct {
	Tail   auditTailCmd   `cmd:"" help:"Print the newest records, and with -f those that come."`
	Search auditSearchCmd `cmd:"" help:"Print the records that match."`
	Verify auditVerifyCmd `cmd:"" help:"Hold every record against the ledger."`
	Export auditExportCmd `cmd:"" help:"Print all records, one a line."`
}

type auditTailCmd struct {
	dataFlags
	outputFlag
	Lines  int64 `short:"n" help:"How many." default:"20" bounds:"0 to 100000"`
	Follow bool  `short:"f" help:"Wait for more until interrupted."`
}

func (auditTailCmd) Help() string { return "Example:\n  collimator audit tail -n 50 -f" }

func (c *auditTailCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		return tail(e, in, tailing{lines: c.Lines, follow: c.Follow, output: c.Output})
	})
}

// tailing is which records are printed as they come.
type tailing struct {
	lines  int64
	follow bool
	output string
	of     audit.Filter
	what   string // of in words; empty: all
}

// tail prints the newest records, and those that come where that is asked for.
func tail(e *env, in *house.Installation, t tailing) error {
	last, err := in.Trail.Last(e.ctx)
	if err != nil {
		return err
	}
	records, err := in.Trail.Newest(e.ctx, last, t.lines, t.of)
	if err != nil {
		return err
	}

	selection := fmt.Sprintf("newest %d", t.lines) + t.what
	if t.follow {
		selection += ", and those that come"
	}
	e.hint(in.TrailRead(e.ctx, selection))

	if err := printRecords(e.stdout, t.output, records, true); err != nil || !t.follow {
		return err
	}
	return in.Trail.Follow(e.ctx, last, func(more []audit.Record) error {
		more = slices.DeleteFunc(more, func(r audit.Record) bool { return !t.of.Matches(r) })
		return printRecords(e.stdout, t.output, more, false)
	})
}

type auditExportCmd struct {
	dataFlags
	Format string `help:"json, dicom for the audit messages of PS3.15 A.5, or fhir for AuditEvent resources (R4)." enum:"json,dicom,fhir" default:"json"`
}

func (auditExportCmd) Help() string {
	return "One record a line.\n\nExample:\n  collimator audit export --format dicom > audit.xml"
}

func (c *auditExportCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		return in.ExportTrail(e.ctx, e.stdout, c.Format, e.hint)
	})
}
