package guard

import (
	"context"
	"fmt"
	"net/http"

	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/audit"
)

// notStored is what was not taken in within one request, study by study, for the
// record. A request stores one instance after the other.
type notStored struct {
	last    archive.Whose // the instance that was refused last
	objects []audit.Object
}

// NotStored is what archive.Incoming.Refused is set to within a request: the
// record of the request says whose the instance was.
func NotStored(ctx context.Context) func(archive.Whose) {
	c, ok := ctx.Value(contextKey{}).(*Caller)
	if !ok {
		return nil
	}
	return func(w archive.Whose) { c.notStored.last = w }
}

// add counts an instance that was refused. What is known of studies beyond
// objectsMost is their number.
func (n *notStored) add(w archive.Whose) {
	o := audit.Object{Study: w.StudyUID, Patient: w.Patient, PatientIssuer: w.PatientIssuer}
	at := -1
	for i, have := range n.objects {
		if have.Study == o.Study && have.Patient == o.Patient && have.PatientIssuer == o.PatientIssuer {
			at = i
			break
		}
	}
	switch {
	case at >= 0:
	case len(n.objects) < objectsMost:
		n.objects = append(n.objects, o)
		at = len(n.objects) - 1
	default:
		at = objectsMost - 1
		n.objects[at].Detail = "and instances of further studies"
	}

	into := &n.objects[at]
	into.Failed++
	if w.SOPClassUID == "" || len(into.SOPClasses) >= classesMost && into.SOPClasses[w.SOPClassUID] == 0 {
		return
	}
	if into.SOPClasses == nil {
		into.SOPClasses = map[string]int{}
	}
	into.SOPClasses[w.SOPClassUID]++
}

// classesMost is how many SOP Classes one object of such a record names.
const classesMost = 64

// addRefused keeps an instance of a store request that was not taken in: as
// the archive read it, or else as the request names it.
func (n *notStored) addRefused(o dicomweb.Observation) {
	if o.Err == nil || o.Stored == nil {
		return
	}

	w := n.last
	n.last = archive.Whose{}
	if w.StudyUID == "" {
		w.StudyUID = o.Stored.StudyUID
	}
	if w.SOPClassUID == "" {
		w.SOPClassUID = o.Stored.SOPClassUID
	}
	n.add(w)
}

// settleStore records what a store request did not store, also where it stored
// some; false where nothing is known of any instance.
func (g *Guard) settleStore(ctx context.Context, c *Caller, call *dicomweb.Call, out dicomweb.Outcome) bool {
	if len(c.notStored.objects) == 0 {
		return false
	}

	outcome, reason := audit.SeriousFailure, fmt.Sprintf("status %d", out.Status)
	if out.Status < http.StatusBadRequest && out.Err == nil || out.Instances > 0 {
		outcome, reason = audit.MinorFailure, "not all instances were stored"
	}

	r := c.webEntry(call, outcome, "")
	r.Reason = reason
	g.recordEach(ctx, r, c.notStored.objects)
	return true
}

// recordEach writes one record for each patient of the objects, and further ones
// where they are many (audit.ByPatient).
func (g *Guard) recordEach(ctx context.Context, r audit.Record, objects []audit.Object) {
	for _, page := range audit.ByPatient(objects, objectsMost) {
		one := r
		one.Objects = append(r.Objects[:len(r.Objects):len(r.Objects)], page...)
		g.Record(ctx, one)
	}
}
