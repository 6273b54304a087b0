package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
	return pass(ctx, &dimseWay{g: g, call: call, next: next, began: time.Now()})
}

// dimseWay is a request on an association that was admitted.
type dimseWay struct {
	g     *Guard
	call  *dimse.Call
	next  func(context.Context) dimse.Outcome
	began time.Time
	sent  *transfer // what leaves
}

var _ way[dimse.Outcome] = (*dimseWay)(nil)

// authenticate takes the caller that Admit let in, and looks it up again: it may
// have been removed since.
func (w *dimseWay) authenticate(ctx context.Context) (*Caller, error) {
	admitted, ok := w.call.Association.Principal().(*Caller)
	if !ok {
		w.g.Log.Error("request on an association nobody admitted", "association", w.call.Association.ID())
		return nil, dimseRefusal(dimse.Status{Code: dimse.NotAuthorized})
	}

	c := *admitted // requests of one association run at the same time
	c.association = w.call.Association.ID()
	return &c, w.g.lookUp(ctx, &c, w.call)
}

// authorise decides by what is known before anything is read: who calls, and
// which service.
func (w *dimseWay) authorise(ctx context.Context, c *Caller) error {
	return w.g.judge(ctx, c, w.call, c.who)
}

func (w *dimseWay) limit(_ context.Context, c *Caller) error {
	c.account = w.g.open(c)
	w.call.Account = c.account

	if err := w.g.Keeper.Ready(); err != nil && shows(verbOf(w.call)) {
		return dimseRefusal(dimse.OutOfResources.With("nothing can be recorded"))
	}
	return nil
}

// inspect reads the identifier, out of what the caller may hold, and asks policy
// about the request as a whole: the study, the person at the device.
func (w *dimseWay) inspect(ctx context.Context, c *Caller) error {
	if _, err := w.call.Identifier(); err != nil {
		out := dimse.Unreadable(err)
		w.g.settle(ctx, c, w.call, out, w.g.newTransfer(c)) // nothing has left
		return dimseRefusal(out.Status)
	}
	return w.g.judgeTogether(ctx, c, w.call)
}

func (w *dimseWay) act(ctx context.Context, c *Caller) dimse.Outcome {
	w.sent = w.g.follow(c, w.call)
	ctx, end := w.g.watch(ctx, c, w.call)
	defer end(nil)

	out := w.next(ctx)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errUnrecorded):
		out.Status = dimse.OutOfResources.With("nothing can be recorded")
	case errors.Is(cause, errEnded): // what was held back must not look like all there is
		out.Status = dimse.NotAuthorized.With("no longer authorised")
	}
	return out
}

func (w *dimseWay) record(ctx context.Context, c *Caller, out dimse.Outcome) {
	w.g.settle(ctx, c, w.call, out, w.sent)

	failed := out.Status.Code.Class() == dimse.ClassFailure
	w.measure(c, outcomeWord(failed))
}

func (w *dimseWay) refusal(_ context.Context, c *Caller, err error) dimse.Outcome {
	if c != nil {
		w.measure(c, "refused")
	}
	if e, ok := errors.AsType[*dimse.StatusError](err); ok {
		return dimse.Outcome{Status: e.Status}
	}
	return dimse.Outcome{Status: dimse.ProcessingFailure.Because(err)}
}

// measure tells who keeps numbers of the request.
func (w *dimseWay) measure(c *Caller, outcome string) {
	m := Measure{Door: c.door, Operation: w.call.Operation.String(), Outcome: outcome}
	if c.service != nil && c.service.Route != nil {
		m.Route = c.service.Name
	}
	w.g.measure(m, w.began)
}

// dimseRefusal is the refusal of a request with a status.
func dimseRefusal(s dimse.Status) error { return &dimse.StatusError{Status: s} }

// outcomeWord is the outcome of a request for who keeps numbers.
func outcomeWord(failed bool) string {
	if failed {
		return "failure"
	}
	return "success"
}

// lookUp puts the device as it is registered now in place of the one that was
// admitted.
func (g *Guard) lookUp(ctx context.Context, c *Caller, call *dimse.Call) error {
	who, err := g.identify(ctx, c.claim, c.service)
	if refusal, ok := errors.AsType[*identity.Refusal](err); ok {
		g.recordRefusedRequest(ctx, c, call, refusal.Text)
		return dimseRefusal(dimse.NotAuthorized.With("no longer authorised"))
	}
	if err != nil {
		return dimseRefusal(g.undecided(ctx, c, err))
	}

	c.who = who
	return nil
}

// judgeTogether asks policy about the device and the person at it.
func (g *Guard) judgeTogether(ctx context.Context, c *Caller, call *dimse.Call) error {
	who, err := g.together(ctx, c)
	if err != nil {
		return dimseRefusal(g.undecided(ctx, c, err))
	}
	return g.judge(ctx, c, call, who...)
}

