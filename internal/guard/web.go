package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/httpsec"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

// doorWeb is the way in of DICOMweb, as it stands in the record.
const doorWeb = audit.DoorWeb

// reasonHeader says why something is deleted.
const reasonHeader = "Collimator-Reason"

// InterceptWeb stands between a DICOMweb request and the archive.
func (g *Guard) InterceptWeb(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
	return pass(ctx, &webWay{g: g, call: call, next: next, address: RemoteAddress(call.Request)})
}

// InterceptWebAt is InterceptWeb for what stands behind a route: people, tokens and links may
// there what they may at the archive, and see of studies what was granted at this route. Of the
// service Name and Route are used; the error of Route is the answer to who is known.
func (g *Guard) InterceptWebAt(s *Service) dicomweb.Interceptor {
	return func(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
		return pass(ctx, &webWay{g: g, call: call, next: next, address: RemoteAddress(call.Request), at: s})
	}
}

// webWay is a DICOMweb request.
type webWay struct {
	g       *Guard
	call    *dicomweb.Call
	next    func(context.Context) dicomweb.Outcome
	address string
	at      *Service // nil: the archive
	began   time.Time
	sent    *transfer // what leaves
}

var _ way[dicomweb.Outcome] = (*webWay)(nil)

func (w *webWay) authenticate(ctx context.Context) (*Caller, error) {
	has, err := w.g.hasAdministrator(ctx)
	if err != nil {
		w.g.Log.Error("request not decided", "door", doorWeb, "error", err)
		return nil, webRefusal(errors.Join(err, errNoAdministrator), http.StatusServiceUnavailable)
	}
	if !has {
		return nil, webRefusal(errNoAdministrator, http.StatusServiceUnavailable)
	}

	c, err := w.g.authenticateWhole(ctx, w.call.Request, w.address, doorWeb)
	if err != nil {
		return nil, w.g.notKnown(ctx, w.call, w.peer(), err)
	}
	c.come(w.g, w.at)
	return c, nil
}

// peer is where a request came from, and to which route.
func (w *webWay) peer() audit.Peer {
	p := audit.Peer{Address: w.address}
	if w.at != nil {
		p.CalledAETitle = w.at.Name
	}
	return p
}

// come says to which service a caller came by HTTP; nil is the archive.
func (c *Caller) come(g *Guard, s *Service) {
	c.guard = g
	c.service = s
	if s != nil {
		c.peer.CalledAETitle = s.Name
	}
}

// authorise asks policy, and tells the backend what it may show.
func (w *webWay) authorise(ctx context.Context, c *Caller) error {
	g, call := w.g, w.call
	if err := g.origins.Check(call.Request); err != nil {
		g.recordRefusedCaller(ctx, c, c.webEntry(call, audit.MinorFailure, "a page of another origin sent this"))
		return webRefusal(errCrossOrigin, http.StatusForbidden)
	}

	if _, err := c.rules(); err != nil {
		return webRefusal(err, httpsec.Status(err))
	}
	decision, err := g.decideWeb(ctx, c, call)
	if err != nil {
		return webRefusal(err, http.StatusBadRequest)
	}
	if !decision.Allow {
		r := c.webEntry(call, audit.MinorFailure, decision.Reason)
		if call.StudyUID != "" {
			r.Objects = append(r.Objects, audit.Object{Study: call.StudyUID})
		}
		g.recordRefusedCaller(ctx, c, r)
		return &dicomweb.Error{
			Status: http.StatusForbidden,
			Detail: "You, or this token, may not do this. An administrator can say why: collimator audit tail.",
		}
	}

	c.rule = decision.Reason
	c.sight = decision.Sight
	call.Restriction = decision.Sight // the backend honours it (see pacs.Web)
	call.Reason = call.Request.Header.Get(reasonHeader)
	return nil
}

func (w *webWay) limit(ctx context.Context, c *Caller) error {
	g, call := w.g, w.call
	if counted(c, call) && !g.searches.take(c.who.Name) {
		r := c.webEntry(call, audit.MinorFailure, "searches faster than a link or a token may")
		r.Rule = "" // no rule let it in
		g.recordRefusedCaller(ctx, c, r)
		return &dicomweb.Error{
			Status: http.StatusTooManyRequests,
			Detail: fmt.Sprintf("A link or a token may search %d times a second.", searchRate),
			Header: http.Header{"Retry-After": {"1"}},
		}
	}
	if err := g.Keeper.Ready(); err != nil && shows(webVerb(call.Verb)) {
		return webRefusal(err, http.StatusServiceUnavailable)
	}

	if !g.admitWeb(c, call.Request.RemoteAddr) {
		return webRefusal(errCrowded, http.StatusServiceUnavailable)
	}
	return g.openWeb(ctx, c, call)
}

