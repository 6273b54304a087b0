package house

import (
	"context"
	"time"

	"collimator/internal/api"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/outbox"
	"collimator/internal/phrase"
)

// gateDesk is what the JSON API does to the routes of the gate: the same as the commands, and
// recorded in the name of who asks.
type gateDesk struct{ in *Installation }

var _ api.Gate = gateDesk{}

func (d gateDesk) Routes() ([]gate.Route, error) { return gate.Load(RoutesFile(d.in.Config)) }

func (d gateDesk) Explained(ctx context.Context, name string) (r gate.Route, e gate.Explanation, block string, err error) {
	r, h, err := d.in.Route(ctx, name)
	if err != nil {
		return r, e, "", err
	}
	block, err = gate.Block(r)
	return r, gate.Explain(r, h), block, err
}

func (d gateDesk) SetClosed(ctx context.Context, name string, closed bool) error {
	_, err := d.in.CloseRoute(ctx, name, closed)
	return err
}

func (d gateDesk) Learn(ctx context.Context, name string, until time.Time) error {
	return d.in.LearnRoute(ctx, name, until)
}

// triedFor is how far back proposed rules are held against what went through.
const triedFor = 30 * 24 * time.Hour

func (d gateDesk) Proposal(ctx context.Context, name string) (x api.Proposal, err error) {
	x = api.Proposal{Gone: []string{}, Refuses: []gate.Refused{}}
	l, err := d.in.Learned(ctx, name)
	if err != nil {
		return x, err
	}
	x.Flows = gate.Summary(l.Flows)
	if l.Gone != nil {
		x.Gone = l.Gone
	}
	if len(l.Rules) == 0 {
		return x, nil
	}
	if x.Rules, err = gate.RulesBlock(l.Rules); err != nil {
		return x, err
	}
	refused, err := d.in.RefusedBy(ctx, name, l.Rules, time.Now().Add(-triedFor))
	if refused != nil {
		x.Refuses = refused
	}
	return x, err
}

func (d gateDesk) Enforce(ctx context.Context, name string, anyway bool) error {
	l, _, err := d.in.ProposedRules(ctx, name)
	if err != nil {
		return err
	}
	refused, err := d.in.RefusedBy(ctx, name, l.Rules, time.Now().Add(-triedFor))
	if err != nil {
		return err
	}
	if len(refused) > 0 && !anyway {
		return fault.Newf(fault.Conflict, "house: the rules refuse %s of what went through; nothing is changed",
			phrase.Count(len(refused), "flow", "flows"))
	}
	return d.in.EnforceRoute(ctx, name, l.Rules)
}

func (d gateDesk) Queue(ctx context.Context, route string) ([]outbox.Summary, error) {
	return d.in.Queue(ctx, route)
}

func (d gateDesk) Queued(ctx context.Context, route string, most int) ([]outbox.Item, error) {
	list, err := outbox.List(ctx, d.in.DB, route, most)
	if err == nil && len(list) == 0 { // what waits for a route that is gone is shown all the same
		_, _, err = d.in.Route(ctx, route)
	}
	return list, err
}

func (d gateDesk) Retry(ctx context.Context, route string, redirect bool) (int64, error) {
	send := d.in.RetryQueue
	if redirect {
		send = d.in.RedirectQueue
	}
	n, _, err := send(ctx, route)
	return n, err
}

func (d gateDesk) Drop(ctx context.Context, number int64, reason string) error {
	i, err := outbox.Find(ctx, d.in.DB, number)
	if err != nil {
		return err
	}
	return d.in.DropQueued(ctx, i, reason)
}

func (d gateDesk) Patches(ctx context.Context, route string) ([]api.PatchRow, error) {
	all, _, err := d.in.RoutePatches(ctx, route, false)
	rows := []api.PatchRow{}
	for _, p := range all {
		rows = append(rows, api.PatchRow{
			Name: p.Name, State: p.State, Behind: string(p.Behind), Keeps: p.Keeps, Does: p.Does, Costs: p.Costs, CVEs: p.CVEs,
		})
	}
	return rows, err
}

func (d gateDesk) SetPatch(ctx context.Context, route, name string, on bool) error {
	_, err := d.in.SetPatches(ctx, route, []string{name}, on)
	return err
}
