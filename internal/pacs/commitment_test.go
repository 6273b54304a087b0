package pacs

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/db"
	"collimator/internal/house/housetest"
	"collimator/internal/synth"
)

// reference is a SOP Class and a SOP Instance.
type reference struct{ class, instance string }

// request is the action information of a commitment request.
func request(t *testing.T, transaction string, refs ...reference) *dicom.DataSet {
	t.Helper()
	ds := keys(t, map[dicom.Tag]string{tag.TransactionUID: transaction})
	var items []*dicom.DataSet
	for _, r := range refs {
		items = append(items, keys(t, map[dicom.Tag]string{tag.ReferencedSOPClassUID: r.class, tag.ReferencedSOPInstanceUID: r.instance}))
	}
	ds.SetItems(tag.ReferencedSOPSequence, items...)
	return ds
}

func referenceTo(f *dicom.File) reference {
	return reference{f.DataSet.Text(tag.SOPClassUID), f.DataSet.Text(tag.SOPInstanceUID)}
}

func TestCommitmentIsJudgedForEachInstance(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	files := n.fill(synth.CT, small())
	held := referenceTo(files[0])
	const transaction = "2.25.99"
	for name, tc := range map[string]struct {
		ds     *dicom.DataSet
		status dimse.StatusCode
		event  uint16
		done   int
		failed map[string]int64 // reasons by instance
	}{
		"all there":          {request(t, transaction, held, referenceTo(files[1])), dimse.Success, commitmentDone, 2, nil},
		"one unknown":        {request(t, transaction, held, reference{uid.CTImageStorage, "1.2.3"}), dimse.Success, commitmentFailures, 1, map[string]int64{"1.2.3": 0x0112}},
		"another class":      {request(t, transaction, reference{uid.MRImageStorage, held.instance}), dimse.Success, commitmentFailures, 0, map[string]int64{held.instance: 0x0119}},
		"no data set":        {nil, dimse.InvalidArgumentValue, 0, 0, nil},
		"no transaction":     {request(t, "", held), dimse.InvalidArgumentValue, 0, 0, nil},
		"wrong transaction":  {request(t, "../x", held), dimse.InvalidArgumentValue, 0, 0, nil},
		"no instances":       {request(t, transaction), dimse.InvalidArgumentValue, 0, 0, nil},
		"malformed instance": {request(t, transaction, held, reference{uid.CTImageStorage, ".."}), dimse.InvalidArgumentValue, 0, 0, nil},
		"class missing":      {request(t, transaction, reference{"", held.instance}), dimse.InvalidArgumentValue, 0, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			report, event, st := n.judge(t.Context(), tc.ds)
			if st.Code != tc.status || event != tc.event {
				t.Fatalf("status %s, event %d", st.Code, event)
			}
			if report == nil {
				return
			}
			if report.Text(tag.TransactionUID) != transaction || report.Text(tag.RetrieveAETitle) != ownTitle {
				t.Error("transaction or title are missing")
			}
			failed := map[string]int64{}
			for _, it := range report.Items(tag.FailedSOPSequence) {
				failed[it.Text(tag.ReferencedSOPInstanceUID)], _ = it.Int(tag.FailureReason)
			}
			if got := len(report.Items(tag.ReferencedSOPSequence)); got != tc.done || len(failed) != len(tc.failed) {
				t.Errorf("%d done, failed %v", got, failed)
			}
			for instance, reason := range tc.failed {
				if failed[instance] != reason {
					t.Errorf("reason %04X, want %04X", failed[instance], reason)
				}
			}
		})
	}
}

func TestFailureReasons(t *testing.T) {
	t.Parallel()
	for c, want := range map[archive.Commitment]int64{archive.NoSuchInstance: 0x0112, archive.ClassConflict: 0x0119, archive.Commitment(99): 0x0110} {
		if got := failureReason(c); got != want {
			t.Errorf("%v: %04X", c, got)
		}
	}
}

