package api

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/webapi"
)

// SendState is how a sending is.
type SendState string

// States of a sending.
const (
	SendRunning SendState = "running"
	SendDone    SendState = "done"
	SendStopped SendState = "stopped"
	SendFailed  SendState = "failed" // not all of it arrived
)

// SendReason is why a sending is not done.
type SendReason string

// Reasons of a sending.
const (
	SendUnreachable SendReason = "unreachable" // no association came about
	SendRefused     SendReason = "refused"     // the device took nothing
	SendPartly      SendReason = "partly"      // some did not arrive
	SendNotAllowed  SendReason = "not-allowed" // the right to it ended meanwhile
	SendShutdown    SendReason = "shutdown"    // the server was stopped
)

// Send is a study that is sent to a device because somebody asked for it, or was.
type Send struct {
	ID      int64      `json:"id"` // counts since the server was started
	State   SendState  `json:"state"`
	Why     SendReason `json:"why,omitempty"` // unreachable, refused, partly, not-allowed, shutdown; missing where it is done, and where somebody stopped it
	Study   string     `json:"study"`
	Series  []string   `json:"series,omitempty"` // missing: all
	To      string     `json:"to"`
	By      string     `json:"by"`
	Started time.Time  `json:"started"`
	Ended   time.Time  `json:"ended,omitzero"`
	Done    int        `json:"done"` // instances that the device has taken
	Failed  int        `json:"failed"`
	Total   int        `json:"total"`
}

// Bounds of what is sent at once, and of what is remembered of it.
const (
	sendsEach = 3 // of one person
	sendsAll  = 8
	sendsKept = 50
)

// Sends runs what people have sent to devices, and remembers the last of it. Safe for concurrent use.
type Sends struct {
	door *guard.Guard
	plan SendPlan
	bell *Bell
	now  func() time.Time

	mu      sync.Mutex
	last    int64
	jobs    []*sendJob // the oldest first
	closed  bool
	running sync.WaitGroup
}

// SendPlan decides what of a study is sent, in the name of who is in its context.
type SendPlan func(ctx context.Context, study string, series []string, to string) (*dimse.RetrievePlan, error)

// sendJob is a Send with what stops it. Sends has its lock.
type sendJob struct {
	Send
	stop context.CancelCauseFunc
	rung time.Time
}

// NewSends makes what sends. Close it.
func NewSends(door *guard.Guard, plan SendPlan, bell *Bell, now func() time.Time) *Sends {
	return &Sends{door: door, plan: plan, bell: bell, now: now}
}

var (
	errSendsBusy  = fault.New(fault.Busy, "api: as many studies as may be sent at once are on their way; wait for one, or stop one")
	errSendsOver  = fault.New(fault.Unavailable, "api: the server is stopping")
	errNothingOf  = fault.New(fault.NotFound, "api: nothing is stored under these UIDs")
	errNoSuchSend = fault.New(fault.NotFound, "api: there is no such sending, or the server was started since")
)

// Begin has a study sent, or series of it, and comes back as soon as that has begun. What cannot begin is
// recorded, as a C-MOVE is.
func (x *Sends) Begin(ctx context.Context, c *guard.Caller, of Send) (Send, error) {
	d, err := x.door.Deliver(ctx, c, of.Study, of.To)
	if err != nil {
		return Send{}, err
	}

	plan, err := x.plan(d.Context(ctx), of.Study, of.Series, of.To)
	if err == nil && plan.Count == 0 {
		err = errNothingOf
	}
	if err == nil {
		of.Total = plan.Count
		of.By = c.Person().Name
		of, err = x.run(of, d, plan)
	}
	if err != nil {
		d.Refuse(ctx, err)
	}
	return of, err
}

// run begins to send where there is a place.
func (x *Sends) run(of Send, d *guard.Delivery, plan *dimse.RetrievePlan) (Send, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	all, own := 0, 0
	for _, j := range x.jobs {
		if j.State == SendRunning {
			all++
			if j.By == of.By {
				own++
			}
		}
	}
	switch {
	case x.closed:
		return Send{}, errSendsOver
	case all >= sendsAll, own >= sendsEach:
		return Send{}, errSendsBusy
	}

	x.last++
	of.ID = x.last
	of.State = SendRunning
	of.Started = x.now()
	ctx, stop := context.WithCancelCause(context.Background()) // lasts longer than the request
	j := &sendJob{Send: of, stop: stop}
	x.jobs = append(x.jobs, j)
	for i := 0; i < len(x.jobs) && len(x.jobs) > sendsKept; i++ {
		if x.jobs[i].State != SendRunning {
			x.jobs = slices.Delete(x.jobs, i, i+1)
			i--
		}
	}
	x.running.Go(func() { x.end(j, d.Run(ctx, plan, func(s dimse.Status) { x.count(j, s) })) })
	return of, nil
}

// sendRings is how long browsers are not told again of how far a sending is.
const sendRings = time.Second / 2

// count counts an instance.
func (x *Sends) count(j *sendJob, s dimse.Status) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.Err() != nil {
		j.Failed++
	} else {
		j.Done++
	}
	if now := x.now(); now.Sub(j.rung) >= sendRings {
		j.rung = now
		x.bell.Ring("sends")
	}
}

// end writes down how a sending ended.
func (x *Sends) end(j *sendJob, out dimse.Outcome) {
	x.mu.Lock()
	defer x.mu.Unlock()
	j.stop(nil)
	j.Ended = x.now()

	j.State, j.Why = SendFailed, SendRefused
	failed := out.Status.Code.Class() == dimse.ClassFailure || out.SubOperations.Failed > 0
	switch {
	case out.Status.Code == dimse.Cancel && x.closed:
		j.State, j.Why = SendStopped, SendShutdown
	case out.Status.Code == dimse.Cancel:
		j.State, j.Why = SendStopped, ""
	case !failed:
		j.State, j.Why = SendDone, ""
	case out.Status.Code == dimse.NotAuthorized:
		j.Why = SendNotAllowed
	case j.Done > 0:
		j.Why = SendPartly
	case errors.Is(out.Status.Cause, guard.ErrUnreachable):
		j.Why = SendUnreachable
	}

	if j.State == SendFailed {
		j.Failed = j.Total - j.Done // also those that were not tried
	}
	x.bell.Ring("sends")
}

// All are those that p may know of, the newest first: their own, and of an administrator all.
func (x *Sends) All(p *identity.PersonInfo) []Send {
	x.mu.Lock()
	defer x.mu.Unlock()
	owner, list := shareOwner(p), []Send{}
	for _, j := range slices.Backward(x.jobs) {
		if owner == "" || j.By == owner {
			list = append(list, j.Send)
		}
	}
	return list
}

// MaySend refuses whoever may not have a study sent; see guard.Guard.
func (x *Sends) MaySend(rq *webapi.Request, study, to string) error {
	return x.door.MaySend(rq.Context(), rq.Caller(), study, to)
}

// Stop stops one; what is on its way then may arrive.
func (x *Sends) Stop(id int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, j := range x.jobs {
		if j.ID == id {
			j.stop(dimse.ErrCanceled)
		}
	}
}

// Close stops all, and waits until what they sent is recorded.
func (x *Sends) Close() {
	x.mu.Lock()
	x.closed = true
	for _, j := range x.jobs {
		j.stop(dimse.ErrCanceled)
	}
	x.mu.Unlock()
	x.running.Wait()
}
