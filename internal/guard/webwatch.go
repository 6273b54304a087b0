package guard

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"collimator/dicomweb"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

type cutKey struct{}

// Cuttable lets the guard end what a handler is answering, and what it is
// reading, when the right to it ends meanwhile.
func (g *Guard) Cuttable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &cutter{ResponseWriter: w}
		next.ServeHTTP(c, r.WithContext(context.WithValue(r.Context(), cutKey{}, c)))
	})
}

// cutter is an answer that can be cut off, also where it waits for a slow peer.
type cutter struct {
	http.ResponseWriter
	gone atomic.Bool
}

// Write implements io.Writer.
func (c *cutter) Write(p []byte) (int, error) {
	if c.gone.Load() {
		return 0, errEnded
	}
	return c.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// cut ends what is being read and written now, and what would be. A piece that
// was begun at the same moment may put its own deadline after it: then the next
// cut ends it.
func (c *cutter) cut() {
	c.gone.Store(true)
	rc := http.NewResponseController(c.ResponseWriter)
	past := time.Unix(1, 0)
	rc.SetReadDeadline(past) // where it is not supported the next Write ends it
	rc.SetWriteDeadline(past)
}

// watchWeb ends a request whose caller loses the right to it meanwhile: a large
// study, or a reader that is slow, takes hours. It looks every second. The
// function it returns ends the watch.
func (g *Guard) watchWeb(ctx context.Context, c *Caller, call *dicomweb.Call) (context.Context, func()) {
	return g.watchRunning(ctx, func(ctx context.Context) bool { return g.still(ctx, c, call) })
}

// watchRunning is watchWeb by what says whether the right to the request is there still.
func (g *Guard) watchRunning(ctx context.Context, still func(context.Context) bool) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	answer, _ := ctx.Value(cutKey{}).(*cutter)
	end := make(chan struct{})
	ended := make(chan struct{})

	go func() { // until end is closed, which the caller does and waits for
		defer close(ended)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for gone := false; ; {
			select {
			case <-end:
				return
			case <-tick.C:
			}

			if !gone && !still(ctx) {
				gone = true
				cancel(errEnded)
			}
			if gone && answer != nil {
				answer.cut()
			}
		}
	}()

	return ctx, func() {
		close(end)
		<-ended
		cancel(nil)
	}
}

// still reports whether the caller of a request that runs may go on: who it is
// counts, policy allows it, and what may be seen has not become less. Where the
// register cannot be asked the request goes on.
func (g *Guard) still(ctx context.Context, c *Caller, call *dicomweb.Call) bool {
	now, err := g.again(ctx, c)
	switch {
	case fault.Of(err) == fault.Denied, fault.Of(err) == fault.NotFound:
		return false
	case err != nil:
		if ctx.Err() == nil {
			g.Log.Error("running request not decided", "door", doorWeb, "error", err)
		}
		return true
	}

	now.come(g, c.service)
	reason, err := emergencyReason(call.Request, now)
	if err != nil {
		return false
	}

	d := g.judgeWeb(now, webRequest(call, reason))
	return d.Allow && covers(d.Sight, about(call.StudyUID, c.sight))
}

// again finds a caller anew, as it is registered now.
func (g *Guard) again(ctx context.Context, c *Caller) (*Caller, error) {
	switch {
	case c.share != nil:
		s, err := g.Registry.Share(ctx, c.share.ID)
		if err != nil {
			return nil, err
		}
		return g.shareCaller(ctx, s, c.peer.Address, c.door)
	case c.token != nil:
		t, owner, err := g.Registry.Token(ctx, c.token.ID)
		if err != nil {
			return nil, err
		}
		return tokenCaller(t, owner, c.peer.Address, c.door), nil
	}

	running, err := g.Sessions.Running(ctx, c.session.ID)
	if err == nil && !running {
		err = errEndedSession
	}
	if err != nil {
		return nil, err
	}
	return g.asRegistered(ctx, c)
}

// asRegistered is again for what goes on when the session is over.
func (g *Guard) asRegistered(ctx context.Context, c *Caller) (*Caller, error) {
	if c.session == nil {
		return g.again(ctx, c)
	}
	p, err := g.Registry.Person(ctx, c.session.Person)
	if err != nil {
		return nil, err
	}
	return g.sessionCaller(c.session, p, c.peer.Address, c.door), nil
}

var errEndedSession = fault.NewCode(fault.Denied, "session-over", "guard: the session is over")

// covers reports whether somebody who sees a sees all of b, and as it is.
func covers(a, b policy.Sight) bool {
	if a.Deidentified != b.Deidentified || b.Everything && !a.Everything {
		return false
	}
	return a.Everything || within(b.Studies, a.Studies) && within(b.Patients, a.Patients)
}

// within reports whether all words of one list are in another.
func within(some, all []string) bool {
	return !slices.ContainsFunc(some, func(word string) bool { return !slices.Contains(all, word) })
}

// about is what of a sight a request is about that names one study; all of it where
// it names none.
func about(study string, s policy.Sight) policy.Sight {
	if slices.Contains(s.Studies, study) {
		s.Studies = []string{study}
	}
	return s
}
