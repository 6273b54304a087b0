package gate

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAQuestionThatMovesAndBringsNothingEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tell func(*dog)
		ends time.Duration // 0: never
	}{
		"nothing moves":           {func(*dog) {}, time.Minute},
		"it moves alone":          {func(d *dog) { d.moved() }, slowIdles * time.Minute},
		"something comes, slowly": {func(d *dog) { d.came() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, watch := watchdog(t.Context(), time.Minute)
				defer watch.end()
				began := time.Now()
				for ctx.Err() == nil && time.Since(began) < 10*time.Hour {
					time.Sleep(50 * time.Second)
					c.tell(watch)
				}
				took := time.Since(began)
				if (ctx.Err() != nil) != (c.ends > 0) || c.ends > 0 && (took < c.ends || took > c.ends+time.Minute || context.Cause(ctx) != errHangs) {
					t.Errorf("%s: %v", took, context.Cause(ctx))
				}
			})
		})
	}
}
