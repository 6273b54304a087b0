package clamd

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/state"
)

// hanging is a client of a daemon that takes connections and answers none while
// hang is set; each is counted.
func hanging(t *testing.T) (c *Client, hang *atomic.Bool, asked *atomic.Int32) {
	hang, asked = new(atomic.Bool), new(atomic.Int32)
	c = New("/nowhere")
	c.dial = func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			b := make([]byte, 4096)
			for {
				n, err := there.Read(b)
				if err != nil {
					return
				}
				if n == 4 && string(b[:4]) == "\x00\x00\x00\x00" && !hang.Load() {
					there.Write([]byte("stream: OK\x00"))
					return
				}
			}
		}()
		return here, nil
	}
	return c, hang, asked
}

func TestADaemonThatHangsIsAskedByOneAndToldOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, hang, asked := hanging(t)
		states := state.New(time.Now)
		c := NewCircuit(client, "inspect.clamd", states)
		scan := func() error { _, err := c.Scan(t.Context(), strings.NewReader("x")); return err }

		if err := scan(); err != nil || states.Worst() != state.Well || len(states.All()) != 1 {
			t.Fatalf("%v, %v", err, states.All())
		}
		hang.Store(true)
		began := time.Now()
		if err := scan(); err == nil || time.Since(began) > 20*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if states.Worst() != state.Failing {
			t.Errorf("nobody is told: %v", states.All())
		}

		began = time.Now()
		before := asked.Load()
		for range 100 {
			if err := scan(); !errors.Is(err, ErrDown) {
				t.Fatal(err)
			}
		}
		if time.Since(began) != 0 || asked.Load() != before {
			t.Errorf("%s, asked %d times", time.Since(began), asked.Load()-before)
		}

		// It comes back: the probe finds out, without any image.
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { c.Run(ctx); close(done) }()
		hang.Store(false)
		time.Sleep(2 * pause)
		synctest.Wait()
		if err := scan(); err != nil || states.Worst() != state.Well {
			t.Errorf("%v, %v", err, states.All())
		}
		// And it goes again while nothing comes in.
		hang.Store(true)
		time.Sleep(probeEvery + Timeout + time.Second)
		synctest.Wait()
		if states.Worst() != state.Failing {
			t.Errorf("nobody is told: %v", states.All())
		}
		stop()
		<-done
	})
}

func TestWhatIsNotTheDaemonsFaultDoesNotCloseIt(t *testing.T) {
	t.Parallel()
	path := daemon(t, func(b []byte) string {
		if strings.Contains(string(b), "long") {
			return "INSTREAM size limit exceeded. ERROR\x00"
		}
		return "stream: Can't allocate memory ERROR\x00"
	})
	states := state.New(time.Now)
	c := NewCircuit(New(path), "inspect.clamd", states)
	for _, stream := range []string{"long", "broken", "long"} {
		if _, err := c.Scan(t.Context(), strings.NewReader(stream)); err == nil || errors.Is(err, ErrDown) {
			t.Errorf("%s: %v", stream, err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	c.Scan(canceled, strings.NewReader("x"))
	if c.down() || states.Worst() != state.Well {
		t.Error(states.All())
	}
	c = NewCircuit(New(filepath.Join(t.TempDir(), "s")), "inspect.clamd", states)
	c.Scan(t.Context(), strings.NewReader("x"))
	if !c.down() || states.Worst() != state.Failing {
		t.Error(states.All())
	}
}
