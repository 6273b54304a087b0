package dimse_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

const (
	ct        = uid.CTImageStorage
	mr        = uid.MRImageStorage
	studyFind = uid.StudyRootFind
	studyMove = uid.StudyRootMove
	studyGet  = uid.StudyRootGet
)

// everything supports every class in the two little endian syntaxes and every role.
func everything() dimse.Support {
	return dimse.Support{
		TransferSyntaxes: func(string) []string {
			return []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}
		},
		Roles:  func(string) (bool, bool) { return true, true },
		Window: 4,
		Query:  func(string) dimse.QueryOptions { return dimse.QueryOptions{Relational: true, FuzzyMatching: true} },
	}
}

func admitAll(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
	return dimse.Negotiate(rq, everything()), nil
}

// refusals collects what OnRefused is told.
type refusals struct{ ch chan dimse.Refusal }

func newRefusals() *refusals { return &refusals{ch: make(chan dimse.Refusal, 100)} }

func (r *refusals) add(x dimse.Refusal) { r.ch <- x }

func (r *refusals) next(t *testing.T) dimse.Refusal {
	t.Helper()
	select {
	case x := <-r.ch:
		return x
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was refused")
		return dimse.Refusal{}
	}
}

// serve starts s on loopback and stops it with the test.
func serve(t testing.TB, s *dimse.Server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Error("server did not stop")
		}
	})
	return ln.Addr().String()
}

func config(classes ...string) dimse.Config {
	return dimse.Config{
		CallingAETitle: "TESTSCU", CalledAETitle: "TESTSCP",
		Contexts: dimse.Propose(classes, []string{uid.ExplicitVRLittleEndian}, false),
	}
}

func dial(t testing.TB, addr string, cfg dimse.Config) *dimse.Association {
	t.Helper()
	a, err := dimse.Dial(context.Background(), addr, cfg)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(a.Abort)
	return a
}

func studyQuery() *dicom.DataSet {
	ds := dicom.NewDataSet()
	ds.SetText(tag.QueryRetrieveLevel, "STUDY")
	ds.SetText(tag.PatientName, "ZZPHI^QUERY")
	ds.SetText(tag.StudyInstanceUID, "")
	return ds
}

// image is an encoded data set of about size bytes.
func image(t testing.TB, instance string, size int) []byte {
	t.Helper()
	ds := dicom.NewDataSet()
	ds.SetText(tag.SOPClassUID, ct)
	ds.SetText(tag.SOPInstanceUID, instance)
	ds.SetText(tag.PatientName, "ZZPHI^IMAGE")
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, make([]byte, size&^1)))
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func subOperations(instances []string, data []byte) []dimse.SubOperation {
	var out []dimse.SubOperation
	for _, id := range instances {
		out = append(out, dimse.SubOperation{SOPClassUID: ct, SOPInstanceUID: id,
			TransferSyntaxes: []string{uid.ExplicitVRLittleEndian},
			Open: func(_ context.Context, accepted []string) (io.ReadCloser, string, error) {
				if len(accepted) == 0 {
					return nil, "", errors.New("nothing accepted")
				}
				return io.NopCloser(bytes.NewReader(data)), accepted[0], nil
			}})
	}
	return out
}

// tlsPair is a server and a client configuration that trust each other.
func tlsPair(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12},
		&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// requestPDU is an encoded A-ASSOCIATE-RQ for Verification and CT storage.
func requestPDU(t testing.TB, change func(*ul.AssociateRQ)) []byte {
	t.Helper()
	rq := &ul.AssociateRQ{CalledAETitle: "TESTSCP", CallingAETitle: "TESTSCU",
		Contexts: []ul.ProposedContext{
			{ID: 1, AbstractSyntax: uid.Verification, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}},
			{ID: 3, AbstractSyntax: ct, TransferSyntaxes: []string{uid.ExplicitVRLittleEndian}},
			{ID: 5, AbstractSyntax: studyFind, TransferSyntaxes: []string{uid.ExplicitVRLittleEndian}},
		},
		User: ul.UserInformation{MaxPDULength: 16384, ImplementationClassUID: "1.2.3"}}
	if change != nil {
		change(rq)
	}
	b, err := rq.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
