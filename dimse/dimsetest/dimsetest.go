// Package dimsetest is a peer in process for the tests of programs that speak
// DICOM: a server on loopback that takes associations from everybody, keeps what
// it is sent in memory, answers queries, and gives instances back by C-GET and
// C-MOVE. It is what httptest is to net/http.
//
// It decides about no caller and keeps nothing: it is not an archive for patients.
// Storage commitment, worklists and print are not in it; Options.Mux adds handlers.
package dimsetest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"collimator/dicom"
	"collimator/dicom/memory"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

// DefaultAETitle is the title of a Server where Options name none.
const DefaultAETitle = "DIMSETEST"

// Options change a Server. The zero value is usable.
type Options struct {
	// AETitle of the server; empty is DefaultAETitle. Calls to other titles are
	// rejected.
	AETitle string
	// TLSConfig, when set, makes every connection TLS.
	TLSConfig *tls.Config
	// Archive is where instances are kept; nil is a new one.
	Archive *memory.Archive
	// Destinations of C-MOVE by AE title.
	Destinations map[string]dimse.Destination
	// Interceptor stands in front of every handler; nil is dimse.Unguarded. A test
	// makes a peer refuse or fail with it.
	Interceptor dimse.Interceptor
	// Admit decides about associations in the place of the check of the title.
	Admit func(context.Context, *dimse.AssociateRequest) (dimse.Acceptance, error)
	// Mux, when set, may register further handlers, or others in the place of ours.
	Mux func(*dimse.Mux)
	// Limits of the server.
	Limits dimse.Limits
}

// Server is a peer that listens on loopback. It is safe for concurrent use.
type Server struct {
	// Address is host:port of the listener.
	Address string
	// AETitle of the server.
	AETitle string
	// Archive holds what was stored, and what is found and given.
	Archive *memory.Archive

	destinations map[string]dimse.Destination
	stop         context.CancelFunc
	ended        chan struct{}
}

// NewServer starts a Server. It panics where loopback cannot be listened on. Close
// it in the end.
func NewServer(o Options) *Server {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("dimsetest: listening on loopback: %v", err))
	}

	s := &Server{
		Address:      ln.Addr().String(),
		AETitle:      o.AETitle,
		Archive:      o.Archive,
		destinations: o.Destinations,
		ended:        make(chan struct{}),
	}
	if s.AETitle == "" {
		s.AETitle = DefaultAETitle
	}
	if s.Archive == nil {
		s.Archive = &memory.Archive{}
	}

	admit := o.Admit
	if admit == nil {
		admit = s.admit
	}
	server := &dimse.Server{TLSConfig: o.TLSConfig, Admit: admit, Mux: s.mux(o), Limits: o.Limits}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { // ends with Close
		defer close(s.ended)
		_ = server.Serve(ctx, ln) // of an end that was asked for
	}()
	return s
}

// Close ends every association and waits for it.
func (s *Server) Close() {
	s.stop()
	<-s.ended
}

// Config is what Dial needs to call the server from an AE title, with a presentation
// context for each SOP Class in the native transfer syntaxes.
func (s *Server) Config(callingAETitle string, sopClasses ...string) dimse.Config {
	return dimse.Config{
		CallingAETitle: callingAETitle,
		CalledAETitle:  s.AETitle,
		Contexts:       dimse.Propose(sopClasses, uid.NativeSyntaxes(), false),
	}
}

// Destination is the server as a destination of the C-MOVE of another.
func (s *Server) Destination(callingAETitle string) dimse.Destination {
	return dimse.Dialer{Address: s.Address, Config: s.Config(callingAETitle)}
}

func (s *Server) admit(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
	if rq.CalledAETitle != s.AETitle {
		return dimse.Acceptance{}, &dimse.RejectError{
			Result: ul.RejectedPermanent, Source: ul.RejectServiceUser, Reason: ul.CalledAETitleNotRecognized,
		}
	}
	return dimse.Negotiate(rq, Support()), nil
}

// Support is what the server offers: storage of every object, queries and
// retrievals of the patient and the study root.
func Support() dimse.Support {
	support := dimse.AcceptStorage()
	storage := support.TransferSyntaxes
	support.TransferSyntaxes = func(abstractSyntax string) []string {
		if slices.Contains(queryClasses(), abstractSyntax) || slices.Contains(retrieveClasses(), abstractSyntax) {
			return uid.NativeSyntaxes()
		}
		return storage(abstractSyntax)
	}
	// The requestor of a C-GET is SCP of the storage classes (PS3.4 C.5.3).
	support.Roles = func(sopClass string) (scu, scp bool) { return true, uid.Storable(sopClass) }
	support.Window = 8
	return support
}

