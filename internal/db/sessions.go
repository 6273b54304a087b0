package db

import "context"

// sessions are connections of one kind. One that was used before is taken first: it
// is open and has its statements prepared, so that a command that reads one thing
// after the other opens one connection and not all.
type sessions struct {
	used  chan *session
	fresh chan *session // nil where all count as used
}

func newSessions(n int) sessions {
	return sessions{used: make(chan *session, n), fresh: make(chan *session, n)}
}

// take waits for a session until ctx ends or the database is closed. Whoever takes
// it gives it back to used.
func (p sessions) take(ctx context.Context, closed <-chan struct{}) (*session, error) {
	select {
	case <-closed:
		return nil, errClosed
	default:
	}

	if err := ctx.Err(); err != nil {
		return nil, err
	}

	select {
	case s := <-p.used:
		return s, nil
	default:
	}

	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-closed:
		return nil, errClosed
	case s := <-p.used:
		return s, nil
	case s := <-p.fresh:
		return s, nil
	}
}
