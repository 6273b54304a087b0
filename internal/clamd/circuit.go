package clamd

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"collimator/internal/fault"
	"collimator/internal/state"
)

// Circuit asks a daemon as Client does, and stops asking one that does not
// answer: everything else is answered at once then, while a single probe finds
// out when it is back. It keeps the state of the daemon. Safe for concurrent use.
type Circuit struct {
	client *Client
	name   string          // of the state
	states *state.Register // nil: nobody is told

	mu    sync.Mutex
	retry time.Time // while down: when the next may ask; zero: it answers
	asked bool      // somebody is the probe
	wake  chan struct{}
}

// How often a daemon is asked while nothing comes in, and how long one that
// does not answer is left alone.
const (
	probeEvery = time.Minute
	pause      = 5 * time.Second
)

// ErrDown: the daemon did not answer a moment ago and is not asked again yet.
var ErrDown = fault.New(fault.Unavailable, "clamd: the daemon did not answer a moment ago, and is asked again in a few seconds")

// NewCircuit makes a circuit that keeps its state under a name.
func NewCircuit(client *Client, name string, states *state.Register) *Circuit {
	return &Circuit{client: client, name: name, states: states, wake: make(chan struct{}, 1)}
}

// Scan is Client.Scan, or ErrDown while the daemon is left alone.
func (c *Circuit) Scan(ctx context.Context, r io.Reader) (signature string, err error) {
	probe, err := c.enter()
	if err != nil {
		return "", err
	}

	signature, err = c.client.Scan(ctx, r)
	c.note(ctx, err, probe)
	return signature, err
}

// Run asks the daemon from time to time until ctx ends: at once after a scan
// that was not answered.
func (c *Circuit) Run(ctx context.Context) {
	for {
		// ErrDown here means that somebody else is the probe.
		c.Scan(ctx, strings.NewReader("collimator"))

		wait := probeEvery
		if c.down() {
			wait = pause
		}

		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-time.After(wait):
		}
	}
}

func (c *Circuit) down() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.retry.IsZero()
}

// enter lets everybody ask a daemon that answers, and one at a time another.
func (c *Circuit) enter() (probe bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if c.retry.IsZero() {
		return false, nil
	}
	if c.asked || time.Now().Before(c.retry) {
		return false, ErrDown
	}

	c.asked = true
	return true, nil
}

// note remembers whether the daemon has answered. Who gave up has learned
// nothing, nor who could not read what was to be sent.
func (c *Circuit) note(ctx context.Context, err error, probe bool) {
	silent := errors.Is(err, errSilent) && ctx.Err() == nil
	answered := err == nil || errors.Is(err, ErrLimit) || errors.Is(err, errReported)

	c.mu.Lock()
	before := c.retry.IsZero()
	if probe {
		c.asked = false
	}
	switch {
	case silent:
		c.retry = time.Now().Add(pause)
	case answered:
		c.retry = time.Time{}
	}
	c.mu.Unlock()

	switch {
	case silent:
		c.states.Failing(c.name, "the virus scanner does not answer", "start clamd, or see whether inspect.clamd is its socket; "+
			"inspect.unscanned says what happens to images meanwhile")
		if before {
			select {
			case c.wake <- struct{}{}:
			default:
			}
		}
	case answered:
		c.states.Well(c.name, "it answers")
	}
}
