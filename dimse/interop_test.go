//go:build interop

package dimse_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

// files writes n Part 10 files of size bytes of pixel data.
func files(t *testing.T, n, size int) (dir string, names []string) {
	t.Helper()
	dir = t.TempDir()
	for i := range n {
		instance := fmt.Sprintf("1.2.3.%d", i+1)
		meta := dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: ct, SOPInstanceUID: instance, TransferSyntaxUID: uid.ExplicitVRLittleEndian})
		name := filepath.Join(dir, fmt.Sprintf("%d.dcm", i+1))
		if err := os.WriteFile(name, append(meta, storable(t, instance, size)...), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return dir, names
}

// storable is a data set that a query/retrieve SCP can index.
func storable(t *testing.T, instance string, size int) []byte {
	ds := dicom.NewDataSet()
	for k, v := range map[dicom.Tag]string{tag.SOPClassUID: ct, tag.SOPInstanceUID: instance, tag.PatientName: "ZZPHI^IMAGE",
		tag.PatientID: "ZZPHI1", tag.StudyInstanceUID: "1.2.3", tag.SeriesInstanceUID: "1.2.3.0", tag.Modality: "CT",
		tag.StudyDate: "20260101", tag.StudyTime: "120000", tag.StudyID: "1", tag.AccessionNumber: "A1", tag.SeriesNumber: "1", tag.InstanceNumber: "1"} {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, make([]byte, size&^1)))
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func archiveMux(t *testing.T, stored *atomic.Int64, dest func() string) *dimse.Mux {
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleEcho(nil)
	mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		if _, err := io.Copy(io.Discard, rq.Data); err != nil {
			return dimse.ProcessingFailure.Because(err)
		}
		stored.Add(1)
		return dimse.Status{}
	})
	mux.HandleFind(func(_ context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		for i := range 10 {
			ds := dicom.NewDataSet()
			ds.SetText(tag.QueryRetrieveLevel, "STUDY")
			ds.SetText(tag.StudyInstanceUID, fmt.Sprintf("1.2.3.4.%d", i+1))
			if !yield(dimse.Match{Identifier: ds}) {
				break
			}
		}
		return dimse.Status{}
	})
	data := storable(t, "1.2.3.1", 100<<10)
	plan := func(_ context.Context, _ *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		subs := subOperations([]string{"1.2.3.1", "1.2.3.2", "1.2.3.3"}, data)
		p := &dimse.RetrievePlan{Count: 3, SubOperations: slices.Values(subs)}
		if rq.MoveDestination == "SINK" {
			p.Destination = dimse.Dialer{Address: dest(), Config: dimse.Config{CallingAETitle: "TESTSCP", CalledAETitle: "SINK"}}
		}
		return p, dimse.Status{}
	}
	mux.HandleGet(plan)
	mux.HandleMove(plan)
	return mux
}

// TestOddObjectsArriveAtGetscu: DCMTK ends the association over a fragment of odd
// length (PS3.8 E).
func TestOddObjectsArriveAtGetscu(t *testing.T) {
	odd := bytes.Replace(storable(t, "1.2.3.1", 100), []byte("LO\x06\x00ZZPHI1"), []byte("LO\x05\x00ZZPHI"), 1)
	object := pixel.Object{At: bytes.NewReader(odd), Size: int64(len(odd)), TransferSyntax: uid.ExplicitVRLittleEndian}
	if object.Size%2 == 0 {
		t.Fatal("the object is even")
	}
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleGet(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		var subs []dimse.SubOperation
		for _, ts := range []string{uid.ExplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian} {
			subs = append(subs, dimse.SubOperation{
				SOPClassUID: ct, SOPInstanceUID: "1.2.3.1", TransferSyntaxes: []string{ts},
				Open: func(ctx context.Context, accepted []string) (io.ReadCloser, string, error) {
					r, err := pixel.Open(ctx, object, accepted[0])
					return r, accepted[0], err
				},
			})
		}
		return &dimse.RetrievePlan{Count: len(subs), SubOperations: slices.Values(subs)}, dimse.Status{}
	})
	support := everything()
	support.TransferSyntaxes = func(string) []string {
		return []string{uid.DeflatedExplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}
	}
	host, port := hostPort(t, serve(t, &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, support), nil
	}}))
	for _, syntax := range []string{"+xe", "+xd"} {
		dir := t.TempDir()
		dcmtktest.Must(t, "getscu", syntax, "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3", "-od", dir, host, port)
		if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
			t.Errorf("%s: %d files, %v", syntax, len(names), err)
		}
	}
}

