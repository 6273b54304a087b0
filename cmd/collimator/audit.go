package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"collimator/internal/audit"
	"collimator/internal/house"
	"collimator/internal/shown"
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

// auditPoll is how often --follow looks for new records.
const auditPoll = 500 * time.Millisecond

func (c *auditTailCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		last, err := in.Trail.Last(e.ctx)
		if err != nil {
			return err
		}
		records, err := newest(e, in.Trail, last, c.Lines)
		if err != nil {
			return err
		}

		selection := fmt.Sprintf("newest %d", c.Lines)
		if c.Follow {
			selection += ", and those that come"
		}
		trailRead(e, in, selection)

		if err := printRecords(e.stdout, c.Output, records, true); err != nil || !c.Follow {
			return err
		}

		for {
			select {
			case <-e.ctx.Done():
				return nil
			case <-time.After(auditPoll):
			}

			var more []audit.Record
			for r, err := range in.Trail.After(e.ctx, last) {
				if err != nil {
					return err
				}
				more, last = append(more, r), r.Sequence
			}
			if err := printRecords(e.stdout, c.Output, more, false); err != nil {
				return err
			}
		}
	})
}

// newest are the last n records. Other leaves stand between them, so the start
// is found by going back until there are enough.
func newest(e *env, trail *audit.Trail, last, n int64) ([]audit.Record, error) {
	for back := n * 2; ; back *= 4 {
		var list []audit.Record
		for r, err := range trail.After(e.ctx, last-back) {
			if err != nil {
				return nil, err
			}
			list = append(list, r)
		}
		if int64(len(list)) >= n || back > last {
			return list[max(int64(len(list))-n, 0):], nil
		}
	}
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
		last, err := in.Trail.Last(e.ctx)
		if err != nil {
			return err
		}
		trailRead(e, in, "all, as "+c.Format)

		for r, err := range in.Trail.After(e.ctx, -1) {
			if err != nil {
				return err
			}
			if r.Sequence > last { // written since, such as that of this export
				return nil
			}
			if err := c.one(e.stdout, r, in.Config.AE); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *auditExportCmd) one(w io.Writer, r audit.Record, source string) error {
	if c.Format == "json" {
		return json.NewEncoder(shown.NewJSON(w)).Encode(r)
	}
	if c.Format == "fhir" {
		b, err := audit.FHIR(r, source)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(shown.NewJSON(w), "%s\n", b)
		return err
	}
	text, err := audit.NewMessage(r, source).XML()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, text)
	return err
}