// judge asks policy about a request, as far as it was read.
func (g *Guard) judge(ctx context.Context, c *Caller, call *dimse.Call, who ...policy.Principal) error {
	destination := ""
	if call.Operation == dimse.CMove {
		destination = strings.TrimSpace(call.Command.MoveDestination)
		c.peer.Destination = destination
	}

	route, err := c.rules()
	if err != nil {
		g.recordRefusedRequest(ctx, c, call, fault.Sentence(err))
		return dimseRefusal(dimse.NotAuthorized.With("the route is closed"))
	}

	d := g.policy.DecideTogether(policy.Request{
		Verb:           verbOf(call),
		Study:          studyOf(call),
		Destination:    destination,
		Route:          route,
		Expected:       c.service != nil && c.service.Expects != nil && c.service.Expects(call),
		SOPClass:       call.SOPClassUID,
		TransferSyntax: call.Context.TransferSyntax,
		Now:            g.Now(),
	}, who...)
	if d.Allow {
		c.rule = d.Reason
		c.sight = d.Sight
		return nil
	}

	c.rule = ""
	c.sight = policy.Sight{}
	if route != nil && c.who.Kind == policy.Device {
		g.recordNotGranted(ctx, c, fmt.Sprintf("%s of %s", call.Operation, uid.Name(call.SOPClassUID)), d.Reason)
	} else {
		g.recordRefusedRequest(ctx, c, call, d.Reason)
	}
	if destination != "" && slices.Contains(c.who.Verbs, policy.Retrieve) {
		// A destination that is not granted looks like one that does not exist.
		return dimseRefusal(dimse.MoveDestinationUnknown.With("move destination unknown"))
	}
	return dimseRefusal(dimse.NotAuthorized.With("not authorised for this service"))
}

// undecided is the answer where the register could not be asked. A request that
// its own sender ended meanwhile is cancelled and no failure.
func (g *Guard) undecided(ctx context.Context, c *Caller, err error) dimse.Status {
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
	if verbOf(call) != policy.Retrieve || keys == nil {
		return nil
	}
	return keys.Texts(tag.StudyInstanceUID)
}

// together is the device and, where user identity negotiation named one, the
// person at it: both must be allowed, and the person's restrictions count. A
// person who is not registered, or not any more, is a principal without a role,
// to whom nothing is permitted.
func (g *Guard) together(ctx context.Context, c *Caller) ([]policy.Principal, error) {
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

// recordRefusedRequest records what a device may not ask for on its association; a
// flood of like ones is counted, not written.
func (g *Guard) recordRefusedRequest(ctx context.Context, c *Caller, call *dimse.Call, reason string) {
	g.recordRefused(ctx, c, "", fmt.Sprintf("%s of %s", call.Operation, uid.Name(call.SOPClassUID)), reason)
}

// nothingGranted is what a device wanted of whose contexts none is for something that a
// rule grants.
const nothingGranted = "association"

// recordNotGranted writes that a route refused something to a registered device.
func (g *Guard) recordNotGranted(ctx context.Context, c *Caller, what, reason string) {
	g.recordRefused(ctx, c, audit.NotGranted, what, reason)
}

// recordRefused writes a refusal; of a flood of like ones most are counted alone.
func (g *Guard) recordRefused(ctx context.Context, c *Caller, code audit.Code, what, reason string) {
	before, write := g.refusedRequests.take(c.who.Name + "\x00" + c.peer.CalledAETitle + "\x00" + reason)
	if !write {
		return
	}

	r := c.Entry(audit.SecurityAlert, audit.Execute, audit.MinorFailure, reason)
	r.Code = code
	r.Objects = append(r.Objects, audit.Object{Detail: what, Failed: before})
	g.Record(ctx, r)
	g.Log.Info("request refused", "association", c.association, "device", c.who.Name, "what", what, "reason", reason)
}

// watchEvery is how long a caller that was removed may go on receiving.
const watchEvery = time.Second

// watch ends a query or a retrieval whose caller loses its registration, its verb,
// or the sight of something meanwhile, such as one study of several: what is on
// its way was chosen by what might be seen at the beginning, and sending a whole
// archive takes days. It looks between results.
func (g *Guard) watch(ctx context.Context, c *Caller, call *dimse.Call) (context.Context, context.CancelCauseFunc) {
	ctx, end := context.WithCancelCause(ctx)
	looked := g.Now()
	begun := about(studyOf(call), c.sight)
	before := call.Observe

	call.Observe = func(o dimse.Observation) bool {
		if now := g.Now(); now.Sub(looked) >= watchEvery && ctx.Err() == nil {
			looked = now
			if g.stillMay(ctx, c, call) != nil || !covers(c.sight, begun) {
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

// stillMay looks the caller up again and asks policy anew.
func (g *Guard) stillMay(ctx context.Context, c *Caller, call *dimse.Call) error {
	if err := g.lookUp(ctx, c, call); err != nil {
		return err
	}
	return g.judgeTogether(ctx, c, call)
}

// errUnrecorded is the cause of a search that ended because no match may leave.
var errUnrecorded = errors.New("guard: nothing can be recorded")

// errEnded is the cause of a request that ended with the right to it.
var errEnded = errors.New("guard: the caller is no longer authorised")

// verbOf is the verb of a request; none for what no product offers, which policy
// denies.
func verbOf(call *dimse.Call) policy.Verb { return VerbOf(call.Operation, call.SOPClassUID) }

// VerbOf is the verb of an operation with a SOP Class.
func VerbOf(op dimse.Operation, sopClass string) policy.Verb {
	switch op {
	case dimse.CEcho:
		return policy.Echo
	case dimse.CStore:
		return policy.Store
	case dimse.CFind:
		if sopClass == uid.ModalityWorklistFind {
			return policy.Worklist
		}
		return policy.Query
	case dimse.CGet, dimse.CMove:
		return policy.Retrieve
	case dimse.NAction:
		return policy.Commit
	case dimse.NEventReport:
		if sopClass == uid.StorageCommitmentPushModel {
			return policy.Report
		}
	case dimse.NCreate, dimse.NSet:
		if sopClass == uid.ModalityPerformedProcedureStep {
			return policy.Performed
		}
	}
	return ""
}
