package gate

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"collimator/dicom"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/firstwrite"
	"collimator/internal/gate/outbound"
	"collimator/internal/guard"
	"collimator/internal/patch"
)

// Judge reads and judges what passes, for routes of other kinds, with the patches that are in
// force unless somebody said otherwise. Safe for concurrent use.
type Judge struct {
	gate  *Gate
	route *route
}

var _ outbound.Judge = Judge{}

// NewJudge makes one that inspects as the gate does.
func NewJudge(look func(context.Context, archive.Inspected) archive.Inspection) Judge {
	patches, err := patch.Of(nil)
	if err != nil {
		panic(fmt.Sprintf("gate: the patches that are part of the program: %v", err))
	}
	return Judge{&Gate{Options: Options{Inspect: look}}, &route{patches: patches}}
}

// Object implements outbound.Judge.
func (j Judge) Object(ctx context.Context, rq *dimse.StoreRequest, most int64) (outbound.Object, *dimse.Status) {
	from := &pace{every: paceEvery}
	rq.Data = pacedReader{from, rq.Data}
	o, err := j.gate.receive(ctx, rq, guard.Sight(ctx), j.route.patches)
	if err != nil {
		status := storeStatus(err)
		return nil, &status
	}
	o.Hash = sha256.New()
	o.most = most
	return judged{o}, nil
}

// DataSet implements outbound.Judge.
func (j Judge) DataSet(ctx context.Context, ds *dicom.DataSet) error {
	return j.gate.checkContent(ctx, ds)
}

// Identifier implements outbound.Judge.
func (j Judge) Identifier(ds *dicom.DataSet) error { return j.route.checkIdentifier(ds) }

// judged is an object whose head was judged.
type judged struct{ *object }

// Whose implements outbound.Object.
func (o judged) Whose() guard.Passing { return o.Passing }

// Instance implements outbound.Object.
func (o judged) Instance(route string) firstwrite.Instance { return Instance(route, o.Head) }

// Write implements outbound.Object.
func (o judged) Write(w io.Writer) (firstwrite.Content, error) {
	if err := o.write(w); err != nil {
		return firstwrite.Content{}, err
	}
	return *o.content(), nil
}

// Refused implements outbound.Object.
func (o judged) Refused(err error) dimse.Status { return answered(err) }

// Contradicts implements outbound.Judge.
func (Judge) Contradicts(c firstwrite.Conflict) (reason archive.Reason, status dimse.Status) {
	why := otherContent
	if c != firstwrite.NoConflict {
		why = contradictions[c]
	}
	return why.reason, dimse.Status{Code: why.code, Comment: why.text, Cause: why.cause}
}
