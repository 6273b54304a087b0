package gate

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/gate/outbound"
	"collimator/internal/house/housetest"
	"collimator/internal/outbox"
	"collimator/internal/tlsprofile"
)

const worklist = uid.ModalityWorklistFind

// asks is a request for storage commitment of one instance.
func asks(t *testing.T, a *dimse.Association, transaction, instance string) {
	t.Helper()
	ds, item := dicom.NewDataSet(), dicom.NewDataSet()
	for _, err := range []error{
		ds.SetText(tag.TransactionUID, transaction),
		item.SetText(tag.ReferencedSOPClassUID, ct), item.SetText(tag.ReferencedSOPInstanceUID, instance),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ds.SetItems(tag.ReferencedSOPSequence, item)
	if _, err := a.NAction(t.Context(), dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: ds,
	}); err != nil {
		t.Fatal(err)
	}
}

// reportsAt listens where a modality takes reports; each goes to take.
func reportsAt(t *testing.T, take func(ctx context.Context, title string, rq *dimse.NRequest)) string {
	t.Helper()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleN(dimse.NEventReport, func(ctx context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		take(ctx, a.CallingAETitle()+">"+a.CalledAETitle(), rq)
		return dimse.NResponse{}
	}, uid.StorageCommitmentPushModel)
	return housetest.Listen(t, &dimse.Server{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		acc := dimse.Negotiate(rq, everything())
		acc.Mux = mux
		return acc, nil
	}})
}

// leaves answers no report on the association on which it asked: the report may be there before the
// modality has gone.
func leaves() *dimse.Mux {
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleN(dimse.NEventReport, func(_ context.Context, a *dimse.Association, _ *dimse.NRequest) dimse.NResponse {
		a.Abort()
		return dimse.NResponse{}
	}, uid.StorageCommitmentPushModel)
	return mux
}

func TestAReportReachesTheModalitysOwnPortAndAHangingModalityHoldsUpNoOther(t *testing.T) {
	hung := make(chan struct{})
	hangs := reportsAt(t, func(ctx context.Context, _ string, _ *dimse.NRequest) {
		select {
		case hung <- struct{}{}:
		case <-ctx.Done():
		}
		<-ctx.Done()
	})
	reports := make(chan string, 1)
	own := reportsAt(t, func(_ context.Context, titles string, rq *dimse.NRequest) {
		reports <- titles + " " + rq.DataSet.Text(tag.TransactionUID)
	})

	s := newAway(t, dimsetest.Options{}, nil)
	first, second := s.block, s.block
	first.From, second.From = "CT2@"+hangs, "CT3@"+own
	s.out.Take([]outbound.Route{{Block: first, Name: "CT2"}, {Block: second, Name: "CT3"}})
	for n, modality := range []string{"CT2", "CT3"} {
		a, err := s.dialWith(modality, "PACS2", leaves(), ct, uid.StorageCommitmentPushModel)
		if err != nil {
			t.Fatal(err)
		}
		instance := "1.2.3." + modality[2:]
		if status := store(t, a, image(t, instance, "1.2.3."+modality[2:]+"9", "ZZPHI")); status.Code != dimse.Success {
			t.Fatal(status)
		}
		s.eventually("it arrives", func() bool { return len(s.waiting()) == 0 })
		asks(t, a, "1.2.9."+modality[2:], instance)
		a.Abort()
		if n == 0 {
			<-hung
		}
	}
	select {
	case got := <-reports:
		if got != "PACS2>CT3 1.2.9.3" {
			t.Error(got)
		}
	case <-time.After(time.Minute):
		t.Error("the other modality is not told while the first hangs")
	}
}

func TestATargetThatHangsOverAnObjectHoldsUpItsStudyAlone(t *testing.T) {
	t.Parallel()
	s := newAway(t, dimsetest.Options{
		Mux: func(m *dimse.Mux) {
			m.HandleStore(func(ctx context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
				if rq.SOPInstanceUID == "1.2.3.1" {
					<-ctx.Done()
				}
				return dimse.Status{}
			})
		},
	}, nil)
	s.out.Patience = time.Second
	s.block.As = "CT2B" // the way is made anew
	s.take(false)
	a := s.mustDial(ct)
	for instance, study := range map[string]string{"1.2.3.1": "1.2.3", "1.2.4.1": "1.2.4", "1.2.5.1": "1.2.5"} {
		if status := store(t, a, image(t, instance, study, "ZZPHI")); status.Code != dimse.Success {
			t.Fatal(status)
		}
	}
	s.eventually("the other studies arrive", func() bool {
		list := s.waiting()
		return len(list) == 1 && list[0].Study == "1.2.3" && list[0].State == outbox.Waiting && list[0].Reason != ""
	})
}

