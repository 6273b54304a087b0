package gate

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/policy"
)

// overwriting makes a PACS one that takes what comes for what it has, as two widely
// used ones do, and returns the description it has last of each instance.
type overwriting struct {
	mu   sync.Mutex
	last map[string]string
	n    int
}

func (o *overwriting) options(extra func(*dimse.Mux)) dimsetest.Options {
	o.last = map[string]string{}
	return dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			ds, err := dicom.Decode(rq.Data, dicom.DecodeOptions{TransferSyntax: rq.TransferSyntax})
			if err != nil {
				return dimse.CannotUnderstand.Because(err)
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			o.last[rq.SOPInstanceUID] = ds.Text(tag.StudyDescription)
			o.n++
			return dimse.Status{}
		})
		if extra != nil {
			extra(m)
		}
	}}
}

func (o *overwriting) has(instance string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last[instance]
}

// described is an image with a description.
func described(t *testing.T, instance, study, description string) *dicom.DataSet {
	t.Helper()
	ds := image(t, instance, study, "ZZPHI-1")
	if err := ds.SetText(tag.StudyDescription, description); err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestAPACSThatDoesNotLetASenderQueryIsNamedInTheLog(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	s := newSite(t, "", pacs.options(func(m *dimse.Mux) {
		m.HandleFind(func(ctx context.Context, a *dimse.Association, _ *dimse.FindRequest, _ func(dimse.Match) bool) dimse.Status {
			go a.Abort()
			<-ctx.Done()
			return dimse.Status{Code: dimse.ProcessingFailure}
		}, uid.StudyRootFind)
	}))
	s.device("CT1", policy.Store)

	if got := store(t, s.mustDial("CT1", ct), described(t, "1.2.3.1", "1.2.3", "true")); got.Code != dimse.OutOfResources {
		t.Errorf("status %s", got)
	}
	if pacs.has("1.2.3.1") != "" {
		t.Error("it went through, and nobody knows what was there before")
	}
	if !strings.Contains(s.log.String(), "it has to let this AE title query and retrieve") {
		t.Errorf("the log does not say what to do:\n%s", s.log.String())
	}
}

func TestAForgedCopyDoesNotReachAPACSThatWouldTakeIt(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	s := newSite(t, "", pacs.options(nil))
	s.device("CT1", policy.Store)
	s.device("EVIL", policy.Store)

	// Without the gate the second content takes the place of the first.
	direct, err := dimse.Dial(t.Context(), s.behind.Address, dimse.Config{
		CallingAETitle: "EVIL", CalledAETitle: "OLDPACS", Contexts: dimse.Propose([]string{ct}, []string{native}, false),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Abort()
	store(t, direct, described(t, "1.2.9.1", "1.2.9", "true"))
	store(t, direct, described(t, "1.2.9.1", "1.2.9", "forged"))
	if got := pacs.has("1.2.9.1"); got != "forged" {
		t.Fatalf("the PACS of the test has %q: there is no harm to keep away", got)
	}

	modality, other := s.mustDial("CT1", ct), s.mustDial("EVIL", ct)
	if got := store(t, modality, described(t, "1.2.3.1", "1.2.3", "true")); got.Code != dimse.Success {
		t.Errorf("first: %s", got)
	}
	if got := store(t, other, described(t, "1.2.3.1", "1.2.3", "forged")); got.Code != dimse.DuplicateSOPInstance {
		t.Errorf("forged: %s", got)
	}
	if got := store(t, other, described(t, "1.2.3.1", "1.2.7", "forged into another study")); got.Code != dimse.DuplicateSOPInstance {
		t.Errorf("forged into another study: %s", got)
	}
	if got := store(t, modality, described(t, "1.2.3.1", "1.2.3", "true")); got.Code != dimse.Success {
		t.Errorf("the same again: %s", got)
	}
	if got := pacs.has("1.2.3.1"); got != "true" {
		t.Errorf("the PACS has %q", got)
	}
	for _, want := range []string{"PACS 1.2.3.1 from EVIL: forged", "PACS 1.2.3.1 from EVIL: forged into another study"} {
		if got := <-s.held; got != want {
			t.Errorf("held %q, want %q", got, want)
		}
	}
}

func TestWhatThePACSHadBeforeTheGateIsComparedWithIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("CT1", policy.Store)
	if _, err := s.behind.Archive.Add(described(t, "1.2.3.1", "1.2.3", "before"), native); err != nil {
		t.Fatal(err)
	}
	a := s.mustDial("CT1", ct)
	if got := store(t, a, described(t, "1.2.3.1", "1.2.3", "forged")); got.Code != dimse.DuplicateSOPInstance {
		t.Errorf("forged: %s", got)
	}
	if got := store(t, a, described(t, "1.2.3.1", "1.2.3", "before")); got.Code != dimse.Success {
		t.Errorf("the same: %s", got)
	}
	if got := store(t, a, described(t, "1.2.3.2", "1.2.3", "new")); got.Code != dimse.Success {
		t.Errorf("new: %s", got)
	}
	if got := <-s.held; got != "PACS 1.2.3.1 from CT1: forged" {
		t.Errorf("held %q", got)
	}
}

func TestAPACSThatAnswersNoQuestionsIsStillProtectedFromThenOn(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	o := pacs.options(nil)
	o.Admit = func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, dimse.AcceptStorage()), nil // no queries, no C-GET
	}
	s := newSite(t, "", o)
	s.device("CT1", policy.Store)
	a := s.mustDial("CT1", ct)
	for _, c := range []struct {
		description string
		want        dimse.StatusCode
	}{{"true", dimse.Success}, {"forged", dimse.DuplicateSOPInstance}, {"true", dimse.Success}} {
		if got := store(t, a, described(t, "1.2.3.1", "1.2.3", c.description)); got.Code != c.want {
			t.Errorf("%s: %s", c.description, got)
		}
	}
	if got := pacs.has("1.2.3.1"); got != "true" {
		t.Errorf("the PACS has %q", got)
	}
}

