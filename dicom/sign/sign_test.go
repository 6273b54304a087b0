package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/synth"
)

// identity is a key with a certificate that it signed itself.
type identity struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
}

func newIdentity(t testing.TB) identity {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}

	return identity{key, selfSigned(t, key)}
}

func selfSigned(t testing.TB, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ZZPHI Signer"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}

	return c
}

func (id identity) signer() *Signer {
	return &Signer{Key: id.key, Certificate: id.certificate, Purpose: Source}
}

func (id identity) trusted() Options {
	roots := x509.NewCertPool()
	roots.AddCert(id.certificate)

	return Options{Roots: roots}
}

// files writes the key and the certificate in PEM.
func (id identity) files(t testing.TB) (key, certificate string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key = filepath.Join(dir, "key.pem")
	certificate = filepath.Join(dir, "cert.pem")
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	write(t, certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.certificate.Raw}))

	return key, certificate
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// reread is a file as a receiver reads it, with long values left in it.
func reread(t testing.TB, f *dicom.File) *dicom.File {
	t.Helper()
	return read(t, synth.Bytes(f))
}

func read(t testing.TB, b []byte) *dicom.File {
	t.Helper()
	f, err := dicom.OpenFile(bytes.NewReader(b), int64(len(b)), dicom.DecodeOptions{BulkThreshold: 1024})
	if err != nil {
		t.Fatal(err)
	}

	return f
}

func results(t testing.TB, ds *dicom.DataSet, o Options) []Result {
	t.Helper()
	var all []Result
	for r, err := range Verify(t.Context(), ds, o) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}

	return all
}

func one(t testing.TB, ds *dicom.DataSet, o Options) Result {
	t.Helper()
	all := results(t, ds, o)
	if len(all) != 1 {
		t.Fatalf("%d signatures, want 1", len(all))
	}

	return all[0]
}

func image(transferSyntax string) *dicom.File {
	return synth.First(synth.CT, synth.Options{Rows: 64, Columns: 64, TransferSyntax: transferSyntax})
}

func signed(t testing.TB, id identity, f *dicom.File) *dicom.File {
	t.Helper()
	if err := id.signer().Sign(t.Context(), f.DataSet, f.TransferSyntax); err != nil {
		t.Fatal(err)
	}

	return reread(t, f)
}

func TestSignatureOfAnUnchangedObjectIsValid(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	for _, ts := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian,
		uid.DeflatedExplicitVRLittleEndian, uid.RLELossless} {
		r := one(t, signed(t, id, image(ts)).DataSet, id.trusted())
		if r.State != Valid || !r.PixelData || r.Algorithm != "SHA256" || r.Purpose != Source || r.Time.IsZero() || len(r.Signed) < 20 {
			t.Errorf("%s: %+v", uid.Name(ts), r)
		}
	}
}

func TestChangedElementOrPixelMakesASignatureAltered(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	for name, change := range map[string]func(ds *dicom.DataSet){
		"value": func(ds *dicom.DataSet) { _ = ds.SetText(tag.PatientName, "ZZPHI^OTHER") },
		"gone":  func(ds *dicom.DataSet) { ds.Delete(tag.StudyDate) },
		"pixel": func(ds *dicom.DataSet) {
			el, _ := ds.Get(tag.PixelData)
			loaded, _ := el.Load(1 << 20)
			b := bytes.Clone(loaded.Bytes())
			b[len(b)/2] ^= 1
			ds.Set(dicom.NewElement(tag.PixelData, el.VR, b))
		},
		"time of the signature": func(ds *dicom.DataSet) {
			item := ds.Items(tag.DigitalSignaturesSequence)[0]
			_ = item.SetText(tag.DigitalSignatureDateTime, "20010101000000+0000")
		},
	} {
		f := signed(t, id, image(uid.ExplicitVRLittleEndian))
		change(f.DataSet)
		if r := one(t, f.DataSet, id.trusted()); r.State != Altered {
			t.Errorf("%s: %v", name, r.State)
		}
	}
}

func TestValidSignatureSaysWhatItDoesNotCover(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	f := image(uid.ExplicitVRLittleEndian)
	s := id.signer()
	s.Tags = []dicom.Tag{tag.SOPClassUID, tag.SOPInstanceUID}
	if err := s.Sign(t.Context(), f.DataSet, f.TransferSyntax); err != nil {
		t.Fatal(err)
	}

	r := one(t, reread(t, f).DataSet, id.trusted())
	if r.State != Valid || r.PixelData || len(r.Signed) != 2 || r.Unsigned < 20 {
		t.Errorf("%+v", r)
	}
}

