package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"collimator/dicom/pixel"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/phrase"
)

type sendCmd struct {
	connectFlags
	Paths    []string      `arg:"" help:"Files and directories; directories are searched."`
	Parallel int           `short:"j" help:"Associations at a time." default:"2"`
	Journal  string        `help:"Write what was acknowledged to this file, and leave out what stands in it already: send again after a break." placeholder:"FILE"`
	Commit   bool          `help:"Ask for storage commitment afterwards and wait for the answer."`
	Listen   string        `help:"With --commit: take the answer also on an association that the peer opens to this address of ours." placeholder:"HOST:PORT"`
	Wait     time.Duration `help:"How long to wait for storage commitment." default:"60s"`
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

// sendReport is what send prints.
type sendReport struct {
	Stored    int     `json:"stored"`
	Skipped   int     `json:"skipped"` // by the journal
	Committed int     `json:"committed,omitempty"`
	Bytes     int64   `json:"bytes"`
	Seconds   float64 `json:"seconds"`
	Warnings  int     `json:"warnings,omitempty"`
	// CommitmentUnknown counts what was stored and the peer has not said that it
	// keeps; CommitmentReason says why.
	CommitmentUnknown int           `json:"commitmentUnknown,omitempty"`
	CommitmentReason  string        `json:"commitmentReason,omitempty"`
	Failed            []sendFailure `json:"failed"`
	Warned            []sendFailure `json:"warned,omitempty"` // stored, and the peer remarks something
	passedOver
}

type sendFailure struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
	Broken bool   `json:"broken,omitempty"` // DICOM that cannot be read
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
	defer reports.close()

	journal, err := openJournal(c.Journal, d.config.CalledAETitle+"@"+d.address)
	if err != nil {
		return err
	}
	s := &sender{d: d, journal: journal, commitBatch: commitBatch, report: sendReport{Failed: []sendFailure{}}}
	files, err := s.scan(e, c.Paths)
	if err != nil {
		return errors.Join(err, journal.close())
	}

	start := time.Now()
	s.progress = newProgress(e, "sent", len(files))
	s.all(e.ctx, files, max(c.Parallel, 1))
	s.progress.end()
	s.report.Seconds = time.Since(start).Seconds()
	if c.Commit && e.ctx.Err() == nil {
		s.commit(e.ctx, files, reports, c.Wait)
	}

	if err := errors.Join(s.print(e.stdout, c.Output), journal.close()); err != nil {
		return err
	}
	return s.verdict(e.ctx)
}

// sender sends files over several associations. Safe for concurrent use.
type sender struct {
	d        *dialer
	journal  *journal
	progress *progress
	// commitBatch is how many instances one request for storage commitment names.
	commitBatch int

	mu     sync.Mutex
	report sendReport
	fatal  error // nothing can be sent at all
}

// all sends the files on up to n associations at a time, each with the
// presentation contexts its files need.
func (s *sender) all(ctx context.Context, files []*sendFile, n int) {
	queue := make(chan []*sendFile)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for batch := range queue {
				s.batch(ctx, batch)
			}
		})
	}
	for _, b := range batches(files, n) {
		queue <- b
	}
	close(queue)
	wg.Wait()
}

// maxStuck is how many associations in a row may break at their first file
// before the rest is given up.
const maxStuck = 5

// batch sends files on one association; when that breaks, the rest go on
// another one. A file at which an association breaks that was opened for it has
// failed; where none can be opened, all have.
func (s *sender) batch(ctx context.Context, files []*sendFile) {
	stuck := 0
	for len(files) > 0 && ctx.Err() == nil {
		a, err := s.d.dial(ctx, proposals(files), nil)
		if err != nil {
			s.giveUp(files, err)
			return
		}
		done, err := s.association(ctx, a, files)
		files = files[done:]
		if err == nil || len(files) == 0 || ctx.Err() != nil {
			continue
		}
		if done > 0 {
			stuck = 0
			continue
		}
		if stuck++; stuck == maxStuck {
			s.giveUp(files, err)
			return
		}
		s.failed(files[0], err)
		files = files[1:]
	}
}

