package sign

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"iter"
	"strings"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Bytes of values that are read into memory.
const (
	listLimit        = 1 << 20   // Data Elements Signed (0400,0020)
	certificateLimit = 256 << 10 // Certificate of Signer (0400,0115)
	signatureLimit   = 64 << 10  // Signature (0400,0120)
)

// Present reports whether a data set or one of its items holds signatures.
func Present(ds *dicom.DataSet) bool {
	for v := range ds.Walk() {
		if v.Tag == tag.DigitalSignaturesSequence {
			return true
		}
	}

	return false
}

// Verify checks every signature of a data set and of its items, in encoded
// order. What is wrong with a signature is its result and no error: an error
// ends the sequence, and is that of ctx or of reading the values of ds.
func Verify(ctx context.Context, ds *dicom.DataSet, o Options) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		v := &verifier{o: o, left: o.Limits.bytes(), checks: o.Limits.signatures()}
		if v.o.Now.IsZero() {
			v.o.Now = time.Now()
		}
		for place := range ds.Walk() {
			if place.Tag == tag.DigitalSignaturesSequence && !v.sequence(ctx, place, yield) {
				return
			}
		}
	}
}

// verifier is one call of Verify.
type verifier struct {
	o      Options
	left   int64 // bytes that may still be put through a MAC
	checks int   // signatures that may still be checked
}

// sequence checks the signatures of one data set or item; false ends it.
func (v *verifier) sequence(ctx context.Context, place dicom.Visit, yield func(Result, error) bool) bool {
	path := place.Path.String()
	if !place.Sequence() {
		return yield(Result{State: Unchecked, Path: path, Reason: "the Digital Signatures Sequence is not a sequence"}, nil)
	}

	for _, item := range place.Items() {
		s := &signature{verifier: v, ds: place.DataSet, item: item}
		s.result.Path = path
		err := s.check(ctx)
		if err != nil && !errors.Is(err, errBytes) {
			yield(Result{}, err)
			return false
		}
		if err != nil {
			s.conclude(Unchecked, "checking it takes more than the limits allow")
		}
		if !yield(s.result, nil) {
			return false
		}
	}

	return true
}

// signature is one that is being checked.
type signature struct {
	*verifier
	ds          *dicom.DataSet // that it covers
	item        *dicom.DataSet // of the Digital Signatures Sequence
	list        map[dicom.Tag]bool
	lost        string // why a MAC that differs proves nothing; empty when it does
	certificate *x509.Certificate
	result      Result
}

func (s *signature) conclude(state State, reason string) {
	s.result.State = state
	s.result.Reason = reason
}

// check comes to the verdict on the signature. It returns an error only where the
// object cannot be read to its end.
func (s *signature) check(ctx context.Context) error {
	s.describe()

	s.checks--
	if s.checks < 0 {
		s.conclude(Unchecked, "there are more signatures than the limits allow")
		return nil
	}

	mac, problem := s.parameters()
	if problem != "" {
		s.conclude(Unchecked, problem)
		return nil
	}

	if err := s.coverage(mac); err != nil {
		return err
	}
	if !s.signer() {
		return nil
	}

	term := strings.TrimSpace(mac.Text(tag.MACAlgorithm))
	a, ok := algorithmOf(term)
	if !ok {
		s.conclude(UnknownAlgorithm, "the MAC algorithm is unknown")
		return nil
	}
	s.result.Algorithm = a.term

	same, err := s.matches(ctx, a)
	if err != nil || s.result.State != 0 {
		return err
	}
	if !same {
		s.differs()
		return nil
	}

	s.trust(a)
	return nil
}

// describe reads what the signature says of itself.
func (s *signature) describe() {
	s.result.UID = s.item.Text(tag.DigitalSignatureUID)
	s.result.Time = parseTime(s.item.Text(tag.DigitalSignatureDateTime))
	if codes := s.item.Items(tag.DigitalSignaturePurposeCodeSequence); len(codes) > 0 {
		s.result.Purpose = purposeOf(codes[0])
	}
}

// parameters finds the one item of the MAC Parameters Sequence with the
// signature's MAC ID Number (PS3.3 C.12.1.1.3).
func (s *signature) parameters() (mac *dicom.DataSet, problem string) {
	id, ok := s.item.Int(tag.MACIDNumber)
	if !ok {
		return nil, "it has no MAC ID Number"
	}

	for _, item := range s.ds.Items(tag.MACParametersSequence) {
		if n, ok := item.Int(tag.MACIDNumber); !ok || n != id {
			continue
		}
		if mac != nil {
			return nil, "its MAC ID Number is ambiguous"
		}
		mac = item
	}

	if mac == nil {
		return nil, "its MAC parameters are missing"
	}

	return mac, ""
}

