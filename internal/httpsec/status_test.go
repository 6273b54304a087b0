package httpsec_test

import (
	"context"
	"errors"
	"testing"

	"collimator/internal/fault"
	"collimator/internal/httpsec"
)

func TestEveryKindHasOneStatus(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]int{
		fault.NotFound: 404, fault.Denied: 403, fault.Conflict: 409, fault.Invalid: 400, fault.TooLarge: 413,
		fault.Unsupported: 501, fault.Busy: 503, fault.Unavailable: 503, fault.Canceled: 503, fault.Internal: 500,
	} {
		if got := httpsec.Status(fault.New(kind, "test: text")); got != want {
			t.Errorf("%v: %d, want %d", kind, got, want)
		}
	}
	for err, want := range map[error]int{context.Canceled: 503, context.DeadlineExceeded: 503, errors.New("bug"): 500} {
		if got := httpsec.Status(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}
