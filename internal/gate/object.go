package gate

import (
	"context"
	"errors"
	"io"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/inspect"
	"collimator/internal/patch"
	"collimator/internal/policy"
	"collimator/internal/stream"
)

// Refusals of an object.
var (
	errMismatch = fault.New(fault.Invalid, "gate: SOP Class or Instance UID of the data set is not that of the request")
	errTwo      = fault.New(fault.Invalid, "gate: an element by which the object is filed has several values, or is one of a command or of a file")
	errUID      = fault.New(fault.Invalid, "gate: a UID is missing or malformed")
	errSight    = fault.New(fault.Denied, "gate: the study was not granted")
	errContent  = fault.New(fault.Invalid, "gate: the object holds what does not belong there")
	errPatient  = fault.Newf(fault.Invalid, "gate: Patient ID or its issuer is longer than %d bytes", patientMost)
	errBusy     = fault.New(fault.Busy, "gate: the object could not be inspected; try again later")
)

// headMost is the most of an object's head that is held in memory, in bytes.
const headMost = 64 << 20

// object is one on its way, of which the head was read.
type object struct {
	*dicom.Passage
	guard.Passing
	request *dimse.StoreRequest
	from    *pace        // of a caller who brings it; nil for others
	to      *pace        // of a caller who gets it; nil for others
	most    int64        // bytes that may be written of it; 0: all there are
	last    func() error // asked before the end of what is written goes; nil: it may
	whole   bool         // it was written to its end
	size    int64        // bytes that were written of it
}

// receive reads the head of an object and judges it: is it what the request says, is
// it within the sight of who sends or gets it, does it hold what does not belong
// there, does a patch keep it away. The rest is still in the stream.
func (g *Gate) receive(ctx context.Context, rq *dimse.StoreRequest, sight policy.Sight, patches *patch.Set) (*object, error) {
	p, err := dicom.ReadPassage(rq.Data, dicom.DecodeOptions{
		TransferSyntax: rq.TransferSyntax,
		Limits:         dicom.Limits{Header: headMost},
		Account:        budget.From(ctx),
	})
	if err != nil {
		return nil, readError(err)
	}

	o := &object{Passage: p, request: rq}
	o.Look = func(el dicom.Element) error {
		if r := patches.Value(el); r != nil {
			return patched(r)
		}
		return g.inspectRest(ctx, el)
	}
	if fragments := patches.Fragments(); fragments != nil {
		o.Fragments = func(dicom.Tag) io.Writer { return fragment{fragments.Next()} }
	}
	if err := o.identify(); err != nil {
		return nil, err
	}
	if !sight.Everything && len(p.Head.Texts(tag.PatientID)) > 1 {
		return nil, errTwo // of whom it is decides, and anybody may take either
	}
	if !mayBeSeen(sight, o.StudyUID, o.Patient) {
		return nil, errSight
	}
	if r := patches.Object(o.Head); r != nil {
		return nil, patched(r)
	}
	return o, g.judge(ctx, o.Head) // everything but pixel data and what belongs to them: see inspectRest
}

// patched is the refusal of a patch. What it refuses stays as it is.
func patched(r *patch.Refusal) error { return fault.Newf(fault.Invalid, "gate: %s", r) }

// fragment is one that patches look at.
type fragment struct{ io.Writer }

// Write implements io.Writer.
func (f fragment) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	if refusal, refused := errors.AsType[*patch.Refusal](err); refused {
		err = patched(refusal)
	}
	return n, err
}

// readError is why a data set could not be read: its own fault, or that of the
// connection or of the budget, which are passed on.
func readError(err error) error {
	if fault.Of(err) == fault.Busy || fault.Of(err) == fault.TooLarge {
		return err
	}
	return fault.Wrap(fault.Invalid, err, "gate: the data set cannot be read")
}

