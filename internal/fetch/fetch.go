// Package fetch retrieves instances from a peer into files (C-GET): it
// parts what is wanted so that every SOP Class can come in the transfer syntax
// in which it is stored, asks once more for what did not come, and counts what is
// on disk. It knows no flags, prints nothing and decides no exit code.
package fetch

import (
	"context"
	"errors"
	"slices"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/sender"
)

// Options are what a retrieval needs. Dial and Find are required.
type Options struct {
	Dial sender.Dial
	// Find runs one C-FIND in the study root and gives each match to yield.
	Find func(ctx context.Context, keys *dicom.DataSet, yield func(*dicom.DataSet)) error
	// Dir is the directory for the files. They are named STUDY/SERIES/INSTANCE.dcm.
	Dir string
	// Syntaxes are the transfer syntaxes to accept, best first; none for all.
	Syntaxes []string
	// Progress, where it is not nil, is called with counts of instances.
	Progress func(done, failed, total int)
}

// From is the part of the options that says whom to ask.
func From(p *sender.Peer) Options {
	return Options{Dial: p.Dial, Find: func(ctx context.Context, keys *dicom.DataSet, yield func(*dicom.DataSet)) error {
		return Query{}.Run(ctx, p, keys, func(match *dicom.DataSet) error {
			yield(match)
			return nil
		})
	}}
}

// Result is what a retrieval brought.
type Result struct {
	Written    int      // instances that are on disk
	Failed     int      // instances, as the peer counts
	FailedUIDs []string // those of them that it names and that are not on disk, in order
	Sent       int      // instances that the peer counts as sent
	Counted    bool     // the peer gave numbers each time
	Crowded    bool     // some that failed shared presentation contexts
	Err        error    // the first of the association; what came before is on disk
	DiskErr    error    // the first of writing
}

// Run retrieves what is named, in parts, each on an association of its own. It
// ends early with ctx.
func Run(ctx context.Context, names Names, o Options) Result {
	if len(o.Syntaxes) == 0 {
		o.Syntaxes = AnySyntax()
	}
	g := &retrieval{Options: o, names: names, sink: newFileSink(o.Dir)}
	g.Counted = true
	g.all(ctx, g.plan(ctx))

	g.Written = g.sink.written()
	g.DiskErr = g.sink.err
	g.FailedUIDs = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(g.FailedUIDs))), g.sink.has)
	return g.Result
}

// retrieval is one run.
type retrieval struct {
	Options
	Result
	names Names
	sink  *fileSink
}

// all retrieves the parts. One that ends badly does not take the others along,
// unless there is no association to be had.
func (g *retrieval) all(ctx context.Context, parts []part) {
	for _, p := range parts {
		if ctx.Err() != nil {
			return
		}
		failed, connected := g.retrieve(ctx, p)
		if !connected {
			return
		}

		if failed > 0 && !g.fits(p.classes) {
			failed = g.again(ctx, p, failed)
		}
		g.Failed += failed
	}
}

// again asks once more for what of a part did not come, with presentation
// contexts of its own for each transfer syntax. It gives how many failed in the end.
func (g *retrieval) again(ctx context.Context, p part, failed int) int {
	parts, err := g.missing(ctx, p)
	if err != nil {
		g.Crowded = true // the peer does not list instances
		return failed
	}

	// What the first round could not bring is not an error if the second does.
	before := g.Err
	if _, ok := errors.AsType[*dimse.StatusError](g.Err); ok {
		g.Err = nil
	}

	left := 0
	for _, again := range parts {
		n, connected := g.retrieve(ctx, again)
		left += n
		if !connected {
			g.Err = errors.Join(before, g.Err)
			break
		}
	}
	return left
}

// retrieve retrieves on one association. connected is false where none came about.
func (g *retrieval) retrieve(ctx context.Context, p part) (failed int, connected bool) {
	keys, err := p.names.Identifier()
	if err != nil {
		g.fail(err)
		return 0, false
	}

	roles := make([]ul.RoleSelection, len(p.classes))
	for i, class := range p.classes {
		roles[i] = ul.RoleSelection{SOPClassUID: class, SCP: true}
	}

	contexts := dimse.Propose([]string{uid.StudyRootGet}, sender.NativeSyntaxes(), false)
	contexts = append(contexts, storageContexts(p.classes, g.Syntaxes)...)
	for i := range contexts {
		contexts[i].ID = 0
	}

	a, err := g.Dial(ctx, contexts, func(cfg *dimse.Config) { cfg.Roles = roles })
	if err != nil {
		g.fail(err)
		return 0, false
	}

	result, err := a.Get(ctx, dimse.GetRequest{
		SOPClassUID: uid.StudyRootGet, Identifier: keys, Store: g.sink.store,
		Progress: func(r dimse.RetrieveResult) {
			n := g.sink.written()
			if g.Progress != nil {
				g.Progress(n, g.Failed+int(r.SubOperations.Failed), n+int(r.SubOperations.Remaining))
			}
		},
	})
	if err == nil {
		err = a.Release(ctx)
	} else {
		a.Abort()
	}

	g.fail(err)

	n := result.SubOperations
	g.Sent += int(n.Completed) + int(n.Warning)
	g.Counted = g.Counted && result.Counted
	g.FailedUIDs = append(g.FailedUIDs, result.FailedSOPInstanceUIDs...)
	return int(n.Failed), true
}

// fail keeps the first error.
func (g *retrieval) fail(err error) {
	if g.Err == nil {
		g.Err = err
	}
}
