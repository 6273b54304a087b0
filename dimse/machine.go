package dimse

import (
	"context"
	"errors"
	"time"

	"collimator/dimse/ul"
)

// event takes one input through the state machine and does what it says (PS3.8 9.2).
// The error tells how the association ended; nil means go on.
func (a *Association) event(in ul.Input, abort ul.Abort) (ul.Step, error) {
	a.machine.Lock()
	m, step, ok := a.machine.Next(in)
	a.machine.Machine = m
	a.machine.Unlock()
	if !ok {
		return step, ErrClosed
	}

	var err error
	for _, e := range step.Effects {
		switch e {
		case ul.SendReleaseRQ:
			a.sendPDU(ul.ReleaseRQ{})
		case ul.SendReleaseRP:
			a.sendPDU(ul.ReleaseRP{})
		case ul.SendAbortByUser:
			a.sendAbort(ul.Abort{Source: ul.AbortServiceUser})
		case ul.SendAbortByProvider:
			a.sendAbort(ul.Abort{Source: ul.AbortServiceProvider, Reason: abort.Reason})
		case ul.StartARTIM:
			a.link.pace.until(time.Now().Add(a.lim.ARTIM))
		case ul.ConfirmRelease:
			err = ErrReleased
		case ul.IndicateAbort, ul.IndicateProviderAbort:
			err = &AbortError{Remote: in.Event == ul.Evt16, Source: abort.Source, Reason: abort.Reason}
		case ul.CloseConnection:
			a.link.conn.Close()
		}
	}
	return step, err
}

func (a *Association) state() ul.State {
	a.machine.Lock()
	defer a.machine.Unlock()
	return a.machine.State()
}

// sendPDU writes a short PDU once no message is being written.
func (a *Association) sendPDU(p ul.PDU) {
	b, err := p.AppendTo(make([]byte, 0, 16))
	if err != nil {
		return
	}
	a.writing.Lock()
	defer a.writing.Unlock()
	// A write that does not get through shows at the next read.
	_ = a.link.write(b, min(a.lim.ARTIM, a.lim.Write))
}

// sendAbort writes an A-ABORT between PDUs; when the peer does not take what is being
// written it cannot be put between, and closing says the same.
func (a *Association) sendAbort(p ul.Abort) {
	b, _ := p.AppendTo(make([]byte, 0, 16))
	if !a.writing.TryLock() {
		a.link.conn.Close()
		return
	}
	defer a.writing.Unlock()
	_ = a.link.write(b, min(a.lim.ARTIM, 2*time.Second))
}

// awaitsRelease tells that we asked for the release. A request of the peer may have
// crossed it (AR-6); from then on nothing can answer it (PS3.8 9.2: Evt9 has no action).
func (a *Association) awaitsRelease() bool {
	switch a.state() {
	case ul.Sta7, ul.Sta9, ul.Sta10, ul.Sta11:
		return true
	}
	return false
}

// control handles a PDU other than P-DATA-TF whose header was read. inMessage tells
// that a message is incomplete. The error ends the association.
func (a *Association) control(h ul.Header, inMessage bool) error {
	var abort ul.Abort
	in := ul.Input{Event: ul.Received(h.Type)}

	if h.Type == ul.TypeAbort {
		body, err := a.link.body(h.Length)
		if err != nil {
			return err
		}
		p, err := ul.DecodeBody(h.Type, body, a.lim.Associate)
		if err != nil {
			return err
		}
		abort = p.(ul.Abort)
		in.Source = abort.Source
	} else {
		abort = ul.Abort{Source: ul.AbortServiceProvider, Reason: ul.ReasonUnexpectedPDU}
		if _, err := a.link.body(min(h.Length, 4)); err != nil {
			return err
		}
	}

	if h.Type == ul.TypeReleaseRQ && inMessage {
		return breach("PS3.8 7.2", "release in the middle of a message")
	}

	step, err := a.event(in, abort)
	if err != nil {
		return err
	}
	for _, e := range step.Effects {
		if e == ul.IndicateRelease {
			return a.released()
		}
	}
	return nil
}