// inspect has nothing left to do: dicomweb has read address, query and headers
// before it asked, and says in the verb what is malformed.
func (w *webWay) inspect(context.Context, *Caller) error { return nil }

func (w *webWay) act(ctx context.Context, c *Caller) dicomweb.Outcome {
	w.sent = w.g.followWeb(ctx, c, w.call)
	w.began = time.Now()
	running, end := w.g.watchWeb(ctx, c, w.call)
	defer end()

	out := w.next(running)
	if errors.Is(context.Cause(running), errEnded) && out.Err == nil {
		out.Err = errEnded
	}
	return out
}

func (w *webWay) record(ctx context.Context, c *Caller, out dicomweb.Outcome) {
	w.g.logWeb(ctx, c, w.call, out)
	w.g.settleWeb(ctx, c, w.call, out, w.sent)

	failed := out.Err != nil || out.Status >= http.StatusBadRequest
	w.g.measure(Measure{Door: doorWeb, Route: c.routeName(), Operation: string(w.call.Verb), Outcome: outcomeWord(failed)}, w.began)
}

func (w *webWay) refusal(_ context.Context, _ *Caller, err error) dicomweb.Outcome {
	return dicomweb.Outcome{Err: err}
}

// admitWeb gives the connection of a caller its place. Who has a link makes no
// address known: it may be anybody.
func (g *Guard) admitWeb(c *Caller, remote string) bool {
	if c.share != nil {
		return g.Rooms.Web.AdmitGuest(remote)
	}
	return g.Rooms.Web.AdmitFrom(remote)
}

// notKnown answers whose credentials do not count, or cannot be judged.
func (g *Guard) notKnown(ctx context.Context, call *dicomweb.Call, from audit.Peer, err error) error {
	wait, waits := errors.AsType[*lockout.WaitError](err)
	switch {
	case waits:
		return &dicomweb.Error{
			Status: http.StatusTooManyRequests,
			Detail: "Too many attempts with credentials that do not count. Try again later.",
			Header: http.Header{"Retry-After": {strconv.Itoa(wait.Seconds())}},
		}
	case errors.Is(err, errTwoCredentials):
		g.recordRefusedStranger(ctx, from, doorWeb, "two credentials at once")
		return webRefusal(err, http.StatusBadRequest)
	case fault.Of(err) == fault.Denied:
		return g.unauthenticated(ctx, call, from)
	}

	g.Log.Error("request not decided", "door", doorWeb, "error", err)
	return err
}

var errCrowded = fault.New(fault.Busy, "guard: too many connections from this address; try again later")

// webRefusal is an answer whose text is that of the error.
func webRefusal(err error, status int) error {
	e := &dicomweb.Error{Status: status, Detail: fault.Sentence(err)}
	if status == http.StatusServiceUnavailable {
		e.Header = http.Header{"Retry-After": {httpsec.RetryAfter}}
	}
	return e
}

func (g *Guard) unauthenticated(ctx context.Context, call *dicomweb.Call, from audit.Peer) error {
	reason := "no credentials"
	if call.Request.Header.Get("Authorization") != "" || len(call.Request.CookiesNamed(SessionCookie)) > 0 {
		reason = "the credentials do not count"
	}
	g.recordRefusedStranger(ctx, from, doorWeb, reason)
	return &dicomweb.Error{
		Status: http.StatusUnauthorized,
		Detail: "Sign in, or send a bearer token; 'collimator token create' makes one.",
		Header: http.Header{"Www-Authenticate": {`Bearer realm="collimator"`}},
	}
}

// decideWeb asks policy about a request. This door can hand out what is
// de-identified; whether it has to is in the decision. With an emergency the alarm is raised
// before anything leaves.
func (g *Guard) decideWeb(ctx context.Context, c *Caller, call *dicomweb.Call) (policy.Decision, error) {
	reason, err := emergencyReason(call.Request, c)
	if err != nil {
		return policy.Decision{}, err
	}
	d := g.judgeWeb(c, webRequest(call, reason))
	if d.Allow && d.Alarm {
		g.alarm(ctx, c, call.StudyUID, reason)
	}
	return d, nil
}

