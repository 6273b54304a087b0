package dimse

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"collimator/dicom"
)

// exchange is one request of the peer and our answers to it.
type exchange struct {
	call   *Call
	body   *body
	cancel context.CancelCauseFunc
	after  func(context.Context)
}

// serve runs the handler of a request and answers. A panic of the handler ends this
// association and no other.
func (x *exchange) serve(ctx context.Context) {
	a := x.call.Association
	defer a.handlers.Done()
	defer x.cancel(nil)
	defer func() {
		if v := recover(); v != nil {
			x.panicked(ctx, v)
		}
	}()

	began := time.Now()
	out := x.outcome(ctx)
	if x.body != nil {
		x.body.close()
		out.Bytes = x.body.n
		if x.body.fatal != nil {
			return // the reader has the error
		}
	}

	x.logOutcome(ctx, out, time.Since(began))

	if err := x.finish(out); err != nil {
		if !a.awaitsRelease() {
			a.fail(err)
		}
		return
	}
	x.runAfter(ctx)
}

// outcome runs the checks, the interceptor and the handler.
func (x *exchange) outcome(ctx context.Context) Outcome {
	if s, refused := x.refusal(); refused {
		return Outcome{Status: s}
	}
	if x.call.Operation == CStore {
		if x.body == nil {
			return Outcome{Status: CannotUnderstand.With("data set missing")}
		}
		x.call.Data = x.body
	}
	x.call.body = x.body

	a := x.call.Association
	if x.call.Operation == CStore {
		a.mu.Lock()
		store := a.store
		a.mu.Unlock()
		if store != nil {
			return storeWith(store)(ctx, x)
		}
	}
	return a.mux.run(ctx, x)
}

// response is the start of a response to the request.
func (x *exchange) response(code StatusCode) *Command {
	rq := x.call.Command
	rsp := &Command{Operation: rq.Operation, Response: true, MessageID: rq.MessageID, Status: code, AffectedSOPClassUID: rq.SOPClassUID()}
	switch rq.Operation {
	case CStore, NEventReport, NGet, NSet, NAction, NCreate, NDelete:
		rsp.AffectedSOPInstanceUID = rq.SOPInstanceUID()
	}
	rsp.EventTypeID = rq.EventTypeID
	rsp.ActionTypeID = rq.ActionTypeID
	return rsp
}

// send writes a response with its data set, if there is one.
func (x *exchange) send(rsp *Command, ds *dicom.DataSet) error {
	var data io.Reader
	if ds != nil {
		rsp.HasDataSet = true
		data = dataSet(ds, x.call.Context.TransferSyntax)
	}
	return x.call.Association.send(context.Background(), x.call.Context, rsp, data)
}

// finish sends the final response. The operation is over before the peer can know,
// so that its next request is never one too many.
func (x *exchange) finish(out Outcome) error {
	a := x.call.Association
	rsp := x.response(out.Status.Code)
	rsp.setStatus(out.Status)

	var ds *dicom.DataSet
	switch {
	case out.Response != nil:
		ds = out.Response.DataSet
		if out.Response.SOPInstanceUID != "" {
			rsp.AffectedSOPInstanceUID = out.Response.SOPInstanceUID
		}
	case x.call.Operation == CGet || x.call.Operation == CMove:
		counts := out.SubOperations
		rsp.SubOperations = &counts
		ds = out.failed
	}

	// The operation leaves the window before the response is on its way.
	a.mu.Lock()
	delete(a.inbound, x.call.Command.MessageID)
	a.mu.Unlock()

	a.link.pace.idle(a.idleDeadline())
	return x.send(rsp, ds)
}

// runAfter runs what the handler left for after the response. The operation no
// longer counts in the window, so that what waits for the peer is bounded here.
func (x *exchange) runAfter(ctx context.Context) {
	if x.after == nil {
		return
	}

	a := x.call.Association
	a.mu.Lock()
	if a.releasing || len(a.afters) >= a.lim.Window {
		a.mu.Unlock()
		over, cancel := context.WithCancelCause(ctx)
		cancel(ErrReleased)
		x.after(over) // it learns that nothing can be sent here, and finds another way
		return
	}
	a.afters[x] = struct{}{}
	a.mu.Unlock()

	x.after(ctx)
	a.mu.Lock()
	delete(a.afters, x)
	a.mu.Unlock()
}

// panicked reports the panic v of a handler, and ends the association.
func (x *exchange) panicked(ctx context.Context, v any) {
	a := x.call.Association
	if a.panics != nil {
		a.panics(v)
	}

	if a.log != nil { // the value may quote a data element, so only its type is logged
		a.log.LogAttrs(ctx, slog.LevelError, "handler panicked",
			a.attrsWith(
				slog.String("operation", x.call.Operation.String()),
				slog.String("panic", fmt.Sprintf("%T", v)),
				slog.String("stack", string(debug.Stack())),
			)...)
	}

	err := fmt.Errorf("dimse: handler of %s panicked", x.call.Operation)
	a.abortWith(err)
	if x.body != nil {
		x.body.give(err)
	}
}
