package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"collimator/dicom/uid"
	"collimator/dicomweb"
)

// logWeb says in the log why a request was not fulfilled: the peer is told only
// that it was not. Errors hold tags, offsets and statuses, no values.
func (g *Guard) logWeb(ctx context.Context, c *Caller, call *dicomweb.Call, out dicomweb.Outcome) {
	if out.Err == nil {
		return
	}

	level, message := slog.LevelInfo, "request not fulfilled"
	switch gone := errors.Is(out.Err, context.Canceled); {
	case gone: // the peer went away
	case out.Status >= http.StatusInternalServerError:
		level = slog.LevelError
	case out.Status < http.StatusBadRequest && call.Verb != dicomweb.Storing:
		level, message = slog.LevelWarn, "answer ended before it was complete"
	}
	g.Log.Log(ctx, level, message, "door", doorWeb, "verb", string(call.Verb), "of", call.Level.String(), "part", string(call.Part),
		"status", out.Status, "principal", c.who.Name, "error", out.Err)
}

// logRefusedInstance says why an instance of a store request was not taken.
func (g *Guard) logRefusedInstance(c *Caller, o dicomweb.Observation) {
	if o.Err == nil || o.Stored == nil {
		return
	}
	g.Log.Warn("instance not stored", "door", doorWeb, "principal", c.who.Name, "sopClass", className(o.Stored.SOPClassUID),
		"status", fmt.Sprintf("%04XH", o.FailureReason), "error", o.Err)
}

// className is the name of a registered SOP Class; what else stands there is
// the peer's own.
func className(u string) string {
	switch {
	case u == "":
		return "unknown"
	case uid.Known(u):
		return uid.Name(u)
	}
	return "private"
}
