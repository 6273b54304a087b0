package gate

import (
	"context"
	"fmt"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

const (
	commitment1 = uid.StorageCommitmentPushModel
	mpps        = uid.ModalityPerformedProcedureStep
)

// request is what a device asks to be committed, or reports.
func request(t testing.TB, transaction string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.TransactionUID, transaction); err != nil {
		t.Fatal(err)
	}
	item := dicom.NewDataSet()
	for k, v := range map[tag.Tag]string{tag.ReferencedSOPClassUID: ct, tag.ReferencedSOPInstanceUID: "1.2.3.1"} {
		if err := item.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	ds.SetItems(tag.ReferencedSOPSequence, item)
	return ds
}

// reports is a device that takes reports of commitment, on associations it asks for
// and on those it is asked for.
type reports struct {
	address string
	mux     *dimse.Mux
	came    chan string // transactions
}

func newReports(t *testing.T) *reports {
	t.Helper()
	r := &reports{mux: dimse.NewMux(dimse.Unguarded), came: make(chan string, 10)}
	r.mux.HandleN(dimse.NEventReport, func(_ context.Context, _ *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		r.came <- rq.DataSet.Text(tag.TransactionUID)
		return dimse.NResponse{}
	})
	s := dimsetest.NewServer(dimsetest.Options{AETitle: "CT1", Mux: func(m *dimse.Mux) {
		m.HandleN(dimse.NEventReport, func(_ context.Context, _ *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
			r.came <- "own association: " + rq.DataSet.Text(tag.TransactionUID)
			return dimse.NResponse{}
		})
	}, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, everything()), nil
	}})
	t.Cleanup(s.Close)
	r.address = s.Address
	return r
}

func (r *reports) next(t *testing.T) string {
	t.Helper()
	select {
	case transaction := <-r.came:
		return transaction
	case <-time.After(10 * time.Second):
		t.Fatal("no report came")
		return ""
	}
}

