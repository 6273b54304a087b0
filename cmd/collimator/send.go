package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"collimator/internal/phrase"
	"collimator/internal/sender"
)

type sendCmd struct {
	connectFlags
	Paths    []string      `arg:"" help:"Files and directories; directories are searched."`
	Parallel int           `short:"j" help:"Associations at a time." default:"2" bounds:"1 to 64"`
	Journal  string        `help:"Write what was acknowledged to this file, and leave out what stands in it already: send again after a break." placeholder:"FILE"`
	Commit   bool          `help:"Ask for storage commitment afterwards and wait for the answer."`
	Listen   string        `help:"With --commit: take the answer also on an association that the peer opens to this address of ours." placeholder:"HOST:PORT"`
	Wait     time.Duration `help:"How long to wait for storage commitment." default:"60s" bounds:"0s to 24h"`
	Output   string        `short:"o" help:"Form of the report: text or json." enum:"text,json" default:"text"`
}

func (sendCmd) Help() string {
	return `Objects go in the transfer syntax of the file where the peer takes it, else converted where that
is possible. Exit code 3: some were not stored; they are listed with the reason. So are files below a
directory that are DICOM but cannot be read; what is not DICOM is left out and counted, and symbolic
links are not followed.

Many a PACS reports storage commitment on an association of its own: give it --listen HOST:PORT, where
it reaches this program under the own AE title. The listener speaks TLS with the own certificate, with
--plain it does not. Where no report comes in time the objects are stored all the same, commitment is
unknown, and the exit code is 3.

Example:
  collimator send COLLIMATOR@127.0.0.1:2762 ./study --as ./ws1 -j 4 --commit --journal sent.jsonl`
}

func (c *sendCmd) Run(e *env) error {
	d, err := c.dialer()
	if err != nil {
		return err
	}
	if c.Listen != "" && !c.Commit {
		return usageError("--listen goes with --commit")
	}
	reports, err := c.reports(d)
	if err != nil {
		return err
	}
	defer reports.Close()

	journal, err := sender.OpenJournal(c.Journal, d.config.CalledAETitle+"@"+d.address)
	if err != nil {
		return fmt.Errorf("--journal: %w", err)
	}
	found, err := lookBelow(e, c.Paths, nil)
	if err != nil {
		return errors.Join(err, journal.Close())
	}

	var p *progress
	t := sender.New(sender.Options{
		Dial: d.dial, Journal: journal,
		Progress: func(bytes int64, failed bool) { p.add(bytes, failed) },
	})
	files := t.Choose(found)

	start := time.Now()
	p = newProgress(e, "sent", len(files))
	t.Send(e.ctx, files, max(c.Parallel, 1))
	p.end()
	took := time.Since(start)
	if c.Commit && e.ctx.Err() == nil {
		t.Commit(e.ctx, files, reports, c.Wait)
	}

	report, fatal := t.Outcome()
	report.Seconds = took.Seconds()
	if err := errors.Join(printSent(e.stdout, c.Output, report), journal.Close()); err != nil {
		return err
	}
	return sentVerdict(e.ctx, report, fatal)
}

// reports opens the listener of --listen.
func (c *sendCmd) reports(d *dialer) (*sender.Reports, error) {
	if c.Listen == "" {
		return &sender.Reports{Advice: "with --listen HOST:PORT it is taken there"}, nil
	}
	if !c.Plain && d.own == nil {
		return nil, usageError("--listen needs the own key and certificate (--as, or --key and --cert): the peer calls over TLS")
	}
	r, err := sender.Listen(c.Listen, sender.Caller{Own: d.own, Trust: d.trust})
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	return r, nil
}

// lookBelow looks at files and directories while it shows how many it has seen.
func lookBelow(e *env, paths []string, leaveOut func(dir string) bool) (*sender.Found, error) {
	p := newProgress(e, "looked at", 0)
	defer p.end()
	return sender.Look(e.ctx, paths, sender.LookOptions{LeaveOut: leaveOut, Progress: func() { p.add(0, false) }})
}

// sentVerdict makes the exit code of a report.
func sentVerdict(ctx context.Context, r sender.Report, fatal error) error {
	switch {
	case fatal != nil && r.Stored == 0:
		return fatal
	case ctx.Err() != nil:
		return &exitError{exitPartial, errors.New("stopped before everything was sent; --journal lets you go on where it stopped")}
	case len(r.Failed) == 1:
		return &exitError{exitPartial, errors.New("1 object was not stored or not committed")}
	case len(r.Failed) > 0:
		failed := phrase.Count(len(r.Failed), "object was", "objects were")
		return &exitError{exitPartial, fmt.Errorf("%s not stored or not committed", failed)}
	case r.CommitmentUnknown > 0:
		n := r.CommitmentUnknown
		return &exitError{exitPartial, fmt.Errorf("the peer has not said that it keeps %d of the stored objects", n)}
	case r.Stored == 0 && r.Skipped == 0 && fatal == nil:
		return errors.New("there is no DICOM object to send in what was named")
	}
	return fatal
}
