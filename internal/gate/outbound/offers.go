package outbound

import (
	"context"
	"slices"
	"sync"
	"time"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/db"
)

// Bounds of what is asked and remembered of a target.
const (
	offerFor    = 10 * time.Minute
	askMost     = 5 * time.Second
	unreachable = time.Minute // for which it is not asked again
	contexts    = 100         // on one association
	pairsMost   = 5000
)

// pair is a SOP Class in a transfer syntax.
type pair struct{ class, syntax string }

// offers remembers which classes a target takes in which transfer syntaxes: what it said
// last is kept in the index. Safe for concurrent use.
type offers struct {
	db    *db.DB
	route string
	now   func() time.Time

	mu    sync.Mutex
	known map[pair]offer
	quiet time.Time // until when it is not asked
}

type offer struct {
	taken bool
	until time.Time
}

func newOffers(d *db.DB, route string, now func() time.Time) *offers {
	return &offers{db: d, route: route, now: now, known: map[pair]offer{}}
}

// asker proposes contexts to a target and gives those it took.
type asker func(ctx context.Context, contexts []ul.ProposedContext) ([]dimse.PresentationContext, error)

// asker asks the target of a route.
func (b *Outbound) asker(r *route) asker {
	return func(ctx context.Context, contexts []ul.ProposedContext) ([]dimse.PresentationContext, error) {
		a, err := b.dial(ctx, r, contexts)
		if err != nil {
			return nil, err
		}
		defer a.Abort() // does nothing after the release
		return a.Contexts(), a.Release(ctx)
	}
}

// wanted are the pairs of proposed contexts that may go on: of storage classes, in transfer
// syntaxes that are known and not deflated as a whole, which may be a thousand times as long for
// who inflates it.
func wanted(contexts []ul.ProposedContext) (list []pair) {
	for _, pc := range contexts {
		if !uid.Storable(pc.AbstractSyntax) || pc.AbstractSyntax == uid.StorageCommitmentPushModel {
			continue
		}
		for _, syntax := range pc.TransferSyntaxes {
			ts, known := dicom.LookupTransferSyntax(syntax)
			if p := (pair{pc.AbstractSyntax, syntax}); known && !ts.Deflated && !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	return list
}

// of gives the transfer syntaxes of classes: the target is asked; where it is not reached, what it
// said last counts, and else the native ones do.
func (o *offers) of(ctx context.Context, want []pair, ask asker) map[string][]string {
	taken := map[pair]bool{}
	var unknown []pair
	o.mu.Lock()
	for _, p := range want {
		k, ok := o.known[p]
		taken[p] = k.taken
		if !ok || !o.now().Before(k.until) {
			unknown = append(unknown, p)
		}
	}
	quiet := o.now().Before(o.quiet)
	o.mu.Unlock()

	if len(unknown) > 0 && (quiet || o.ask(ctx, unknown, taken, ask) != nil) {
		for _, p := range unknown {
			taken[p] = o.last(ctx, p)
		}
		if !quiet {
			o.mu.Lock()
			o.quiet = o.now().Add(unreachable)
			o.mu.Unlock()
		}
	}

	out := map[string][]string{}
	for _, p := range want {
		if taken[p] {
			out[p.class] = append(out[p.class], p.syntax)
		}
	}
	return out
}

// ask asks the target, and keeps what it says.
func (o *offers) ask(ctx context.Context, list []pair, taken map[pair]bool, ask asker) error {
	ctx, cancel := context.WithTimeout(ctx, askMost)
	defer cancel()
	said := map[pair]bool{}
	for part := range slices.Chunk(list, contexts) {
		var propose []ul.ProposedContext
		for i, p := range part {
			said[p] = false
			propose = append(propose, ul.ProposedContext{ID: uint8(2*i + 1), AbstractSyntax: p.class, TransferSyntaxes: []string{p.syntax}})
		}
		accepted, err := ask(ctx, propose)
		if err != nil {
			return err
		}
		for _, pc := range accepted {
			said[pair{pc.AbstractSyntax, pc.TransferSyntax}] = true
		}
	}
	for p, yes := range said {
		taken[p] = yes
	}
	return o.keep(ctx, said)
}

// keep remembers what a target said.
func (o *offers) keep(ctx context.Context, said map[pair]bool) error {
	o.mu.Lock()
	if len(o.known)+len(said) > pairsMost {
		clear(o.known) // nobody has so many: each is asked for again
	}
	for p, taken := range said {
		o.known[p] = offer{taken, o.now().Add(offerFor)}
	}
	o.mu.Unlock()

	return o.db.Write(ctx, func(tx *db.Tx) error {
		for p, taken := range said {
			n := 0
			if taken {
				n = 1
			}
			_, err := tx.Exec(ctx, `INSERT INTO outbound_offer (route, class, syntax, taken) VALUES (?1, ?2, ?3, ?4)
				ON CONFLICT (route, class, syntax) DO UPDATE SET taken = ?4`, o.route, p.class, p.syntax, n)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// last is what the target said last; of what it never was asked the native syntaxes are
// taken for granted.
func (o *offers) last(ctx context.Context, p pair) bool {
	var taken int
	err := o.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT taken FROM outbound_offer WHERE route = ?1 AND class = ?2 AND syntax = ?3`,
			o.route, p.class, p.syntax).Scan(&taken)
	})
	if err != nil {
		return slices.Contains(uid.NativeSyntaxes(), p.syntax)
	}
	return taken == 1
}
