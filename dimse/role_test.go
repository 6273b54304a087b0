package dimse_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

func TestEventReportOnANewAssociationNeedsTheRoleOfSCP(t *testing.T) {
	t.Parallel()
	const push = uid.StorageCommitmentPushModel
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleN(dimse.NEventReport, func(context.Context, *dimse.Association, *dimse.NRequest) dimse.NResponse {
		return dimse.NResponse{}
	}, push)
	addr := serve(t, &dimse.Server{Admit: admitAll, Mux: mux})
	ds := dicom.NewDataSet()
	ds.SetText(tag.TransactionUID, "1.2.9")
	rq := dimse.NRequest{SOPClassUID: push, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: ds}

	if _, err := dial(t, addr, config(push)).EventReport(context.Background(), rq); !errors.Is(err, dimse.ErrNoContext) {
		t.Errorf("in the default role: %v", err)
	}
	cfg := config(push)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: push, SCP: true}}
	a := dial(t, addr, cfg)
	if _, err := a.EventReport(context.Background(), rq); err != nil {
		t.Error(err)
	}
	if _, err := a.NAction(context.Background(), rq); !errors.Is(err, dimse.ErrNoContext) {
		t.Errorf("N-ACTION without the role of SCU: %v", err)
	}
}

func TestRequestAgainstTheNegotiatedRoleIsRefused(t *testing.T) {
	t.Parallel()
	refused := make(chan error, 1)
	s := echoServer()
	s.OnAssociation = func(a *dimse.Association) func() {
		go func() { // the acceptor has no role of SCU
			_, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2", TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(nil)})
			refused <- err
		}()
		return nil
	}
	addr := serve(t, s)
	dial(t, addr, config(ct))
	if err := <-refused; !errors.Is(err, dimse.ErrNoContext) {
		t.Errorf("acceptor stored to the requestor: %v", err)
	}
}

func TestAcceptanceThatIsNotTrueRejects(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*dimse.Acceptance){
		"context not proposed": func(a *dimse.Acceptance) {
			a.Contexts = append(a.Contexts, ul.AcceptedContext{ID: 99, TransferSyntax: "1.2"})
		},
		"transfer syntax not proposed": func(a *dimse.Acceptance) { a.Contexts[0].TransferSyntax = uid.RLELossless },
		"role not asked for":           func(a *dimse.Acceptance) { a.Roles = []ul.RoleSelection{{SOPClassUID: ct, SCP: true}} },
		"extension not asked for":      func(a *dimse.Acceptance) { a.Extended = []ul.ExtendedNegotiation{{SOPClassUID: ct, Info: []byte{1}}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, &dimse.Server{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
				acc := dimse.Negotiate(rq, everything())
				change(&acc)
				return acc, nil
			}})
			var reject *dimse.RejectError
			if _, err := dimse.Dial(context.Background(), addr, config(ct)); !errors.As(err, &reject) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNegotiateAnswersEveryContext(t *testing.T) {
	t.Parallel()
	rq := &dimse.AssociateRequest{
		Contexts: []ul.ProposedContext{
			{ID: 1, AbstractSyntax: ct, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian}},
			{ID: 3, AbstractSyntax: ct, TransferSyntaxes: []string{uid.RLELossless}},
			{ID: 5, AbstractSyntax: "1.2.3", TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}},
		},
		Roles:       []ul.RoleSelection{{SOPClassUID: ct, SCU: true, SCP: true}},
		AsyncWindow: &ul.AsyncWindow{Invoked: 0, Performed: 0},
		Extended: []ul.ExtendedNegotiation{
			{SOPClassUID: ct, Info: []byte{2, 0, 3, 0, 0, 0}},
			{SOPClassUID: studyFind, Info: []byte{1, 1, 1, 1, 1}},
			{SOPClassUID: studyMove, Info: []byte{1, 1}},
			{SOPClassUID: "1.2.3", Info: []byte{1, 1}},
		},
	}
	support := dimse.Support{
		TransferSyntaxes: func(as string) []string {
			if as == ct {
				return []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}
			}
			return nil
		},
		Roles:  func(string) (bool, bool) { return false, true },
		Window: 3,
		Query: func(string) dimse.QueryOptions {
			return dimse.QueryOptions{DateTimeMatching: true, TimezoneAdjustment: true}
		},
		Storage: func(sopClass string) (dimse.StorageOptions, bool) {
			return dimse.StorageOptions{Level: 2}, sopClass == ct
		},
	}
	acc := dimse.Negotiate(rq, support)
	want := []ul.AcceptedContext{{ID: 1, TransferSyntax: uid.ExplicitVRLittleEndian}, {ID: 3, Result: ul.TransferSyntaxesNotSupported}, {ID: 5, Result: ul.AbstractSyntaxNotSupported}}
	for i, pc := range acc.Contexts {
		if pc != want[i] {
			t.Errorf("context %d: %+v", pc.ID, pc)
		}
	}
	if acc.Roles[0] != (ul.RoleSelection{SOPClassUID: ct, SCP: true}) || *acc.AsyncWindow != (ul.AsyncWindow{Invoked: 3, Performed: 1}) {
		t.Errorf("%+v %+v", acc.Roles, acc.AsyncWindow)
	}

	// What each service class means by its bytes differs: date and time matching of a
	// query is conversion in a retrieval, which is not done.
	answers := []ul.ExtendedNegotiation{
		{SOPClassUID: ct, Info: []byte{2, 0, 0, 0, 0, 0}}, {SOPClassUID: studyFind, Info: []byte{0, 1, 0, 1, 0}}, {SOPClassUID: studyMove, Info: []byte{0, 0}},
	}
	if !reflect.DeepEqual(acc.Extended, answers) {
		t.Errorf("extended negotiation answered %v", acc.Extended)
	}
	support.RequestorOrder = true
	if acc = dimse.Negotiate(rq, support); acc.Contexts[0].TransferSyntax != uid.ImplicitVRLittleEndian {
		t.Error("the requestor's order was not kept")
	}
}

