//go:build interop

package interop_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/synth"
	"collimator/internal/tlsprofile"
	"collimator/interop/harness"
)

// The attacker is a registered device that went bad, with every permission, at
// an address of its own; the witness is another device.
const (
	attacker        = "MODALITY"
	attackerAddress = "127.0.0.66"
	witness         = "WITNESS"
)

// Bounds of the acceptance test.
const (
	promptly    = 3 * time.Second // a C-ECHO of the witness, TLS handshake included, on a busy machine
	answerTime  = 5 * time.Second // until a hostile peer is answered or cut off
	artim       = 10 * time.Second
	memoryBound = 128 << 20
)

// hostile is a server under attack.
type hostile struct {
	*testing.T
	s        *harness.Server
	keys     map[string]*tls.Config
	files    map[string]string // the directory with a device's certificate and key
	baseline int64
	bound    int64 // bytes by which the peak of the resident memory may grow
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{T: t, s: harness.Start(t), keys: map[string]*tls.Config{}, files: map[string]string{}, bound: memoryBound}
	for _, title := range []string{attacker, witness} {
		h.register(title)
	}
	h.witness()
	h.baseline, _ = h.s.RSS(t)
	return h
}

// register adds a device and keeps its keys.
func (h *hostile) register(title string, flags ...string) {
	h.Helper()
	dir := h.s.Device(title, append(harness.All, flags...)...)
	keys, err := keysOf(dir, title)
	if err != nil {
		h.Fatal(err)
	}
	h.keys[title] = keys
	h.files[title] = dir
}

// keysOf reads what 'device add' handed out.
func keysOf(dir, title string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, title+".cert.pem"), filepath.Join(dir, title+".key.pem"))
	if err != nil {
		return nil, err
	}
	roots, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, err
	}

	return tlsprofile.AssociationClient(&cert, tlsprofile.Trust{Roots: newPool(roots)}), nil
}

// unharmed is what must be true after every attack.
func (h *hostile) unharmed() {
	h.Helper()
	h.witness()
	_, peak := h.s.RSS(h.T)
	if grown := peak - h.baseline; grown > h.bound {
		h.Errorf("the server's memory grew by %d MiB, the bound is %d MiB", grown>>20, h.bound>>20)
	}
	if strings.Contains(h.s.Output(), harness.Marker) {
		h.Error("the server's output holds patient data")
	}
	for _, bad := range []string{"\x1b", "<script", "\x00"} {
		if strings.Contains(h.s.Output(), bad) {
			h.Errorf("the server's output holds %q as it came", bad)
		}
	}
}

// witness verifies the server on a new association.
func (h *hostile) witness() {
	h.Helper()
	began := time.Now()
	a, err := dimse.Dial(context.Background(), h.s.Address, dimse.Config{
		TLSConfig: h.keys[witness], CallingAETitle: witness, CalledAETitle: harness.AETitle,
		Contexts: dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false),
	})
	if err != nil {
		h.Fatalf("another device is not served: %v", err)
	}
	if err := errors.Join(a.Echo(context.Background()), a.Release(context.Background())); err != nil {
		h.Fatalf("another device is not served: %v", err)
	}
	if d := time.Since(began); d > promptly {
		h.Errorf("another device waited %v", d)
	}
}

// tcp opens a connection from the attacker's address.
func (h *hostile) tcp(address string) net.Conn {
	h.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(attackerAddress)}, Timeout: 5 * time.Second}
	c, err := d.Dial("tcp", address)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { c.Close() })
	return c
}

// dial opens a TLS connection with the attacker's certificate.
func (h *hostile) dial() net.Conn {
	h.Helper()
	c := tls.Client(h.tcp(h.s.Address), h.keys[attacker])
	if err := c.Handshake(); err != nil {
		h.Fatal(err)
	}
	return c
}

// associate opens an association by hand.
func (h *hostile) associate() net.Conn {
	h.Helper()
	c := h.dial()
	if _, err := c.Write(synth.NewRequest(attacker, harness.AETitle).Bytes()); err != nil {
		h.Fatal(err)
	}
	if p, err := readPDU(c); err != nil || p.Type() != ul.TypeAssociateAC {
		h.Fatalf("no association: %v %v", p, err)
	}
	return c
}

// ask asks for an association with the keys of a device.
func (h *hostile) ask(keys string, cfg dimse.Config) (*dimse.Association, error) {
	h.Helper()
	cfg.TLSConfig = h.keys[keys]
	if cfg.CalledAETitle == "" {
		cfg.CalledAETitle = harness.AETitle
	}
	if len(cfg.Contexts) == 0 {
		cfg.Contexts = dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false)
	}
	return dimse.Open(context.Background(), h.tcp(h.s.Address), cfg)
}

// open opens an association with a device's own title.
func (h *hostile) open(title string, contexts ...ul.ProposedContext) *dimse.Association {
	h.Helper()
	a, err := h.ask(title, dimse.Config{CallingAETitle: title, Contexts: contexts})
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(a.Abort)
	return a
}

