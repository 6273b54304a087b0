package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// Delivery is a study on its way to a registered device because somebody who is signed in, or a token, asked for
// it. It is judged as a C-MOVE of theirs would be, goes on when the request has been answered, and is
// recorded as a C-MOVE is. Run or Refuse ends it.
type Delivery struct {
	g         *Guard
	c         *Caller
	study, to string
}

// errDelivery is for who may look at a study, and not have it sent.
var errDelivery = fault.New(fault.Denied, "guard: what you may see of this study may not be sent as it is stored")

// MaySend asks policy whether a caller may have a study sent to a device, as it is stored: who sees it only without
// identity may not, and a link may not. A refusal is recorded.
func (g *Guard) MaySend(ctx context.Context, c *Caller, study, to string) error {
	d := g.decideDelivery(c, study, to)
	if d.Allow {
		return nil
	}

	r := c.Entry(audit.SecurityAlert, audit.Execute, audit.MinorFailure, d.Reason)
	r.Peer.Destination = to
	r.Objects = append(r.Objects, audit.Object{Study: study, Detail: "send to a device"})
	g.recordRefusedCaller(ctx, c, r)
	return errDelivery
}

func (g *Guard) decideDelivery(c *Caller, study, to string) policy.Decision {
	if c.share != nil || c.info == nil {
		return policy.Decision{Reason: "only a person may have a study sent"}
	}
	d := g.decide(c, policy.Request{Verb: policy.Retrieve, Study: study, Destination: to})
	if d.Sight.Deidentified {
		return policy.Decision{Reason: "studies may be seen without identity alone"}
	}
	return d
}

// Deliver begins a delivery where the caller may; see MaySend.
func (g *Guard) Deliver(ctx context.Context, c *Caller, study, to string) (*Delivery, error) {
	if err := g.MaySend(ctx, c, study, to); err != nil {
		return nil, err
	}
	if err := g.Keeper.Ready(); err != nil {
		return nil, err
	}

	own := *c // the request ends before the delivery does
	decision := g.decideDelivery(c, study, to)
	own.rule = decision.Reason
	own.sight = decision.Sight
	own.peer.Destination = to
	own.held = 0
	own.account = g.open(&own)
	return &Delivery{g: g, c: &own, study: study, to: to}, nil
}

// Context is ctx in the name of who asked, with what the delivery may hold in memory.
func (d *Delivery) Context(ctx context.Context) context.Context { return identityContext(ctx, d.c) }

// Refuse ends a delivery that cannot begin, and records that.
func (d *Delivery) Refuse(ctx context.Context, err error) {
	defer d.c.leave()
	d.g.newTransfer(d.c).settle(ctx, audit.SeriousFailure, fault.Sentence(err), 0, []string{d.study})
}

// ErrUnreachable is the cause of an outcome where no association came about.
var ErrUnreachable = fault.New(fault.Unavailable, "guard: the device does not answer, or does not let this archive in")

// Run sends what the plan holds, tells seen of each instance, and records it. It ends with ctx, and
// when the caller may no longer: signing out does not end it.
func (d *Delivery) Run(ctx context.Context, plan *dimse.RetrievePlan, seen func(dimse.Status)) dimse.Outcome {
	defer d.c.leave()
	ctx, end := d.g.watchRunning(d.Context(ctx), d.still)
	defer end()

	sent := d.g.newTransfer(d.c)
	plan.Destination = &deliveryPeer{Destination: plan.Destination, until: ctx}
	out := plan.Deliver(ctx, dimse.Delivery{
		Sending: func(ctx context.Context, sub dimse.SubOperation) error { return sent.begins(ctx, sub.Ref) },
		Observe: func(o dimse.Observation) {
			sent.left(context.WithoutCancel(ctx), o.SubOperation.Ref, o.SubOperation.SOPClassUID, o.Status.Err() != nil)
			seen(o.Status)
		},
	})
	if errors.Is(context.Cause(ctx), errEnded) { // what was held back must not look like all there is
		out.Status = dimse.NotAuthorized.Because(errEnded)
	}

	outcome, reason := audit.Success, ""
	if out.Status.Code.Class() == dimse.ClassFailure {
		outcome, reason = audit.SeriousFailure, reasonOf(out.Status)
	}
	if outcome != audit.Success || out.SubOperations.Failed > 0 {
		d.g.Log.Warn("a study was not sent as a whole", "to", d.to, "failed", out.SubOperations.Failed,
			"status", out.Status.Code.String(), "error", causeOf(out.Status))
	}
	sent.settle(context.WithoutCancel(ctx), outcome, reason, int(out.SubOperations.Failed), []string{d.study})
	return out
}

// still reports whether the caller may go on, as they are registered now. Where that cannot be asked it goes on.
func (d *Delivery) still(ctx context.Context) bool {
	now, err := d.g.asRegistered(ctx, d.c)
	switch {
	case fault.Of(err) == fault.Denied, fault.Of(err) == fault.NotFound:
		return false
	case err != nil:
		if ctx.Err() == nil {
			d.g.Log.Error("running delivery not decided", "error", err)
		}
		return true
	}
	decision := d.g.decideDelivery(now, d.study, d.to)
	return decision.Allow && covers(decision.Sight, about(d.study, d.c.sight))
}

// deliveryPeer is the destination of a delivery. An association that does not come to its end soon after the delivery
// was stopped is aborted: a device that stalls must not hold up who stops, or the end of the server.
type deliveryPeer struct {
	dimse.Destination
	until context.Context // of the delivery, which lasts longer than this
}

// deliveryGrace is how long an instance on its way may take after its delivery was stopped.
const deliveryGrace = 5 * time.Second

// Dial implements dimse.Destination.
func (p *deliveryPeer) Dial(ctx context.Context, contexts []ul.ProposedContext) (*dimse.Association, error) {
	a, err := p.Destination.Dial(ctx, contexts)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	context.AfterFunc(p.until, func() { time.AfterFunc(deliveryGrace, a.Abort) })
	return a, nil
}
