package sender

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/shown"
)

// Report is how a transfer went. Failed and the lists of PassedOver are never nil.
type Report struct {
	Stored    int     `json:"stored"`
	Skipped   int     `json:"skipped"` // by the journal
	Committed int     `json:"committed,omitempty"`
	Bytes     int64   `json:"bytes"`
	Seconds   float64 `json:"seconds"`
	Warnings  int     `json:"warnings,omitempty"`
	// CommitmentUnknown counts what was stored and the peer has not said that it
	// keeps; CommitmentReason says why.
	CommitmentUnknown int       `json:"commitmentUnknown,omitempty"`
	CommitmentReason  string    `json:"commitmentReason,omitempty"`
	Failed            []Failure `json:"failed"`
	Warned            []Failure `json:"warned,omitempty"` // stored, and the peer remarks something
	PassedOver
}

// Failure is a file with what the peer or we say about it.
type Failure struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
	Broken bool   `json:"broken,omitempty"` // DICOM that cannot be read
}

// Dial opens an association with the peer; change, where it is not nil, may add
// to what is negotiated.
type Dial func(ctx context.Context, contexts []ul.ProposedContext, change func(*dimse.Config)) (*dimse.Association, error)

// Options are what a transfer needs. Dial is required.
type Options struct {
	Dial Dial
	// Journal remembers what was acknowledged; nil remembers nothing.
	Journal *Journal
	// Progress, where it is not nil, is called for each file that is dealt with, from
	// several goroutines at once: the bytes that were sent, and whether it failed.
	Progress func(bytes int64, failed bool)
	// CommitBatch is how many instances one request for storage commitment names;
	// 0 for 5000.
	CommitBatch int
}

// Transfer sends files over several associations. Its methods are called one
// after the other.
type Transfer struct {
	Options

	mu     sync.Mutex
	report Report
	fatal  error // nothing can be sent at all
}

// New begins a transfer.
func New(o Options) *Transfer {
	if o.CommitBatch <= 0 {
		o.CommitBatch = commitBatch
	}
	return &Transfer{Options: o, report: Report{Failed: []Failure{}, PassedOver: nothingPassed()}}
}

// Outcome is how it went so far. fatal is what kept the rest from being sent,
// or from being remembered in the journal.
func (t *Transfer) Outcome() (r Report, fatal error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report, t.fatal
}

// Choose takes over what was found and gives the files that the journal does not
// have yet. Those of one kind stand together, so that an association needs few
// contexts.
func (t *Transfer) Choose(found *Found) []*File {
	t.report.Failed = append(t.report.Failed, found.Failed...)
	t.report.PassedOver = found.PassedOver

	var files []*File
	for _, f := range found.Files {
		if t.Journal.has(f) {
			t.report.Skipped++
			continue
		}
		files = append(files, f)
	}

	slices.SortStableFunc(files, func(a, b *File) int {
		return cmp.Compare(a.SOPClassUID+a.TransferSyntax, b.SOPClassUID+b.TransferSyntax)
	})
	return files
}

// Send sends the files on up to n associations at a time, each with the
// presentation contexts its files need. It ends early with ctx.
func (t *Transfer) Send(ctx context.Context, files []*File, n int) {
	queue := make(chan []*File)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for batch := range queue {
				t.batch(ctx, batch)
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
func (t *Transfer) batch(ctx context.Context, files []*File) {
	stuck := 0
	for len(files) > 0 && ctx.Err() == nil {
		a, err := t.Dial(ctx, proposals(files), nil)
		if err != nil {
			t.giveUp(files, err)
			return
		}

		done, err := t.association(ctx, a, files)
		files = files[done:]
		if err == nil || len(files) == 0 || ctx.Err() != nil {
			continue
		}

		if done > 0 {
			stuck = 0
			continue
		}

		stuck++
		if stuck == maxStuck {
			t.giveUp(files, err)
			return
		}

		t.failed(files[0], err)
		files = files[1:]
	}
}

// giveUp counts files as failed for one reason.
func (t *Transfer) giveUp(files []*File, err error) {
	for _, f := range files {
		t.failed(f, err)
	}
	t.mu.Lock()
	t.fatal = err
	t.mu.Unlock()
}

// association sends files until one cannot be because the association is gone;
// done says how many are dealt with.
func (t *Transfer) association(ctx context.Context, a *dimse.Association, files []*File) (done int, err error) {
	for i, f := range files {
		status, err := t.one(ctx, a, f)

		var refused *dimse.StatusError
		switch {
		case err == nil:
			t.stored(f, status)
		case errors.As(err, &refused):
			t.failed(f, fmt.Errorf("status %s%s", refused.Status.Code, Remark(refused.Status)))
		case a.Err() != nil || ctx.Err() != nil:
			a.Abort()
			return i, err
		default:
			t.failed(f, err)
		}
	}

	if err := a.Release(ctx); err != nil {
		return len(files), err
	}
	return len(files), nil
}

// one sends a file in the best transfer syntax that was accepted for it.
func (t *Transfer) one(ctx context.Context, a *dimse.Association, f *File) (dimse.Status, error) {
	accepted := a.TransferSyntaxes(f.SOPClassUID)
	if len(accepted) == 0 {
		return dimse.Status{}, fmt.Errorf("the peer does not take %s", uid.Name(f.SOPClassUID))
	}

	body, ts, err := f.open(ctx, accepted)
	if err != nil {
		return dimse.Status{}, err
	}
	defer body.Close()

	return a.Store(ctx, dimse.StoreRequest{
		SOPClassUID: f.SOPClassUID, SOPInstanceUID: f.SOPInstanceUID, TransferSyntax: ts, Data: body,
	})
}

func (t *Transfer) progress(bytes int64, failed bool) {
	if t.Progress != nil {
		t.Progress(bytes, failed)
	}
}

func (t *Transfer) stored(f *File, status dimse.Status) {
	f.sent = true
	t.progress(f.Size, false)

	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Stored++
	t.report.Bytes += f.Size

	if status.Code != dimse.Success {
		t.report.Warnings++
		reason := fmt.Sprintf("status %s%s", status.Code, Remark(status))
		t.report.Warned = append(t.report.Warned, Failure{File: f.Path, Reason: reason})
	}

	if err := t.Journal.add(f); err != nil && t.fatal == nil {
		t.fatal = err
	}
}

func (t *Transfer) failed(f *File, err error) {
	t.progress(0, true)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Failed = append(t.report.Failed, Failure{File: f.Path, Reason: err.Error()})
}

// Remark is the Error Comment of a peer's status, made printable and in brackets
// behind a blank; empty where there is none.
func Remark(s dimse.Status) string {
	if s.Comment == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", shown.Text(s.Comment))
}
