package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// NewMux makes the only kind of multiplexer the products get: one whose every
// request passes the guard.
func (g *Guard) NewMux() *dimse.Mux { return dimse.NewMux(g.intercept) }

// intercept stands between an association and its handlers.
func (g *Guard) intercept(ctx context.Context, call *dimse.Call, next func(context.Context) dimse.Outcome) dimse.Outcome {
	admitted, ok := call.Association.Principal().(*caller)
	if !ok {
		g.Log.Error("request on an association nobody admitted", "association", call.Association.ID())
		return dimse.Outcome{Status: dimse.Status{Code: dimse.NotAuthorized}}
	}
	c := *admitted
	c.association = call.Association.ID()
	began := time.Now()
	if out, refused := g.enter(ctx, &c, call); refused {
		g.measure(c.door, call.Operation.String(), "refused", began)
		return out
	}
	defer c.account.Close()

	sent := g.follow(&c, call)
	ctx, end := g.watch(ctx, &c, call)
	defer end(nil)
	out := next(identityContext(ctx, &c))
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errUnrecorded):
		out.Status = dimse.OutOfResources.With("nothing can be recorded")
	case errors.Is(cause, errEnded): // what was held back must not look like all there is
		out.Status = dimse.NotAuthorized.With("no longer authorised")
	}
	g.settle(ctx, &c, call, out, sent)
	g.measure(c.door, call.Operation.String(), outcomeWord(out.Status.Code.Class() == dimse.ClassFailure), began)
	return out
}

// outcomeWord is the outcome of a request for who keeps numbers.
func outcomeWord(failed bool) string {
	if failed {
		return "failure"
	}
	return "success"
}

// enter decides by what is known before anything is read: who calls, and which
// service. What the request says is read after that, out of what the caller may
// hold, and decided about in its turn. The account is closed where it refuses.
func (g *Guard) enter(ctx context.Context, c *caller, call *dimse.Call) (dimse.Outcome, bool) {
	c.account = g.open(c)
	call.Account = c.account
	refuse := func(out dimse.Outcome) (dimse.Outcome, bool) {
		c.account.Close()
		return out, true
	}

	if status, gone := g.lookUp(ctx, c, call); gone {
		return refuse(dimse.Outcome{Status: status})
	}
	if status, denied := g.judge(ctx, c, call, c.who); denied {
		return refuse(dimse.Outcome{Status: status})
	}

	if err := g.Keeper.Ready(); err != nil && shows(verbOf(call.Operation)) {
		return refuse(dimse.Outcome{Status: dimse.OutOfResources.With("nothing can be recorded")})
	}
	if _, err := call.Identifier(); err != nil {
		out := dimse.Unreadable(err)
		g.settle(ctx, c, call, out, g.follow(c, call))
		return refuse(out)
	}

	if status, denied := g.judgeTogether(ctx, c, call); denied {
		return refuse(dimse.Outcome{Status: status})
	}
	return dimse.Outcome{}, false
}

// authorise looks the caller up again, because it may have been removed since
// it was admitted, and asks policy.
func (g *Guard) authorise(ctx context.Context, c *caller, call *dimse.Call) (dimse.Status, bool) {
	if status, gone := g.lookUp(ctx, c, call); gone {
		return status, true
	}
	return g.judgeTogether(ctx, c, call)
}

// lookUp puts the device as it is registered now in place of the one that was
// admitted.
func (g *Guard) lookUp(ctx context.Context, c *caller, call *dimse.Call) (dimse.Status, bool) {
	device, err := g.Registry.Authenticate(ctx, c.claim)
	if refusal, ok := errors.AsType[*identity.Refusal](err); ok {
		g.refusedRequest(ctx, c, call, refusal.Text)
		return dimse.NotAuthorized.With("no longer authorised"), true
	}
	if err != nil {
		return g.undecided(ctx, c, err), true
	}

	c.who = device.Principal(c.claim.Way())
	return dimse.Status{}, false
}

