package main

import (
	"errors"
	"fmt"
	"slices"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/sender"
	"collimator/internal/shown"
)

type getCmd struct {
	connectFlags
	nameFlags
	Out    string   `help:"Directory for the files." default:"." placeholder:"DIR"`
	Syntax []string `help:"Transfer syntax UIDs to accept, best first. Default: whatever the objects are stored in." placeholder:"UID"`
}

func (getCmd) Help() string {
	return `Files are named STUDY/SERIES/INSTANCE.dcm by their UIDs. One that is there already is replaced only
when the new one is complete. What is printed counts the files that were written. Exit code 3: some
failed, the retrieval broke off, or the peer's own count is another.

Example:
  collimator get COLLIMATOR@127.0.0.1:2762 --as ./ws1 --study 1.2.3 --out ./study`
}

func (c *getCmd) Run(e *env) error {
	if _, err := c.identifier(); err != nil {
		return err
	}
	d, err := c.dialer()
	if err != nil {
		return err
	}

	p := newProgress(e, "received", 0)
	g := &getter{cmd: c, e: e, d: d, sink: newFileSink(c.Out), progress: p, counted: true}
	g.all(g.plan())
	p.end()
	return errors.Join(g.report(), g.sink.err)
}

// getter retrieves in parts, each on an association of its own.
type getter struct {
	cmd      *getCmd
	e        *env
	d        *dialer
	sink     *fileSink
	progress *progress

	sent       int  // completed, as the peer counts
	counted    bool // the peer gave numbers each time
	failed     int
	failedUIDs []string
	crowded    bool  // some that failed shared presentation contexts
	err        error // the first
}

// all retrieves the parts. One that ends badly does not take the others along,
// unless there is no association to be had.
func (g *getter) all(parts []getPart) {
	for _, p := range parts {
		if g.e.ctx.Err() != nil {
			return
		}
		failed, connected := g.part(p)
		if !connected {
			return
		}

		if failed > 0 && !g.fits(p.classes) {
			failed = g.again(p, failed)
		}
		g.failed += failed
	}
}

// again asks once more for what of a part did not come, with presentation
// contexts of its own for each transfer syntax. It gives how many failed in the end.
func (g *getter) again(p getPart, failed int) int {
	parts, err := g.missing(p)
	if err != nil {
		g.crowded = true // the peer does not list instances
		return failed
	}

	// What the first round could not bring is no error if the second does.
	before := g.err
	if _, ok := errors.AsType[*dimse.StatusError](g.err); ok {
		g.err = nil
	}
	left := 0
	for _, again := range parts {
		n, connected := g.part(again)
		left += n
		if !connected {
			g.err = errors.Join(before, g.err)
			break
		}
	}
	return left
}

// part retrieves on one association. connected is false where none came about.
func (g *getter) part(p getPart) (failed int, connected bool) {
	keys, err := p.names.identifier()
	if err != nil {
		g.fail(err)
		return 0, false
	}
	roles := make([]ul.RoleSelection, len(p.classes))
	for i, class := range p.classes {
		roles[i] = ul.RoleSelection{SOPClassUID: class, SCP: true}
	}
	contexts := dimse.Propose([]string{uid.StudyRootGet}, sender.NativeSyntaxes(), false)
	contexts = append(contexts, storageContexts(p.classes, g.cmd.syntaxes())...)
	for i := range contexts {
		contexts[i].ID = 0
	}
	a, err := g.d.dial(g.e.ctx, contexts, func(cfg *dimse.Config) { cfg.Roles = roles })
	if err != nil {
		g.fail(err)
		return 0, false
	}

	result, err := a.Get(g.e.ctx, dimse.GetRequest{
		SOPClassUID: uid.StudyRootGet, Identifier: keys, Store: g.sink.store,
		Progress: func(r dimse.RetrieveResult) {
			n := g.sink.written()
			g.progress.set(n, g.failed+int(r.SubOperations.Failed), n+int(r.SubOperations.Remaining))
		},
	})
	if err == nil {
		err = a.Release(g.e.ctx)
	} else {
		a.Abort()
	}

	g.fail(err)
	n := result.SubOperations
	g.sent += int(n.Completed) + int(n.Warning)
	g.counted = g.counted && result.Counted
	g.failedUIDs = append(g.failedUIDs, result.FailedSOPInstanceUIDs...)
	return int(n.Failed), true
}

// fail keeps the first error.
func (g *getter) fail(err error) {
	if g.err == nil {
		g.err = err
	}
}

// report prints what is on disk and makes the exit code of it.
func (g *getter) report() error {
	n := g.sink.written()
	fmt.Fprintf(g.e.stdout, "%d received in %s, %d failed.\n", n, g.cmd.Out, g.failed)
	for _, u := range slices.Compact(slices.Sorted(slices.Values(g.failedUIDs))) {
		if !g.sink.has(u) {
			fmt.Fprintf(g.e.stdout, "failed: %s\n", shown.Text(u))
		}
	}
	if g.crowded {
		fmt.Fprintln(g.e.stdout, "The studies have more SOP Classes than fit into one association in every transfer syntax. "+
			"Get their series one at a time.")
	}

	status, refused := errors.AsType[*dimse.StatusError](g.err)
	switch {
	case g.e.ctx.Err() != nil:
		return &exitError{exitPartial, errors.New("stopped before everything was received")}
	case refused && n > 0:
		return &exitError{exitPartial, fmt.Errorf("%s: %w%s", g.d.address, g.err, sender.Remark(status.Status))}
	case g.err != nil && n > 0:
		return &exitError{exitPartial, fmt.Errorf("%w; what came before is on disk", g.d.explain(g.err))}
	case g.err != nil:
		return g.d.explain(g.err)
	case g.counted && g.sent != n:
		return &exitError{exitPartial, fmt.Errorf("the peer counts %d sent; %d were written", g.sent, n)}
	case g.failed > 0:
		return &exitError{exitPartial, fmt.Errorf("%d of the instances failed", g.failed)}
	case n == 0:
		return errors.New("nothing matches; 'collimator find' lists what is there")
	}
	return nil
}
