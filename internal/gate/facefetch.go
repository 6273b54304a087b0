package gate

import (
	"context"
	"errors"
	"hash"
	"io"
	"maps"
	"slices"
	"sync"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/upstream"
)

// Wanted is what is fetched of one series.
type Wanted struct {
	StudyUID, SeriesUID string
	// Patient is whose study it is by what the system behind says of it; empty: it says nothing.
	Patient string
	// Instances are the SOP Instance UIDs with their SOP Classes, which may be empty.
	Instances map[string]string
	// Whole says that these are all of the series.
	Whole bool
}

// Arrived is an instance that the system behind sent and that was asked for, inspected up to its
// pixel data. The rest is inspected as it is written.
type Arrived struct {
	guard.Passing
	SOPClassUID, SOPInstanceUID, TransferSyntaxUID string

	object *object
	watch  *dog
}

// Write writes the data set, decoded and written anew, and gives to h what it writes. Its error is
// that it must not be kept.
func (a *Arrived) Write(w io.Writer, h hash.Hash) error {
	a.object.Hash = h
	return a.object.write(&movingWriter{Writer: w, watch: a.watch})
}

// pieceLeast is how many bytes of an instance are something that came.
const pieceLeast = 4 << 20

// movingWriter tells of each piece that is kept.
type movingWriter struct {
	io.Writer
	watch *dog
	since int64 // bytes since something came
}

// Write implements io.Writer.
func (w *movingWriter) Write(p []byte) (int, error) {
	w.watch.moved()
	if w.since += int64(len(p)); w.since >= pieceLeast {
		w.since = 0
		w.watch.came()
	}
	return w.Writer.Write(p)
}

// errOtherPatient refuses an instance of a study that is of somebody else by what the system behind
// says itself.
var errOtherPatient = fault.New(fault.Denied, "gate: an instance is of another patient than the system behind says its study is of")

// fetch is a question for instances that runs.
type fetch struct {
	*Face
	wanted Wanted
	take   func(*Arrived) error
	watch  *dog
	most   int64

	mu      sync.Mutex
	missing map[string]string
	ctx     context.Context // of the request
}

// Fetch asks the system behind for instances: by C-GET, and what does not come so by C-MOVE to the
// gate. Each that was asked for and is not refused goes to take, one at a time or several; what was
// not asked for goes nowhere, and is recorded. The error is that not all came.
func (f *Face) Fetch(ctx context.Context, w Wanted, take func(*Arrived) error) error {
	r, err := f.route()
	if err != nil {
		return err
	}

	ctx, watch := watchdog(ctx, f.idle)
	defer watch.end()
	q := &fetch{
		Face: f, wanted: w, take: take, watch: watch, most: int64(r.ObjectMiB) << 20,
		missing: maps.Clone(w.Instances), ctx: ctx,
	}
	err = q.byGet(ctx)
	if len(q.left()) == 0 {
		return nil
	}
	if err == nil || fault.Of(err) == fault.Unsupported {
		err = q.byMove(ctx, r)
	}
	switch n := len(q.left()); {
	case n == 0:
		return nil
	case err != nil:
		return unfulfilled(ctx, err)
	default:
		return fault.Newf(fault.Unavailable, "gate: the system behind the route did not give %d of %d instances", n, len(w.Instances))
	}
}

// unfulfilled is why a question was not answered.
func unfulfilled(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause == errHangs {
		return errHangs
	}
	if answer, ok := errors.AsType[*dimse.StatusError](err); ok {
		return fault.Wrap(fault.Unavailable, err,
			"gate: the system behind the route refuses the question with status "+answer.Status.Code.String())
	}
	if fault.Of(err) != fault.Internal && fault.Of(err) != fault.None {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "gate: the system behind the route does not answer")
}

// left is what has not come yet.
func (q *fetch) left() map[string]string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return maps.Clone(q.missing)
}

// errNoGet says that the system behind has no C-GET, or none for what is wanted.
var errNoGet = fault.New(fault.Unsupported, "gate: the system behind the route has no C-GET")

// byGet asks by C-GET, with other presentation contexts where those of one association are not
// enough for the SOP Classes that there may be.
func (q *fetch) byGet(ctx context.Context) error {
	for _, classes := range classGroups(q.wanted.Instances) {
		left := q.left()
		if len(left) == 0 {
			return nil
		}
		if err := q.getOnce(ctx, classes, left); err != nil {
			return err
		}
	}
	return nil
}

