package dimse

import (
	"context"

	"collimator/dicom/uid"
)

// EchoHandler answers a C-ECHO (PS3.7 9.1.5).
type EchoHandler func(ctx context.Context, a *Association) Status

// HandleEcho registers h for C-ECHO; nil answers Success.
func (m *Mux) HandleEcho(h EchoHandler) {
	if h == nil {
		h = func(context.Context, *Association) Status { return Status{} }
	}
	m.set(CEcho, func(ctx context.Context, x *exchange) Outcome {
		return Outcome{Status: h(ctx, x.call.Association)}
	}, nil)
}

// Echo verifies the peer with a C-ECHO. A status other than success is a *StatusError.
func (a *Association) Echo(ctx context.Context) error {
	pc, err := a.contextFor(uid.Verification, CEcho)
	if err != nil {
		return err
	}
	rsp, err := a.invoke(ctx, pc, &Command{Operation: CEcho, AffectedSOPClassUID: uid.Verification}, nil)
	if err != nil {
		return err
	}
	return statusError(CEcho, rsp.cmd.status())
}

// statusError is the error of a final status, nil unless it is a failure or cancel.
func statusError(op Operation, s Status) error {
	if s.Err() == nil {
		return nil
	}
	return &StatusError{Operation: op, Status: s}
}