// judgeTogether asks policy about the device and the person at it.
func (g *Guard) judgeTogether(ctx context.Context, c *caller, call *dimse.Call) (dimse.Status, bool) {
	who, err := g.together(ctx, c)
	if err != nil {
		return g.undecided(ctx, c, err), true
	}
	return g.judge(ctx, c, call, who...)
}

// judge asks policy about a request, as far as it was read.
func (g *Guard) judge(ctx context.Context, c *caller, call *dimse.Call, who ...policy.Principal) (dimse.Status, bool) {
	destination := ""
	if call.Operation == dimse.CMove {
		destination = strings.TrimSpace(call.Command.MoveDestination)
		c.peer.Destination = destination
	}

	d := g.policy.DecideTogether(policy.Request{Verb: verbOf(call.Operation), Study: studyOf(call), Destination: destination, Now: g.Now()}, who...)
	if d.Allow {
		c.rule = d.Reason
		c.sight = d.Sight
		return dimse.Status{}, false
	}

	c.rule, c.sight = "", policy.Sight{}
	g.refusedRequest(ctx, c, call, d.Reason)
	if destination != "" && slices.Contains(c.who.Verbs, policy.Retrieve) {
		// A destination that is not granted looks like one that does not exist.
		return dimse.MoveDestinationUnknown.With("move destination unknown"), true
	}
	return dimse.NotAuthorized.With("not authorised for this service"), true
}

// undecided is the answer where the register could not be asked. A request that
// its own sender ended meanwhile is cancelled and no failure.
func (g *Guard) undecided(ctx context.Context, c *caller, err error) dimse.Status {
	if ctx.Err() != nil {
		return dimse.Status{Code: dimse.Cancel, Cause: context.Cause(ctx)}
	}
	g.Log.Error("request not decided", "association", c.association, "error", err)
	return dimse.ProcessingFailure.Because(err)
}

// studyOf is the one study a retrieval names; empty for several and for the
// other operations, which are about the archive as a whole.
func studyOf(call *dimse.Call) string {
	if list := studiesOf(call); len(list) == 1 {
		return list[0]
	}
	return ""
}

// studiesOf is the studies that a retrieval names.
func studiesOf(call *dimse.Call) []string {
	keys := call.Keys()
	if verbOf(call.Operation) != policy.Retrieve || keys == nil {
		return nil
	}
	return keys.Texts(tag.StudyInstanceUID)
}

// together is the device and, where user identity negotiation named one, the
// person at it: both must be allowed, and the person's restrictions count. A
// person who is not registered, or not any more, is a principal without a role,
// to whom nothing is permitted.
func (g *Guard) together(ctx context.Context, c *caller) ([]policy.Principal, error) {
	if c.person == "" {
		return []policy.Principal{c.who}, nil
	}
	p, err := g.Registry.Person(ctx, c.person)
	if fault.Of(err) == fault.NotFound {
		return []policy.Principal{c.who, {Kind: policy.Person, Name: c.person}}, nil
	}
	if err != nil {
		return nil, err
	}
	return []policy.Principal{c.who, p.Principal()}, nil
}

func (g *Guard) refusedRequest(ctx context.Context, c *caller, call *dimse.Call, reason string) {
	before, write := g.denials.take(c.who.Name + "\x00" + reason)
	if !write {
		return
	}
	r := c.entry(audit.SecurityAlert, audit.Execute, audit.MinorFailure, reason)
	r.Objects = append(r.Objects, audit.Object{Detail: fmt.Sprintf("%s of %s", call.Operation, uid.Name(call.SOPClassUID)), Failed: before})
	g.record(ctx, r)
	g.Log.Info("request refused", "association", c.association, "device", c.who.Name, "operation", call.Operation.String(), "reason", reason)
}

// watchEvery is how long a caller that was removed may go on receiving.
const watchEvery = time.Second