func TestATargetIsKnownByWhoVouchesForIt(t *testing.T) {
	t.Parallel()
	theirs, other := selfSigned(t, 2), selfSigned(t, 3)
	file := filepath.Join(t.TempDir(), "ca.pem")
	write := func(c *tls.Certificate) {
		t.Helper()
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(other)
	config := tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return theirs, nil })
	s := newAway(t, dimsetest.Options{TLSConfig: config}, func(b *outbound.Block) { b.Plain = false; b.CA = file })
	if status := store(t, s.mustDial(ct), image(t, "1.2.3.1", "1.2.3", "ZZPHI")); status.Code != dimse.Success {
		t.Fatal(status)
	}
	refused := func(what, word string) {
		t.Helper()
		s.eventually(what, func() bool {
			list, err := outbox.Summaries(t.Context(), s.DB)
			return err == nil && len(list) == 1 && strings.Contains(list[0].Reason, word)
		})
	}
	refused("another authority", "certificate")
	if n := len(s.target.Archive.All()); n != 0 {
		t.Fatalf("%d arrived", n)
	}

	write(theirs) // it vouches, but not for this address
	if _, err := outbox.Retry(t.Context(), s.DB, "CT2", s.block.To); err != nil {
		t.Fatal(err)
	}
	refused("another name", "certificate")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := outbox.Retry(t.Context(), s.DB, "CT2", s.block.To); err != nil {
		t.Fatal(err)
	}
	refused("no file", "ca")
	if n := len(s.target.Archive.All()); n != 0 || len(s.waiting()) != 1 {
		t.Errorf("%d arrived", n)
	}
}

func TestWhatATargetTookLastIsOfferedWhileItIsDown(t *testing.T) {
	t.Parallel()
	target := dimsetest.NewServer(dimsetest.Options{AETitle: "PACS2", Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, dimse.Support{TransferSyntaxes: func(class string) []string {
			if class == ct {
				return []string{uid.JPEGBaseline8Bit}
			}
			return nil
		}}), nil
	}})
	s := newAway(t, dimsetest.Options{}, func(b *outbound.Block) { b.To = "PACS2@" + target.Address })
	offered := func() string {
		t.Helper()
		a, err := dimse.Dial(t.Context(), s.address, dimse.Config{CallingAETitle: "CT2", CalledAETitle: "PACS2",
			Contexts: dimse.Propose([]string{ct, mr}, []string{native, uid.JPEGBaseline8Bit}, true)})
		if err != nil {
			return err.Error()
		}
		defer a.Abort()
		var all []string
		for _, pc := range a.Contexts() {
			all = append(all, pc.AbstractSyntax+" "+pc.TransferSyntax)
		}
		return strings.Join(all, ", ")
	}
	want := ct + " " + uid.JPEGBaseline8Bit
	if got := offered(); got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	target.Close()
	s.out.Take(nil) // nothing is remembered but by the index
	s.take(false)
	if got := offered(); got != want {
		t.Errorf("while it is down: %s, want %s", got, want)
	}
}