func (q *fetch) getOnce(ctx context.Context, classes []string, left map[string]string) error {
	lease, err := q.lease(ctx, askToFetch(classes))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(lease.Contexts(), func(pc dimse.PresentationContext) bool { return pc.AbstractSyntax == uid.StudyRootGet }) {
		lease.Return()
		return errNoGet
	}

	identifier, err := q.identifier(left)
	if err != nil {
		lease.Return()
		return err
	}
	_, err = lease.Get(ctx, dimse.GetRequest{
		SOPClassUID: uid.StudyRootGet, Identifier: identifier,
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			return q.receive(rq)
		},
		Progress: func(dimse.RetrieveResult) {
			q.watch.moved()
		},
	})
	lease.Finish(err)
	if _, answered := errors.AsType[*dimse.StatusError](err); answered {
		return nil // what came, came
	}
	return err
}

// byMove asks by C-MOVE to the gate itself.
func (q *fetch) byMove(ctx context.Context, r *route) error {
	identifier, err := q.identifier(q.left())
	if err != nil {
		return err
	}
	lease, err := q.lease(ctx, upstream.Ask{Contexts: dimse.Propose([]string{uid.StudyRootMove}, uid.NativeSyntaxes()[:2], false)})
	if err != nil {
		return err
	}

	title := r.WebTitle()
	end := q.gate.retrievals.begin(&retrieval{
		route: r.Name, destination: title, seenAs: title, sight: policy.Sight{Everything: true}, keys: identifier,
		take: func(_ context.Context, o *object) dimse.Status { return q.keep(o) },
	})
	defer end()
	_, err = lease.Move(ctx, dimse.MoveRequest{
		SOPClassUID: uid.StudyRootMove, Identifier: identifier, MoveDestination: title,
		Progress: func(dimse.RetrieveResult) { q.watch.moved() },
	})
	lease.Finish(err)
	return err
}

// identifier names what is left, at the narrowest level that does (PS3.4 C.4.2.1.4).
func (q *fetch) identifier(left map[string]string) (*dicom.DataSet, error) {
	keys := map[tag.Tag]string{tag.StudyInstanceUID: q.wanted.StudyUID, tag.SeriesInstanceUID: q.wanted.SeriesUID}
	if q.wanted.Whole && len(left) == len(q.wanted.Instances) {
		return Identifier("SERIES", keys)
	}
	ds, err := Identifier("IMAGE", keys)
	if err != nil {
		return nil, err
	}
	err = ds.SetText(tag.SOPInstanceUID, slices.Sorted(maps.Keys(left))...)
	return ds, err
}

// receive takes what comes on the association of a C-GET.
func (q *fetch) receive(rq *dimse.StoreRequest) dimse.Status {
	own := budget.From(q.ctx).Piece()
	defer own.Close()
	rq.Data = movingReader{rq.Data, q.watch}

	o, err := q.gate.receive(budget.With(q.ctx, own), rq, policy.Sight{Everything: true}, nil) // what may be seen is seen as it leaves
	if err != nil {
		q.withhold(guard.Passing{StudyUID: q.wanted.StudyUID}, err)
		return storeStatus(err)
	}
	return q.keep(o)
}

// keep hands on an instance that was asked for.
func (q *fetch) keep(o *object) dimse.Status {
	if err := q.belongs(o); err != nil {
		q.withhold(o.Passing, err)
		return storeStatus(err)
	}

	q.watch.moved()
	o.most = q.most
	err := q.take(&Arrived{
		Passing: o.Passing, SOPClassUID: o.request.SOPClassUID, SOPInstanceUID: o.request.SOPInstanceUID,
		TransferSyntaxUID: o.request.TransferSyntax, object: o, watch: q.watch,
	})
	q.watch.moved()
	if err != nil {
		q.withhold(o.Passing, err)
		return answered(err)
	}

	q.watch.came()
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.missing, o.request.SOPInstanceUID)
	return dimse.Status{}
}

// belongs refuses what was not asked for: of another study, series or patient, of no study, or one
// that came already.
func (q *fetch) belongs(o *object) error {
	q.mu.Lock()
	_, wanted := q.missing[o.request.SOPInstanceUID]
	q.mu.Unlock()
	switch {
	case !wanted, o.StudyUID != q.wanted.StudyUID, o.Head.Text(tag.SeriesInstanceUID) != q.wanted.SeriesUID:
		return errUnasked
	case q.wanted.Patient != "" && o.Patient != q.wanted.Patient, len(o.Head.Texts(tag.PatientID)) > 1:
		return errOtherPatient
	}
	return nil
}

// withhold records what did not go on.
func (q *fetch) withhold(p guard.Passing, err error) {
	q.gate.Log.Warn("what the system behind a route sends is not let through", "route", q.name, "error", err)
	if fault.Of(err) != fault.Busy && fault.Of(err) != fault.Canceled {
		guard.Withheld(q.ctx, p, "the system behind the route sent what was not let through: "+fault.Text(err))
	}
}

// movingReader tells of each piece that comes.
type movingReader struct {
	io.Reader
	watch *dog
}

// Read implements io.Reader.
func (r movingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.watch.moved()
	}
	return n, err
}
