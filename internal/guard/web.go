package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// doorWeb is the way in of DICOMweb, as it stands in the record.
const doorWeb = audit.DoorWeb

// reasonHeader says why something is deleted.
const reasonHeader = "Collimator-Reason"

// InterceptWeb stands between a DICOMweb request and the archive.
func (g *Guard) InterceptWeb(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
	address := webAddress(call.Request)
	if has, err := g.hasAdministrator(ctx); err != nil || !has {
		if err != nil {
			g.Log.Error("request not decided", "door", doorWeb, "error", err)
		}
		return webRefusal(errors.Join(err, errNoAdministrator), http.StatusServiceUnavailable)
	}
	if !g.logins.allowed(address) && len(call.Request.CookiesNamed(SessionCookie)) == 0 {
		return dicomweb.Outcome{Err: &dicomweb.Error{Status: http.StatusTooManyRequests, Detail: "Too many attempts with credentials that do not count. Try again later.",
			Header: http.Header{"Retry-After": {"60"}}}}
	}
	c, err := g.authenticateWeb(ctx, call.Request, address, doorWeb)
	if err == nil && c.session != nil && !c.session.Complete {
		err = errHalf
	}
	switch {
	case errors.Is(err, errTwoCredentials):
		g.refused(ctx, audit.Peer{Address: address}, doorWeb, "two credentials at once")
		return webRefusal(err, http.StatusBadRequest)
	case errors.Is(err, fault.Denied):
		return g.unauthenticated(ctx, call, address)
	case err != nil:
		g.Log.Error("request not decided", "door", doorWeb, "error", err)
		return dicomweb.Outcome{Err: err}
	}
	if err := g.origins.Check(call.Request); err != nil {
		g.record(ctx, c.webEntry(call, audit.MinorFailure, "a page of another origin sent this"))
		return webRefusal(errCrossOrigin, http.StatusForbidden)
	}
	decision, err := g.decideWeb(ctx, c, call)
	if err != nil {
		return webRefusal(err, http.StatusBadRequest)
	}
	if !decision.Allow {
		g.record(ctx, c.webEntry(call, audit.MinorFailure, decision.Reason))
		return dicomweb.Outcome{Err: &dicomweb.Error{Status: http.StatusForbidden, Detail: "You, or this token, may not do this. An administrator can say why: collimator audit tail."}}
	}
	c.rule = decision.Reason
	call.Reason = call.Request.Header.Get(reasonHeader)
	c.sight = decision.Sight
	call.Restriction = decision.Sight // the backend honours it (see pacs.Web)
	if err := g.Keeper.Ready(); err != nil && shows(webVerb(call.Verb)) {
		return webRefusal(err, http.StatusServiceUnavailable)
	}
	sent := g.followWeb(ctx, c, call)

	if !g.Rooms.Web.AdmitFrom(call.Request.RemoteAddr) {
		return webRefusal(errCrowded, http.StatusServiceUnavailable)
	}
	if err := g.openWeb(ctx, c, call); err != nil {
		return dicomweb.Outcome{Err: err}
	}
	defer c.account.Close()

	began := time.Now()
	out := next(identityContext(ctx, &c.caller))
	g.logWeb(ctx, c, call, out)
	g.settleWeb(ctx, c, call, out, sent)
	g.measure(doorWeb, string(call.Verb), outcomeWord(out.Err != nil || out.Status >= http.StatusBadRequest), began)
	return out
}

var errCrowded = fault.New(fault.Busy, "guard: too many connections from this address; try again later")

// webRefusal is an answer whose text is that of the error.
func webRefusal(err error, status int) dicomweb.Outcome {
	e := &dicomweb.Error{Status: status, Detail: sentence(err)}
	if status == http.StatusServiceUnavailable {
		e.Header = http.Header{"Retry-After": {retryAfter}}
	}
	return dicomweb.Outcome{Err: e}
}

func (g *Guard) unauthenticated(ctx context.Context, call *dicomweb.Call, address string) dicomweb.Outcome {
	reason := "no credentials"
	if call.Request.Header.Get("Authorization") != "" || len(call.Request.CookiesNamed(SessionCookie)) > 0 {
		reason = "the credentials do not count"
	}
	g.refused(ctx, audit.Peer{Address: address}, doorWeb, reason)
	return dicomweb.Outcome{Err: &dicomweb.Error{Status: http.StatusUnauthorized, Detail: "Sign in, or send a bearer token; 'collimator token create' makes one.",
		Header: http.Header{"Www-Authenticate": {`Bearer realm="collimator"`}}}}
}

