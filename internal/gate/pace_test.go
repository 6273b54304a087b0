package gate

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/policy"
)

// single makes the route one to a PACS that bears one association.
func (s *site) single() {
	r := Route{Name: "PACS", Protect: "OLDPACS@" + s.behind.Address, Associations: 1, Rules: []Rule{{Name: "registered", Registered: true}}}
	s.gate.take([]Route{r})
	s.gate.lookUp(context.Background())
	s.gate.paceEvery = 50 * time.Millisecond
}

// stalls gives what it holds, and then nothing until it is told to end.
type stalls struct {
	head *bytes.Reader
	at   chan struct{} // closed when the head was read
	end  chan struct{}
}

// Read implements io.Reader.
func (s *stalls) Read(p []byte) (int, error) {
	if n, err := s.head.Read(p); err == nil {
		return n, nil
	}
	select {
	case <-s.at:
	default:
		close(s.at)
	}
	<-s.end
	return 0, io.EOF
}

func TestWhoBringsNothingDoesNotKeepTheOnlyAssociationFromOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.single()
	s.device("EVIL", policy.Store)
	s.device("CT1", policy.Store)
	ds := image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, make([]byte, 2<<20)))
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, native); err != nil {
		t.Fatal(err)
	}

	slow := &stalls{head: bytes.NewReader(b.Bytes()[:1<<20]), at: make(chan struct{}), end: make(chan struct{})}
	evil := s.mustDial("EVIL", ct)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = evil.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2.3.1", TransferSyntax: native, Data: slow})
	}()
	<-slow.at

	if got := store(t, s.mustDial("CT1", ct), image(t, "1.2.4.1", "1.2.4", "ZZPHI-2")); got.Code != dimse.Success {
		t.Errorf("another caller: %s", got)
	}
	evil.Abort()
	close(slow.end)
	<-ended
}

func TestWhoTakesNothingDoesNotKeepTheOnlyAssociationFromOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.single()
	s.device("EVIL", policy.Verbs()...)
	s.device("CT1", policy.Store)
	big := image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")
	big.Set(dicom.NewElement(tag.PixelData, dicom.OW, make([]byte, 64<<20)))
	if _, err := s.behind.Archive.Add(big, native); err != nil {
		t.Fatal(err)
	}

	evil := s.mustDial("EVIL", ct, uid.StudyRootGet)
	came, end := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		_, err := evil.Get(context.Background(), dimse.GetRequest{
			SOPClassUID: uid.StudyRootGet, Identifier: query(t, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: "1.2.3"}),
			Store: func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status {
				close(came)
				<-end // takes nothing of it
				return dimse.Status{}
			},
		})
		ended <- err
	}()
	<-came

	if got := store(t, s.mustDial("CT1", ct), image(t, "1.2.4.1", "1.2.4", "ZZPHI-2")); got.Code != dimse.Success {
		t.Errorf("another caller: %s", got)
	}
	evil.Abort()
	close(end)
	<-ended
	if strings.Contains(s.log.String(), "panic") {
		t.Error("a panic")
	}
}

func TestWhoIsSlowWhileNobodyWaitsIsServed(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.single()
	s.device("CT1", policy.Store)
	ds := image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, native); err != nil {
		t.Fatal(err)
	}
	half := b.Len() / 2 &^ 1
	slow := &stalls{head: bytes.NewReader(b.Bytes()[:half]), at: make(chan struct{}), end: make(chan struct{})}
	time.AfterFunc(4*s.gate.paceEvery, func() { close(slow.end) })
	status, err := s.mustDial("CT1", ct).Store(t.Context(), dimse.StoreRequest{
		SOPClassUID: ct, SOPInstanceUID: "1.2.3.1", TransferSyntax: native, Data: io.MultiReader(slow, bytes.NewReader(b.Bytes()[half:])),
	})
	if got := statusIn(status, err); got.Code != dimse.Success {
		t.Errorf("%s", got)
	}
}
