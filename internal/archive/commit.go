package archive

import (
	"context"
	"errors"

	"collimator/internal/archive/index"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// commit writes the rows of an instance and returns when they are durable, or
// with p.err. Whoever finds the lock free takes everybody's rows along in one
// transaction: the more associations store at a time, the fewer flushes each.
func (a *Archive) commit(ctx context.Context, p *pending) {
	a.queueMu.Lock()
	a.queue = append(a.queue, p)
	a.queueMu.Unlock()

	a.commitMu.Lock()
	defer a.commitMu.Unlock()
	if p.done {
		return
	}
	a.queueMu.Lock()
	batch := a.queue
	a.queue = nil
	a.queueMu.Unlock()
	// Whatever happens here, a panic too, nobody in the batch may take silence for success.
	defer func() {
		for _, q := range batch {
			if !q.done {
				q.done = true
				q.err = errUndecided
			}
		}
	}()
	// Others wait for this transaction: it does not end with our caller.
	ctx = context.WithoutCancel(ctx)
	err := a.commitBatch(ctx, batch)
	if err != nil && len(batch) > 1 && !fault.Of(err).Temporary() {
		// One of them spoils it. Alone, each gets its own answer.
		for _, q := range batch {
			q.err = a.commitBatch(ctx, []*pending{q})
		}
		err = nil
	}
	for _, q := range batch {
		q.err = errors.Join(q.err, err)
		q.done = true
	}
}

// errUndecided is the answer to those whose transaction somebody else's fault cut off.
var errUndecided = fault.New(fault.Internal, "archive: the transaction was cut off; send again")

func (a *Archive) commitBatch(ctx context.Context, batch []*pending) error {
	return a.o.DB.Write(ctx, func(tx *db.Tx) error {
		for _, p := range batch {
			p.duplicate = false
			p.conflict = nil
			if err := a.insert(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// insert writes the rows of one instance, or finds the duplicate or the
// conflict.
func (a *Archive) insert(ctx context.Context, tx *db.Tx, p *pending) error {
	// A row must not name a file that somebody removed on its way.
	if err := a.present(ctx, p.ref); err != nil {
		return err
	}
	out, err := index.Insert(ctx, tx, p.entry())
	if err != nil {
		return err
	}

	p.stored = out.Stored
	switch {
	case out.Duplicate:
		p.duplicate = true
		p.ref = out.Stored
		return nil
	case out.Conflict != "":
		p.conflict = &ConflictError{Reason: out.Conflict}
		return nil
	}

	// What was refused before and is stored now is refused no longer.
	if err := forgetRefusal(ctx, tx, p.ref.SOPInstanceUID, p.ref.Digest); err != nil {
		return err
	}

	return a.record(ctx, tx, Event{
		Kind: Stored, Instance: p.ref, Source: p.source, Time: p.time, Accepted: p.accept, CharacterSet: p.assumed,
	})
}

// entry is what the index takes in.
func (p *pending) entry() *index.Entry {
	return &index.Entry{
		Ref:          p.ref,
		Source:       p.source,
		Received:     p.time,
		Description:  p.description,
		Header:       p.header,
		Accepted:     p.accept,
		CharacterSet: p.assumed,
	}
}