// coverage reads which elements are signed, and notes what makes a MAC differ
// although nobody altered anything.
func (s *signature) coverage(mac *dicom.DataSet) error {
	listed, _ := mac.Get(tag.DataElementsSigned)
	loaded, err := listed.Load(listLimit)
	if errors.Is(err, dicom.ErrLimit) {
		return errBytes
	}
	if err != nil {
		return err
	}

	s.list = map[dicom.Tag]bool{}
	for _, n := range loaded.Ints() {
		s.list[dicom.Tag(n)] = true
	}
	for el := range s.ds.All() {
		switch {
		case !allowed(el.Tag):
		case !s.list[el.Tag]:
			s.result.Unsigned++
		case holdsUnknown(el):
			s.lost = "an element that was signed has lost its VR"
			s.result.Unsigned++
		default:
			s.result.Signed = append(s.result.Signed, el.Tag)
			s.result.PixelData = s.result.PixelData || pixelData(el.Tag)
		}
	}
	syntax := mac.Text(tag.MACCalculationTransferSyntaxUID)
	if s.result.PixelData && s.transcoded(syntax) {
		s.lost = "the pixel data were signed in another transfer syntax"
	}
	if ts, _ := dicom.LookupTransferSyntax(syntax); !ts.Explicit || ts.BigEndian {
		s.lost = "it was made in a transfer syntax that PS3.3 C.12.1.1.3 does not allow"
	}

	return nil
}

// transcoded reports pixel data that are not encoded as they were when they
// were signed.
func (s *signature) transcoded(signed string) bool {
	then, known := dicom.LookupTransferSyntax(signed)
	now, _ := dicom.LookupTransferSyntax(s.ds.TransferSyntax())
	if el, ok := s.ds.Get(tag.PixelData); ok {
		now.Encapsulated = el.Encapsulated()
	}

	return !known || then.Encapsulated != now.Encapsulated || now.Encapsulated && signed != s.ds.TransferSyntax()
}

// pixelData reports the image itself (PS3.3 C.7.6.3, C.7.6.24, C.7.6.25).
func pixelData(t dicom.Tag) bool {
	return t == tag.PixelData || t == tag.FloatPixelData || t == tag.DoubleFloatPixelData
}

// matches puts the elements through the MAC and holds it against the
// signature. A key that cannot be used is concluded.
func (s *signature) matches(ctx context.Context, a algorithm) (bool, error) {
	el, _ := s.item.Get(tag.Signature)
	loaded, err := el.Load(signatureLimit)
	if errors.Is(err, dicom.ErrLimit) {
		return false, errBytes
	}
	if err != nil {
		return false, err
	}

	digest := a.hash.New()
	out := &stream{w: digest, left: &s.left}
	if err := out.dataSet(ctx, s.ds, s.list); err != nil {
		return false, err
	}
	if err := out.signatureItem(ctx, s.item); err != nil {
		return false, err
	}

	return s.opens(a.hash, digest.Sum(nil), loaded.Bytes()), nil
}

// opens reports that a signature was made over the digest with the key of the
// certificate (PKCS #1 v1.5, PS3.15 C.1).
func (s *signature) opens(h crypto.Hash, digest, signed []byte) bool {
	key, ok := s.certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return false
	}
	if n := key.Size(); len(signed) == n+1 && signed[n] == 0 {
		signed = signed[:n] // padding to an even length
	}

	if h == crypto.RIPEMD160 {
		// crypto/rsa knows another object identifier than the one in use, that of
		// TeleTrusT, so the DigestInfo of RFC 8017 9.2 is made here.
		digest = append([]byte("\x30\x21\x30\x09\x06\x05\x2b\x24\x03\x02\x01\x05\x00\x04\x14"), digest...)
		h = 0
	}

	return rsa.VerifyPKCS1v15(key, h, digest, signed) == nil
}

// differs concludes on a signature whose MAC is another one.
func (s *signature) differs() {
	if s.lost != "" {
		s.conclude(Unchecked, s.lost)
		return
	}
	s.conclude(Altered, "what was signed and what is there differ")
}

// parseTime reads a DT value; the zero time when it is malformed. One without
// an offset is taken as UTC (PS3.5 6.2).
func parseTime(v string) time.Time {
	v = strings.TrimSpace(v)
	for _, layout := range []string{"20060102150405-0700", "20060102150405"} {
		if t, err := time.Parse(layout, v); err == nil { // a fraction of a second may follow the seconds
			return t.UTC()
		}
	}

	return time.Time{}
}