// committing is a site with CT1, whose PACS does with a request for commitment what then says.
func committing(t *testing.T, then func(s *site, a *dimse.Association, rq *dimse.NRequest)) (*site, *reports, *dimse.Association) {
	t.Helper()
	var s *site
	s = newSite(t, "", dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleN(dimse.NAction, func(_ context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
			rq.After = func(context.Context) { then(s, a, rq) }
			return dimse.NResponse{}
		}, commitment1)
	}})
	r := newReports(t)
	err := s.Registry.Put(t.Context(), identity.Device{
		AETitle: "CT1", Address: "127.0.0.1", Verbs: policy.Verbs(), PlaintextUntil: s.Clock.Now().Add(time.Hour), Listen: r.address,
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := dimse.Dial(t.Context(), s.address, dimse.Config{
		CallingAETitle: "CT1", CalledAETitle: "PACS", Contexts: dimse.Propose([]string{commitment1}, []string{native}, false), Mux: r.mux,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Abort)
	return s, r, a
}

func ask(t *testing.T, a *dimse.Association, transaction string) {
	t.Helper()
	_, err := a.NAction(t.Context(), dimse.NRequest{
		SOPClassUID: commitment1, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: request(t, transaction),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// answer reports a transaction on an association.
func answer(ctx context.Context, a *dimse.Association, transaction string, ds *dicom.DataSet) error {
	_, err := a.EventReport(ctx, dimse.NRequest{
		SOPClassUID: commitment1, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: ds,
	})
	return err
}

func TestACommitmentIsReportedOnTheAssociationOnWhichItWasAsked(t *testing.T) {
	t.Parallel()
	answered := make(chan error, 1)
	_, r, a := committing(t, func(_ *site, back *dimse.Association, rq *dimse.NRequest) {
		answered <- answer(context.Background(), back, "", rq.DataSet)
	})
	ask(t, a, "1.2.77")
	if got := r.next(t); got != "1.2.77" {
		t.Errorf("report of %s", got)
	}
	if err := <-answered; err != nil {
		t.Errorf("the PACS was told: %v", err)
	}
}

// report is the system behind reporting on an association of its own.
func report(t *testing.T, s *site, called string, ds *dicom.DataSet) error {
	t.Helper()
	a, err := dimse.Dial(t.Context(), s.address, dimse.Config{
		CallingAETitle: "OLDPACS", CalledAETitle: called,
		Contexts: dimse.Propose([]string{commitment1}, []string{native}, false),
		Roles:    []ul.RoleSelection{{SOPClassUID: commitment1, SCP: true}},
	})
	if err != nil {
		return err
	}
	defer a.Abort()
	return answer(t.Context(), a, "", ds)
}

func TestACommitmentIsReportedLaterOnAssociationsOfTheirOwn(t *testing.T) {
	t.Parallel()
	s, r, a := committing(t, func(*site, *dimse.Association, *dimse.NRequest) {})
	ask(t, a, "1.2.78")
	if err := a.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := report(t, s, "CT1", request(t, "1.2.78")); err != nil {
		t.Fatal(err)
	}
	if got := r.next(t); got != "own association: 1.2.78" {
		t.Errorf("report of %s", got)
	}
	if err := report(t, s, "CT1", request(t, "1.2.78")); err == nil {
		t.Error("a second report of one transaction is taken")
	}
}

func TestAForgedReportReachesNoDevice(t *testing.T) {
	t.Parallel()
	s, r, a := committing(t, func(*site, *dimse.Association, *dimse.NRequest) {})
	ask(t, a, "1.2.79")
	if err := report(t, s, "CT1", request(t, "1.2.80")); err == nil {
		t.Error("a report nobody asked for is taken")
	}
	if got := statusIn(dimse.Status{}, answer(t.Context(), a, "", request(t, "1.2.79"))); got.Code == dimse.Success {
		t.Error("a device reports to itself")
	}
	select {
	case got := <-r.came:
		t.Errorf("report of %s", got)
	default:
	}
}

func TestNobodyTakesTheReportOfAnother(t *testing.T) {
	t.Parallel()
	s, _, a := committing(t, func(*site, *dimse.Association, *dimse.NRequest) {})
	ask(t, a, "1.2.81")
	s.device("CT2", policy.Commit)
	_, err := s.mustDial("CT2", commitment1).NAction(t.Context(), dimse.NRequest{
		SOPClassUID: commitment1, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: request(t, "1.2.81"),
	})
	if statusIn(dimse.Status{}, err).Code.Class() != dimse.ClassFailure {
		t.Errorf("the transaction of another is taken: %v", err)
	}
}

func TestWorklistAndPerformedStepsGoThroughWhereARuleSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t, `      - {name: modalities, who: [CT1], allow: [worklist, performed]}
      - {name: others, who: [WS1], allow: [query]}
`, dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleFind(func(_ context.Context, _ *dimse.Association, _ *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
			ds := dicom.NewDataSet()
			_ = ds.SetText(tag.PatientID, "ZZPHI-5")
			yield(dimse.Match{Identifier: ds})
			return dimse.Status{}
		}, uid.ModalityWorklistFind)
		step := func(_ context.Context, _ *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
			return dimse.NResponse{SOPInstanceUID: rq.SOPInstanceUID}
		}
		m.HandleN(dimse.NCreate, step, mpps)
		m.HandleN(dimse.NSet, step, mpps)
	}})
	s.device("CT1")
	s.device("WS1", policy.Verbs()...)
	if _, err := s.dial("WS1", uid.ModalityWorklistFind, mpps); err == nil {
		t.Error("a device without the rule has contexts")
	}

	a := s.mustDial("CT1", uid.ModalityWorklistFind, mpps)
	keys := query(t, "", map[tag.Tag]string{tag.PatientID: ""})
	keys.Delete(tag.QueryRetrieveLevel)
	n := 0
	for m, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.ModalityWorklistFind, Identifier: keys}) {
		if err != nil || m.Identifier.Text(tag.PatientID) != "ZZPHI-5" {
			t.Errorf("%v", err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d entries", n)
	}

	ds := dicom.NewDataSet()
	for k, v := range map[tag.Tag]string{tag.PatientID: "ZZPHI-5", tag.PerformedProcedureStepStatus: "IN PROGRESS"} {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, op := range []dimse.Operation{dimse.NCreate, dimse.NSet} {
		if _, err := a.N(t.Context(), dimse.NRequest{Operation: op, SOPClassUID: mpps, SOPInstanceUID: "1.2.99", DataSet: ds}); err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}

	var got []string
	for _, r := range s.Records(t) {
		if r.Event == audit.ProcedureStep || r.Event == audit.Query {
			got = append(got, fmt.Sprintf("%s %s %s", r.Event, r.Action, r.Objects[0].Patient))
		}
	}
	if want := "[query E  procedure-step C ZZPHI-5 procedure-step U ZZPHI-5]"; fmt.Sprint(got) != want {
		t.Errorf("recorded %v, want %s", got, want)
	}
}

func TestAssociationsThatEndedAreNotKeptForTheirReports(t *testing.T) {
	t.Parallel()
	s, _, a := committing(t, func(*site, *dimse.Association, *dimse.NRequest) {})
	fronts := &s.gate.commitments.fronts
	for i := range 20 {
		ask(t, a, fmt.Sprint("1.2.90.", i))
	}
	if n := fronts.Len(); n != 20 {
		t.Errorf("%d are kept while it is open", n)
	}
	if err := a.Release(t.Context()); err != nil {
		t.Fatal(err)
	}

	const kept = 1000
	s.device("CT2", policy.Commit)
	b := s.mustDial("CT2", commitment1)
	for i := range 2 * kept {
		fronts.Asked("PACS", fmt.Sprint("1.3.", i), a, &dimse.NRequest{})
	}
	ask(t, b, "1.2.91")
	if n := fronts.Len(); n > kept {
		t.Errorf("%d are kept of associations that ended", n)
	}
}
