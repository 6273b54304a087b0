package api

import (
	"context"
	"strconv"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/outbox"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// Gate is what is done to the routes of the gate, each with its record in the name of the caller.
type Gate interface {
	Routes() ([]gate.Route, error)
	// Explained is a route with what it lets through in words, and its block of the file.
	Explained(ctx context.Context, name string) (r gate.Route, e gate.Explanation, block string, err error)
	SetClosed(ctx context.Context, name string, closed bool) error
	Learn(ctx context.Context, name string, until time.Time) error
	Proposal(ctx context.Context, name string) (Proposal, error)
	// Enforce puts the proposed rules in force. Unless anyway is set, rules that would have refused what went
	// through are fault.Conflict.
	Enforce(ctx context.Context, name string, anyway bool) error
	Queue(ctx context.Context, route string) ([]outbox.Summary, error)
	Queued(ctx context.Context, route string, most int) ([]outbox.Item, error)
	Retry(ctx context.Context, route string, redirect bool) (int64, error)
	Drop(ctx context.Context, number int64, reason string) error
	Patches(ctx context.Context, route string) ([]PatchRow, error)
	SetPatch(ctx context.Context, route, name string, on bool) error
}

// PatchRow is a patch as it stands at a route.
type PatchRow struct {
	Name   string   `json:"name"`
	State  string   `json:"state"`            // always, on or off
	Behind string   `json:"behind,omitempty"` // whether the system behind is named as one that has the weakness
	Keeps  string   `json:"keeps"`
	Does   string   `json:"does"`
	Costs  string   `json:"costs,omitempty"`
	CVEs   []string `json:"cves,omitempty"`
}

// Proposal is what went through a route, and the rules that are proposed by it.
type Proposal struct {
	Flows []gate.Seen `json:"flows"`
	Gone  []string    `json:"gone"`  // devices whose flows are left out: they are not registered any more
	Rules string      `json:"rules"` // as in the file; empty where nothing went through
	// Refuses is what of the last 30 days these rules would have refused.
	Refuses []gate.Refused `json:"refuses"`
}

// routeRow is a route in a list.
type routeRow struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Leads   string `json:"leadsTo"`
	As      string `json:"callsItAs"`
	Granted string `json:"whoMayWhat"`
	State   string `json:"state"`
	Closed  bool   `json:"closed"`
	// LearnUntil is when learning ends, or ended; missing: the route's rules are in force.
	LearnUntil time.Time `json:"learnUntil,omitzero"`
	Ruled      bool      `json:"ruled"`  // it has rules that can be learned
	Queues     bool      `json:"queues"` // it keeps what it sends until it has arrived
	Patched    bool      `json:"patched"`
}

func rowOf(r gate.Route) routeRow {
	return routeRow{
		Name: r.Name, Kind: r.Kind(), Leads: r.Leads(), As: r.CallsAs(), Granted: r.Granted(), State: r.State(time.Now()),
		Closed: r.Closed, LearnUntil: r.LearnUntil, Ruled: r.Ruled() == nil, Queues: r.Outbound != nil, Patched: r.Protect != "",
	}
}

// routeDetail is one with what it lets through.
type routeDetail struct {
	routeRow
	Says    []string      `json:"says"`
	Remarks []gate.Remark `json:"remarks"`
	Block   string        `json:"block"` // as it stands in the file
}

// queued is an object that waits. Whose it is stays out.
type queued struct {
	ID       int64     `json:"id"`
	Study    string    `json:"studyInstanceUID"`
	Class    string    `json:"sopClassUID"`
	Instance string    `json:"sopInstanceUID"`
	Size     int64     `json:"size"`
	State    string    `json:"state"`
	Tries    int       `json:"tries"`
	Due      time.Time `json:"due,omitzero"`
	Reason   string    `json:"reason,omitempty"`
	Queued   time.Time `json:"queued"`
}

// registerGate puts the routes about the gate on the guard's multiplexer.
func (s *Services) registerGate(a *webapi.API) {
	const one = "/api/v1/gate/routes/{name}"
	a.Handle("GET /api/v1/gate/routes", policy.Configure, s.routes)
	a.Handle("GET "+one, policy.Configure, s.route)
	a.Handle("POST "+one+"/close", policy.Configure, s.closeRoute)
	a.Handle("POST "+one+"/reopen", policy.Configure, s.reopenRoute)
	a.Handle("POST "+one+"/learn", policy.Configure, s.learnRoute)
	a.Handle("GET "+one+"/rules", policy.Configure, s.proposal)
	a.Handle("POST "+one+"/enforce", policy.Configure, s.enforceRoute)
	a.Handle("GET "+one+"/queue", policy.Configure, s.queue, "limit")
	a.Handle("POST "+one+"/queue/retry", policy.Configure, s.retryQueue)
	a.Handle("DELETE /api/v1/gate/queue/{id}", policy.Configure, s.dropQueued)
	a.Handle("GET "+one+"/patches", policy.Configure, s.patches)
	a.Handle("POST "+one+"/patches", policy.Configure, s.setPatch)

	a.Proven("POST "+one+"/reopen", "POST "+one+"/learn", "POST "+one+"/enforce", "DELETE /api/v1/gate/queue/{id}", "POST "+one+"/patches")
	a.Holds(listBytes, "GET "+one+"/rules", "GET "+one+"/queue")
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/gate/routes": webapi.Does("List the routes of the gate").Gives(webapi.List[routeRow]{}),
		"GET " + one:              webapi.Does("Show a route with what it lets through").Gives(routeDetail{}),
		"POST " + one + "/close":  webapi.Does("Close a route: callers are cut off").Gives(routeDetail{}),
		"POST " + one + "/reopen": webapi.Does("Open a route again").Gives(routeDetail{}),
		"POST " + one + "/learn": webapi.Does("Let a route learn for some days: every registered device may do everything").
			Takes(learning{}).Gives(routeDetail{}),
		"GET " + one + "/rules": webapi.Does("Propose rules by what went through a route").Gives(Proposal{}),
		"POST " + one + "/enforce": webapi.Does("Put the proposed rules in force").
			Takes(enforcing{}).Gives(routeDetail{}),
		"GET " + one + "/queue":        webapi.Does("List what waits for the target of a route").Gives(webapi.List[queued]{}),
		"POST " + one + "/queue/retry": webapi.Does("Send what waits now").Takes(retrying{}).Gives(retried{}),
		"DELETE /api/v1/gate/queue/{id}": webapi.Does("Remove an object that has not arrived").
			Takes(because{}).GivesNothing(),
		"GET " + one + "/patches":  webapi.Does("List the patches as they stand at a route").Gives(webapi.List[PatchRow]{}),
		"POST " + one + "/patches": webapi.Does("Turn a patch on or off").Takes(patchSwitch{}).Gives(webapi.List[PatchRow]{}),
	})
}