func TestSignatureOfAnItemIsFound(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	f := image(uid.ExplicitVRLittleEndian)
	item := f.DataSet.NewItem()
	item.Set(dicom.NewText(tag.CodeMeaning, dicom.LO, "ZZPHI"))
	f.DataSet.SetItems(tag.ProcedureCodeSequence, item)
	if err := id.signer().Sign(t.Context(), f.DataSet.Items(tag.ProcedureCodeSequence)[0], f.TransferSyntax); err != nil {
		t.Fatal(err)
	}

	r := one(t, reread(t, f).DataSet, id.trusted())
	if r.State != Valid || r.Path != "(0008,1032)[1]" {
		t.Errorf("%+v", r)
	}
}

func TestSecondSignatureLeavesTheFirstValid(t *testing.T) {
	t.Parallel()
	a := newIdentity(t)
	b := newIdentity(t)
	all := results(t, signed(t, b, signed(t, a, image(uid.ExplicitVRLittleEndian))).DataSet, a.trusted())
	if len(all) != 2 || all[0].State != Valid || all[1].State != Untrusted {
		t.Errorf("%+v", all)
	}
}

func TestCertificateOfNobodyKnownOrOutOfDateIsSaid(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	ds := signed(t, id, image(uid.ExplicitVRLittleEndian)).DataSet
	if r := one(t, ds, Options{}); r.State != Untrusted || !r.State.Intact() {
		t.Errorf("nobody is trusted: %v", r.State)
	}

	late := id.trusted()
	late.Now = time.Now().Add(48 * time.Hour)
	if r := one(t, ds, late); r.State != Expired {
		t.Errorf("two days later: %v", r.State)
	}
}

func TestPixelDataInAnotherTransferSyntaxCannotBeChecked(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	native := signed(t, id, image(uid.ExplicitVRLittleEndian))
	if r := one(t, reread(t, synth.In(native, uid.RLELossless, synth.BasicTable)).DataSet, id.trusted()); r.State != Unchecked {
		t.Errorf("%+v", r)
	}
}

func TestSignatureInATransferSyntaxThatIsNotAllowedCannotBeChecked(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	ds := signed(t, id, image(uid.ExplicitVRLittleEndian)).DataSet
	_ = ds.SetText(tag.PatientName, "ZZPHI^OTHER")
	_ = ds.Items(tag.MACParametersSequence)[0].SetText(tag.MACCalculationTransferSyntaxUID, uid.ExplicitVRBigEndian)
	if r := one(t, ds, id.trusted()); r.State != Unchecked {
		t.Errorf("%+v", r)
	}
}

func TestGivingUpEndsTheCheck(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	ds := signed(t, id, image(uid.ExplicitVRLittleEndian)).DataSet
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, err := range Verify(ctx, ds, id.trusted()) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestHostileSignaturesCostNoMoreThanTheLimits(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	f := image(uid.ExplicitVRLittleEndian)
	for range 3 {
		f = signed(t, id, f)
	}

	o := id.trusted()
	o.Limits = Limits{Signatures: 2, Bytes: 15_000}
	all := results(t, f.DataSet, o)
	if len(all) != 3 || all[0].State != Valid || all[1].State != Unchecked || all[2].State != Unchecked {
		t.Errorf("%+v", all)
	}
}

func TestSignerRefusesWhatTheProfileDoesNotName(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	other := newIdentity(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Signer{
		"none":                  {},
		"elliptic curve":        {Key: curve, Certificate: selfSigned(t, curve)},
		"short":                 {Key: short, Certificate: selfSigned(t, short)},
		"another's certificate": {Key: id.key, Certificate: other.certificate},
		"SHA-1":                 {Key: id.key, Certificate: id.certificate, Hash: crypto.SHA1},
		"later":                 {Key: id.key, Certificate: id.certificate, Now: func() time.Time { return time.Now().Add(48 * time.Hour) }},
	} {
		if err := s.Sign(t.Context(), image("").DataSet, ""); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzVerify holds checking to its promises on whatever is read: it ends, it
// does not panic, and a file that nobody vouches for is never valid.
func FuzzVerify(f *testing.F) {
	id := newIdentity(f)
	f.Add(synth.Bytes(signed(f, id, image(uid.ExplicitVRLittleEndian))))
	f.Add(synth.Bytes(signed(f, id, image(uid.RLELossless))))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := dicom.OpenFile(bytes.NewReader(b), int64(len(b)), dicom.DecodeOptions{BulkThreshold: 256})
		if err != nil {
			return
		}
		for r := range Verify(t.Context(), file.DataSet, Options{Limits: Limits{Bytes: 1 << 20}}) {
			if r.State == Valid {
				t.Fatal("valid without anybody to trust")
			}
		}
	})
}
