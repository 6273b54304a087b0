package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"collimator/dicomweb"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// doorPage is the way in to the pages of a system behind a route, as it stands in the record.
const doorPage = audit.DoorPage

// PageCall is a request to a page of a system behind a route, at the door.
type PageCall struct {
	Request *http.Request
	// Session is the ID of the session of a person to which this browser is bound at the
	// route; empty where it is bound to none.
	Session string
	// Service has the name of the route, and with Route those of its rules that name the
	// method and the path of the request, as they are now.
	Service *Service
	// Shown is what the record says of the address: nothing that may be of a patient.
	Shown string
	// Leads: who is not signed in is led to where that is done, which is no refusal.
	Leads bool
	// Admit gives the connection its place.
	Admit func(remote string) bool
	// Inspect looks at what the request says, after somebody may make it.
	Inspect func() error
}

// PageOutcome is how such a request ended. A refusal is an Err with Status 0: nothing was
// answered yet.
type PageOutcome struct {
	Status         int
	Sent, Received int64 // bytes of the bodies: of the answer, of the request
	Err            error
}

// InterceptPage stands between a request to a page and the system behind. next answers.
func (g *Guard) InterceptPage(ctx context.Context, call *PageCall, next func(context.Context, *Caller) PageOutcome) PageOutcome {
	return pass(ctx, &pageWay{g: g, call: call, next: next, address: RemoteAddress(call.Request)})
}

// pageWay is a request to a page.
type pageWay struct {
	g       *Guard
	call    *PageCall
	next    func(context.Context, *Caller) PageOutcome
	address string
	began   time.Time
}

var _ way[PageOutcome] = (*pageWay)(nil)

func (w *pageWay) peer() audit.Peer {
	return audit.Peer{Address: w.address, CalledAETitle: w.call.Service.Name}
}

func (w *pageWay) authenticate(ctx context.Context) (*Caller, error) {
	has, err := w.g.hasAdministrator(ctx)
	if err != nil || !has {
		return nil, errors.Join(err, errNoAdministrator)
	}
	if w.call.Session == "" {
		return nil, &UnauthenticatedError{identity.ErrCredentials}
	}

	s, p, err := w.g.Sessions.Resume(ctx, w.call.Session)
	if err == nil && !s.Complete {
		err = ErrHalf
	}
	switch {
	case fault.Of(err) == fault.Denied:
		return nil, &UnauthenticatedError{err}
	case err != nil:
		return nil, err
	}
	c := w.g.sessionCaller(s, p, w.address, doorPage)
	c.come(w.g, w.call.Service)
	return c, nil
}

func (w *pageWay) authorise(ctx context.Context, c *Caller) error {
	if err := w.g.origins.Check(w.call.Request); err != nil {
		w.refused(ctx, c, "a page of another origin sent this")
		return errCrossOrigin
	}

	d := w.g.judgePage(c)
	if !d.Allow {
		w.refused(ctx, c, d.Reason)
		return errForbidden
	}
	c.rule = d.Reason
	return nil
}

// judgePage asks policy, by the rules as they are now.
func (g *Guard) judgePage(c *Caller) policy.Decision {
	route, err := c.rules()
	if err != nil || route == nil {
		return policy.Decision{Reason: "the route is gone or closed"}
	}
	return g.decide(c, policy.Request{Verb: policy.Web, Route: route})
}

func (w *pageWay) refused(ctx context.Context, c *Caller, reason string) {
	r := c.Entry(audit.SecurityAlert, audit.Execute, audit.MinorFailure, reason)
	r.Objects = append(r.Objects, audit.Object{Detail: w.call.Shown})
	w.g.recordRefusedCaller(ctx, c, r)
}

func (w *pageWay) limit(ctx context.Context, c *Caller) error {
	if err := w.g.Keeper.Ready(); err != nil { // a page shows who has images
		return err
	}
	if !w.call.Admit(w.call.Request.RemoteAddr) {
		return errCrowded
	}
	c.account = w.g.open(c)
	if err := c.account.Reserve(ctx, requestCost); err != nil {
		return noRoom(err)
	}
	return nil
}

func (w *pageWay) inspect(ctx context.Context, c *Caller) error {
	err := w.call.Inspect()
	if err != nil {
		w.refused(ctx, c, fault.Text(err))
	}
	return err
}

func (w *pageWay) act(ctx context.Context, c *Caller) PageOutcome {
	w.began = time.Now()
	running, end := w.g.watchRunning(ctx, func(ctx context.Context) bool { return w.g.stillPage(ctx, c) })
	defer end()
	return w.next(running, c)
}

// stillPage reports whether the caller of a request that runs may go on. What cannot be
// decided ends it: what a page carries has no end of its own.
func (g *Guard) stillPage(ctx context.Context, c *Caller) bool {
	now, err := g.again(ctx, c)
	if err != nil {
		return false
	}
	now.come(g, c.service)
	return g.judgePage(now).Allow
}

func (w *pageWay) refusal(ctx context.Context, c *Caller, err error) PageOutcome {
	_, stranger := errors.AsType[*UnauthenticatedError](err)
	switch {
	case c == nil && stranger && !w.call.Leads:
		w.g.recordRefusedStranger(ctx, w.peer(), doorPage, "nobody is signed in at these pages, or not any more")
	case c == nil && !stranger:
		w.g.Log.Error("request not decided", "door", doorPage, "error", err)
	}
	return PageOutcome{Err: err}
}

// RefusedPage records that a browser was not signed in at the pages of a route; a flood of like
// ones is counted, not written.
func (g *Guard) RefusedPage(ctx context.Context, route, address, reason string) {
	g.recordRefusedStranger(ctx, audit.Peer{Address: address, CalledAETitle: route}, doorPage, reason)
}

// record writes down what was done. What was only looked at is many requests, which have
// in common what is written once.
func (w *pageWay) record(ctx context.Context, c *Caller, out PageOutcome) {
	g, method := w.g, w.call.Request.Method
	failed := out.Err != nil || out.Status >= http.StatusBadRequest
	g.measure(Measure{Door: doorPage, Route: c.routeName(), Operation: method, Outcome: outcomeWord(failed)}, w.began)

	outcome, reason, _ := webEnd(method, outcomeOf(out))
	r := c.Entry(audit.PagePassed, audit.Execute, outcome, reason)
	if out.Err != nil && fault.Of(out.Err) != fault.Internal {
		r.Reason += ": " + fault.Text(out.Err)
	}
	detail := fmt.Sprintf("%s: status %d, %d bytes to it, %d from it, %s",
		w.call.Shown, out.Status, out.Received, out.Sent, time.Since(w.began).Round(time.Millisecond))

	if method == http.MethodGet || method == http.MethodHead {
		like := []string{c.who.Name, c.routeName(), w.call.Shown, c.rule, r.Reason}
		before, write := g.accesses.take(strings.Join(like, "\x00"))
		if !write {
			return
		}
		if before > 0 {
			detail += fmt.Sprintf(", and %d requests like it before that were not written", before)
		}
	}
	r.Objects = append(r.Objects, audit.Object{Detail: detail})
	g.Record(ctx, r)
}

// outcomeOf is an outcome as that of a request of HTTP.
func outcomeOf(out PageOutcome) dicomweb.Outcome {
	return dicomweb.Outcome{Status: out.Status, Err: out.Err}
}
