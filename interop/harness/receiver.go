package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"collimator/dicom"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/tlsprofile"
)

// Receiver is an AE that stores whatever it is sent as files, over TLS with the
// keys of a device.
type Receiver struct {
	Address string
	Dir     string
}

// StartReceiver runs one at an address until the test ends.
func StartReceiver(t testing.TB, address, aeTitle, keys string) *Receiver {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(filepath.Join(keys, aeTitle+".cert.pem"), filepath.Join(keys, aeTitle+".key.pem"))
	if err != nil {
		t.Fatal(err)
	}

	r := &Receiver{Address: address, Dir: t.TempDir()}
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleEcho(nil)
	mux.HandleStore(r.store)
	server := &dimse.Server{
		TLSConfig: tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return &cert, nil }),
		Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			var acc dimse.Acceptance
			for _, pc := range rq.Contexts {
				acc.Contexts = append(acc.Contexts, ul.AcceptedContext{ID: pc.ID, TransferSyntax: pc.TransferSyntaxes[0]})
			}
			return acc, nil
		},
		Mux: mux,
	}

	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { server.Serve(ctx, ln) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return r
}

func (r *Receiver) store(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	var b bytes.Buffer
	b.Write(dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: rq.SOPClassUID, SOPInstanceUID: rq.SOPInstanceUID, TransferSyntaxUID: rq.TransferSyntax, ImplementationClassUID: "2.25.1"}))
	if _, err := io.Copy(&b, rq.Data); err != nil {
		return dimse.ProcessingFailure.Because(err)
	}
	if err := os.WriteFile(filepath.Join(r.Dir, rq.SOPInstanceUID+".dcm"), b.Bytes(), 0o600); err != nil {
		return dimse.ProcessingFailure.Because(err)
	}
	return dimse.Status{}
}