// giveUp counts files as failed for one reason.
func (s *sender) giveUp(files []*sendFile, err error) {
	for _, f := range files {
		s.failed(f, err)
	}
	s.mu.Lock()
	s.fatal = err
	s.mu.Unlock()
}

// association sends files until one cannot be because the association is gone;
// done says how many are dealt with.
func (s *sender) association(ctx context.Context, a *dimse.Association, files []*sendFile) (done int, err error) {
	for i, f := range files {
		status, err := s.one(ctx, a, f)
		var refused *dimse.StatusError
		switch {
		case err == nil:
			s.stored(f, status)
		case errors.As(err, &refused):
			s.failed(f, fmt.Errorf("status %s%s", refused.Status.Code, remark(refused.Status)))
		case a.Err() != nil || ctx.Err() != nil:
			a.Abort()
			return i, err
		default:
			s.failed(f, err)
		}
	}
	if err := a.Release(ctx); err != nil {
		return len(files), err
	}
	return len(files), nil
}

// one sends a file in the best transfer syntax that was accepted for it.
func (s *sender) one(ctx context.Context, a *dimse.Association, f *sendFile) (dimse.Status, error) {
	accepted := a.TransferSyntaxes(f.class)
	if len(accepted) == 0 {
		return dimse.Status{}, fmt.Errorf("the peer does not take %s", uid.Name(f.class))
	}
	body, ts, err := f.open(ctx, accepted)
	if err != nil {
		return dimse.Status{}, err
	}
	defer body.Close()
	return a.Store(ctx, dimse.StoreRequest{SOPClassUID: f.class, SOPInstanceUID: f.instance, TransferSyntax: ts, Data: body})
}

func (s *sender) stored(f *sendFile, status dimse.Status) {
	f.sent = true
	s.progress.add(f.size, false)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report.Stored++
	s.report.Bytes += f.size
	if status.Code != dimse.Success {
		s.report.Warnings++
		reason := fmt.Sprintf("status %s%s", status.Code, remark(status))
		s.report.Warned = append(s.report.Warned, sendFailure{File: f.path, Reason: reason})
	}
	if err := s.journal.add(f); err != nil && s.fatal == nil {
		s.fatal = err
	}
}