func queryClasses() []string { return []string{uid.PatientRootFind, uid.StudyRootFind} }

func retrieveClasses() []string {
	return []string{uid.PatientRootGet, uid.StudyRootGet, uid.PatientRootMove, uid.StudyRootMove}
}

func (s *Server) mux(o Options) *dimse.Mux {
	interceptor := o.Interceptor
	if interceptor == nil {
		interceptor = dimse.Unguarded
	}

	m := dimse.NewMux(interceptor)
	m.HandleEcho(nil)
	m.HandleStore(s.store)
	m.HandleFind(s.find, queryClasses()...)
	m.HandleGet(s.retrieve, uid.PatientRootGet, uid.StudyRootGet)
	m.HandleMove(s.retrieve, uid.PatientRootMove, uid.StudyRootMove)
	if o.Mux != nil {
		o.Mux(m)
	}
	return m
}

// store keeps an instance in Archive; what Archive refuses has the status that an SCP
// gives.
func (s *Server) store(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	// What the data set is shows before it is kept (PS3.4 B.2.3).
	data := bufio.NewReaderSize(rq.Data, dicom.PeekSize)
	is := dicom.Peek(data, rq.TransferSyntax, tag.SOPClassUID, tag.SOPInstanceUID)
	if is[tag.SOPInstanceUID] != rq.SOPInstanceUID || is[tag.SOPClassUID] != rq.SOPClassUID {
		return dimse.DataSetDoesNotMatchSOPClass.With("the data set is of another instance")
	}

	_, err := s.Archive.Read(data, rq.TransferSyntax)
	switch {
	case errors.Is(err, memory.ErrFull):
		return dimse.OutOfResources.Because(err)
	case errors.Is(err, memory.ErrConflict):
		return dimse.DuplicateSOPInstance.Because(err)
	case err != nil:
		return dimse.CannotUnderstand.Because(err)
	}
	return dimse.Status{}
}

// find answers a query of any level; each match names this server as the one to
// retrieve from.
func (s *Server) find(_ context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
	level, ok := memory.ParseLevel(rq.Identifier.Text(tag.QueryRetrieveLevel))
	if !ok {
		return dimse.DataSetDoesNotMatchSOPClass.With("unknown query/retrieve level")
	}

	for _, ds := range s.Archive.Find(level, rq.Identifier, nil) {
		ds.Set(dicom.NewElement(tag.RetrieveAETitle, dicom.AE, []byte(s.AETitle)))
		if !yield(dimse.Match{Identifier: ds}) {
			break
		}
	}
	return dimse.Status{}
}

// retrieve plans a C-GET or C-MOVE. It refuses a request without a unique key, and a
// destination that it was not told.
func (s *Server) retrieve(_ context.Context, _ *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
	// A request that names nothing would mean everything.
	named := false
	for _, t := range []dicom.Tag{tag.PatientID, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID} {
		named = named || len(rq.Identifier.Values(t)) > 0
	}
	if !named {
		return nil, dimse.DataSetDoesNotMatchSOPClass.With("unique key missing")
	}

	plan := &dimse.RetrievePlan{}
	if rq.Operation == dimse.CMove {
		to, ok := s.destinations[rq.MoveDestination]
		if !ok {
			return nil, dimse.MoveDestinationUnknown.With("move destination unknown")
		}
		plan.Destination = to
	}

	var subs []dimse.SubOperation
	for _, i := range s.Archive.Select(rq.Identifier, nil) {
		subs = append(subs, subOperation(i))
	}
	plan.Count = len(subs)
	plan.SubOperations = slices.Values(subs)
	return plan, dimse.Status{}
}

// subOperation sends an instance in the first of its transfer syntaxes that the
// receiver accepted.
func subOperation(i *memory.Instance) dimse.SubOperation {
	return dimse.SubOperation{
		SOPClassUID:      i.SOPClassUID,
		SOPInstanceUID:   i.SOPInstanceUID,
		Ref:              i,
		TransferSyntaxes: i.TransferSyntaxes(),
		Open: func(_ context.Context, accepted []string) (io.ReadCloser, string, error) {
			for _, ts := range i.TransferSyntaxes() {
				if !slices.Contains(accepted, ts) {
					continue
				}
				b, err := i.Encode(ts)
				if err != nil {
					return nil, "", err
				}
				return io.NopCloser(bytes.NewReader(b)), ts, nil
			}
			return nil, "", errors.New("dimsetest: the receiver takes none of the transfer syntaxes of the instance")
		},
	}
}
