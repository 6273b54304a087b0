package dimse

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"collimator/dicom/uid"
)

// attrs are what log lines about an association have in common.
func (a *Association) attrs(key string, err error) []slog.Attr {
	reason := "released"
	if err != nil && !errors.Is(err, ErrReleased) {
		reason = err.Error()
	}
	return a.attrsWith(slog.String(key, reason))
}

func (a *Association) attrsWith(more ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{
		slog.String("association", a.id),
		slog.String("remote", a.rq.RemoteAddr.String()),
		slog.String("calling", a.rq.CallingAETitle),
		slog.String("called", a.rq.CalledAETitle),
	}, more...)
}

// levelFor is info for an ordinary end, warn for the rest.
func levelFor(err error) slog.Level {
	if err == nil || errors.Is(err, ErrReleased) || errors.Is(err, ErrClosed) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// logOutcome logs an operation at debug level; no instance, no identifier.
func (x *exchange) logOutcome(ctx context.Context, out Outcome, took time.Duration) {
	a := x.call.Association
	if a.log == nil || !a.log.Enabled(ctx, slog.LevelDebug) {
		return
	}

	more := []slog.Attr{
		slog.String("operation", x.call.Operation.String()),
		slog.String("class", uid.Name(x.call.SOPClassUID)),
		slog.String("status", out.Status.String()),
		slog.Int64("bytes", out.Bytes),
		slog.Duration("took", took),
	}
	if out.Status.Cause != nil {
		more = append(more, slog.String("cause", out.Status.Cause.Error()))
	}

	a.log.LogAttrs(ctx, slog.LevelDebug, "operation", a.attrsWith(more...)...)
}