// reports collects N-EVENT-REPORTs.
type reports struct {
	mu   sync.Mutex
	down bool // answer with a failure
	rude bool // abort instead of waiting for the release
	all  []*dicom.DataSet
	came chan uint16
}

func newReports() *reports { return &reports{came: make(chan uint16, 16)} }

func (r *reports) mux() *dimse.Mux {
	m := dimse.NewMux(dimse.Unguarded)
	m.HandleN(dimse.NEventReport, func(_ context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.down {
			return dimse.NResponse{Status: dimse.ProcessingFailure.With("not now")}
		}
		if r.rude {
			rq.After = func(context.Context) { a.Abort() }
		}
		r.all = append(r.all, rq.DataSet)
		r.came <- rq.TypeID
		return dimse.NResponse{}
	}, uid.StorageCommitmentPushModel)
	return m
}

func (r *reports) setDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

func (r *reports) next(t *testing.T) (uint16, *dicom.DataSet) {
	t.Helper()
	select {
	case event := <-r.came:
		r.mu.Lock()
		defer r.mu.Unlock()
		return event, r.all[len(r.all)-1]
	case <-time.After(10 * time.Second):
		t.Fatal("no report came")
		return 0, nil
	}
}

// queued is the reports that are still to be delivered.
func (n *node) queued() (attempts []int, next []time.Duration) {
	n.Helper()
	err := n.DB.Read(n.Context(), func(tx *db.Tx) error {
		rows, err := tx.Query(n.Context(), `SELECT attempts, next FROM commitment_report ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a int
			var at int64
			if err := rows.Scan(&a, &at); err != nil {
				return err
			}
			attempts, next = append(attempts, a), append(next, time.UnixMilli(at).Sub(n.clock.Now()))
		}
		return rows.Err()
	})
	if err != nil {
		n.Fatal(err)
	}
	return attempts, next
}

// empty waits until nothing is queued.
func (n *node) empty() {
	n.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if attempts, _ := n.queued(); len(attempts) == 0 {
			return
		}
	}
	n.Error("a report that was delivered is still queued")
}

func ask(t *testing.T, a *dimse.Association, ds *dicom.DataSet) error {
	_, err := a.NAction(t.Context(), dimse.NRequest{SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: requestCommitment, DataSet: ds})
	return err
}

func TestReportComesOnTheSameAssociation(t *testing.T) {
	t.Parallel()
	n, got := newNode(t, nil), newReports()
	files := n.fill(synth.CT, small())
	a := n.dial(func(c *dimse.Config) { c.Mux = got.mux() }, uid.StorageCommitmentPushModel)
	if err := ask(t, a, request(t, "2.25.1", referenceTo(files[0]))); err != nil {
		t.Fatal(err)
	}
	if event, ds := got.next(t); event != commitmentDone || ds.Text(tag.TransactionUID) != "2.25.1" || len(ds.Items(tag.ReferencedSOPSequence)) != 1 {
		t.Errorf("event %d", event)
	}
	n.empty()
	if err := ask(t, a, request(t, "2.25.2", reference{uid.CTImageStorage, "1.2.3"})); err != nil {
		t.Fatal(err)
	}
	if event, ds := got.next(t); event != commitmentFailures || len(ds.Items(tag.FailedSOPSequence)) != 1 || ds.Has(tag.ReferencedSOPSequence) {
		t.Errorf("event %d", event)
	}
	n.empty()
}

func TestRequestsThatAreNoCommitmentAreRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	a := n.dial(nil, uid.StorageCommitmentPushModel)
	for name, tc := range map[string]struct {
		rq   dimse.NRequest
		want dimse.StatusCode
	}{
		"another instance": {dimse.NRequest{SOPInstanceUID: "1.2.3", TypeID: 1}, dimse.NoSuchSOPInstance},
		"another action":   {dimse.NRequest{SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 2}, dimse.NoSuchActionType},
		"no data set":      {dimse.NRequest{SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1}, dimse.InvalidArgumentValue},
	} {
		tc.rq.SOPClassUID = uid.StorageCommitmentPushModel
		if _, err := a.NAction(t.Context(), tc.rq); statusOf(err) != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
	if attempts, _ := n.queued(); len(attempts) != 0 {
		t.Errorf("%d reports are queued", len(attempts))
	}
}

// receiver is a device that takes reports on associations of ours. It accepts
// them only where the requestor asks for the role of SCP (PS3.4 J.3.3).
func (n *node) receiver(got *reports) (roles chan []ul.RoleSelection) {
	n.Helper()
	roles = make(chan []ul.RoleSelection, 16)
	support := dimse.Support{
		TransferSyntaxes: func(string) []string { return []string{uid.ImplicitVRLittleEndian} },
		Roles:            func(string) (scu, scp bool) { return false, true },
	}
	address := housetest.Listen(n.T, &dimse.Server{Mux: got.mux(), Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		roles <- rq.Roles
		return dimse.Negotiate(rq, support), nil
	}})
	n.to.put(callerTitle, dimse.Dialer{Address: address, Config: dimse.Config{CallingAETitle: ownTitle, CalledAETitle: callerTitle}})
	return roles
}

func TestReportComesOnAnAssociationOfOurs(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(t *testing.T, a *dimse.Association){
		"the device released": func(t *testing.T, a *dimse.Association) {
			if err := a.Release(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"the device aborted":         func(_ *testing.T, a *dimse.Association) { a.Abort() },
		"the device takes none here": func(*testing.T, *dimse.Association) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, got := newNode(t, nil), newReports()
			files := n.fill(synth.CT, small())
			roles := n.receiver(got)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { n.Deliver(ctx) })
			defer wg.Wait()
			defer cancel()
			a := n.dial(nil, uid.StorageCommitmentPushModel) // no Mux: refuses reports
			if err := ask(t, a, request(t, "2.25.1", referenceTo(files[0]))); err != nil {
				t.Fatal(err)
			}
			leave(t, a)
			if event, ds := got.next(t); event != commitmentDone || ds.Text(tag.TransactionUID) != "2.25.1" {
				t.Errorf("event %d", event)
			}
			if r := <-roles; len(r) != 1 || r[0].SOPClassUID != uid.StorageCommitmentPushModel || !r[0].SCP || r[0].SCU {
				t.Errorf("asked for the roles %+v", r)
			}
			n.empty()
		})
	}
}

func TestReportIsRepeatedUntilItIsTaken(t *testing.T) {
	t.Parallel()
	n, got := newNode(t, nil), newReports()
	id, err := n.queue(t.Context(), callerTitle, request(t, "2.25.1", reference{uid.CTImageStorage, "1.2.3"}), commitmentDone)
	if err != nil {
		t.Fatal(err)
	}
	deliver := func() {
		t.Helper()
		if _, err := n.deliverDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	deliver() // the association of the request has its chance first
	if attempts, next := n.queued(); attempts[0] != 0 || next[0] != 2*reportWait {
		t.Fatalf("attempts %v, next in %v", attempts, next)
	}
	n.release(t.Context(), id)
	for i, tc := range []struct {
		prepare func()
		wait    time.Duration
	}{
		{func() {}, time.Minute}, // the device is not in the register
		{func() { n.to.put(callerTitle, broken{}) }, 2 * time.Minute},
		{func() { got.setDown(true); n.receiver(got) }, 4 * time.Minute},
	} {
		tc.prepare()
		deliver()
		if attempts, next := n.queued(); len(attempts) != 1 || attempts[0] != i+1 || next[0] != tc.wait {
			t.Fatalf("attempt %d: attempts %v, next in %v", i, attempts, next)
		}
		deliver() // not due yet
		if attempts, _ := n.queued(); attempts[0] != i+1 {
			t.Fatal("repeated before its time")
		}
		n.clock.Advance(tc.wait)
	}
	got.setDown(false)
	deliver()
	if event, ds := got.next(t); event != commitmentDone || ds.Text(tag.TransactionUID) != "2.25.1" {
		t.Errorf("event %d", event)
	}
	n.empty()
}

func TestReportThatWasTakenIsNotRepeated(t *testing.T) {
	t.Parallel()
	n, got := newNode(t, nil), newReports()
	got.rude = true
	n.receiver(got)
	id, err := n.queue(t.Context(), callerTitle, request(t, "2.25.1", reference{uid.CTImageStorage, "1.2.3"}), commitmentDone)
	if err != nil {
		t.Fatal(err)
	}
	n.release(t.Context(), id)
	if _, err := n.deliverDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	got.next(t)
	if attempts, _ := n.queued(); len(attempts) != 0 {
		t.Error("the device took the report and closed; it would get the report again")
	}
}

func TestReportIsGivenUpInTheEnd(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	n.to.put(callerTitle, broken{})
	if _, err := n.queue(t.Context(), callerTitle, request(t, "2.25.1"), commitmentDone); err != nil {
		t.Fatal(err)
	}
	began := n.clock.Now()
	for range deliverAttempts {
		n.clock.Advance(deliverMost)
		if _, err := n.deliverDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if attempts, _ := n.queued(); len(attempts) != 0 {
		t.Errorf("still queued after %v: %v", n.clock.Now().Sub(began), attempts)
	}
}

func TestADeviceThatIsNotThereHoldsUpTheOthersOnce(t *testing.T) {
	t.Parallel()
	n, got := newNode(t, nil), newReports()
	n.receiver(got)
	dials := &countingBroken{}
	n.to.put("GONE", dials)
	for range 20 {
		if _, err := n.queue(t.Context(), "GONE", request(t, "2.25.1"), commitmentDone); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.queue(t.Context(), callerTitle, request(t, "2.25.2", reference{uid.CTImageStorage, "1.2.3"}), commitmentDone); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(2 * reportWait)
	if _, err := n.deliverDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	got.next(t)
	if dials.n != 1 {
		t.Errorf("%d associations were tried in one round", dials.n)
	}
	if attempts, _ := n.queued(); len(attempts) != 20 {
		t.Errorf("%d are queued, want those 20", len(attempts))
	}
}

// countingBroken is a destination nobody answers at.
type countingBroken struct{ n int }

func (b *countingBroken) Dial(context.Context, []ul.ProposedContext) (*dimse.Association, error) {
	b.n++
	return nil, errors.New("no route")
}

func TestReportsThatWaitForOneDeviceAreBounded(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	files := n.fill(synth.CT, small())
	fill := func(title string) {
		err := n.DB.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO commitment_report (ae_title, report, event_type, created, attempts, next) VALUES (?1, ZEROBLOB(?2), 1, 0, 0, ?3)`,
				title, waitingBytes, n.clock.Now().Add(time.Hour).UnixMilli())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	a := n.dial(func(c *dimse.Config) { c.Mux = newReports().mux() }, uid.StorageCommitmentPushModel)
	fill("OTHER")
	if err := ask(t, a, request(t, "2.25.1", referenceTo(files[0]))); err != nil {
		t.Errorf("what waits for another device counts: %v", err)
	}
	fill(callerTitle)
	if err := ask(t, a, request(t, "2.25.2", referenceTo(files[0]))); statusOf(err) != dimse.ResourceLimitation {
		t.Errorf("got %v", err)
	}
}

func TestDeliveryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	n.to.put(callerTitle, broken{})
	id, err := n.queue(t.Context(), callerTitle, request(t, "2.25.1"), commitmentDone)
	if err != nil {
		t.Fatal(err)
	}
	n.release(t.Context(), id)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n.Deliver(ctx) // returns
	if _, err := n.deliverDue(ctx); err == nil || errors.Is(err, dimse.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if attempts, _ := n.queued(); len(attempts) != 1 || attempts[0] != 0 {
		t.Errorf("an attempt that was cut off counts: %v", attempts)
	}
}
