// Package outboxtest is the conformance suite of whatever sends by an outbox: the
// outbox itself, routes, forwarding. Its destination is in memory, and its time is
// fake.
package outboxtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"
	"syscall"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/outbox"
)

// ErrBroken is that of an association that ended.
var ErrBroken = errors.New("outboxtest: the association ended")

// Arrival is an object that a target stored.
type Arrival struct {
	UID, Hash   string
	Association int // the number of the one it came on
}

// Target is a destination in memory. Safe for concurrent use.
type Target struct {
	// Answer is what becomes of an object that was read, when it comes for the nth time; an error ends
	// the association. nil stores everything.
	Answer func(uid string, n int) (dimse.StatusCode, error)
	// Commits says whether the target takes requests for storage commitment, and Keeps, for
	// which objects it commits; nil: for all.
	Commits bool
	Keeps   func(uid string, n int) bool
	// Refuses are SOP Classes that it does not take.
	Refuses []string

	mu       sync.Mutex
	down     bool
	box      *outbox.Outbox
	name     string
	opened   int
	came     map[string]int
	asked    map[string]int
	arrivals []Arrival
}

// Way is how the target is reached; an outbox has it under a name.
func (t *Target) Way(commit outbox.Commit) outbox.Way {
	return outbox.Way{Commit: commit, Open: t.open}
}

// Reports says whom the target reports to.
func (t *Target) Reports(b *outbox.Outbox, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.box = b
	t.name = name
}

// Down cuts the network, or mends it.
func (t *Target) Down(down bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.down = down
}

// Arrived lists what was stored, in order.
func (t *Target) Arrived() []Arrival {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Arrival(nil), t.arrivals...)
}

func (t *Target) open(_ context.Context, contexts []ul.ProposedContext) (outbox.Session, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down {
		return nil, &netError{}
	}
	t.opened++
	s := &session{t: t, number: t.opened}
	for _, pc := range contexts {
		refused := pc.AbstractSyntax == uid.StorageCommitmentPushModel && !t.Commits
		for _, class := range t.Refuses {
			refused = refused || class == pc.AbstractSyntax
		}
		if !refused {
			s.contexts = append(s.contexts, dimse.PresentationContext{
				ID: pc.ID, AbstractSyntax: pc.AbstractSyntax, TransferSyntax: pc.TransferSyntaxes[0],
			})
		}
	}
	return s, nil
}

// netError is a connection that was refused.
type netError struct{}

func (netError) Error() string { return "outboxtest: connection refused" }
func (netError) Unwrap() error { return syscall.ECONNREFUSED }

// session is an association to a Target.
type session struct {
	t        *Target
	number   int
	contexts []dimse.PresentationContext
	mu       sync.Mutex
	over     error
}

func (s *session) Contexts() []dimse.PresentationContext { return s.contexts }

// Err is why the association is over; nil while it is open.
func (s *session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = ErrBroken
}

func (s *session) Release(context.Context) error {
	s.end()
	return nil
}

func (s *session) Abort() { s.end() }

func (s *session) Store(ctx context.Context, rq dimse.StoreRequest) (dimse.Status, error) {
	data, err := io.ReadAll(rq.Data)
	if err != nil {
		return dimse.Status{}, err
	}
	t := s.t
	t.mu.Lock()
	if t.down || s.Err() != nil {
		t.mu.Unlock()
		s.end()
		return dimse.Status{}, ErrBroken
	}
	if t.came == nil {
		t.came = map[string]int{}
	}
	t.came[rq.SOPInstanceUID]++
	n := t.came[rq.SOPInstanceUID]
	t.mu.Unlock()

	code := dimse.Success
	if t.Answer != nil {
		if code, err = t.Answer(rq.SOPInstanceUID, n); err != nil {
			s.end()
			return dimse.Status{}, err
		}
	}
	if ctx.Err() != nil {
		return dimse.Status{}, ctx.Err()
	}
	status := dimse.Status{Code: code}
	if err := status.Err(); err != nil {
		return status, err
	}
	sum := sha256.Sum256(data)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.arrivals = append(t.arrivals, Arrival{UID: rq.SOPInstanceUID, Hash: hex.EncodeToString(sum[:]), Association: s.number})
	return status, nil
}

// NAction reports at once (PS3.4 J.3.3).
func (s *session) NAction(ctx context.Context, rq dimse.NRequest) (dimse.NResponse, error) {
	t := s.t
	t.mu.Lock()
	if t.asked == nil {
		t.asked = map[string]int{}
	}
	var kept, failed []*dicom.DataSet
	for _, item := range rq.DataSet.Items(tag.ReferencedSOPSequence) {
		instance := item.Text(tag.ReferencedSOPInstanceUID)
		t.asked[instance]++
		if t.Keeps == nil || t.Keeps(instance, t.asked[instance]) {
			kept = append(kept, item)
			continue
		}
		if err := item.SetInt(tag.FailureReason, int64(dimse.NoSuchSOPInstance)); err != nil {
			t.mu.Unlock()
			return dimse.NResponse{}, err
		}
		failed = append(failed, item)
	}
	box, name := t.box, t.name
	t.mu.Unlock()

	report := dicom.NewDataSet()
	if err := report.SetText(tag.TransactionUID, rq.DataSet.Text(tag.TransactionUID)); err != nil {
		return dimse.NResponse{}, err
	}
	if len(kept) > 0 {
		report.SetItems(tag.ReferencedSOPSequence, kept...)
	}
	if len(failed) > 0 {
		report.SetItems(tag.FailedSOPSequence, failed...)
	}
	if box == nil {
		return dimse.NResponse{}, nil
	}
	return dimse.NResponse{}, box.Report(ctx, name, report)
}