// webRequest is a request as policy sees it.
func webRequest(call *dicomweb.Call, emergency string) policy.Request {
	return policy.Request{Verb: webVerb(call.Verb), Study: call.StudyUID, Emergency: emergency != "", Deidentified: true}
}

func (g *Guard) judgeWeb(c *Caller, rq policy.Request) policy.Decision {
	route, err := c.rules()
	if err != nil {
		return policy.Decision{Reason: "the route is gone or closed"}
	}
	rq.Route = route
	rq.Face = route != nil
	rq.Now = g.Now()
	if c.share != nil {
		return g.decideShare(c, rq)
	}
	return g.decide(c, rq)
}

// recordRefusedCaller records what somebody may not do who was let in. Like refusals
// are joined: there is no end to them in a loop.
func (g *Guard) recordRefusedCaller(ctx context.Context, c *Caller, r audit.Record) {
	before, write := g.accesses.take(strings.Join([]string{c.who.Name, c.routeName(), "refused", string(r.Door), r.Reason}, "\x00"))
	if !write {
		return
	}
	r.CountLike("refusals", before)
	g.Record(ctx, r)
}

// webVerb is the verb of a request. One that makes no sense does nothing: what
// is wrong with it is told to whoever may search. Policy denies what has no verb.
func webVerb(v dicomweb.Verb) policy.Verb {
	switch v {
	case dicomweb.Searching, dicomweb.Capabilities, dicomweb.Malformed:
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

func (c *Caller) webEntry(call *dicomweb.Call, outcome audit.Outcome, reason string) audit.Record {
	event, action := audit.Transferred, audit.Read
	switch call.Verb {
	case dicomweb.Searching, dicomweb.Capabilities, dicomweb.Malformed:
		event, action = audit.Query, audit.Execute
	case dicomweb.Storing:
		action = audit.Create
	case dicomweb.Deleting:
		action = audit.Delete
	}

	if outcome != audit.Success && reason != "" {
		event = audit.SecurityAlert
	}
	return c.Entry(event, action, outcome, reason)
}

// webEnd says how a request of HTTP ended: the outcome and the reason of its
// record, and what is to be said of the object. It is decided by the status and by
// whether the answer was complete, whatever was asked for.
func webEnd(method string, out dicomweb.Outcome) (outcome audit.Outcome, reason, detail string) {
	status := fmt.Sprintf("status %d", out.Status)
	switch {
	case out.Status >= http.StatusBadRequest:
		return audit.SeriousFailure, status, ""
	case out.Err != nil:
		return audit.SeriousFailure, status + ", and the answer ended before it was complete", ""
	case out.Status == http.StatusNotModified:
		return audit.Success, "", "nothing left: it is unchanged"
	case method == http.MethodHead:
		return audit.Success, "", "nothing left: its headers were asked for"
	}
	return audit.Success, "", ""
}

// settleWeb records what was done, unless that stands in the trail already.
func (g *Guard) settleWeb(ctx context.Context, c *Caller, call *dicomweb.Call, out dicomweb.Outcome, sent *transfer) {
	if call.Verb == dicomweb.Storing && g.settleStore(ctx, c, call, out) {
		return
	}

	outcome, reason, detail := webEnd(call.Request.Method, out)
	switch {
	case outcome != audit.Success:
	case call.Verb == dicomweb.Storing, call.Verb == dicomweb.Deleting:
		return // by the archive, in the transaction in which it happened
	case sent.searched:
		return // before the first match left
	}

	if call.Verb == dicomweb.Retrieving && !aPart(call) && len(sent.studies) > 0 {
		sent.studies[0].Detail = detail
		sent.settle(ctx, outcome, reason, out.Failed, nil)
		return
	}
	g.recordWeb(ctx, c, call, sent, out)
}

// recordWeb records a request. Frames of one image are many requests; what they
// have in common is written once.
func (g *Guard) recordWeb(ctx context.Context, c *Caller, call *dicomweb.Call, sent *transfer, out dicomweb.Outcome) {
	outcome, reason, detail := webEnd(call.Request.Method, out)
	object := audit.Object{
		Study:     call.StudyUID,
		Instances: out.Instances,
		Failed:    out.Failed,
		Matches:   out.Matches,
		Detail:    detail,
	}
	if len(sent.studies) > 0 {
		first := sent.studies[0]
		object.Study = first.Study
		object.Patient, object.PatientIssuer = first.Patient, first.PatientIssuer
	}
	if webVerb(call.Verb) == policy.Query {
		object.Query = describeSearch(call)
		object.Detail = ""
	}

	if joined := joinWeb(c, call); joined != "" {
		like := []string{c.who.Name, c.routeName(), call.StudyUID, object.Patient, call.SeriesUID, joined, reason, detail}
		before, write := g.accesses.take(strings.Join(like, "\x00"))
		if !write {
			return
		}

		object.Detail = joined
		if detail != "" {
			object.Detail += ", " + detail
		}
		switch {
		case joined == string(call.Part) && detail == "":
			object.Instances += before
		case before > 0:
			object.Detail += fmt.Sprintf(", and %d requests like it before that were not written", before)
		}
	}

	r := c.webEntry(call, outcome, "")
	r.Reason = reason
	r.Objects = append(r.Objects, object)
	g.Record(ctx, r)
}

// aPart reports a request for a part of an image, of which there are many.
func aPart(call *dicomweb.Call) bool {
	switch call.Part {
	case dicomweb.FramesPart, dicomweb.RenderedPart, dicomweb.ThumbnailPart, dicomweb.BulkDataPart:
		return true
	}
	return false
}

// answering records a search before the first of its matches leaves, or that it
// has none. Where nothing can be recorded no match leaves.
func (g *Guard) answering(ctx context.Context, c *Caller, call *dicomweb.Call, t *transfer, matches int) error {
	g.recordWeb(ctx, c, call, t, dicomweb.Outcome{Status: http.StatusOK, Matches: matches})
	t.searched = true
	if err := g.Keeper.Ready(); err != nil {
		return webRefusal(err, http.StatusServiceUnavailable)
	}
	return nil
}

// followWeb keeps what leaves in a request, and the log of what was not taken in.
func (g *Guard) followWeb(ctx context.Context, c *Caller, call *dicomweb.Call) *transfer {
	t := g.newTransfer(c)
	call.Answering = func(matches int) error { return g.answering(ctx, c, call, t, matches) }
	call.Observe = func(o dicomweb.Observation) bool {
		g.logRefusedInstance(c, o)
		c.notStored.addRefused(o)
		if o.Stored != nil && o.Err == nil && c.service != nil && c.passing != nil { // through a route: no archive recorded it
			g.passed.add(c, o.Stored.SOPClassUID)
		}
		if o.Instance == nil {
			return true
		}

		if o.Unsent { // it is named in the record of the request, and did not leave
			t.study(ctx, o.Instance.Ref)
			return true
		}
		if aPart(call) {
			return t.beginsPart(ctx, o.Instance.Ref, call.SeriesUID, string(call.Part)) == nil
		}

		if t.begins(ctx, o.Instance.Ref) != nil {
			return false
		}
		t.left(ctx, o.Instance.Ref, o.Instance.SOPClassUID, false)
		return true
	}
	return t
}

// counted reports a request whose rate is bounded, because each leaves a record:
// the searches of a token, and all of a link but the parts of an image.
func counted(c *Caller, call *dicomweb.Call) bool {
	return c.share != nil && !aPart(call) || c.session == nil && webVerb(call.Verb) == policy.Query
}

// joinWeb names what the records of many requests have in common that are one
// thing to who makes them; empty where each stands for itself. Frames and
// pictures of an image are; of a link all that is done again and again, which
// concerns one study whatever it is.
func joinWeb(c *Caller, call *dicomweb.Call) string {
	switch {
	case aPart(call):
		return string(call.Part)
	case c.share == nil:
		return ""
	}
	return strings.TrimSpace(string(call.Verb) + " " + call.Level.String() + " " + string(call.Part))
}

// RemoteAddress is the IP address a request came from; empty where it has none.
func RemoteAddress(r *http.Request) string {
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
	c, ok := ctx.Value(contextKey{}).(*Caller)
	if !ok {
		return archive.Source{}
	}
	s := archive.Source{Address: c.peer.Address, Principal: c.who.Name}
	Credit(ctx, &s)
	return s
}