// store sends a data set on an association of its own and gives the status; an
// error is an association that ended.
func (h *hostile) store(class, instance, ts string, data io.Reader) (dimse.StatusCode, error) {
	h.Helper()
	a := h.open(attacker, ul.ProposedContext{AbstractSyntax: class, TransferSyntaxes: []string{ts}})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	st, err := a.Store(ctx, dimse.StoreRequest{SOPClassUID: class, SOPInstanceUID: instance, TransferSyntax: ts, Data: &even{r: data}})
	if refused, ok := errors.AsType[*dimse.StatusError](err); ok {
		return refused.Status.Code, nil
	}
	if err == nil {
		err = a.Release(ctx)
	}
	return st.Code, err
}

// even pads a stream to an even length: no client sends another (PS3.8 E).
type even struct {
	r   io.Reader
	odd bool
	end bool
}

// Read implements io.Reader.
func (e *even) Read(p []byte) (int, error) {
	if e.end {
		return 0, io.EOF
	}
	n, err := e.r.Read(p)
	if n&1 == 1 {
		e.odd = !e.odd
	}
	if err != io.EOF {
		return n, err
	}
	if !e.odd {
		return n, io.EOF
	}
	if n == len(p) {
		return n, nil // the next read pads
	}
	e.end = true
	p[n] = 0

	return n + 1, io.EOF
}

func (h *hostile) storeHostile(d synth.HostileDataSet) (dimse.StatusCode, error) {
	return h.store(d.Instance.SOPClassUID, d.Instance.SOPInstanceUID, d.TransferSyntax, d.Open())
}

// archive opens the archive on the disk beside the server.
func (h *hostile) archive() *archive.Archive {
	h.Helper()
	d, err := db.Open(context.Background(), db.Options{Path: h.path("*.db")})
	if err != nil {
		h.Fatal(err)
	}
	blobs, err := blob.OpenDir(h.path("blobs"))
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { blobs.Close(); d.Close() })
	a, err := archive.Open(archive.Options{DB: d, Blobs: blobs})
	if err != nil {
		h.Fatal(err)
	}
	return a
}

func (h *hostile) path(pattern string) string {
	h.Helper()
	found, err := filepath.Glob(filepath.Join(h.s.Data, pattern))
	if err != nil || len(found) != 1 {
		h.Fatalf("%s: %v %v", pattern, found, err)
	}
	return found[0]
}

// stored is the bytes of the data set of an instance; nil when there is none.
func (h *hostile) stored(in synth.Instance) []byte {
	h.Helper()
	a := h.archive()
	for ref, err := range a.Retrieve(context.Background(), archive.RetrieveQuery{Scope: archive.Everything(), StudyUIDs: []string{in.StudyInstanceUID}, SeriesUIDs: []string{in.SeriesInstanceUID}, SOPInstanceUIDs: []string{in.SOPInstanceUID}}) {
		if err != nil {
			h.Fatal(err)
		}
		o, err := a.Open(context.Background(), ref)
		if err != nil {
			h.Fatal(err)
		}
		defer o.Close()
		b, err := io.ReadAll(o.DataSet())
		if err != nil {
			h.Fatal(err)
		}
		return b
	}
	return nil
}

// nothingEscaped finds files that are not where the server puts them.
func (h *hostile) nothingEscaped() {
	h.Helper()
	for _, path := range harness.Files(h.T, h.s.Data) {
		name := filepath.Base(path)
		if strings.Contains(name, "1.2") || strings.Contains(name, "passwd") || strings.Contains(name, harness.Marker) {
			h.Errorf("a file is named by what came over the wire: %d characters", len(name))
		}
	}
}

// readPDU reads one PDU of the server.
func readPDU(c net.Conn) (ul.PDU, error) {
	head := make([]byte, 6)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[2:]))
	if _, err := io.ReadFull(c, body); err != nil {
		return nil, err
	}
	return ul.Decode(append(head, body...), ul.Limits{})
}

// status reads the answer to a message sent by hand.
func status(t *testing.T, c net.Conn) dimse.StatusCode {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(answerTime))
	p, err := readPDU(c)
	if err != nil {
		t.Fatal(err)
	}
	data, ok := p.(*ul.PDataTF)
	if !ok {
		t.Fatalf("got a PDU of type %d", p.Type())
	}
	cmd, err := dimse.DecodeCommand(data.Values[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	return cmd.Status
}

// query is an identifier of a study level query with keys.
func query(t *testing.T, keys map[dicom.Tag]string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.QueryRetrieveLevel, "STUDY"); err != nil {
		t.Fatal(err)
	}
	for k, v := range keys {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

// find gives the number of matches and the final status.
func find(a *dimse.Association, ds *dicom.DataSet) (n int, code dimse.StatusCode, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, err := range a.Find(ctx, dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: ds}) {
		if refused, ok := errors.AsType[*dimse.StatusError](err); ok {
			return n, refused.Status.Code, nil
		}
		if err != nil {
			return n, 0, err
		}
		n++
	}
	return n, dimse.Success, nil
}
