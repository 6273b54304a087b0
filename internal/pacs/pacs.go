// Package pacs is the archive's face to DIMSE: the service classes
// Verification, Storage, Query/Retrieve in both roots and Storage Commitment
// (PS3.4 A, B, C, J) over the local archive. It registers its handlers with the
// guard's multiplexer and with nothing else, and decides about no caller.
package pacs

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/db"
	"collimator/internal/registers"
)

// Archive is what the services need of an archive.
type Archive interface {
	Ingest(context.Context, archive.Incoming) (archive.Receipt, error)
	Find(context.Context, archive.Query) iter.Seq2[*dicom.DataSet, error]
	Retrieve(context.Context, archive.RetrieveQuery) iter.Seq2[archive.InstanceRef, error]
	Open(context.Context, archive.InstanceRef) (*archive.Object, error)
	Commit(context.Context, []archive.SOPReference) ([]archive.Commitment, error)
}

var _ Archive = (*archive.Archive)(nil)

// Destinations finds the destination of a C-MOVE, or of a storage commitment
// report, in the register. The error is of kind fault.NotFound where the AE
// title is unknown or accepts no associations.
type Destinations interface {
	Destination(ctx context.Context, aeTitle string) (dimse.Destination, error)
}

// DefaultWindow is the asynchronous operations window that serve offers.
const DefaultWindow = 16

// Options are the parts of a Service. Archive, Destinations, DB, Registers and Log are needed.
type Options struct {
	Archive      Archive
	Destinations Destinations
	// Scope is what the caller of a request may see, by its context: the door's
	// word. nil sees nothing.
	Scope func(context.Context) archive.Scope
	// DB holds the storage commitment reports that are still to be delivered.
	DB        *db.DB
	Registers *registers.Book // what a change of them goes through
	Log       *slog.Logger
	// AETitle is where committed instances can be retrieved.
	AETitle string
	// FindMatches is the most matches one C-FIND returns; 0 means no limit.
	FindMatches int
	// Window is the most operations a peer may have outstanding on one association; see DefaultWindow.
	Window uint16
	Now    func() time.Time
}

// Service answers DIMSE requests. Safe for concurrent use.
type Service struct {
	Options
	wake chan struct{} // a report was queued
}

// New makes a service. Deliver must be running for storage commitment reports
// to leave on associations of our own.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{Options: o, wake: make(chan struct{}, 1)}
}

// scope is what the caller may see.
func (s *Service) scope(ctx context.Context) archive.Scope {
	if s.Scope == nil {
		return archive.Scope{}
	}

	return s.Scope(ctx)
}

// service answers SOP Classes other than those of storage.
type service struct {
	operation dimse.Operation
	classes   []string
	options   dimse.QueryOptions // that extended negotiation may settle
	register  func(m *dimse.Mux, classes ...string)
}

// services is all that is answered besides storage: what stands here is registered,
// offered in negotiation, and named in the conformance statement.
func (s *Service) services() []service {
	query := dimse.QueryOptions{Relational: true, FuzzyMatching: true, DateTimeMatching: true}
	none := dimse.QueryOptions{}

	echo := func(m *dimse.Mux, _ ...string) { m.HandleEcho(nil) }
	find := func(m *dimse.Mux, classes ...string) { m.HandleFind(s.find, classes...) }
	get := func(m *dimse.Mux, classes ...string) { m.HandleGet(s.retrieve, classes...) }
	move := func(m *dimse.Mux, classes ...string) { m.HandleMove(s.retrieve, classes...) }
	commit := func(m *dimse.Mux, classes ...string) { m.HandleN(dimse.NAction, s.commit, classes...) }

	return []service{
		{dimse.CEcho, []string{uid.Verification}, none, echo},
		{dimse.CFind, []string{uid.PatientRootFind, uid.StudyRootFind}, query, find},
		{dimse.CGet, []string{uid.PatientRootGet, uid.StudyRootGet}, query, get},
		{dimse.CMove, []string{uid.PatientRootMove, uid.StudyRootMove}, query, move},
		{dimse.NAction, []string{uid.StorageCommitmentPushModel}, none, commit},
	}
}

// Register adds the handlers to a multiplexer, which the guard made.
func (s *Service) Register(m *dimse.Mux) {
	m.HandleStore(s.store)
	for _, x := range s.services() {
		x.register(m, x.classes...)
	}
}

// Offer is a SOP Class other than those of storage, and the operation by which it is
// asked for.
type Offer struct {
	SOPClassUID string
	Operation   dimse.Operation
}

// Offers lists what is answered besides storage.
func (s *Service) Offers() []Offer {
	var list []Offer
	for _, x := range s.services() {
		for _, class := range x.classes {
			list = append(list, Offer{class, x.operation})
		}
	}
	return list
}
