package sign

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Errors a caller may test for with errors.Is.
var (
	// ErrKey: the key or its certificate cannot make a signature of PS3.15 C.1.
	ErrKey = errors.New("sign: the key and the certificate cannot be used to sign")
	// ErrNothing: the data set has none of the elements that are to be signed.
	ErrNothing = errors.New("sign: there is nothing to sign")
)

// Signer makes signatures with one key. It is safe for concurrent use if Key is.
type Signer struct {
	Key         crypto.Signer // of RSA, 2048 bits or more
	Certificate *x509.Certificate
	Hash        crypto.Hash // SHA256, SHA384 or SHA512; zero is SHA256
	Purpose     Purpose     // zero for none
	// Tags is which elements at the top are signed; nil is all that may be. That
	// is more than the Creator RSA profile wants at the least (PS3.15 C.2).
	Tags []dicom.Tag
	Now  func() time.Time // nil is time.Now
}

// Check reports with ErrKey, and why, that the signer cannot sign.
func (s *Signer) Check() error {
	if s.Key == nil || s.Certificate == nil {
		return fmt.Errorf("%w: one of them is missing", ErrKey)
	}
	public, ok := s.Key.Public().(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("%w: PS3.15 C.1 wants an RSA key", ErrKey)
	}
	if n := public.N.BitLen(); n < soundBits || n > mostBits {
		return fmt.Errorf("%w: the RSA key has %d bits, and 2048 are the fewest", ErrKey, n)
	}
	if !public.Equal(s.Certificate.PublicKey) {
		return fmt.Errorf("%w: the certificate is of another key", ErrKey)
	}
	if !maySign(s.Certificate) {
		return fmt.Errorf("%w: the certificate is not for signatures", ErrKey)
	}
	if now := s.now(); now.Before(s.Certificate.NotBefore) || now.After(s.Certificate.NotAfter) {
		return fmt.Errorf("%w: the certificate is not valid now", ErrKey)
	}
	if _, ok := algorithmFor(s.hash()); !ok {
		return fmt.Errorf("%w: sign with SHA256, SHA384 or SHA512", ErrKey)
	}

	return nil
}

func (s *Signer) hash() crypto.Hash {
	if s.Hash == 0 {
		return crypto.SHA256
	}

	return s.Hash
}

func (s *Signer) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}

	return s.Now()
}

// Sign adds a signature to ds, beside those that it has. The transfer syntax is
// that in which ds will be written: pixel data in fragments are signed as they
// are. Values whose VR is unknown cannot be signed and are left out; so a data
// set in implicit VR is better written in explicit VR.
//
// ErrKey and ErrNothing may be tested for; any other error is that of ctx or of
// reading the values of ds.
func (s *Signer) Sign(ctx context.Context, ds *dicom.DataSet, transferSyntax string) error {
	if err := s.Check(); err != nil {
		return err
	}
	tags := s.chosen(ds)
	if len(tags) == 0 {
		return ErrNothing
	}

	id, err := freeID(ds)
	if err != nil {
		return err
	}
	mac := ds.NewItem()
	item := ds.NewItem()
	if err := s.fill(mac, item, tags, id, macSyntax(transferSyntax)); err != nil {
		return err
	}
	signed, err := s.seal(ctx, ds, item, tags)
	if err != nil {
		return err
	}
	item.Set(dicom.NewElement(tag.CertificateOfSigner, dicom.OB, s.Certificate.Raw))
	item.Set(dicom.NewElement(tag.Signature, dicom.OB, signed))

	ds.SetItems(tag.MACParametersSequence, append(ds.Items(tag.MACParametersSequence), mac)...)
	ds.SetItems(tag.DigitalSignaturesSequence, append(ds.Items(tag.DigitalSignaturesSequence), item)...)

	return nil
}

