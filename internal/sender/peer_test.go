package sender

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

// peer is an archive on loopback that does what a test says. It takes native
// syntaxes alone.
func peer(t *testing.T, mux *dimse.Mux) Dial {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	support := dimse.Support{TransferSyntaxes: func(string) []string { return NativeSyntaxes() }}
	s := &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, support), nil
	}}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.Shutdown(ctx)
		<-done
	})

	return func(ctx context.Context, contexts []ul.ProposedContext, change func(*dimse.Config)) (*dimse.Association, error) {
		cfg := dimse.Config{CalledAETitle: "PEER", CallingAETitle: "WS1", Contexts: contexts}
		cfg.Limits.Response = 10 * time.Second
		if change != nil {
			change(&cfg)
		}
		return dimse.Dial(ctx, l.Addr().String(), cfg)
	}
}

// smallObject is the data set of an image that was made up.
func smallObject(t *testing.T) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for el, value := range map[dicom.Tag]string{
		tag.SOPClassUID: uid.SecondaryCaptureImageStorage, tag.SOPInstanceUID: uid.New(),
		tag.StudyInstanceUID: uid.New(), tag.SeriesInstanceUID: uid.New(), tag.PatientName: "ZZPHI^TEST",
	} {
		if err := ds.SetText(el, value); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

// smallFile is one in a Part 10 file.
func smallFile(t *testing.T) []byte {
	t.Helper()
	ds := smallObject(t)
	meta := dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID),
		TransferSyntaxUID: uid.ExplicitVRLittleEndian, ImplementationClassUID: "2.25.1",
	})
	return append(meta, encoded(t, ds, uid.ExplicitVRLittleEndian)...)
}

func encoded(t *testing.T, ds *dicom.DataSet, syntax string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, syntax); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// imageFiles writes n small images and reads what they are.
func imageFiles(t *testing.T, n int) []*File {
	t.Helper()
	var files []*File
	for range n {
		path := filepath.Join(t.TempDir(), "a.dcm")
		if err := os.WriteFile(path, smallFile(t), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Inspect(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

func newTransfer(dial Dial) *Transfer { return New(Options{Dial: dial}) }

// testPair is a key with a certificate that nobody vouches for.
func testPair(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
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
