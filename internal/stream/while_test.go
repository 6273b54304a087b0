package stream_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"collimator/internal/stream"
)

func TestAReaderEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := stream.While(ctx, strings.NewReader("abcdef"))
	b := make([]byte, 3)
	if n, err := r.Read(b); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	cancel()
	if _, err := r.Read(b); !errors.Is(err, context.Canceled) || r.Err() != nil {
		t.Errorf("%v, kept %v", err, r.Err())
	}
}

func TestAReaderKeepsTheErrorOfWhatItReads(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	r := stream.While(t.Context(), iotest.ErrReader(broken))
	if _, err := io.ReadAll(r); !errors.Is(err, broken) || !errors.Is(r.Err(), broken) {
		t.Errorf("%v, kept %v", err, r.Err())
	}
	whole := stream.While(t.Context(), strings.NewReader("x"))
	if _, err := io.ReadAll(whole); err != nil || whole.Err() != nil {
		t.Errorf("the end counts as an error: %v", whole.Err())
	}
}
