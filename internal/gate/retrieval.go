package gate

import (
	"context"
	"slices"
	"sync"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dimse"
	"collimator/internal/policy"
)

// retrieval is a C-MOVE that runs: the system behind the route sends, by associations
// of its own, what it names, and to nobody but the destination.
type retrieval struct {
	route       string
	destination string // AE title
	sight       policy.Sight
	keys        *dicom.DataSet
	seenAs      string // AE title of the caller as the system behind sees it

	caller    string // its own AE title, and the message ID of its request
	messageID uint16

	ctx         context.Context // of the caller's request
	performance *dimse.Performance

	// take is what becomes of an instance whose destination is the gate itself; nil for those of
	// a device.
	take func(context.Context, *object) dimse.Status
}

// retrievals are those that run. The zero value has none. Safe for concurrent use.
type retrievals struct {
	mu   sync.Mutex
	list []*retrieval
}

// begin adds a retrieval until end is called.
func (l *retrievals) begin(r *retrieval) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, r)

	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.list = slices.DeleteFunc(l.list, func(other *retrieval) bool { return other == r })
	}
}

// to reports whether any retrieval of a route to a destination runs.
func (l *retrievals) to(route, destination string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.list, func(r *retrieval) bool { return r.route == route && r.destination == destination })
}

// own reports whether a retrieval of a route to a destination runs that is the gate itself.
func (l *retrievals) own(route, destination string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.list, func(r *retrieval) bool {
		return r.route == route && r.destination == destination && r.take != nil
	})
}

// of is the retrieval that an instance belongs to: to that destination, of the
// originator that is named, if one is, and of something the instance is part of; nil where
// there is none.
func (l *retrievals) of(route, destination, originator string, head *dicom.DataSet) *retrieval {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.list {
		if r.route == route && r.destination == destination && (originator == "" || originator == r.seenAs) && r.names(head) {
			return r
		}
	}
	return nil
}

// names reports whether an instance is within what a retrieval asked for: every unique key of
// the identifier that has values has that of the instance (PS3.4 C.4.2.2.1). What the instance
// does not have counts for nothing: a PACS may file it under a UID of its own.
func (r *retrieval) names(head *dicom.DataSet) bool {
	if !mayBeSeen(r.sight, head.Text(tag.StudyInstanceUID), head.Text(tag.PatientID)) {
		return false
	}
	for _, t := range []tag.Tag{tag.PatientID, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID} {
		asked := r.keys.Texts(t)
		asked = slices.DeleteFunc(asked, func(value string) bool { return value == "" })
		if own := head.Text(t); len(asked) > 0 && own != "" && !slices.Contains(asked, own) {
			return false
		}
	}
	return true
}
