package stream

import (
	"errors"
	"io"
	"strings"
	"testing"
)

type closer struct{ closed int }

// Close implements io.Closer.
func (c *closer) Close() error { c.closed++; return nil }

func TestWhatIsWrittenIsReadAndThenTheError(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	for name, c := range map[string]struct {
		write func(io.Writer) error
		want  error
	}{
		"all":     {func(io.Writer) error { return nil }, nil},
		"failure": {func(io.Writer) error { return own }, own},
		"panic":   {func(io.Writer) error { panic("ZZPHI") }, ErrPanic},
	} {
		from := &closer{}
		r := Of(from, func(w io.Writer) error {
			if _, err := io.WriteString(w, strings.Repeat("x", 100_000)); err != nil {
				return err
			}
			return c.write(w)
		})
		b, err := io.ReadAll(r)
		if len(b) != 100_000 || !errors.Is(err, c.want) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
		if err := r.Close(); err != nil || from.closed != 1 {
			t.Errorf("%s: closed %d times, %v", name, from.closed, err)
		}
	}
}

func TestClosingStopsTheWriter(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	r := Of(nil, func(w io.Writer) error {
		for {
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				ended <- err
				return err
			}
		}
	})
	if _, err := io.CopyN(io.Discard, r, 5000); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	default:
		t.Error("Close did not wait for the writer")
	}
}