// released answers a release request once the handlers have ended.
func (a *Association) released() error {
	a.mu.Lock()
	a.releasing = true
	for id, p := range a.pending {
		p.fail(ErrReleased)
		delete(a.pending, id)
	}
	for x := range a.afters {
		x.cancel(ErrReleased)
	}
	a.mu.Unlock()

	if a.state() == ul.Sta10 { // collision, acceptor side: A-RELEASE-RP comes first
		return nil
	}

	// Only now is the release answered: a handler may still have something to send.
	a.handlers.Wait()
	if _, err := a.event(ul.Input{Event: ul.Evt14}, ul.Abort{}); err != nil {
		return err
	}

	if a.state() == ul.Sta11 {
		return nil // collision, requestor side: A-RELEASE-RP is still to come
	}
	return ErrReleased
}

// fail ends the association because of err, as the machine has it: a breach of the
// upper layer by the provider, one of DIMSE or a decision of ours by the user.
func (a *Association) fail(err error) {
	abort := &AbortError{Source: ul.AbortServiceUser, Cause: err}
	in := ul.Input{Event: ul.Evt15}

	var breach *ProtocolError
	var parse *ul.ParseError

	switch {
	case errors.Is(err, ErrReleased), errors.As(err, new(*AbortError)):
		a.finish(err)
		return
	case errors.Is(err, ErrClosed):
		a.event(ul.Input{Event: ul.Evt17}, ul.Abort{})
		a.finish(err)
		return
	case errors.As(err, &parse):
		in.Event = ul.Evt19
		abort.Source = ul.AbortServiceProvider
		abort.Reason = ul.ReasonInvalidPDUParameter
		if parse.Kind == ul.UnknownType {
			abort.Reason = ul.ReasonUnrecognizedPDU
		}
	case errors.As(err, &breach) && !breach.byUser:
		in.Event = ul.Evt19
		abort.Source = ul.AbortServiceProvider
		abort.Reason = breach.abort
	}

	a.finish(abort)
	a.event(in, ul.Abort{Source: abort.Source, Reason: abort.Reason})
}

// finish records how the association ended, once, and wakes whoever waits.
func (a *Association) finish(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return
	}

	a.err = err
	close(a.done)
	a.stop()
	for id, p := range a.pending {
		p.fail(err)
		delete(a.pending, id)
	}
}

// run reads the association to its end. It returns when the connection is closed
// and every handler has returned.
func (a *Association) run(ctx context.Context) {
	defer close(a.finished)
	a.fail(a.receive(ctx))
	if a.state() == ul.Sta13 { // wait for the peer to close, at most ARTIM (PS3.8 9.1.5)
		in := ul.Input{Event: ul.Evt17}
		if errors.Is(readError(a.link.drain()), ErrTimeout) {
			in.Event = ul.Evt18
		}
		a.event(in, ul.Abort{})
	}

	a.link.conn.Close()
	a.handlers.Wait()

	if a.log != nil {
		a.log.LogAttrs(ctx, levelFor(a.err), "association ended", a.attrs("reason", a.err)...)
	}
}

// Release ends the association gracefully once the operations under way have their
// answers, or at the end of ctx aborts it. It returns nil when it was released.
func (a *Association) Release(ctx context.Context) error {
	// Every place of the window: no operation of ours is under way then.
	for range cap(a.window) {
		select {
		case a.window <- struct{}{}:
		case <-a.done:
			return a.endedAs()
		case <-ctx.Done():
			a.Abort()
			return ctx.Err()
		}
	}

	if _, err := a.event(ul.Input{Event: ul.Evt11}, ul.Abort{}); err != nil {
		return a.endedAs()
	}

	timer := time.NewTimer(a.lim.ARTIM)
	defer timer.Stop()

	select {
	case <-a.done:
		<-a.finished
		return a.endedAs()
	case <-ctx.Done():
		a.Abort()
		return ctx.Err()
	case <-timer.C:
		a.Abort()
		return ErrTimeout
	}
}

// endedAs is nil after a release.
func (a *Association) endedAs() error {
	if err := a.Err(); !errors.Is(err, ErrReleased) {
		return err
	}
	return nil
}

// Abort ends the association at once with an A-ABORT of the service user (PS3.8 7.3)
// and closes the connection. It does not wait for handlers.
func (a *Association) Abort() { a.abortWith(nil) }

func (a *Association) abortWith(cause error) {
	select {
	case <-a.done:
		a.link.conn.Close()
		return
	default:
	}
	a.finish(&AbortError{Source: ul.AbortServiceUser, Cause: cause})
	a.event(ul.Input{Event: ul.Evt15}, ul.Abort{})
	a.link.conn.Close()
}