// chosen is the elements that are signed, in the order of the data set.
func (s *Signer) chosen(ds *dicom.DataSet) []dicom.Tag {
	wanted := map[dicom.Tag]bool{}
	for _, t := range s.Tags {
		wanted[t] = true
	}

	var tags []dicom.Tag
	for el := range ds.All() {
		if s.Tags != nil && !wanted[el.Tag] || !allowed(el.Tag) || holdsUnknown(el) {
			continue
		}
		tags = append(tags, el.Tag)
	}

	return tags
}

// freeID is a MAC ID Number that ds does not use yet.
func freeID(ds *dicom.DataSet) (uint16, error) {
	used := map[int64]bool{}
	for _, t := range []dicom.Tag{tag.MACParametersSequence, tag.DigitalSignaturesSequence} {
		for _, item := range ds.Items(t) {
			n, _ := item.Int(tag.MACIDNumber)
			used[n] = true
		}
	}
	for id := uint16(1); id != 0; id++ {
		if !used[int64(id)] {
			return id, nil
		}
	}

	return 0, fmt.Errorf("%w: every MAC ID Number is used", ErrNothing)
}

// macSyntax is a transfer syntax for the MAC: one that names the VR and is
// little endian (PS3.3 C.12.1.1.3).
func macSyntax(written string) string {
	if ts, _ := dicom.LookupTransferSyntax(written); written != "" && ts.Encapsulated {
		return written
	}

	return uid.ExplicitVRLittleEndian
}

// fill writes the MAC parameters and the part of the signature that is signed.
func (s *Signer) fill(mac, item *dicom.DataSet, tags []dicom.Tag, id uint16, syntax string) error {
	a, _ := algorithmFor(s.hash())
	number := binary.LittleEndian.AppendUint16(nil, id)
	list := make([]byte, 0, 4*len(tags))
	for _, t := range tags {
		list = binary.LittleEndian.AppendUint16(list, t.Group())
		list = binary.LittleEndian.AppendUint16(list, t.Element())
	}
	mac.Set(dicom.NewElement(tag.MACIDNumber, dicom.US, number))
	mac.Set(dicom.NewElement(tag.MACCalculationTransferSyntaxUID, dicom.UI, []byte(syntax)))
	mac.Set(dicom.NewElement(tag.MACAlgorithm, dicom.CS, []byte(a.term)))
	mac.Set(dicom.NewElement(tag.DataElementsSigned, dicom.AT, list))

	when := s.now().UTC().Format("20060102150405.000000-0700")
	item.Set(dicom.NewElement(tag.MACIDNumber, dicom.US, number))
	item.Set(dicom.NewElement(tag.DigitalSignatureUID, dicom.UI, []byte(uid.New())))
	item.Set(dicom.NewElement(tag.DigitalSignatureDateTime, dicom.DT, []byte(when)))
	item.Set(dicom.NewElement(tag.CertificateType, dicom.CS, []byte(certificateType)))
	if s.Purpose == 0 {
		return nil
	}

	code := item.NewItem()
	for t, v := range map[dicom.Tag]string{
		tag.CodeValue:              s.Purpose.code(),
		tag.CodingSchemeDesignator: purposeScheme,
		tag.CodeMeaning:            s.Purpose.String(),
	} {
		if err := code.SetText(t, v); err != nil {
			return err
		}
	}
	item.SetItems(tag.DigitalSignaturePurposeCodeSequence, code)

	return nil
}

// seal puts the elements through the MAC and signs it.
func (s *Signer) seal(ctx context.Context, ds, item *dicom.DataSet, tags []dicom.Tag) ([]byte, error) {
	list := make(map[dicom.Tag]bool, len(tags))
	for _, t := range tags {
		list[t] = true
	}
	left := Limits{}.bytes()
	digest := s.hash().New()
	out := &stream{w: digest, left: &left}
	if err := out.dataSet(ctx, ds, list); err != nil {
		return nil, err
	}
	if err := out.signatureItem(ctx, item); err != nil {
		return nil, err
	}

	signed, err := s.Key.Sign(rand.Reader, digest.Sum(nil), s.hash())
	if err != nil {
		return nil, fmt.Errorf("sign: using the key: %w", err)
	}

	return signed, nil
}