// TestNativeSyntaxIsTakenWhereObjectsAreToBeSent: the requestor of a C-GET is SCP of
// storage by role selection.
func TestNativeSyntaxIsTakenWhereObjectsAreToBeSent(t *testing.T) {
	t.Parallel()
	all := []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.JPEG2000}
	support := dimse.Support{
		TransferSyntaxes: func(string) []string { return all }, RequestorOrder: true,
		Roles:   func(string) (bool, bool) { return true, true },
		Sending: func(string) []string { return all[:2] },
	}
	rq := &dimse.AssociateRequest{
		Contexts: []ul.ProposedContext{
			{ID: 1, AbstractSyntax: ct, TransferSyntaxes: []string{uid.JPEG2000, uid.ImplicitVRLittleEndian}},
			{ID: 3, AbstractSyntax: ct, TransferSyntaxes: []string{uid.JPEG2000}},
			{ID: 5, AbstractSyntax: mr, TransferSyntaxes: []string{uid.JPEG2000, uid.ImplicitVRLittleEndian}},
			{ID: 7, AbstractSyntax: "", TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}},
		},
		Roles: []ul.RoleSelection{{SOPClassUID: ct, SCP: true}},
	}
	var got []string
	for _, pc := range dimse.Negotiate(rq, support).Contexts {
		got = append(got, pc.TransferSyntax)
	}
	if want := []string{uid.ImplicitVRLittleEndian, uid.JPEG2000, uid.JPEG2000, ""}; !slices.Equal(got, want) {
		t.Errorf("accepted %v", got)
	}
}

// What is not converted has the first claim to a context that native objects do not need.
func TestObjectsThatAreNotConvertedHaveAContextWhereOneIsLeft(t *testing.T) {
	t.Parallel()
	all := []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.RLELossless, uid.JPEG2000, uid.JPEGLosslessSV1}
	support := dimse.Support{
		TransferSyntaxes: func(string) []string { return all }, RequestorOrder: true,
		Roles:       func(string) (bool, bool) { return true, true },
		Sending:     func(string) []string { return all[:2] },
		Convertible: func(ts string) bool { return ts == uid.RLELossless },
	}
	for name, c := range map[string]struct{ proposed, want [][]string }{
		"native and compressed": {[][]string{all[:2], {all[2], all[4], all[3]}}, [][]string{all[:1], {all[4]}}},
		"the same twice":        {[][]string{all, all}, [][]string{all[:1], {all[3]}}},
		"three times":           {[][]string{all, all, all}, [][]string{all[:1], {all[3]}, {all[4]}}},
		"little choice last":    {[][]string{{all[3], all[0]}, {all[0]}}, [][]string{{all[3]}, all[:1]}},
		"compressed alone":      {[][]string{{all[3]}, {all[3], all[1]}}, [][]string{{all[3]}, {all[1]}}},
		"native alone":          {[][]string{all[:2], all[:2]}, [][]string{all[:1], all[1:2]}},
		"one context":           {[][]string{all}, [][]string{all[:1]}},
	} {
		rq := &dimse.AssociateRequest{Roles: []ul.RoleSelection{{SOPClassUID: ct, SCP: true}}}
		for i, ts := range c.proposed {
			rq.Contexts = append(rq.Contexts, ul.ProposedContext{ID: uint8(2*i + 1), AbstractSyntax: ct, TransferSyntaxes: ts})
		}
		for i, pc := range dimse.Negotiate(rq, support).Contexts {
			if pc.ID != uint8(2*i+1) || pc.Result != ul.Acceptance || pc.TransferSyntax != c.want[i][0] {
				t.Errorf("%s: context %d: %+v, want %s", name, i+1, pc, c.want[i][0])
			}
		}
	}
}

// A store whose source cannot be read from the start sends nothing and leaves the
// association usable; one that ends in the middle aborts it.
func TestUnreadableSource(t *testing.T) {
	t.Parallel()
	a := dial(t, serve(t, echoServer()), config(ct, uid.Verification))
	broken := errors.New("disk error")
	store := func(r io.Reader) error {
		_, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2", TransferSyntax: uid.ExplicitVRLittleEndian, Data: r})
		return err
	}
	if err := store(failing{broken}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := a.Echo(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := store(io.MultiReader(io.LimitReader(zeros{}, 1<<20), failing{broken})); !errors.Is(err, broken) {
		t.Error(err)
	}
	<-a.Done()
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestMoveToADestinationThatIsNotThereFailsEverySubOperation(t *testing.T) {
	t.Parallel()
	subs := subOperations([]string{"1.2.1", "1.2.2"}, nil)
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleMove(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		return &dimse.RetrievePlan{Count: 5, SubOperations: slices.Values(subs),
			Destination: dimse.Dialer{Address: "127.0.0.1:1", Config: dimse.Config{CallingAETitle: "A", CalledAETitle: "B"}}}, dimse.Status{}
	})
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(studyMove))
	res, err := a.Move(context.Background(), dimse.MoveRequest{SOPClassUID: studyMove, Identifier: studyQuery(), MoveDestination: "X"})
	var status *dimse.StatusError
	if !errors.As(err, &status) || status.Status.Code != dimse.UnableToPerformSubOperations || res.SubOperations.Failed != 5 || len(res.FailedSOPInstanceUIDs) != 2 || !res.Counted {
		t.Errorf("%v %+v", err, res)
	}
}