// identify reads what an object is and holds it against the request (PS3.4 B.2.3).
func (o *object) identify() error {
	if err := unambiguous(o.Head); err != nil {
		return err
	}
	for _, f := range []struct {
		tag  tag.Tag
		want string
	}{{tag.SOPClassUID, o.request.SOPClassUID}, {tag.SOPInstanceUID, o.request.SOPInstanceUID}} {
		values := o.Head.Texts(f.tag)
		if len(values) != 1 || !uid.Tolerable(values[0]) {
			return errUID
		}
		if values[0] != f.want {
			return errMismatch
		}
	}

	o.StudyUID = o.Head.Text(tag.StudyInstanceUID)
	o.Patient = o.Head.Text(tag.PatientID)
	o.PatientIssuer = o.Head.Text(tag.IssuerOfPatientID)
	if o.StudyUID != "" && !uid.Tolerable(o.StudyUID) || !namesNoPath(o.Head.Text(tag.SeriesInstanceUID)) {
		return errUID
	}
	if who := patientOf(o.Head); len(who.ID) > patientMost || len(who.Issuer) > patientMost {
		return errPatient
	}
	return nil
}

// patientMost is how long what says whose an object is may be, in bytes: 64 characters of any
// character set. Records name it.
const patientMost = 256

// namesNoPath reports what is a UID or only odd: a system behind may make the name of a file
// of it.
func namesNoPath(series string) bool {
	odd := func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' && c != '-' && c != '_'
	}
	return len(series) <= uid.MaxLength && !strings.ContainsFunc(series, odd) &&
		!strings.HasPrefix(series, ".") && !strings.Contains(series, "..")
}

// filing are the elements by which an object is filed besides its own UID.
var filing = []tag.Tag{tag.StudyInstanceUID, tag.SeriesInstanceUID}

// unambiguous refuses what the system behind may take for something else than the
// gate: of several values either, elements of a command (PS3.7 6.3) or of a file (PS3.10
// 7.1) for those of the data set around it.
func unambiguous(ds *dicom.DataSet) error {
	for el := range ds.All() {
		if group := el.Tag.Group(); group == 0 || group == 2 {
			return errTwo
		}
	}
	for _, t := range filing {
		if len(ds.Texts(t)) > 1 {
			return errTwo
		}
	}
	return nil
}

// inspectRest looks at the beginning of a value behind the head, where that may be something
// else than what it should be.
func (g *Gate) inspectRest(ctx context.Context, el dicom.Element) error {
	if !inspect.Begins(el.Bytes()) {
		return nil
	}

	ds := dicom.NewDataSet()
	ds.Set(dicom.NewElement(el.Tag, el.VR, el.Bytes()))
	return g.judge(ctx, ds)
}

// judge is the verdict of the inspection as an error.
func (g *Gate) judge(ctx context.Context, ds *dicom.DataSet) error {
	verdict := g.Inspect(ctx, archive.Inspected{DataSet: ds})
	switch {
	case verdict.Busy:
		return errBusy
	case verdict.TooLong, verdict.Hold, verdict.Refuse:
		return errContent
	}
	return nil
}

// write writes an object, decoded and written anew.
func (o *object) write(w io.Writer) (err error) {
	if o.most > 0 {
		w = &bounded{w: w, left: o.most}
	}
	if o.to != nil {
		w = pacedWriter{o.to, w}
	}
	o.size, err = o.WriteTo(w)
	if err == nil && o.last != nil {
		err = o.last()
	}
	o.whole = err == nil
	return err
}

// errLong refuses an object for its length.
var errLong = fault.New(fault.TooLarge, "gate: the object is longer than the route lets through; object_mib says how long one may be")

// bounded writes so many bytes and no more.
type bounded struct {
	w    io.Writer
	left int64
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errLong
	}
	return b.w.Write(p)
}

// receiver takes objects: an association.
type receiver interface {
	Store(context.Context, dimse.StoreRequest) (dimse.Status, error)
}

// send sends an object and gives the status for who it came from: the receiver's own, or
// why it did not get all of it. The error is that of the association.
func (o *object) send(ctx context.Context, to receiver) (dimse.Status, error) {
	body := stream.Of(nil, o.write)
	defer body.Close()

	rq := *o.request
	rq.Data = body
	status, err := to.Store(ctx, rq)
	if err != nil {
		return answered(err), err
	}
	return dimse.Status{Code: status.Code}, nil
}
