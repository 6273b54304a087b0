package dimse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"collimator/dicom"
)

// reply is a response of the peer with its data set.
type reply struct {
	cmd  *Command
	data []byte
	ts   string
	lim  Limits
}

// dataSet decodes the data set; nil when there is none.
func (r reply) dataSet() (*dicom.DataSet, error) {
	if !r.cmd.HasDataSet {
		return nil, nil
	}
	return dicom.Decode(bytes.NewReader(r.data), identifierOptions(r.ts, r.lim.Reply))
}

// identifierOptions bound what a data set that is kept in memory may become:
// deflated, too, it is no longer than most, and it has no more elements
// than so many bytes can usefully hold: a reference in a commitment takes some 120 bytes
// for four elements and items.
func identifierOptions(transferSyntax string, most int64) dicom.DecodeOptions {
	return dicom.DecodeOptions{TransferSyntax: transferSyntax, Limits: dicom.Limits{
		Header: most, Inflated: most, Elements: int(max(most/32, 1000)),
	}}
}

// pending is a request of ours that waits for its final response.
type pending struct {
	a       *Association
	id      uint16
	pc      PresentationContext
	op      Operation
	replies chan reply
	gone    chan struct{} // nobody listens any more
	failed  chan struct{}
	once    sync.Once
	ended   sync.Once // C-CANCEL is sent once
	err     error     // set before failed is closed
	final   bool      // the listener saw the final response
}

// fail wakes the listener; called with Association.mu held.
func (p *pending) fail(err error) {
	p.err = err
	close(p.failed)
}

// begin takes a place in the window and sends a request.
func (a *Association) begin(ctx context.Context, pc PresentationContext, cmd *Command, data io.Reader) (*pending, error) {
	select {
	case a.window <- struct{}{}:
	case <-a.done:
		return nil, a.Err()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}

	p := &pending{a: a, pc: pc, op: cmd.Operation, replies: make(chan reply, 4), gone: make(chan struct{}), failed: make(chan struct{})}
	if err := a.register(p); err != nil {
		<-a.window
		return nil, err
	}

	a.link.pace.idle(time.Time{})
	cmd.MessageID = p.id
	cmd.HasDataSet = data != nil
	if err := a.send(ctx, pc, cmd, data); err != nil {
		a.mu.Lock()
		delete(a.pending, p.id)
		a.mu.Unlock()
		<-a.window
		return nil, err
	}
	return p, nil
}

// register gives the request a message ID that is not in use.
func (a *Association) register(p *pending) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	if a.releasing {
		return ErrReleased
	}

	for {
		if a.lastID++; a.lastID == 0 {
			continue
		}
		if _, used := a.pending[a.lastID]; !used {
			break
		}
	}

	p.id = a.lastID
	a.pending[p.id] = p
	return nil
}

// next is the next response. After the final one it must not be called again.
func (p *pending) next(ctx context.Context) (reply, error) {
	timer := time.NewTimer(p.a.lim.Response)
	defer timer.Stop()
	select {
	case r := <-p.replies:
		return p.took(r), nil
	case <-p.failed:
		return p.lastOr(p.err)
	case <-ctx.Done(): // of a handler also when the peer releases
		return p.lastOr(context.Cause(ctx))
	case <-timer.C:
		err := fmt.Errorf("%w: no response to %s", ErrTimeout, p.op)
		p.a.abortWith(err)
		return reply{}, err
	}
}

// lastOr is the response that came before the end, or else the error.
func (p *pending) lastOr(err error) (reply, error) {
	select {
	case r := <-p.replies:
		return p.took(r), nil
	default:
		return reply{}, err
	}
}

func (p *pending) took(r reply) reply {
	p.final = r.cmd.Status.Class() != ClassPending
	return r
}

// abandon stops listening. An operation that can be canceled is (PS3.7 9.3.2.3).
func (p *pending) abandon() {
	p.once.Do(func() {
		close(p.gone)
		if p.final {
			return
		}
		p.cancel()
	})
}

// cancel asks the peer to end an operation that can be canceled (PS3.7 9.3.2.3).
func (p *pending) cancel() {
	p.a.mu.Lock()
	_, waiting := p.a.pending[p.id]
	p.a.mu.Unlock()
	if waiting && (p.op == CFind || p.op == CGet || p.op == CMove) {
		p.ended.Do(func() {
			// If it does not get through the association has ended or will.
			_ = p.a.send(context.Background(), p.pc, &Command{Operation: CCancel, MessageID: p.id}, nil)
		})
	}
}

// cancelWait is how long a peer has to end an operation after C-CANCEL.
const cancelWait = 5 * time.Second

// cancelBounded is cancel for a caller that is gone: a peer that goes on all the
// same, or takes nothing, is cut off.
func (p *pending) cancelBounded() {
	time.AfterFunc(cancelWait, func() {
		p.a.mu.Lock()
		waiting := p.a.pending[p.id] == p
		p.a.mu.Unlock()
		if waiting {
			p.a.abortWith(fmt.Errorf("%w: %s goes on after C-CANCEL", ErrTimeout, p.op))
		}
	})
	p.cancel()
}

// invoke sends a request that has one response and waits for it.
func (a *Association) invoke(ctx context.Context, pc PresentationContext, cmd *Command, data io.Reader) (reply, error) {
	p, err := a.begin(ctx, pc, cmd, data)
	if err != nil {
		return reply{}, err
	}
	defer p.abandon()
	return p.next(ctx)
}

// deliver gives a response to the one who waits for it. The reader waits with it:
// that is the back-pressure on the peer.
func (a *Association) deliver(cmd *Command, pc PresentationContext) error {
	a.mu.Lock()
	p := a.pending[cmd.MessageID]
	a.mu.Unlock()

	switch {
	case p == nil:
		return breach("PS3.7 9.1", "response to nothing")
	case p.op != cmd.Operation:
		return breach("PS3.7 9.1", "response to another operation")
	case p.pc.ID != pc.ID:
		return breach("PS3.8 E.1", "response in another presentation context")
	}

	r := reply{cmd: cmd, ts: pc.TransferSyntax, lim: a.lim}
	if cmd.HasDataSet {
		b := newBody(a, pc.ID)
		b.limit = a.lim.Reply
		var buf bytes.Buffer
		if _, err := b.WriteTo(&buf); err != nil {
			return err
		}
		r.data = buf.Bytes()
	}

	final := cmd.Status.Class() != ClassPending
	if !final && p.op != CFind && p.op != CGet && p.op != CMove {
		return breach("PS3.7 9.1", "pending status of an operation that has one response")
	}

	// A message ID is free again before the answer is handed on.
	if final {
		a.mu.Lock()
		delete(a.pending, p.id)
		a.mu.Unlock()
	}

	select {
	case p.replies <- r:
	case <-p.gone:
	case <-a.done:
		return a.Err()
	}

	if final {
		<-a.window
	}
	return nil
}
