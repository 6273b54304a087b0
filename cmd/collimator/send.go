package main

import (
	"errors"
	"fmt"
	"time"

	"collimator/internal/fault"
	"collimator/internal/sender"
	"collimator/internal/terminal"
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
	d, err := c.peer()
	if err != nil {
		return err
	}
	if c.Listen != "" && !c.Commit {
		return fault.Usage("--listen goes with --commit")
	}
	reports, err := sender.TakeReports(d, c.Listen, c.Plain)
	if err != nil {
		return err
	}
	defer reports.Close()

	journal, err := sender.OpenJournal(c.Journal, d.Config.CalledAETitle+"@"+d.Address)
	if err != nil {
		return fmt.Errorf("--journal: %w", err)
	}
	found, err := lookBelow(e, c.Paths, nil)
	if err != nil {
		return errors.Join(err, journal.Close())
	}

	var p *terminal.Progress
	t := sender.New(sender.Options{
		Dial: d.Dial, Journal: journal,
		Progress: func(bytes int64, failed bool) { p.Add(bytes, failed) },
	})
	files := t.Choose(found)

	start := time.Now()
	p = terminal.NewProgress(e.stderr, "sent", len(files))
	t.Send(e.ctx, files, max(c.Parallel, 1))
	p.End()
	took := time.Since(start)
	if c.Commit && e.ctx.Err() == nil {
		t.Commit(e.ctx, files, reports, c.Wait)
	}

	report, fatal := t.Outcome()
	report.Seconds = took.Seconds()
	if err := errors.Join(terminal.Show(e.stdout, c.Output, report, report.Print), journal.Close()); err != nil {
		return err
	}
	return report.Verdict(e.ctx, fatal)
}

// lookBelow looks at files and directories while it shows how many it has seen.
func lookBelow(e *env, paths []string, leaveOut func(dir string) bool) (*sender.Found, error) {
	p := terminal.NewProgress(e.stderr, "looked at", 0)
	defer p.End()
	return sender.Look(e.ctx, paths, sender.LookOptions{LeaveOut: leaveOut, Progress: p.Tick})
}
