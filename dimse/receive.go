package dimse

import (
	"context"
	"io"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse/ul"
)

// receive reads messages until the association ends and gives each to whom it is for.
func (a *Association) receive(ctx context.Context) error {
	for {
		cmd, pc, err := a.nextCommand()
		if err != nil {
			return err
		}

		switch {
		case cmd.Response:
			err = a.deliver(cmd, pc)
		case cmd.Operation == CCancel:
			err = a.cancelInbound(cmd.MessageID)
		default:
			err = a.accept(ctx, cmd, pc)
		}
		if err != nil {
			return err
		}
	}
}

// idleDeadline is when the next message has to begin: none while an operation is under way.
func (a *Association) idleDeadline() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.inbound) > 0 || len(a.pending) > 0 {
		return time.Time{}
	}
	return time.Now().Add(a.lim.Idle)
}

// nextCommand reads a command set (PS3.7 6.3.1, PS3.8 E). Its fragments come in one context.
func (a *Association) nextCommand() (*Command, PresentationContext, error) {
	var pc PresentationContext
	if a.link.pduLeft == 0 && a.link.br.Buffered() == 0 {
		a.link.pace.until(time.Time{}) // leaves the rate behind; the next line sets the deadline
		a.link.pace.idle(a.idleDeadline())
		if _, err := a.link.br.Peek(1); err != nil {
			return nil, pc, readError(err)
		}
	}

	a.link.pace.start()
	a.command = a.command[:0]

	for first := true; ; first = false {
		id, err := a.nextFragment(!first, 0)
		if err != nil {
			return nil, pc, err
		}

		h := a.link.pdv
		if !h.Command {
			return nil, pc, breach("PS3.8 E.2", "data set fragment where a command set is due")
		}

		if first {
			pc = a.byID[id]
		} else if id != pc.ID {
			return nil, pc, breach("PS3.8 E.1", "command set in two presentation contexts")
		}

		if len(a.command)+int(h.Length) > a.lim.CommandSet {
			return nil, pc, breach("PS3.7 6.3.1", "command set longer than the limit")
		}

		start := len(a.command)
		a.command = append(a.command, make([]byte, h.Length)...)
		if _, err := io.ReadFull(fragmentReader{a.link}, a.command[start:]); err != nil {
			return nil, pc, readError(err)
		}

		if h.Last {
			break
		}
	}

	cmd, err := DecodeCommand(a.command)
	return cmd, pc, err
}

type fragmentReader struct{ l *link }

// Read implements io.Reader.
func (r fragmentReader) Read(p []byte) (int, error) { return r.l.read(p) }

// nextFragment moves to the next fragment, handling other PDUs on the way. inMessage
// tells that a message is incomplete; want, when not 0, is the only context it may be in.
func (a *Association) nextFragment(inMessage bool, want uint8) (uint8, error) {
	for a.link.pduLeft == 0 {
		h, err := a.link.header(a.lim.Associate)
		if err != nil {
			return 0, err
		}

		if h.Type != ul.TypePDataTF {
			if err := a.control(h, inMessage); err != nil {
				return 0, err
			}
			continue
		}

		step, err := a.event(ul.Input{Event: ul.Evt10}, ul.Abort{Source: ul.AbortServiceProvider, Reason: ul.ReasonUnexpectedPDU})
		if err != nil {
			return 0, err
		}
		if step.Action != ul.DT2 && step.Action != ul.AR6 {
			return 0, ErrClosed
		}

		if h.Length == 0 {
			return 0, invalidPDU(ul.ReasonInvalidPDUParameter, "PS3.8 9.3.5", "P-DATA-TF without content")
		}
		a.link.pduLeft = h.Length
	}

	if err := a.link.fragment(); err != nil {
		return 0, err
	}

	id := a.link.pdv.ContextID
	if want == 0 {
		if _, ok := a.byID[id]; !ok {
			return 0, invalidPDU(ul.ReasonUnexpectedPDUParameter, "PS3.8 9.3.5.1", "presentation context that was not accepted")
		}
		return id, nil
	}

	if id != want || a.link.pdv.Command {
		return 0, breach("PS3.8 E.2", "data set fragment expected in the context of its command")
	}
	return id, nil
}

// cancelInbound ends the operation that a C-CANCEL names (PS3.7 9.3.2.3).
func (a *Association) cancelInbound(id uint16) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if x, ok := a.inbound[id]; ok {
		a.strays = 0
		x.cancel(ErrCanceled)
		return nil
	}
	// It may have crossed the final response. A flood of them is another matter.
	if a.strays++; a.strays > 100 {
		return breach("PS3.7 9.3.2.3", "too many C-CANCEL for no operation")
	}
	return nil
}

// accept starts the handler of a request and waits until its data set was read.
func (a *Association) accept(ctx context.Context, cmd *Command, pc PresentationContext) error {
	ctx, cancel := context.WithCancelCause(ctx)
	x := &exchange{
		call: &Call{Association: a, Operation: cmd.Operation, Command: cmd, Context: pc,
			SOPClassUID: cmd.SOPClassUID(), SOPInstanceUID: cmd.SOPInstanceUID()},
		cancel: cancel,
	}

	a.mu.Lock()
	a.strays = 0
	_, duplicate := a.inbound[cmd.MessageID]
	full := len(a.inbound) >= a.granted
	if !full && !duplicate {
		a.inbound[cmd.MessageID] = x
	}
	a.mu.Unlock()

	switch {
	case full:
		cancel(nil)
		return breach("PS3.7 D.3.3.3", "more operations outstanding than negotiated")
	case duplicate:
		cancel(nil)
		return breach("PS3.7 9.1", "message ID of an operation that is outstanding")
	}

	if cmd.HasDataSet {
		x.body = newBody(a, pc.ID)
		if cmd.Operation == CStore {
			x.body.limit = a.lim.DataSet
		}
	}

	a.handlers.Add(1)
	go x.serve(ctx) // ends with the handler; run waits for it

	if x.body == nil {
		return nil
	}

	// The reader goes on once the data set is read: what comes next is another message.
	<-x.body.done
	return x.body.fatal
}

// refusal checks what every request has to hold before a handler sees it.
func (x *exchange) refusal() (Status, bool) {
	cmd := x.call.Command
	pc := x.call.Context
	ours := pc.SCP
	if cmd.Operation == NEventReport { // the one notification goes from SCP to SCU
		ours = pc.SCU
	}

	switch {
	case !ours:
		return NotAuthorized.With("role not negotiated"), true
	case cmd.SOPClassUID() != pc.AbstractSyntax && !metaClass(pc.AbstractSyntax) &&
		!x.call.Association.related(cmd.SOPClassUID(), pc.AbstractSyntax):
		return SOPClassNotSupported.With("SOP Class is not that of the context"), true
	case cmd.SOPInstanceUID() != "" && !uid.Tolerable(cmd.SOPInstanceUID()):
		return InvalidSOPInstance.With("not a UID"), true
	}
	return Status{}, false
}

// related reports a SOP Class that common extended negotiation put under the one of
// the context (PS3.7 D.3.3.6).
func (a *Association) related(sopClass, general string) bool {
	for _, x := range a.rq.CommonExtended {
		if x.SOPClassUID != sopClass {
			continue
		}
		for _, g := range x.RelatedGeneralUIDs {
			if g == general {
				return true
			}
		}
	}
	return false
}
