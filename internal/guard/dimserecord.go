package guard

import (
	"context"
	"errors"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/dimse"
	"collimator/internal/audit"
	"collimator/internal/fault"
)

// follow sets the hooks of a call: they keep what leaves in a retrieval, and record
// a search before its first match leaves.
func (g *Guard) follow(c *Caller, call *dimse.Call) *transfer {
	t := g.newTransfer(c)
	if call.Operation == dimse.CFind {
		call.Observe = func(o dimse.Observation) bool { return o.Match == nil || g.matching(c, call, t) == nil }
	}
	if call.Operation != dimse.CGet && call.Operation != dimse.CMove {
		return t
	}

	call.Sending = func(ctx context.Context, sub dimse.SubOperation) error { return t.begins(ctx, sub.Ref) }

	before := call.Observe
	call.Observe = func(o dimse.Observation) bool {
		if o.SubOperation != nil {
			t.left(context.Background(), o.SubOperation.Ref, o.SubOperation.SOPClassUID, o.Status.Err() != nil)
		}
		return before == nil || before(o)
	}
	return t
}

// matching records a search before its first match leaves: how many there will be
// nobody knows then. Where nothing can be recorded no match leaves.
func (g *Guard) matching(c *Caller, call *dimse.Call, t *transfer) error {
	if !t.searched {
		t.searched = true
		r := c.Entry(audit.Query, audit.Execute, audit.Success, "")
		r.Objects = append(r.Objects, audit.Object{
			Query:    describeKeys(call.Keys()),
			SOPClass: call.SOPClassUID,
			Detail:   "with matches",
		})
		g.Record(context.Background(), r)
	}
	return g.Keeper.Ready()
}

// settle records what was done. A C-STORE that was accepted is recorded by the
// archive's own hook, in the transaction that stored it.
func (g *Guard) settle(ctx context.Context, c *Caller, call *dimse.Call, out dimse.Outcome, sent *transfer) {
	outcome, reason := audit.Success, ""
	failed := out.Status.Code.Class() == dimse.ClassFailure
	if failed {
		outcome, reason = audit.SeriousFailure, reasonOf(out.Status)
	}

	if failed || out.SubOperations.Failed > 0 { // some of a retrieval failed: the status is a warning
		g.Log.Warn("request not fulfilled", "association", c.association, "device", c.who.Name,
			"operation", call.Operation.String(), "sopClass", uid.Name(call.SOPClassUID),
			"status", out.Status.Code.String(), "error", causeOf(out.Status))
	}

	var r audit.Record
	switch call.Operation {
	case dimse.CEcho:
		r = c.Entry(audit.Verification, audit.Execute, outcome, reason)
	case dimse.CStore:
		if outcome == audit.Success {
			if c.passing != nil { // through a route: no archive recorded it
				g.passed.add(c, call.SOPClassUID)
			}
			return
		}
		r = c.Entry(audit.Transferred, audit.Create, outcome, reason)
		w := c.notStored.last
		w.SOPClassUID = call.SOPClassUID
		c.notStored.add(w)
		r.Objects = append(r.Objects, c.notStored.objects...)
	case dimse.CFind:
		if sent.searched && !failed {
			return
		}
		r = c.Entry(audit.Query, audit.Execute, outcome, reason)
		r.Objects = append(r.Objects, audit.Object{
			Query:    describeKeys(call.Keys()),
			SOPClass: call.SOPClassUID,
			Matches:  out.Matches,
		})
	case dimse.CGet, dimse.CMove:
		sent.settle(ctx, outcome, reason, int(out.SubOperations.Failed), studiesOf(call))
		return
	case dimse.NCreate, dimse.NSet:
		r = c.Entry(audit.ProcedureStep, audit.Create, outcome, reason)
		if call.Operation == dimse.NSet {
			r.Action = audit.Update
		}
		if c.passing != nil {
			r.Objects = append(r.Objects, c.passing.object())
		}
	default:
		g.recordEach(ctx, c.Entry(audit.Commitment, audit.Execute, outcome, reason), g.asked(ctx, call))
		return
	}

	g.Record(ctx, r)
}

// reasonOf is why a request failed, for the record: the status, and what may be shown of its
// cause.
func reasonOf(s dimse.Status) string {
	reason := "status " + s.Code.String()
	if _, ours := errors.AsType[*fault.Error](s.Cause); ours {
		reason += ". " + fault.Sentence(s.Cause)
	}
	return reason
}

// causeOf is why a request was not fulfilled, in words also where nobody said more
// than the status.
func causeOf(s dimse.Status) string {
	switch {
	case s.Cause != nil:
		return s.Cause.Error()
	case s.Comment != "":
		return s.Comment
	}
	return "none was given"
}

// describeKeys names the level and the keys of a query that restrict it, without
// their values.
func describeKeys(ds *dicom.DataSet) string {
	if ds == nil {
		return ""
	}

	words := []string{ds.Text(tag.QueryRetrieveLevel)}
	for el := range ds.All() {
		if el.Length() > 0 && el.Tag != tag.QueryRetrieveLevel && el.Tag != tag.SpecificCharacterSet && len(words) < 64 {
			words = append(words, el.Tag.Keyword())
		}
	}
	return strings.Join(words, " ")
}

// describeSearch names what a request of DICOMweb looked for, as describeKeys does,
// with its address: also where no key restricts it, a record of a search says what
// was asked. An address that makes no sense may hold anything.
func describeSearch(call *dicomweb.Call) string {
	switch call.Verb {
	case dicomweb.Capabilities:
		return "capabilities"
	case dicomweb.Malformed:
		return "a request that makes no sense"
	}

	words := []string{webLevels[call.Level], searchAddress(call)}
	if call.Query != nil {
		words = append(words, strings.TrimSpace(describeKeys(call.Query.Keys)))
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// webLevels are the levels of DICOMweb as the query models name them.
var webLevels = map[dicomweb.Level]string{
	dicomweb.NoLevel: "", dicomweb.StudyLevel: "STUDY", dicomweb.SeriesLevel: "SERIES", dicomweb.InstanceLevel: "IMAGE",
}

// searchAddress is the resource of a search, from what was understood of the address.
func searchAddress(call *dicomweb.Call) string {
	address := ""
	if call.StudyUID != "" {
		address += "/studies/" + call.StudyUID
	}
	if call.SeriesUID != "" {
		address += "/series/" + call.SeriesUID
	}

	switch call.Level {
	case dicomweb.StudyLevel:
		address += "/studies"
	case dicomweb.SeriesLevel:
		address += "/series"
	case dicomweb.InstanceLevel:
		address += "/instances"
	}
	return address
}
