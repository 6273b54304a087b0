package budget_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/budget"
)

// One that wants nearly all must wait until nearly nothing is held: somebody who
// reads slowly would make everybody wait with it.
func TestALargeOneThatWaitsForASlowOneKeepsNobodyWaitingForLong(t *testing.T) {
	t.Parallel()
	for name, holder := range map[string][]string{"another": {"WS3", "192.0.2.3"}, "one of the same address": {"WS3", "192.0.2.2"}} {
		synctest.Test(t, func(t *testing.T) {
			b := budget.New(96 * mib)
			if err := b.Open("slow", "192.0.2.1").Reserve(t.Context(), mib); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			go b.Open("large", "192.0.2.2").Reserve(ctx, 48*mib)
			synctest.Wait()

			soon, end := context.WithTimeout(t.Context(), time.Second)
			defer end()
			if err := b.Open(holder...).Reserve(soon, mib); err != nil {
				t.Errorf("%s had to wait: %v", name, err)
			}
			cancel()
			synctest.Wait()
			if n := b.Usage().Waiting; n != 0 {
				t.Errorf("%d wait at the end", n)
			}
		})
	}
}