// decideWeb asks policy about a request. This door can hand out what is
// de-identified; whether it has to is in the decision. With an emergency the alarm is raised
// before anything leaves.
func (g *Guard) decideWeb(ctx context.Context, c *webCaller, call *dicomweb.Call) (policy.Decision, error) {
	reason, err := emergencyReason(call.Request, c)
	if err != nil {
		return policy.Decision{}, err
	}
	rq := policy.Request{Verb: webVerb(call.Verb), Study: call.StudyUID, Emergency: reason != "", Deidentified: true, Now: g.Now()}
	if c.share != nil {
		return g.decideShare(c, rq), nil
	}
	d := g.decide(c, rq)
	if d.Allow && d.Alarm {
		g.alarm(ctx, c, call.StudyUID, reason)
	}
	return d, nil
}

// webVerb is the verb of a request. One that makes no sense does nothing: what
// is wrong with it is told to whoever may search. Policy denies what has no verb.
func webVerb(v dicomweb.Verb) policy.Verb {
	switch v {
	case dicomweb.Searching, dicomweb.Capabilities, dicomweb.Senseless:
		return policy.Query
	case dicomweb.Retrieving, dicomweb.Rendering:
		return policy.Retrieve
	case dicomweb.Storing:
		return policy.Store
	case dicomweb.Deleting:
		return policy.Delete
	}
	return ""
}

func (c *webCaller) webEntry(call *dicomweb.Call, outcome audit.Outcome, reason string) audit.Record {
	event, action := audit.Transferred, audit.Read
	switch call.Verb {
	case dicomweb.Searching, dicomweb.Capabilities, dicomweb.Senseless:
		event, action = audit.Query, audit.Execute
	case dicomweb.Storing:
		action = audit.Create
	case dicomweb.Deleting:
		action = audit.Delete
	}
	if outcome != audit.Success && reason != "" {
		event = audit.SecurityAlert
	}
	return c.entry(event, action, outcome, reason)
}

// settleWeb records what was done. Frames of one image are many requests; what
// they have in common is written once.
func (g *Guard) settleWeb(ctx context.Context, c *webCaller, call *dicomweb.Call, out dicomweb.Outcome, sent *transfer) {
	outcome, reason := audit.Success, ""
	if out.Status >= http.StatusBadRequest || out.Err != nil {
		outcome, reason = audit.SeriousFailure, fmt.Sprintf("status %d", out.Status)
	}
	if (call.Verb == dicomweb.Storing || call.Verb == dicomweb.Deleting) && outcome == audit.Success {
		return // recorded by the archive, in the transaction in which it happened
	}
	if call.Verb == dicomweb.Retrieving && !aPart(call) && len(sent.studies) > 0 {
		sent.settle(ctx, outcome, reason, out.Failed, nil)
		return
	}

	object := audit.Object{Study: call.StudyUID, Instances: out.Instances, Failed: out.Failed, Matches: out.Matches}
	if len(sent.studies) > 0 {
		object.Study, object.Patient, object.PatientIssuer = sent.studies[0].Study, sent.studies[0].Patient, sent.studies[0].PatientIssuer
	}
	if call.Query != nil {
		object.Query = describeKeys(call.Query.Keys)
	}
	if aPart(call) {
		before, write := g.accesses.take(strings.Join([]string{c.who.Name, call.StudyUID, call.SeriesUID, string(call.Part), reason}, "\x00"))
		if !write {
			return
		}
		object.Detail = string(call.Part)
		object.Instances += before
	}
	r := c.webEntry(call, outcome, "")
	r.Reason = reason
	r.Objects = append(r.Objects, object)
	g.record(ctx, r)
}

// aPart reports a request for a part of an image, of which there are many.
func aPart(call *dicomweb.Call) bool {
	switch call.Part {
	case dicomweb.FramesPart, dicomweb.RenderedPart, dicomweb.ThumbnailPart, dicomweb.BulkDataPart:
		return true
	}
	return false
}

// followWeb keeps what leaves in a request, and the log of what was not taken in.
func (g *Guard) followWeb(ctx context.Context, c *webCaller, call *dicomweb.Call) *transfer {
	t := g.newTransfer(&c.caller)
	call.Observe = func(o dicomweb.Observation) bool {
		g.logRefusedInstance(c, o)
		if o.Instance == nil {
			return true
		}
		if aPart(call) {
			t.study(ctx, o.Instance.Ref)
			return true
		}
		if t.begins(ctx, o.Instance.Ref) != nil {
			return false
		}
		t.left(ctx, o.Instance.Ref, o.Instance.SOPClassUID, false)
		return true
	}
	return t
}

func webAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return ""
}

// WebSource says where an instance comes from that a web request stores.
func WebSource(ctx context.Context) archive.Source {
	c, ok := ctx.Value(contextKey{}).(*caller)
	if !ok {
		return archive.Source{}
	}
	s := archive.Source{Address: c.peer.Address, Principal: c.who.Name}
	Credit(ctx, &s)
	return s
}