func (s *sender) failed(f *sendFile, err error) {
	s.progress.add(0, true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report.Failed = append(s.report.Failed, sendFailure{File: f.path, Reason: err.Error()})
}

func (s *sender) print(w io.Writer, form string) error {
	r := s.report
	if form == "json" {
		return printJSON(w, r)
	}

	fmt.Fprintf(w, "%d stored (%s in %.1f s", r.Stored, size(r.Bytes), r.Seconds)
	if r.Seconds > 0.001 {
		fmt.Fprintf(w, ", %.0f/s", float64(r.Stored)/r.Seconds)
	}
	fmt.Fprintf(w, "), %d failed", len(r.Failed))
	if n := r.broken(); n > 0 {
		fmt.Fprintf(w, " (%d of them DICOM but broken)", n)
	}
	if r.Warnings > 0 {
		fmt.Fprintf(w, ", %d with a warning", r.Warnings)
	}
	if r.Skipped > 0 {
		fmt.Fprintf(w, ", %d left out because the journal has them", r.Skipped)
	}
	if r.Committed > 0 {
		fmt.Fprintf(w, ", %d committed", r.Committed)
	}
	switch {
	case r.CommitmentUnknown > 0 && r.CommitmentUnknown == r.Stored:
		fmt.Fprint(w, ", commitment unknown")
	case r.CommitmentUnknown > 0:
		fmt.Fprintf(w, ", commitment of %d unknown", r.CommitmentUnknown)
	}
	fmt.Fprintf(w, "%s.\n", r.counts())

	if r.CommitmentReason != "" {
		fmt.Fprintf(w, "commitment: %s\n", r.CommitmentReason)
	}
	for _, line := range r.lines() {
		fmt.Fprintln(w, line)
	}
	return errors.Join(printReasons(w, "warning", r.Warned), printReasons(w, "failed", r.Failed))
}

// broken counts the failures that are DICOM and cannot be read.
func (r *sendReport) broken() (n int) {
	for _, f := range r.Failed {
		if f.Broken {
			n++
		}
	}
	return n
}

// sameReason is how many files are listed that failed for one reason.
const sameReason = 20

// printReasons lists files with what the peer or we say about them; many files
// with one reason are counted.
func printReasons(w io.Writer, what string, list []sendFailure) error {
	count := map[string]int{}
	for _, f := range list {
		count[f.Reason]++
		if count[f.Reason] > sameReason {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s: %s: %s\n", what, printable(f.File), f.Reason); err != nil {
			return err
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(count)) {
		if n := count[reason] - sameReason; n > 0 {
			fmt.Fprintf(w, "and %d more: %s (-o json lists them all)\n", n, reason)
		}
	}
	return nil
}

func (s *sender) verdict(ctx context.Context) error {
	switch {
	case s.fatal != nil && s.report.Stored == 0:
		return s.fatal
	case ctx.Err() != nil:
		return &exitError{exitPartial, errors.New("stopped before everything was sent; --journal lets you go on where it stopped")}
	case len(s.report.Failed) == 1:
		return &exitError{exitPartial, errors.New("1 object was not stored or not committed")}
	case len(s.report.Failed) > 0:
		failed := phrase.Count(len(s.report.Failed), "object was", "objects were")
		return &exitError{exitPartial, fmt.Errorf("%s not stored or not committed", failed)}
	case s.report.CommitmentUnknown > 0:
		n := s.report.CommitmentUnknown
		return &exitError{exitPartial, fmt.Errorf("the peer has not said that it keeps %d of the stored objects", n)}
	case s.report.Stored == 0 && s.report.Skipped == 0 && s.fatal == nil:
		return errors.New("there is no DICOM object to send in what was named")
	}
	return s.fatal
}

// maxContexts is the most presentation contexts of an association (PS3.8 9.3.2.2).
const maxContexts = 128

// nativeSyntaxes are offered for what can be converted.
func nativeSyntaxes() []string {
	return []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}
}

// kinds lists the presentation contexts a file needs: its own transfer syntax
// alone, so that the peer cannot choose another, and the native ones where it
// can be converted.
func (f *sendFile) kinds() []ul.ProposedContext {
	list := []ul.ProposedContext{{AbstractSyntax: f.class, TransferSyntaxes: []string{f.syntax}}}
	if pixel.Convertible(f.syntax) {
		list = append(list, ul.ProposedContext{AbstractSyntax: f.class, TransferSyntaxes: nativeSyntaxes()})
	}
	return list
}

// proposals are the presentation contexts for a batch.
func proposals(files []*sendFile) []ul.ProposedContext {
	var list []ul.ProposedContext
	seen := map[string]bool{}
	for _, f := range files {
		if key := f.class + " " + f.syntax; !seen[key] {
			seen[key] = true
			list = append(list, f.kinds()...)
		}
	}
	return list
}

// batches parts the files so that the contexts of each fit into an association
// and n associations have work.
func batches(files []*sendFile, n int) [][]*sendFile {
	most := max((len(files)+n-1)/max(n, 1), 1)
	var out [][]*sendFile
	var current []*sendFile
	kinds, seen := 0, map[string]bool{}
	for _, f := range files {
		key, more := f.class+" "+f.syntax, 0
		if !seen[key] {
			more = len(f.kinds())
		}
		if len(current) == most || kinds+more > maxContexts {
			out, current, kinds, seen = append(out, current), nil, 0, map[string]bool{}
			more = len(f.kinds())
		}
		current, kinds, seen[key] = append(current, f), kinds+more, true
	}
	if len(current) > 0 {
		out = append(out, current)
	}
	return out
}
