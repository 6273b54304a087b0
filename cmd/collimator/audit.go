package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"collimator/internal/audit"
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
	Lines  int64 `short:"n" help:"How many." default:"20"`
	Follow bool  `short:"f" help:"Wait for more until interrupted."`
}

func (auditTailCmd) Help() string { return "Example:\n  collimator audit tail -n 50 -f" }

// auditPoll is how often --follow looks for new records.
const auditPoll = 500 * time.Millisecond

func (c *auditTailCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		last, err := in.trail.Last(e.ctx)
		if err != nil {
			return err
		}
		records, err := newest(e, in.trail, last, c.Lines)
		if err != nil {
			return err
		}

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
			for r, err := range in.trail.After(e.ctx, last) {
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

type auditSearchCmd struct {
	dataFlags
	outputFlag
	Event     string `help:"Event, as it stands in the records." placeholder:"EVENT"`
	Principal string `help:"Who acted: an AE title or a name." placeholder:"NAME"`
	Address   string `help:"IP address." placeholder:"IP"`
	Failed    bool   `help:"Only what was refused or failed."`
	Since     string `help:"First day, as 2026-12-31." placeholder:"DATE"`
	Study     string `help:"Study Instance UID." placeholder:"UID"`
}

func (auditSearchCmd) Help() string {
	return "Example:\n  collimator audit search --failed --since 2026-11-01"
}

func (c *auditSearchCmd) Run(e *env) error {
	var since time.Time
	if c.Since != "" {
		var err error
		if since, err = time.ParseInLocation(time.DateOnly, c.Since, time.Local); err != nil {
			return usageError("--since: want a date as 2026-12-31")
		}
	}
	return c.with(e, func(in *installation) error {
		var found []audit.Record
		for r, err := range in.trail.After(e.ctx, -1) {
			if err != nil {
				return err
			}
			if c.matches(r, since) {
				found = append(found, r)
			}
		}
		return printRecords(e.stdout, c.Output, found, true)
	})
}

func (c *auditSearchCmd) matches(r audit.Record, since time.Time) bool {
	switch {
	case c.Event != "" && string(r.Event) != c.Event,
		c.Principal != "" && r.Principal != c.Principal && r.Peer.CallingAETitle != c.Principal,
		c.Address != "" && r.Peer.Address != c.Address,
		c.Failed && r.Outcome == audit.Success,
		r.Time.Before(since):
		return false
	}
	if c.Study == "" {
		return true
	}
	for _, o := range r.Objects {
		if o.Study == c.Study {
			return true
		}
	}
	return false
}

type auditExportCmd struct {
	dataFlags
	Format string `help:"json, dicom for the audit messages of PS3.15 A.5, or fhir for AuditEvent resources (R4)." enum:"json,dicom,fhir" default:"json"`
}

func (auditExportCmd) Help() string {
	return "One record a line.\n\nExample:\n  collimator audit export --format dicom > audit.xml"
}

func (c *auditExportCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		for r, err := range in.trail.After(e.ctx, -1) {
			if err != nil {
				return err
			}
			if err := c.one(e.stdout, r, in.config.AE); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *auditExportCmd) one(w io.Writer, r audit.Record, source string) error {
	if c.Format == "json" {
		return json.NewEncoder(newShownJSON(w)).Encode(r)
	}
	if c.Format == "fhir" {
		b, err := audit.FHIR(r, source)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(newShownJSON(w), "%s\n", b)
		return err
	}
	text, err := audit.NewMessage(r, source).XML()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, text)
	return err
}

func printRecords(w io.Writer, form string, list []audit.Record, header bool) error {
	if !header && len(list) == 0 {
		return nil
	}
	title := "TIME|EVENT|OUTCOME|WHO|ADDRESS|WHAT"
	if !header && form == "table" {
		for _, r := range list {
			if _, err := fmt.Fprintln(w, printable(strings.Join(recordRow(r), "  "))); err != nil {
				return err
			}
		}
		return nil
	}
	return printList(w, form, list, title, recordRow, "No record matches.")
}

func recordRow(r audit.Record) []string {
	outcome := "done"
	if r.Outcome != audit.Success {
		outcome = "REFUSED OR FAILED"
	}
	return []string{r.Time.Local().Format("2006-01-02 15:04:05"), string(r.Event), outcome, dash(r.Principal), dash(r.Peer.Address), dash(describe(r))}
}

// describe puts reason and objects into a few words.
func describe(r audit.Record) string {
	var words []string
	if r.Reason != "" {
		words = append(words, r.Reason)
	}
	if r.Peer.Destination != "" {
		words = append(words, "to "+r.Peer.Destination)
	}
	for _, o := range r.Objects {
		for _, s := range []string{o.Study, o.Query, o.Device, o.Person, o.Detail} {
			if s != "" {
				words = append(words, s)
			}
		}
		if o.Instances > 0 || o.Matches > 0 {
			words = append(words, fmt.Sprintf("(%d)", o.Instances+o.Matches))
		}
	}
	return strings.Join(words, " ")
}