// watch ends a query or a retrieval whose caller loses its registration or its
// verb meanwhile: sending a whole archive takes days. It looks between results.
func (g *Guard) watch(ctx context.Context, c *caller, call *dimse.Call) (context.Context, context.CancelCauseFunc) {
	ctx, end := context.WithCancelCause(ctx)
	looked, before := g.Now(), call.Observe
	call.Observe = func(o dimse.Observation) bool {
		if now := g.Now(); now.Sub(looked) >= watchEvery && ctx.Err() == nil {
			looked = now
			if _, refused := g.authorise(ctx, c, call); refused {
				end(errEnded)
			}
		}
		keep := before == nil || before(o) // what was sent counts in any case
		if !keep && o.Match != nil {
			end(errUnrecorded)
		}
		return keep && ctx.Err() == nil
	}
	return ctx, end
}

// errUnrecorded is the cause of a search that ended because no match may leave.
var errUnrecorded = errors.New("guard: nothing can be recorded")

// errEnded is the cause of a request that ended with the right to it.
var errEnded = errors.New("guard: the caller is no longer authorised")

// verbOf is the verb of an operation; none for what no product offers, which
// policy denies.
func verbOf(op dimse.Operation) policy.Verb {
	switch op {
	case dimse.CEcho:
		return policy.Echo
	case dimse.CStore:
		return policy.Store
	case dimse.CFind:
		return policy.Query
	case dimse.CGet, dimse.CMove:
		return policy.Retrieve
	case dimse.NAction:
		return policy.Commit
	}
	return ""
}

// follow keeps what leaves in a retrieval.
func (g *Guard) follow(c *caller, call *dimse.Call) *transfer {
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
func (g *Guard) matching(c *caller, call *dimse.Call, t *transfer) error {
	if !t.searched {
		t.searched = true
		r := c.entry(audit.Query, audit.Execute, audit.Success, "")
		r.Objects = append(r.Objects, audit.Object{Query: describeKeys(call.Keys()), SOPClass: call.SOPClassUID, Detail: "with matches"})
		g.record(context.Background(), r)
	}
	return g.Keeper.Ready()
}

// settle records what was done. A C-STORE that was accepted is recorded by the
// archive's own hook, in the transaction that stored it.
func (g *Guard) settle(ctx context.Context, c *caller, call *dimse.Call, out dimse.Outcome, sent *transfer) {
	outcome, reason := audit.Success, ""
	failed := out.Status.Code.Class() == dimse.ClassFailure
	if failed {
		outcome, reason = audit.SeriousFailure, "status "+out.Status.Code.String()
	}
	if failed || out.SubOperations.Failed > 0 { // some of a retrieval failed: the status is a warning
		g.Log.Warn("request not fulfilled", "association", c.association, "device", c.who.Name, "operation", call.Operation.String(),
			"sopClass", uid.Name(call.SOPClassUID), "status", out.Status.Code.String(), "error", causeOf(out.Status))
	}
	var r audit.Record
	switch call.Operation {
	case dimse.CEcho:
		r = c.entry(audit.Verification, audit.Execute, outcome, reason)
	case dimse.CStore:
		if outcome == audit.Success {
			return
		}
		r = c.entry(audit.Transferred, audit.Create, outcome, reason)
		w := c.notStored.last
		w.SOPClassUID = call.SOPClassUID
		c.notStored.add(w)
		r.Objects = append(r.Objects, c.notStored.objects...)
	case dimse.CFind:
		if sent.searched && !failed {
			return
		}
		r = c.entry(audit.Query, audit.Execute, outcome, reason)
		r.Objects = append(r.Objects, audit.Object{Query: describeKeys(call.Keys()), SOPClass: call.SOPClassUID, Matches: out.Matches})
	case dimse.CGet, dimse.CMove:
		sent.settle(ctx, outcome, reason, int(out.SubOperations.Failed), studiesOf(call))
		return
	default:
		g.recordEach(ctx, c.entry(audit.Commitment, audit.Execute, outcome, reason), g.asked(ctx, call))
		return
	}
	g.record(ctx, r)
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