func (s *Services) routes(*webapi.Request) (any, error) {
	all, err := s.Gate.Routes()
	rows := []routeRow{}
	for _, r := range all {
		rows = append(rows, rowOf(r))
	}
	return webapi.NewList(rows), err
}

func (s *Services) route(rq *webapi.Request) (any, error) {
	r, e, block, err := s.Gate.Explained(rq.Context(), rq.Path("name"))
	if err != nil {
		return nil, err
	}
	return routeDetail{rowOf(r), e.Says, e.Remarks, block}, nil
}

func (s *Services) closeRoute(rq *webapi.Request) (any, error) { return s.setClosed(rq, true) }

func (s *Services) reopenRoute(rq *webapi.Request) (any, error) { return s.setClosed(rq, false) }

func (s *Services) setClosed(rq *webapi.Request, closed bool) (any, error) {
	if err := s.Gate.SetClosed(rq.Context(), rq.Path("name"), closed); err != nil {
		return nil, err
	}
	return s.route(rq)
}

// learning is for how long a route learns.
type learning struct {
	Days int `json:"days"`
}

func (s *Services) learnRoute(rq *webapi.Request) (any, error) {
	var in learning
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	most := int(gate.LearnMost / (24 * time.Hour))
	if in.Days < 1 || in.Days > most {
		return nil, fault.Newf(fault.Invalid, "api: days is a number from 1 to %d", most)
	}
	if err := s.Gate.Learn(rq.Context(), rq.Path("name"), time.Now().AddDate(0, 0, in.Days)); err != nil {
		return nil, err
	}
	return s.route(rq)
}

func (s *Services) proposal(rq *webapi.Request) (any, error) {
	return s.Gate.Proposal(rq.Context(), rq.Path("name"))
}

// enforcing puts proposed rules in force.
type enforcing struct {
	Anyway bool `json:"anyway,omitempty"` // though they refuse something of what went through
}

func (s *Services) enforceRoute(rq *webapi.Request) (any, error) {
	var in enforcing
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if err := s.Gate.Enforce(rq.Context(), rq.Path("name"), in.Anyway); err != nil {
		return nil, err
	}
	return s.route(rq)
}

func (s *Services) queue(rq *webapi.Request) (any, error) {
	limit, err := rq.Number("limit", 100, 1, pageMost)
	if err != nil {
		return nil, err
	}
	all, err := s.Gate.Queued(rq.Context(), rq.Path("name"), int(limit))
	rows := []queued{}
	for _, i := range all {
		rows = append(rows, queued{
			ID: i.ID, Study: i.Study, Class: i.SOPClassUID, Instance: i.SOPInstanceUID, Size: i.Size,
			State: string(i.State), Tries: i.Tries, Due: i.Due, Reason: i.Reason, Queued: i.Queued,
		})
	}
	return webapi.NewList(rows), err
}

// retrying sends what waits now.
type retrying struct {
	Redirect bool `json:"redirect,omitempty"` // what came while the route led elsewhere
}

type retried struct {
	Objects int64 `json:"objects"`
}

func (s *Services) retryQueue(rq *webapi.Request) (any, error) {
	var in retrying
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	n, err := s.Gate.Retry(rq.Context(), rq.Path("name"), in.Redirect)
	return retried{n}, err
}

func (s *Services) dropQueued(rq *webapi.Request) (any, error) {
	var in because
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	number, err := strconv.ParseInt(rq.Path("id"), 10, 64)
	if err != nil {
		return nil, fault.New(fault.NotFound, "api: nothing of this number waits")
	}
	return nil, s.Gate.Drop(rq.Context(), number, in.Reason)
}

func (s *Services) patches(rq *webapi.Request) (any, error) {
	all, err := s.Gate.Patches(rq.Context(), rq.Path("name"))
	return webapi.NewList(all), err
}

// patchSwitch turns a patch on or off.
type patchSwitch struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
}

func (s *Services) setPatch(rq *webapi.Request) (any, error) {
	var in patchSwitch
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if err := s.Gate.SetPatch(rq.Context(), rq.Path("name"), in.Name, in.On); err != nil {
		return nil, err
	}
	return s.patches(rq)
}
