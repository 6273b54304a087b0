package gate

import (
	"context"
	"sync"

	"collimator/dimse"
	"collimator/internal/upstream"
)

// destination is a registered device to which systems behind routes send.
type destination struct {
	pool   *upstream.Pool
	offers *offers
}

// destinations are those in use. Safe for concurrent use.
type destinations struct {
	gate *Gate

	mu   sync.Mutex
	open map[[2]string]*destination // by route and AE title
}

// of finds a destination in the register, as it is now, and the associations to it.
func (d *destinations) of(ctx context.Context, r *route, aeTitle string) (*destination, error) {
	if _, err := d.gate.Destination(ctx, aeTitle); err != nil {
		return nil, err
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	key := [2]string{r.Name, aeTitle}
	if d.open == nil {
		d.open = map[[2]string]*destination{}
	}
	to := d.open[key]
	if to == nil {
		to = &destination{offers: newOffers()}
		to.pool = upstream.New(upstream.PACS{
			Undivided: true, // the route is the one caller
			Dial: func(ctx context.Context, ask upstream.Ask) (*dimse.Association, error) {
				return d.gate.dial(ctx, aeTitle, ask)
			},
		})
		d.open[key] = to
	}
	return to, nil
}

// dial opens an association to a registered device in the name of a route, with its
// certificate as it is registered now.
func (g *Gate) dial(ctx context.Context, aeTitle string, ask upstream.Ask) (*dimse.Association, error) {
	dialer, err := g.Destination(ctx, aeTitle)
	if err != nil {
		return nil, err
	}
	dialer.Config.CallingAETitle = ask.CallingAETitle
	dialer.Config.Roles = ask.Roles
	return dialer.Dial(ctx, ask.Contexts)
}

func (d *destinations) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, to := range d.open {
		to.pool.Close()
	}
}
