package guard

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
)

// transfer is what leaves in one request, study by study as the instances
// themselves say, whatever was asked for. Before the first instance of a study
// leaves, "begin transferring" is written; at the end
// "transferred" says what did.
type transfer struct {
	g *Guard
	c *Caller

	searched bool // a search was recorded, before its first match left

	mu      sync.Mutex
	by      map[Passing]*audit.Object // by study, and at a route by whose each instance says that it is
	studies []*audit.Object           // in the order in which they began
}

func (g *Guard) newTransfer(c *Caller) *transfer {
	return &transfer{g: g, c: c, by: map[Passing]*audit.Object{}}
}

// objectsMost is how many studies one record names; more make further records.
const objectsMost = 100

// refOf is the stored instance behind what a handler handed out: also of a copy
// without identity it is the original, because the record keeps who saw what.
func refOf(handed any) (archive.InstanceRef, bool) {
	switch ref := original(handed).(type) {
	case archive.InstanceRef:
		return ref, true
	case Passing:
		return archive.InstanceRef{StudyUID: ref.StudyUID}, true
	}
	return archive.InstanceRef{}, false
}

// Stored is the stored instance behind what a repository handed out, with or without identity.
func Stored(handed any) (archive.InstanceRef, bool) { return refOf(handed) }

// original is what was handed out a copy or a view of.
func original(handed any) any {
	for {
		of, ok := handed.(interface{ Original() any })
		if !ok {
			return handed
		}
		handed = of.Original()
	}
}

// begins is asked before an instance leaves. It fails where nothing can be
// recorded.
func (t *transfer) begins(ctx context.Context, handed any) error {
	if err := t.g.Keeper.Ready(); err != nil {
		return err
	}

	o, begun := t.study(ctx, handed)
	if begun {
		return nil
	}
	r := t.c.Entry(audit.Transferring, audit.Read, audit.Success, "")
	r.Objects = append(r.Objects, *o)
	t.g.Record(ctx, r)
	return t.g.Keeper.Ready() // where nothing may wait, the record that just had to do so counts
}

// beginsPart is begins for a part of an image, of which there are many: like ones
// are joined, of each series the first stand for themselves.
func (t *transfer) beginsPart(ctx context.Context, handed any, series, part string) error {
	if err := t.g.Keeper.Ready(); err != nil {
		return err
	}

	o, begun := t.study(ctx, handed)
	if begun {
		return nil
	}
	like := []string{t.c.who.Name, t.c.routeName(), "begin", o.Study, o.Patient, series, part}
	before, write := t.g.accesses.take(strings.Join(like, "\x00"))
	if !write {
		return nil
	}
	first := *o
	first.Detail = part
	if before > 0 {
		first.Detail += fmt.Sprintf(", and %d requests like it before that were not written", before)
	}
	r := t.c.Entry(audit.Transferring, audit.Read, audit.Success, "")
	r.Objects = append(r.Objects, first)
	t.g.Record(ctx, r)
	return t.g.Keeper.Ready()
}

// study is the object of an instance's study, and whether its transfer has begun. What stands behind a
// route may have instances of several patients in one: each has an object.
func (t *transfer) study(ctx context.Context, handed any) (o *audit.Object, begun bool) {
	ref, known := refOf(handed)
	p, passing := original(handed).(Passing)
	if !passing {
		p = Passing{StudyUID: ref.StudyUID}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if o = t.by[p]; o != nil {
		return o, true
	}

	o = &audit.Object{Study: ref.StudyUID}
	switch {
	case passing: // the archive does not know it
		o.Patient = p.Patient
		o.PatientIssuer = p.PatientIssuer
	case known:
		o.Patient, o.PatientIssuer = t.g.patientOf(ctx, ref.StudyUID)
	}
	t.by[p] = o
	t.studies = append(t.studies, o)
	return o, false
}

// left counts an instance that left, or did not arrive.
func (t *transfer) left(ctx context.Context, handed any, sopClass string, failed bool) {
	o, _ := t.study(ctx, handed)
	t.mu.Lock()
	defer t.mu.Unlock()
	if failed {
		o.Failed++
		return
	}

	if o.SOPClasses == nil {
		o.SOPClasses = map[string]int{}
	}

	o.SOPClasses[sopClass]++
	o.Instances++
}

// settle records what left; where nothing did, the studies that were asked for.
// failed is how many instances did not arrive in all: those that no instance
// stands for, because the request ended before them, are counted at the end.
func (t *transfer) settle(ctx context.Context, outcome audit.Outcome, reason string, failed int, asked []string) {
	t.mu.Lock()
	var objects []audit.Object
	for _, o := range t.studies {
		objects = append(objects, *o)
		failed -= o.Failed
	}
	t.mu.Unlock()

	if len(objects) == 0 {
		objects = t.g.named(ctx, asked)
	}
	objects[len(objects)-1].Failed += max(failed, 0)
	t.g.recordEach(ctx, t.c.Entry(audit.Transferred, audit.Read, outcome, reason), objects)
}

// named is the studies of a request from which nothing left; one without a name
// where it named none.
func (g *Guard) named(ctx context.Context, studies []string) []audit.Object {
	if len(studies) == 0 {
		return []audit.Object{{}}
	}
	var objects []audit.Object
	for _, study := range studies[:min(len(studies), objectsMost)] {
		o := audit.Object{Study: study}
		o.Patient, o.PatientIssuer = g.patientOf(ctx, study)
		objects = append(objects, o)
	}
	return objects
}

// patientOf is the patient of a study for the record; empty where the index does
// not say.
func (g *Guard) patientOf(ctx context.Context, study string) (id, issuer string) {
	if g.Patient == nil {
		return "", ""
	}
	id, issuer, err := g.Patient(context.WithoutCancel(ctx), study)
	if err != nil && fault.Of(err) != fault.NotFound {
		g.Log.Warn("the record of a transfer does not name its patient", "error", err)
	}
	return id, issuer
}