func hostPort(t *testing.T, addr string) (string, string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func TestServerAnswersDCMTK(t *testing.T) {
	var stored atomic.Int64
	sink := archiveMux(t, &stored, nil)
	dest := serve(t, &dimse.Server{Admit: admitAll, Mux: sink})
	addr := serve(t, &dimse.Server{Admit: admitAll, Mux: archiveMux(t, &stored, func() string { return dest })})
	host, port := hostPort(t, addr)

	dcmtktest.Must(t, "echoscu", "--repeat", "5", "-aec", "TESTSCP", host, port)

	_, names := files(t, 5, 500<<10)
	dcmtktest.Must(t, "storescu", append([]string{host, port}, names...)...)
	if stored.Load() != 5 {
		t.Errorf("storescu: %d arrived", stored.Load())
	}

	out := dcmtktest.Must(t, "findscu", "-v", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", host, port)
	if n := strings.Count(out, "(Pending)"); n != 10 {
		t.Errorf("findscu: %d matches\n%s", n, out)
	}

	into := t.TempDir()
	dcmtktest.Must(t, "getscu", "-S", "-od", into, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3", host, port)
	if got, _ := os.ReadDir(into); len(got) == 0 {
		t.Error("getscu: nothing arrived")
	}

	stored.Store(0)
	dcmtktest.Must(t, "movescu", "-S", "-aem", "SINK", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3", host, port)
	if stored.Load() != 3 {
		t.Errorf("movescu: %d arrived", stored.Load())
	}
}

func TestServerAnswersDCMTKOverTLS(t *testing.T) {
	var stored atomic.Int64
	server, _ := tlsPair(t)
	host, port := hostPort(t, serve(t, &dimse.Server{TLSConfig: server, Admit: admitAll, Mux: archiveMux(t, &stored, nil)}))
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	der, err := x509.MarshalPKCS8PrivateKey(server.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificates[0].Certificate[0]}), 0o600)
	os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	secure := []string{"+tls", key, cert, "+cf", cert}
	dcmtktest.Must(t, "echoscu", append(secure, host, port)...)
	_, names := files(t, 3, 500<<10)
	dcmtktest.Must(t, "storescu", append(append(secure, host, port), names...)...)
	if stored.Load() != 3 {
		t.Errorf("%d arrived", stored.Load())
	}
	dcmtktest.Must(t, "findscu", append(secure, "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", host, port)...)
}

// start runs a program that serves DICOM until the test ends.
func start(t *testing.T, port, path string, args ...string) {
	t.Helper()
	cmd := exec.Command(path, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 200 {
		a, err := dimse.Dial(context.Background(), "127.0.0.1:"+port, config(uid.Verification))
		if err == nil {
			a.Release(context.Background())
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("%s did not come up", path)
}

func freePort(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port := hostPort(t, ln.Addr().String())
	return port
}

func TestClientStoresToStorescp(t *testing.T) {
	port, dir := freePort(t), t.TempDir()
	start(t, port, dcmtktest.Find(t, "storescp"), "-od", dir, "+xe", port)
	a := dial(t, "127.0.0.1:"+port, config(uid.Verification, ct))
	for i := range 3 {
		instance := fmt.Sprintf("1.2.3.%d", i+1)
		s, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: instance,
			TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(storable(t, instance, 1<<20))})
		if err != nil || s.Code != dimse.Success {
			t.Fatal(s, err)
		}
	}
	if err := a.Release(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadDir(dir); len(got) != 3 {
		t.Errorf("%d files", len(got))
	}
}

func TestClientQueriesAndRetrievesFromDcmqrscp(t *testing.T) {
	port, dir := freePort(t), t.TempDir()
	var moved atomic.Int64
	sink := serve(t, &dimse.Server{Admit: admitAll, Mux: archiveMux(t, &moved, nil)})
	sinkHost, sinkPort := hostPort(t, sink)
	conf := filepath.Join(dir, "dcmqrscp.cfg")
	os.WriteFile(conf, []byte(fmt.Sprintf("NetworkTCPPort = %s\nMaxPDUSize = 65536\nMaxAssociations = 8\nHostTable BEGIN\nsink = (SINK, %s, %s)\nHostTable END\nVendorTable BEGIN\nVendorTable END\nAETable BEGIN\nTESTSCP %s RW (100, 1024mb) ANY\nAETable END\n",
		port, sinkHost, sinkPort, dir)), 0o600)
	start(t, port, dcmtktest.Find(t, "dcmqrscp"), "-c", conf)
	cfg := config(ct, studyFind, studyGet, studyMove)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: ct, SCU: true, SCP: true}}
	a := dial(t, "127.0.0.1:"+port, cfg)
	for i := range 4 {
		instance := fmt.Sprintf("1.2.3.%d", i+1)
		if _, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: instance,
			TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(storable(t, instance, 200<<10))}); err != nil {
			t.Fatal(err)
		}
	}
	matches := 0
	for m, err := range a.Find(context.Background(), dimse.FindRequest{SOPClassUID: studyFind, Identifier: studyQueryAll()}) {
		if err != nil {
			t.Fatal(err)
		}
		if matches++; m.Identifier.Text(tag.StudyInstanceUID) != "1.2.3" {
			t.Error("another study matched")
		}
	}
	if matches != 1 {
		t.Errorf("%d matches", matches)
	}
	var got atomic.Int64
	res, err := a.Get(context.Background(), dimse.GetRequest{SOPClassUID: studyGet, Identifier: oneStudy(), Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		io.Copy(io.Discard, rq.Data)
		got.Add(1)
		return dimse.Status{}
	}})
	if err != nil || got.Load() != 4 {
		t.Errorf("C-GET: %v %+v, %d arrived", err, res, got.Load())
	}
	moved.Store(0)
	res, err = a.Move(context.Background(), dimse.MoveRequest{SOPClassUID: studyMove, Identifier: oneStudy(), MoveDestination: "SINK"})
	if err != nil || moved.Load() != 4 {
		t.Errorf("C-MOVE: %v %+v, %d arrived", err, res, moved.Load())
	}
	if err := a.Release(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func studyQueryAll() *dicom.DataSet {
	ds := dicom.NewDataSet()
	ds.SetText(tag.QueryRetrieveLevel, "STUDY")
	ds.SetText(tag.StudyInstanceUID, "")
	return ds
}

func oneStudy() *dicom.DataSet {
	ds := studyQueryAll()
	ds.SetText(tag.StudyInstanceUID, "1.2.3")
	return ds
}

// TestUnchangedStorescuIsNotHeldUp measures an unchanged storescu, Nagle on, against a
// handler that drops the data.
func TestUnchangedStorescuIsNotHeldUp(t *testing.T) {
	const n = 300
	var stored atomic.Int64
	host, port := hostPort(t, serve(t, &dimse.Server{Admit: admitAll, Mux: archiveMux(t, &stored, nil)}))
	_, names := files(t, n, 526_000)
	began := time.Now()
	dcmtktest.Must(t, "storescu", append([]string{host, port}, names...)...)
	rate := float64(n) / time.Since(began).Seconds()
	t.Logf("%.0f instances of 526 kB a second", rate)
	if stored.Load() != n || rate < 100 {
		t.Errorf("%d of %d arrived, %.0f a second", stored.Load(), n, rate)
	}
}

func TestClientTalksToOrthanc(t *testing.T) {
	orthanc, err := exec.LookPath("Orthanc")
	if err != nil {
		t.Skip("Orthanc is not installed: interoperation with it was left out")
	}
	port, dir := freePort(t), t.TempDir()
	var moved atomic.Int64
	sinkHost, sinkPort := hostPort(t, serve(t, &dimse.Server{Admit: admitAll, Mux: archiveMux(t, &moved, nil)}))
	conf := filepath.Join(dir, "orthanc.json")
	os.WriteFile(conf, []byte(fmt.Sprintf(`{"DicomPort": %s, "DicomAet": "TESTSCP", "HttpServerEnabled": false, "StorageDirectory": %q, "IndexDirectory": %q,
		"DicomAlwaysAllowFind": true, "DicomAlwaysAllowGet": true, "DicomAlwaysAllowMove": true, "DicomCheckCalledAet": false,
		"DicomModalities": {"sink": ["SINK", %q, %s], "me": ["TESTSCU", "127.0.0.1", 1]}}`, port, dir, dir, sinkHost, sinkPort)), 0o600)
	start(t, port, orthanc, conf)
	cfg := config(ct, studyFind, studyGet, studyMove)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: ct, SCU: true, SCP: true}}
	a := dial(t, "127.0.0.1:"+port, cfg)
	for i := range 3 {
		instance := fmt.Sprintf("1.2.3.%d", i+1)
		if _, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: instance,
			TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(storable(t, instance, 200<<10))}); err != nil {
			t.Fatal(err)
		}
	}
	matches := 0
	for _, err := range a.Find(context.Background(), dimse.FindRequest{SOPClassUID: studyFind, Identifier: studyQueryAll()}) {
		if err != nil {
			t.Fatal(err)
		}
		matches++
	}
	if matches != 1 {
		t.Errorf("%d matches", matches)
	}
	var got atomic.Int64
	res, err := a.Get(context.Background(), dimse.GetRequest{SOPClassUID: studyGet, Identifier: oneStudy(), Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		io.Copy(io.Discard, rq.Data)
		got.Add(1)
		return dimse.Status{}
	}})
	if err != nil || got.Load() != 3 {
		t.Errorf("C-GET: %v %+v, %d arrived", err, res, got.Load())
	}
	res, err = a.Move(context.Background(), dimse.MoveRequest{SOPClassUID: studyMove, Identifier: oneStudy(), MoveDestination: "SINK"})
	if err != nil || moved.Load() != 3 {
		t.Errorf("C-MOVE: %v %+v, %d arrived", err, res, moved.Load())
	}
	if err := a.Release(context.Background()); err != nil {
		t.Fatal(err)
	}
}
