package budget

import "context"

type contextKey struct{}

// With gives a request its account: whatever works for the request takes from
// it what it is going to hold.
func With(ctx context.Context, a *Account) context.Context {
	return context.WithValue(ctx, contextKey{}, a)
}

// From is the account of a request; nil, which has no bound, where nobody opened
// one.
func From(ctx context.Context) *Account {
	a, _ := ctx.Value(contextKey{}).(*Account)
	return a
}

// Take reserves n bytes for a piece of work of the request and waits until there
// is room; the function it returns gives them back. What waits holds nothing by
// itself: the piece has an account of its own.
func Take(ctx context.Context, n int64) (done func(), err error) {
	piece := From(ctx).Piece()
	if err := piece.Reserve(ctx, n); err != nil {
		piece.Close()
		return nil, err
	}
	return piece.Close, nil
}