func TestOfTwoContentsAtOnceOneGoesThrough(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	s := newSite(t, "", pacs.options(nil))
	s.device("CT1", policy.Store)
	var wg sync.WaitGroup
	codes := make(chan dimse.StatusCode, 8)
	for i := range 8 {
		wg.Go(func() {
			a, err := s.dial("CT1", ct)
			if err != nil {
				t.Error(err)
				return
			}
			codes <- store(t, a, described(t, "1.2.3.1", "1.2.3", fmt.Sprint("version ", i))).Code
		})
	}
	wg.Wait()
	close(codes)
	n := map[dimse.StatusCode]int{}
	for code := range codes {
		n[code]++
	}
	if n[dimse.Success] != 1 || n[dimse.DuplicateSOPInstance] != 7 || pacs.n != 1 {
		t.Errorf("%v, %d arrived", n, pacs.n)
	}
}

func TestWhatIsSpooledIsReadBackAndHasNoName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := newSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	data := make([]byte, 300_000)
	rand.Read(data)
	copy(data[1000:], "ZZPHI^SPOOLED")
	for piece := data; len(piece) > 0; {
		n := min(len(piece), 7777)
		if _, err := s.Write(piece[:n]); err != nil {
			t.Fatal(err)
		}
		piece = piece[n:]
	}

	for range 2 {
		got, err := io.ReadAll(s.reader())
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("read back wrong: %v", err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("files with names: %v, %v", left, err)
	}
	if _, err := newSpool(filepath.Join(dir, "none")); err == nil || !os.IsNotExist(err) {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestAnObjectIsSpooledNoFurtherThanThereIsRoom(t *testing.T) {
	t.Parallel()
	pacs := &overwriting{}
	s := newSite(t, "", pacs.options(nil))
	s.device("CT1", policy.Store)
	a := s.mustDial("CT1", ct)
	if got := store(t, a, described(t, "1.2.3.1", "1.2.3", "true")); got.Code != dimse.Success {
		t.Fatal(got)
	}

	asked := 0
	s.gate.Room = func() error {
		if asked++; asked > 2 {
			return errors.New("the disk is full")
		}
		return nil
	}
	long := described(t, "1.2.3.1", "1.2.3", "forged")
	long.Set(dicom.NewElement(tag.PixelData, dicom.OW, make([]byte, 100<<20)))
	if got := store(t, a, long); got.Code != dimse.OutOfResources {
		t.Errorf("with a full disk: %s", got)
	}
	if asked != 3 {
		t.Errorf("asked for room %d times", asked)
	}
	s.gate.Room = func() error { return nil }
	if got := store(t, a, described(t, "1.2.3.1", "1.2.3", "true")); got.Code != dimse.Success {
		t.Errorf("the same again: %s", got)
	}
}
