package archive

import (
	"context"
	"errors"
	"testing"

	"collimator/internal/db"
)

func TestSlowQueriesLeaveRoomForOthers(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ctx, cancel := context.WithCancel(t.Context())
	began, done := make(chan struct{}, 20), make(chan error, 20)
	for range 20 {
		go func() {
			done <- a.search(ctx, func(*db.Tx) error {
				began <- struct{}{}
				<-ctx.Done()
				return ctx.Err()
			})
		}()
	}
	for range searches {
		<-began
	}
	// As the register of devices asks, while every query that may run is slow.
	if err := a.db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	cancel()
	for range 20 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}
