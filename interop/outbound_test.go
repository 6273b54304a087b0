//go:build interop

package interop_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/house/sitetest"
	"collimator/internal/tlsprofile"
	"collimator/interop/harness"
)

// elsewhere is a PACS that modalities send to by way of a gate: over TLS, with storage
// commitment. It notes what comes.
type elsewhere struct {
	address, fingerprint string

	mu     sync.Mutex
	order  map[string][]string        // SOP Instance UIDs by study, as they came first
	hashes map[string]map[string]bool // by SOP Instance UID
	asked  int
	refuse func() dimse.StatusCode // of an object; nil: none is
	keep   func(uid string, asked int) bool
}

func startElsewhere(t *testing.T) *elsewhere {
	t.Helper()
	certPEM, keyPEM, err := sitetest.SelfSigned(7)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	cert := &pair
	e := &elsewhere{
		address: harness.FreeAddress(t), fingerprint: tlsprofile.Fingerprint(cert.Leaf),
		order: map[string][]string{}, hashes: map[string]map[string]bool{},
	}
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleEcho(nil)
	mux.HandleStore(e.store)
	mux.HandleN(dimse.NAction, e.commit, uid.StorageCommitmentPushModel)
	server := &dimse.Server{
		TLSConfig: tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return cert, nil }),
		Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			if rq.CalledAETitle != "PACS2" || rq.CallingAETitle != "CT2" {
				return dimse.Acceptance{}, fmt.Errorf("called %s by %s", rq.CalledAETitle, rq.CallingAETitle)
			}
			return dimse.Negotiate(rq, dimse.Support{
				TransferSyntaxes: func(string) []string { return uid.NativeSyntaxes() }, RequestorOrder: true,
			}), nil
		},
		Mux: mux,
	}
	ln, err := net.Listen("tcp", e.address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { server.Serve(ctx, ln) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return e
}

func (e *elsewhere) store(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	data, err := io.ReadAll(rq.Data)
	if err != nil {
		return dimse.ProcessingFailure.Because(err)
	}
	ds, err := dicom.Decode(strings.NewReader(string(data)), dicom.DecodeOptions{TransferSyntax: rq.TransferSyntax})
	if err != nil {
		return dimse.CannotUnderstand.Because(err)
	}
	sum := sha256.Sum256(data)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil {
		if code := e.refuse(); code != dimse.Success {
			return dimse.Status{Code: code}
		}
	}
	if e.hashes[rq.SOPInstanceUID] == nil {
		e.hashes[rq.SOPInstanceUID] = map[string]bool{}
		study := ds.Text(tag.StudyInstanceUID)
		e.order[study] = append(e.order[study], rq.SOPInstanceUID)
	}
	e.hashes[rq.SOPInstanceUID][hex.EncodeToString(sum[:])] = true
	return dimse.Status{}
}

// commit reports on the same association.
func (e *elsewhere) commit(_ context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
	report := dicom.NewDataSet()
	if err := report.SetText(tag.TransactionUID, rq.DataSet.Text(tag.TransactionUID)); err != nil {
		return dimse.NResponse{Status: dimse.ProcessingFailure.Because(err)}
	}
	var kept, failed []*dicom.DataSet
	e.mu.Lock()
	e.asked++
	for _, item := range rq.DataSet.Items(tag.ReferencedSOPSequence) {
		if e.keep == nil || e.keep(item.Text(tag.ReferencedSOPInstanceUID), e.asked) {
			kept = append(kept, item)
			continue
		}
		item.SetInt(tag.FailureReason, int64(dimse.NoSuchSOPInstance))
		failed = append(failed, item)
	}
	e.mu.Unlock()
	if len(kept) > 0 {
		report.SetItems(tag.ReferencedSOPSequence, kept...)
	}
	if len(failed) > 0 {
		report.SetItems(tag.FailedSOPSequence, failed...)
	}
	rq.After = func(ctx context.Context) {
		go a.EventReport(context.WithoutCancel(ctx), dimse.NRequest{
			SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: report,
		})
	}
	return dimse.NResponse{}
}

// writeOutbound writes the route of a modality that sends elsewhere.
func writeOutbound(t *testing.T, data, block string) {
	t.Helper()
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	text := "routes:\n  - name: CT2\n    outbound: {from: CT2@127.0.0.1, " + block + "}\n"
	if err := os.WriteFile(filepath.Join(data, "routes.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// queued is what waits, by 'gate queue list'.
func queued(t *testing.T, s *harness.Server) (list []struct{ Waiting, Sent, Aside int }) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.Must("gate", "queue", "list", "-o", "json", "--data", s.Data)), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func awaitEmpty(t *testing.T, s *harness.Server, most time.Duration) {
	t.Helper()
	for end := time.Now().Add(most); len(queued(t, s)) > 0; time.Sleep(500 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still waiting: %+v\n%s\n%s", queued(t, s), s.Must("gate", "queue", "list", "CT2", "--data", s.Data), s.Output())
		}
	}
}

// TestKilledGateLosesNothingOutbound kills the server in the middle of outbound traffic,
// again and again: what a modality saw acknowledged arrives, once and as it was, in the order
// of its study.
func TestKilledGateLosesNothingOutbound(t *testing.T) {
	t.Parallel()
	e := startElsewhere(t)
	data := filepath.Join(t.TempDir(), "data")
	writeOutbound(t, data, "to: PACS2@"+e.address+", fingerprint: 'sha256:"+e.fingerprint+"'")

	s := harness.StartIn(t, data)
	studies := []*outgoing{{study: uid.New()}, {study: uid.New()}, {study: uid.New()}}
	for round := range rounds(t) {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for _, o := range studies {
			wg.Go(func() { o.send(t, s.Plain, stop) })
		}
		time.Sleep(time.Duration(300+rand.IntN(1500)) * time.Millisecond)
		s.Kill()
		close(stop)
		wg.Wait()
		s = harness.StartIn(t, data)
		t.Logf("round %d: %d, %d and %d acknowledged in all", round+1,
			len(studies[0].acknowledged), len(studies[1].acknowledged), len(studies[2].acknowledged))
	}

	awaitEmpty(t, s, 2*time.Minute)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range studies {
		if len(o.acknowledged) == 0 {
			t.Error("nothing was acknowledged: nothing was tried")
		}
		came := e.order[o.study]
		for n, instance := range o.acknowledged {
			if n >= len(came) || came[n] != instance {
				t.Fatalf("number %d of a study is not what came as number %d, of %d that came and %d that were acknowledged",
					n, n, len(came), len(o.acknowledged))
			}
		}
	}
	for instance, hashes := range e.hashes {
		if len(hashes) != 1 {
			t.Errorf("%s came with %d contents", instance, len(hashes))
		}
	}
}

// outgoing is a study that a modality sends, instance by instance.
type outgoing struct {
	study        string
	acknowledged []string
	next         *dicom.DataSet // that was not acknowledged
}

// send sends until the gate is gone. What is not acknowledged comes again the next time.
func (o *outgoing) send(t *testing.T, gate string, stop chan struct{}) {
	var a *dimse.Association
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		select {
		case <-stop:
			if a != nil {
				a.Abort()
			}
			return
		default:
		}
		if a == nil {
			var err error
			a, err = dimse.Dial(t.Context(), gate, dimse.Config{
				CallingAETitle: "CT2", CalledAETitle: "PACS2",
				Contexts: dimse.Propose([]string{uid.SecondaryCaptureImageStorage}, []string{uid.ExplicitVRLittleEndian}, false),
			})
			if err != nil {
				a = nil
				time.Sleep(10 * time.Millisecond)
				continue
			}
		}
		if o.next == nil {
			o.next = harness.Instance{Study: o.study, Pixels: 32 << 10, Fill: byte(len(o.acknowledged))}.DataSet(t)
		}
		var b strings.Builder
		if err := dicom.Encode(&b, o.next, uid.ExplicitVRLittleEndian); err != nil {
			t.Error(err)
			return
		}
		instance := o.next.Text(tag.SOPInstanceUID)
		_, err := a.Store(t.Context(), dimse.StoreRequest{
			SOPClassUID: uid.SecondaryCaptureImageStorage, SOPInstanceUID: instance,
			TransferSyntax: uid.ExplicitVRLittleEndian, Data: strings.NewReader(b.String()),
		})
		if err != nil {
			a.Abort()
			a = nil
			continue
		}
		o.acknowledged = append(o.acknowledged, instance)
		o.next = nil
	}
}

// TestAnUnchangedModalitySendsToPACSElsewhere sends with DCMTK's storescu by way of the
// gate to storescp and to Orthanc.
func TestAnUnchangedModalitySendsToPACSElsewhere(t *testing.T) {
	t.Parallel()
	files := t.TempDir()
	study := uid.New()
	for n := range 5 {
		harness.Instance{Study: study, PatientName: "ZZPHI^OUT", PatientID: "ZZPHI-1", Pixels: 64 << 10, Fill: byte(n)}.Write(t, files)
	}

	for name, start := range map[string]func(t *testing.T, address, reports string) (arrived func() int){
		"storescp": func(t *testing.T, address, _ string) func() int {
			area := t.TempDir()
			_, port, _ := strings.Cut(address, ":")
			harness.Background(t, address, dcmtktest.Find(t, "storescp"), "-aet", "PACS2", "-od", area, port)
			return func() int { return len(harness.Files(t, area)) }
		},
		"Orthanc": func(t *testing.T, address, reports string) func() int { // it reports on an association of its own
			o := startOrthanc(t, address, map[string]any{"DicomAet": "PACS2", "DicomModalities": map[string]any{"CT2": map[string]any{
				"AET": "CT2", "Host": "127.0.0.1", "Port": portOf(reports), "AllowStore": true, "AllowStorageCommitment": true,
			}}})
			return func() int { return strings.Count(string(o.call("GET", "/instances", nil)), "-") / 4 }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			s := harness.StartIn(t, data)
			address := harness.FreeAddress(t)
			arrived := start(t, address, s.Plain)
			writeOutbound(t, data, "to: PACS2@"+address+", plain: true")
			if !harness.WaitListening(s.Plain, 10*time.Second) {
				t.Fatal("the listener without TLS is not open")
			}
			host, port, _ := strings.Cut(s.Plain, ":")
			send := func() (string, int) {
				return harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "storescu"), "-aet", "CT2", "-aec", "PACS2", "+sd", host, port, files)
			}
			if out, code := send(); code != 0 {
				t.Fatalf("storescu: %s\n%s", out, s.Output())
			}
			echo := func(title string) (string, int) {
				return harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "echoscu"), "-aet", title, "-aec", "PACS2", host, port)
			}
			if out, code := echo("CT2"); code != 0 {
				t.Errorf("echoscu: %s", out)
			}
			if out, code := echo("CT3"); code == 0 {
				t.Errorf("a stranger is let in: %s", out)
			}

			awaitEmpty(t, s, time.Minute)
			if n := arrived(); n != 5 {
				t.Errorf("%d of 5 arrived", n)
			}
			text := s.Must("audit", "search", "--route", "CT2", "-o", "json", "--data", s.Data)
			committed := strings.Contains(text, "its storage committed to")
			if !strings.Contains(text, "handed over on") || committed != (name == "Orthanc") {
				t.Errorf("the trail says:\n%s", text)
			}
			if strings.Contains(s.Output(), "ZZPHI") {
				t.Error("the log names a patient")
			}
		})
	}
}
