package gate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/firstwrite"
	"collimator/internal/gate/outbound"
	"collimator/internal/guard"
	"collimator/internal/house/housetest"
	"collimator/internal/outbox"
	"collimator/internal/state"
	"collimator/internal/tlsprofile"
)

// awaySite is an outbound route from CT2 to a target, PACS2.
type awaySite struct {
	testing.TB
	*housetest.Register
	out     *outbound.Outbound
	box     *outbox.Outbox
	target  *dimsetest.Server
	address string
	block   outbound.Block
	full    atomic.Bool // the disk
	held    chan string
}

// newAway starts one; the target has TLS where its certificate is given.
func newAway(t testing.TB, o dimsetest.Options, change func(*outbound.Block)) *awaySite {
	t.Helper()
	s := &awaySite{TB: t, Register: housetest.NewRegister(t), held: make(chan string, 10)}
	o.AETitle = "PACS2"
	s.target = dimsetest.NewServer(o)
	t.Cleanup(s.target.Close)
	log := slog.New(slog.NewTextHandler(housetest.NewLog(t), nil))
	g := guard.New(guard.Options{Registry: s.Registry, Trail: s.Trail, Log: log, Pending: 10, Now: time.Now})
	memory := firstwrite.New(s.DB, log, time.Now)

	dir := t.TempDir()
	var err error
	s.box, err = outbox.New(t.Context(), outbox.Options{
		DB: s.DB, Dir: filepath.Join(dir, "outbox"), Keys: dir, Room: s.roomLeft,
		Handed: func(ctx context.Context, tx *db.Tx, list []outbox.Item) error { return s.out.Handed(ctx, tx, list) },
		States: state.New(time.Now), Log: log, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	own := selfSigned(t, 1)
	s.out = outbound.New(outbound.Options{
		Mux: g.NewMux(), Judge: NewJudge(func(context.Context, archive.Inspected) archive.Inspection { return archive.Inspection{} }),
		Outbox: s.box, Memory: memory, DB: s.DB, Trail: s.Trail, Outgoing: g.Outgoing, Log: log, Now: time.Now,
		Certificate: func() (*tls.Certificate, error) { return own, nil },
		Hold: func(_ context.Context, route string, in archive.Incoming, why archive.Reason) (bool, error) {
			ds, err := dicom.Decode(in.Data, dicom.DecodeOptions{TransferSyntax: in.TransferSyntaxUID})
			if err != nil {
				return false, err
			}
			s.held <- route + " " + string(why) + " " + ds.Text(tag.StudyDescription)
			return true, nil
		},
	})
	t.Cleanup(s.out.Close)
	s.block = outbound.Block{From: "CT2@127.0.0.1", To: "PACS2@" + s.target.Address, Plain: true, Commit: "no"}
	if change != nil {
		change(&s.block)
	}
	s.take(false)

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	go func() { s.box.Run(ctx); ended <- struct{}{} }()
	go func() { s.out.Run(ctx); ended <- struct{}{} }()
	t.Cleanup(func() { stop(); <-ended; <-ended })
	s.address = housetest.Listen(t, &dimse.Server{
		Admit: func(ctx context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			return g.Admit(ctx, rq, s.out.Service(rq))
		},
		OnAssociation: func(a *dimse.Association) func() {
			ended, _ := s.out.Opened(a)
			return ended
		},
	})
	return s
}

func (s *awaySite) roomLeft() error {
	if s.full.Load() {
		return outbox.ErrFull
	}
	return nil
}

func selfSigned(t testing.TB, serial int64) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (s *awaySite) take(closed bool) {
	s.out.Take([]outbound.Route{{Block: s.block, Name: "CT2", Closed: closed}})
}

func (s *awaySite) dial(calling, called string, classes ...string) (*dimse.Association, error) {
	return s.dialWith(calling, called, nil, classes...)
}

// dialWith is dial by a modality that answers what comes on its association.
func (s *awaySite) dialWith(calling, called string, mux *dimse.Mux, classes ...string) (*dimse.Association, error) {
	a, err := dimse.Dial(s.Context(), s.address, dimse.Config{
		CallingAETitle: calling, CalledAETitle: called, Contexts: dimse.Propose(classes, []string{native}, false), Mux: mux,
	})
	if err == nil {
		s.Cleanup(a.Abort)
	}
	return a, err
}

func (s *awaySite) mustDial(classes ...string) *dimse.Association {
	s.Helper()
	a, err := s.dial("CT2", "PACS2", classes...)
	if err != nil {
		s.Fatal(err)
	}
	return a
}

func (s *awaySite) waiting() []outbox.Item {
	s.Helper()
	list, err := outbox.List(s.Context(), s.DB, "", 100)
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// eventually waits for real peers on loopback.
func (s *awaySite) eventually(what string, holds func() bool) {
	s.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); {
		if time.Now().After(end) {
			s.Fatalf("not in time: %s; waiting are %+v", what, s.waiting())
		}
		select {
		case <-s.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestAModalityIsKnownByTitleAndAddressAndTheTitleItCalls(t *testing.T) {
	t.Parallel()
	s := newAway(t, dimsetest.Options{}, nil)
	for name, c := range map[string]struct {
		calling, called string
		admitted        bool
	}{
		"its target":         {"CT2", "PACS2", true},
		"its route":          {"CT2", "CT2", true},
		"another target":     {"CT2", "PACS3", false},
		"another modality":   {"CT3", "PACS2", false},
		"the target, spoken": {"PACS2", "CT9", false},
	} {
		if _, err := s.dial(c.calling, c.called, uid.Verification); (err == nil) != c.admitted {
			t.Errorf("%s: %v", name, err)
		}
	}

	s.block.From = "CT2@127.0.0.9"
	s.take(false)
	if _, err := s.dial("CT2", "PACS2", uid.Verification); err == nil {
		t.Error("from another address it is admitted")
	}
}

func TestAModalityMayDoWhatItsRouteAllows(t *testing.T) {
	t.Parallel()
	s := newAway(t, dimsetest.Options{}, func(b *outbound.Block) { b.Allow = []string{"store"} })
	a, err := s.dial("CT2", "PACS2", ct, uid.Verification, uid.StorageCommitmentPushModel, uid.ModalityWorklistFind, uid.StudyRootFind)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Contexts(); len(got) != 1 || got[0].AbstractSyntax != ct {
		t.Errorf("accepted: %+v", got)
	}
}

func TestAFullDiskIsSaidAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := newAway(t, dimsetest.Options{}, nil)
	a := s.mustDial(ct)
	s.full.Store(true)
	if status := store(t, a, image(t, "1.2.3.1", "1.2.3", "ZZPHI")); status.Code != dimse.OutOfResources {
		t.Errorf("on a full disk: %s", status)
	}
	s.full.Store(false)
	if status := store(t, a, image(t, "1.2.3.1", "1.2.3", "ZZPHI")); status.Code != dimse.Success {
		t.Errorf("with room again: %s", status)
	}
	s.eventually("it arrives", func() bool { return len(s.waiting()) == 0 })

	found := false
	for r, err := range s.Trail.After(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || r.Event == audit.Transferred && r.Action == audit.Read && r.Objects[0].Study == "1.2.3" &&
			strings.Contains(r.Objects[0].Detail, "answered 0000H")
	}
	if !found {
		t.Error("the trail does not say that it was handed over")
	}
}

// Who looks for what is wrong with a route asks for the route; the modality calls its target.
func TestEverythingOfAModalityIsFoundByItsRoute(t *testing.T) {
	t.Parallel()
	s := newAway(t, dimsetest.Options{}, nil)
	if _, err := s.dial("CT2", "PACS3", ct); err == nil {
		t.Fatal("another target is taken")
	}
	a := s.mustDial(ct, uid.Verification)
	if status := store(t, a, image(t, "1.2.3.1", "1.2.3", "ZZPHI")); status.Code != dimse.Success {
		t.Fatal(status)
	}
	if err := a.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.eventually("it arrives", func() bool { return len(s.waiting()) == 0 })

	of := audit.Filter{Route: "CT2"}
	found := map[audit.Event]bool{}
	for r, err := range s.Trail.After(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		found[r.Event] = found[r.Event] || of.Matches(r)
	}
	want := map[audit.Event]bool{audit.UserAuthenticated: true, audit.Transferred: true, audit.Transferring: true}
	for event, matches := range found {
		if want[event] != matches {
			t.Errorf("%s: %v", event, matches)
		}
	}
	if len(found) < 2 {
		t.Errorf("recorded: %v", found)
	}
}

func TestAnotherContentUnderAUIDIsHeldOnItsWay(t *testing.T) {
	t.Parallel()
	s := newAway(t, dimsetest.Options{}, nil)
	a := s.mustDial(ct)
	first, second := image(t, "1.2.3.1", "1.2.3", "ZZPHI"), image(t, "1.2.3.1", "1.2.3", "ZZPHI")
	if err := second.SetText(tag.StudyDescription, "other"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status := store(t, a, first); status.Code != dimse.Success {
			t.Errorf("the same: %s", status)
		}
	}
	if status := store(t, a, second); status.Code != dimse.DuplicateSOPInstance {
		t.Errorf("another content: %s", status)
	}
	if what := <-s.held; what != "CT2 other-content-at-route other" {
		t.Errorf("held: %s", what)
	}
	s.eventually("the first arrives", func() bool { return len(s.waiting()) == 0 })
	if status := store(t, a, second); status.Code != dimse.DuplicateSOPInstance {
		t.Errorf("another content after that: %s", status)
	}
}

func TestAClosedRouteEndsWhatIsUnderWayAndKeepsWhatWaits(t *testing.T) {
	t.Parallel()
	down := func(context.Context, *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Acceptance{}, dimse.Reject(nil)
	}
	s := newAway(t, dimsetest.Options{Admit: down}, nil)
	a := s.mustDial(ct)
	if status := store(t, a, image(t, "1.2.3.1", "1.2.3", "ZZPHI")); status.Code != dimse.Success {
		t.Fatalf("while the target rejects: %s", status)
	}
	s.take(true)
	<-a.Done()
	if _, err := s.dial("CT2", "PACS2", ct); err == nil {
		t.Error("a closed route admits")
	}
	s.out.Take(nil)
	if _, err := s.dial("CT2", "PACS2", ct); err == nil {
		t.Error("a route that is gone admits")
	}
	if list := s.waiting(); len(list) != 1 || list[0].State != outbox.Waiting {
		t.Errorf("%+v", list)
	}
}

func TestNothingGoesToATargetWithAnotherCertificate(t *testing.T) {
	t.Parallel()
	theirs, other := selfSigned(t, 2), selfSigned(t, 3)
	config := tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return other, nil })
	pin := func(c *tls.Certificate) func(*outbound.Block) {
		return func(b *outbound.Block) {
			b.Plain = false
			b.Fingerprint = "sha256:" + tlsprofile.Fingerprint(c.Leaf)
		}
	}
	s := newAway(t, dimsetest.Options{TLSConfig: config}, pin(theirs))
	if status := store(t, s.mustDial(ct), image(t, "1.2.3.1", "1.2.3", "ZZPHI")); status.Code != dimse.Success {
		t.Fatal(status)
	}
	s.eventually("the reason is kept", func() bool {
		list, err := outbox.Summaries(t.Context(), s.DB)
		return err == nil && len(list) == 1 && strings.Contains(list[0].Reason, "certificate")
	})

	pin(other)(&s.block)
	s.take(false)
	if _, err := outbox.Retry(t.Context(), s.DB, "CT2", s.block.To); err != nil {
		t.Fatal(err)
	}
	s.eventually("with the right one it arrives", func() bool { return len(s.waiting()) == 0 })
}

func TestAModalityIsToldWhatTheTargetKeeps(t *testing.T) {
	t.Parallel()
	for after, stored := range map[string]bool{outbound.AfterHere: false, outbound.AfterTarget: true} {
		s := newAway(t, dimsetest.Options{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			if !stored {
				return dimse.Acceptance{}, dimse.Reject(nil)
			}
			return dimse.Negotiate(rq, everything()), nil
		}}, func(b *outbound.Block) { b.CommitAfter = after })

		reports := make(chan *dimse.NRequest, 1)
		mux := dimse.NewMux(dimse.Unguarded)
		mux.HandleN(dimse.NEventReport, func(_ context.Context, _ *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
			reports <- rq
			return dimse.NResponse{}
		}, uid.StorageCommitmentPushModel)
		a, err := dimse.Dial(t.Context(), s.address, dimse.Config{
			CallingAETitle: "CT2", CalledAETitle: "PACS2", Mux: mux,
			Contexts: dimse.Propose([]string{ct, uid.StorageCommitmentPushModel}, []string{native}, false),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(a.Abort)
		if status := store(t, a, image(t, "1.2.3.1", "1.2.3", "ZZPHI")); status.Code != dimse.Success {
			t.Fatal(status)
		}

		released := image(t, "1.2.3.98", "1.2.3", "ZZPHI") // by somebody; the modality has not sent it again
		if err := s.DB.Write(t.Context(), func(tx *db.Tx) error {
			return firstwrite.Accept(t.Context(), tx, Instance("CT2", released), firstwrite.Content{Syntax: native, Hash: "of the test"})
		}); err != nil {
			t.Fatal(err)
		}

		ask := dicom.NewDataSet()
		if err := ask.SetText(tag.TransactionUID, "1.2.9"); err != nil {
			t.Fatal(err)
		}
		var items []*dicom.DataSet
		for _, instance := range []string{"1.2.3.1", "1.2.3.98", "1.2.3.99"} {
			item := dicom.NewDataSet()
			if err := item.SetText(tag.ReferencedSOPClassUID, ct); err != nil {
				t.Fatal(err)
			}
			if err := item.SetText(tag.ReferencedSOPInstanceUID, instance); err != nil {
				t.Fatal(err)
			}
			items = append(items, item)
		}
		ask.SetItems(tag.ReferencedSOPSequence, items...)
		if _, err := a.NAction(t.Context(), dimse.NRequest{
			SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: ask,
		}); err != nil {
			t.Fatal(err)
		}

		rq := <-reports
		kept, failed := rq.DataSet.Items(tag.ReferencedSOPSequence), rq.DataSet.Items(tag.FailedSOPSequence)
		if rq.TypeID != 2 || len(kept) != 1 || kept[0].Text(tag.ReferencedSOPInstanceUID) != "1.2.3.1" ||
			len(failed) != 2 || failed[0].Text(tag.ReferencedSOPInstanceUID) != "1.2.3.98" || failed[1].Text(tag.ReferencedSOPInstanceUID) != "1.2.3.99" {
			t.Errorf("after %s: type %d, %d kept, %d failed", after, rq.TypeID, len(kept), len(failed))
		}
		if waits := len(s.waiting()); (waits == 0) != stored {
			t.Errorf("after %s it was told while %d waited", after, waits)
		}
	}
}