func TestWorklistAndPerformedStepsPassThrough(t *testing.T) {
	t.Parallel()
	came := make(chan string, 2)
	step := func(_ context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		came <- a.CallingAETitle() + " " + rq.SOPInstanceUID + " " + rq.DataSet.Text(tag.PerformedProcedureStepStatus)
		return dimse.NResponse{SOPInstanceUID: rq.SOPInstanceUID}
	}
	s := newAway(t, dimsetest.Options{
		Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			return dimse.Negotiate(rq, everything()), nil
		},
		Mux: func(m *dimse.Mux) {
			m.HandleFind(func(_ context.Context, _ *dimse.Association, _ *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
				for _, number := range []string{"A1", "A2"} {
					ds := dicom.NewDataSet()
					if err := ds.SetText(tag.AccessionNumber, number); err != nil {
						return dimse.ProcessingFailure.Because(err)
					}
					if !yield(dimse.Match{Identifier: ds}) {
						break
					}
				}
				return dimse.Status{}
			}, worklist)
			m.HandleN(dimse.NCreate, step, mpps)
			m.HandleN(dimse.NSet, step, mpps)
		},
	}, func(b *outbound.Block) { b.Allow = []string{"worklist", "performed"} })
	a := s.mustDial(worklist, mpps)

	query := dicom.NewDataSet()
	if err := query.SetText(tag.AccessionNumber, ""); err != nil {
		t.Fatal(err)
	}
	var got []string
	for m, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: worklist, Identifier: query}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.Identifier.Text(tag.AccessionNumber))
	}
	if strings.Join(got, " ") != "A1 A2" {
		t.Errorf("planned: %v", got)
	}

	for _, one := range []struct {
		operation dimse.Operation
		status    string
	}{{dimse.NCreate, "IN PROGRESS"}, {dimse.NSet, "COMPLETED"}} {
		ds := dicom.NewDataSet()
		if err := ds.SetText(tag.PerformedProcedureStepStatus, one.status); err != nil {
			t.Fatal(err)
		}
		if _, err := a.N(t.Context(), dimse.NRequest{Operation: one.operation, SOPClassUID: mpps, SOPInstanceUID: "1.2.99", DataSet: ds}); err != nil {
			t.Fatal(err)
		}
		if got := <-came; got != "CT2 1.2.99 "+one.status {
			t.Errorf("%s", got)
		}
	}
}

// keepsAll reports on the association on which it is asked that it keeps everything.
func keepsAll(m *dimse.Mux) {
	m.HandleN(dimse.NAction, func(_ context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		asked := rq.DataSet
		rq.After = func(ctx context.Context) {
			report := dicom.NewDataSet()
			_ = report.SetText(tag.TransactionUID, asked.Text(tag.TransactionUID))
			report.SetItems(tag.ReferencedSOPSequence, asked.Items(tag.ReferencedSOPSequence)...)
			go func() {
				_, _ = a.EventReport(context.WithoutCancel(ctx), dimse.NRequest{
					SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: report,
				})
			}()
		}
		return dimse.NResponse{}
	}, uid.StorageCommitmentPushModel)
}

// A modality gets another address: its target is the same, and what that reports counts as before.
func TestATargetIsBelievedWhenTheModalityHasAnotherAddressNow(t *testing.T) {
	t.Parallel()
	s := newAway(t, dimsetest.Options{
		Mux: keepsAll,
		Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			return dimse.Negotiate(rq, everything()), nil
		},
	}, func(b *outbound.Block) {
		b.From = "CT2@127.0.0.9"
		b.Commit = "required"
	})
	s.block.From = "CT2@127.0.0.1"
	s.take(false)
	if status := store(t, s.mustDial(ct), image(t, "1.2.3.1", "1.2.3", "ZZPHI")); status.Code != dimse.Success {
		t.Fatal(status)
	}
	s.eventually("it is committed to", func() bool { return len(s.waiting()) == 0 })
}

// Two routes lead to systems of one AE title, each known by its own address: either is who it is.
func TestOfTargetsOfOneNameEachIsKnown(t *testing.T) {
	t.Parallel()
	s := newAway(t, dimsetest.Options{}, func(b *outbound.Block) { b.As = "HOSPITAL" })
	var routes []outbound.Route
	for i, host := range []string{"127.0.0.5", "127.0.0.6", "127.0.0.1", "127.0.0.7", "127.0.0.8"} {
		block := s.block
		block.To = "PACS2@" + host + ":11112"
		block.From = fmt.Sprintf("CT%d@127.0.0.9", i)
		routes = append(routes, outbound.Route{Block: block, Name: fmt.Sprintf("CT%d", i)})
	}
	s.out.Take(routes)
	for range 10 {
		if _, err := s.dial("PACS2", "HOSPITAL", uid.StorageCommitmentPushModel); err != nil {
			t.Fatalf("a target is not known: %v", err)
		}
	}
	s.out.Take(slices.Delete(routes, 2, 3))
	if _, err := s.dial("PACS2", "HOSPITAL", uid.StorageCommitmentPushModel); err == nil {
		t.Error("who has the name of a target alone is admitted")
	}
}
