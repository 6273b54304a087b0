package kind

import (
	"context"
	"maps"
	"sync"
	"time"

	"collimator/dimse"
)

// Bounds of the associations that are remembered.
const (
	frontsKept = 1000            // beyond which those that ended are looked for
	frontsMost = 10_000          // beyond which none is remembered: the report goes on one of its own
	answerMost = 5 * time.Second // for a request to be answered before its report goes
)

// Fronts are the associations on which storage commitment was asked for, by route and
// transaction, as long as they are open. The zero value is ready. Safe for concurrent use.
type Fronts struct {
	mu   sync.Mutex
	open map[[2]string]front
}

// front is an association and whether the request that came on it is answered.
type front struct {
	*dimse.Association
	answered chan struct{}
}

// Asked remembers on which association a request came. It has to be called before anything
// is done that brings a report about.
func (f *Fronts) Asked(route, transaction string, a *dimse.Association, rq *dimse.NRequest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[[2]string]front{}
	}
	if len(f.open) >= frontsKept {
		maps.DeleteFunc(f.open, func(_ [2]string, of front) bool { return of.Err() != nil })
	}
	if len(f.open) >= frontsMost {
		return
	}

	answered, then := make(chan struct{}), rq.After
	f.open[[2]string{route, transaction}] = front{a, answered}
	rq.After = func(ctx context.Context) {
		close(answered)
		if then != nil {
			then(ctx)
		}
	}
}

// Of is the association on which a request came; nil where it is over, or was not remembered.
// It waits until the request is answered, a few seconds at most, since a modality may take a
// report on what it has no answer to for an error (PS3.4 J.3.3).
func (f *Fronts) Of(ctx context.Context, route, transaction string) *dimse.Association {
	f.mu.Lock()
	of, ok := f.open[[2]string{route, transaction}]
	f.mu.Unlock()
	if !ok {
		return nil
	}

	timer := time.NewTimer(answerMost)
	defer timer.Stop()
	select {
	case <-of.answered:
	case <-of.Done():
	case <-timer.C: // the system behind may report first, and answer when the report was taken
	case <-ctx.Done():
	}
	if of.Err() != nil {
		return nil
	}
	return of.Association
}

// Forget drops a request.
func (f *Fronts) Forget(route, transaction string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, [2]string{route, transaction})
}

// Len is how many are remembered.
func (f *Fronts) Len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.open)
}
