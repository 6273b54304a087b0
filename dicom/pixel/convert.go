package pixel

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Convert writes src as a Part 10 file in another transfer syntax. Between
// native syntaxes, deflated or not, the values are copied in constant memory;
// RLE, baseline JPEG and the other syntaxes of Decodable become native one
// frame at a time. ErrNotConvertible for everything else; then nothing was
// written. src stays as it was.
func Convert(ctx context.Context, w io.Writer, src *dicom.File, transferSyntax string) error {
	ds, err := Transcode(ctx, src.DataSet, src.TransferSyntax, transferSyntax)
	if err != nil {
		return err
	}
	out := *src
	out.DataSet = ds
	out.TransferSyntax = transferSyntax
	if out.Meta, err = converted(src, transferSyntax); err != nil {
		return err
	}
	return dicom.WriteFile(w, &out)
}

// converted is the meta information of src with another transfer syntax.
func converted(src *dicom.File, transferSyntax string) (*dicom.DataSet, error) {
	meta := dicom.NewDataSet()
	if src.Meta != nil {
		meta = src.Meta.Clone()
	}
	if meta.Len() == 0 {
		made := dicom.AppendMeta(nil, dicom.Meta{
			SOPClassUID:    src.DataSet.Text(tag.SOPClassUID),
			SOPInstanceUID: src.DataSet.Text(tag.SOPInstanceUID),
		})
		read, _, err := dicom.ReadMeta(bytes.NewReader(made), dicom.Limits{})
		if err != nil {
			return nil, err
		}
		meta = read
	}
	return meta, meta.SetText(tag.TransferSyntaxUID, transferSyntax)
}

// Transcode gives the data set that is to be encoded in transfer syntax to,
// made of one that was read in transfer syntax from; ds stays as it was. Every
// frame that has to be decoded is decoded once before it returns, so that a
// damaged one is an error here and not in the middle of what is being sent.
// Decoded pixel data of up to 2 MiB are kept for the encoding; longer ones are
// decoded again then, one frame at a time. Decoding ends with ctx, also that which
// comes with the encoding; TranscodeCost says what both hold.
func Transcode(ctx context.Context, ds *dicom.DataSet, from, to string) (*dicom.DataSet, error) {
	if from == to {
		return ds, nil
	}

	source, _ := dicom.LookupTransferSyntax(from)
	target, known := dicom.LookupTransferSyntax(to)
	switch {
	case !known || target.Encapsulated && hasPixels(ds) || referenced(from) || referenced(to):
		return nil, fmt.Errorf("%w: %s to %s", ErrNotConvertible, uid.Name(from), uid.Name(to))
	case !source.Encapsulated && !encapsulated(ds):
		return ds, nil
	case !DecodableInPart(from) && encapsulated(ds):
		return nil, fmt.Errorf("%w: %s to %s", ErrNotConvertible, uid.Name(from), uid.Name(to))
	}

	out := ds.Clone()
	if err := nativeEverywhere(ctx, out, from); err != nil {
		return nil, err
	}
	return out, nil
}

// referenced reports a syntax whose pixel data are somewhere else.
func referenced(ts string) bool {
	switch ts {
	case uid.JPIPReferenced, uid.JPIPReferencedDeflate, uid.JPIPHTJ2KReferenced, uid.JPIPHTJ2KReferencedDeflate:
		return true
	}
	return false
}

func hasPixels(ds *dicom.DataSet) bool {
	el, ok := ds.Get(tag.PixelData)
	return ok && !el.Empty()
}

// encapsulated reports encapsulated pixel data in ds or its items, such as
// those of an icon (PS3.3 C.7.6.1.1.6).
func encapsulated(ds *dicom.DataSet) bool {
	for v := range ds.Walk() {
		if v.Encapsulated() {
			return true
		}
	}
	return false
}

// nativeEverywhere puts native pixel data in the place of encapsulated ones.
func nativeEverywhere(ctx context.Context, ds *dicom.DataSet, from string) error {
	var images []*dicom.DataSet
	for v := range ds.Walk() { // nothing changes while it walks
		if v.Tag == tag.PixelData && v.Encapsulated() {
			images = append(images, v.DataSet)
		}
	}

	for _, image := range images {
		if err := native(ctx, image, from); err != nil {
			return err
		}
	}
	return nil
}

// mostKept is the bytes of decoded pixel data that are kept in memory between
// the check of all frames and the encoding.
const mostKept = 2 << 20

// native puts decoded pixel data in place of the encapsulated ones, and adapts what
// describes them. Every frame is decoded once before ds is changed, so that a damaged
// one leaves ds as it was.
func native(ctx context.Context, ds *dicom.DataSet, from string) error {
	f, err := Index(ds)
	if err != nil {
		return err
	}

	first, a, err := f.Decode(ctx, 1, from)
	if err != nil {
		return err
	}

	s := &nativeStream{ctx: ctx, f: f, from: from, length: len(first), want: a}
	total := s.total()
	if total > math.MaxUint32-1 {
		return fmt.Errorf("%w: %d bytes of native pixel data", ErrNotConvertible, total)
	}

	vr := dicom.OW
	if a.BitsAllocated <= 8 {
		vr = dicom.OB
	}

	el, err := s.checked(vr, total)
	if err != nil {
		return err
	}

	ds.Set(el)
	ds.Delete(tag.ExtendedOffsetTable)
	ds.Delete(tag.ExtendedOffsetTableLengths)
	return describe(ds, f.Attributes, a, from)
}

// describe sets the attributes that decoding changed (PS3.3 C.7.6.3,
// C.7.6.1.1.5). What was once compressed with loss stays marked as such.
func describe(ds *dicom.DataSet, before, after Attributes, from string) error {
	if after.PhotometricInterpretation != before.PhotometricInterpretation {
		if err := ds.SetText(tag.PhotometricInterpretation, after.PhotometricInterpretation); err != nil {
			return err
		}
	}
	if after.SamplesPerPixel > 1 && (after.PlanarConfiguration != before.PlanarConfiguration || !ds.Has(tag.PlanarConfiguration)) {
		if err := ds.SetInt(tag.PlanarConfiguration, int64(after.PlanarConfiguration)); err != nil {
			return err
		}
	}

	if ts, _ := dicom.LookupTransferSyntax(from); ts.Lossy && ds.Parent() == nil {
		return ds.SetText(tag.LossyImageCompression, "01")
	}
	return nil
}

// nativeStream decodes frame after frame, and holds one.
type nativeStream struct {
	ctx    context.Context // of whoever reads
	f      *Frames
	from   string
	length int // bytes of a decoded frame
	want   Attributes
	next   int // frames given so far
	frame  []byte
	packed packer
	done   int64
}

// checked decodes all frames, and is the element that gives them: from memory,
// or decoded anew where they are too long to keep.
func (s *nativeStream) checked(vr dicom.VR, total int64) (dicom.Element, error) {
	again := *s
	if total <= mostKept {
		pixels := make([]byte, total)
		_, err := io.ReadFull(&again, pixels)
		return dicom.NewElement(tag.PixelData, vr, pixels), err
	}

	if _, err := io.Copy(io.Discard, &again); err != nil {
		return dicom.Element{}, err
	}
	return dicom.NewStream(tag.PixelData, vr, total, func() (io.Reader, error) {
		again := *s
		return &again, nil
	}), nil
}

// total is the bytes of all frames, padded to even.
func (s *nativeStream) total() int64 {
	n := int64(s.length) * int64(s.f.Len())
	if s.bits()%8 != 0 {
		n = (s.bits()*int64(s.f.Len()) + 7) / 8
	}
	return n + n&1
}

func (s *nativeStream) bits() int64 {
	if s.want.BitsAllocated == 1 {
		return s.want.FrameBits()
	}
	return 8 * int64(s.length)
}

// Read implements io.Reader.
func (s *nativeStream) Read(p []byte) (int, error) {
	for len(s.frame) == 0 {
		if s.next == s.f.Len() {
			return s.tail(p)
		}

		s.next++
		frame, a, err := s.f.Decode(s.ctx, s.next, s.from)
		if err != nil {
			return 0, fmt.Errorf("frame %d: %w", s.next, err)
		}
		if len(frame) != s.length || a != s.want {
			return 0, fmt.Errorf("%w: frame %d is not like the first", ErrDamaged, s.next)
		}

		if s.frame = frame; s.bits()%8 != 0 {
			s.frame = s.packed.add(frame, s.bits(), s.next == s.f.Len())
		}
	}

	n := copy(p, s.frame)
	s.frame = s.frame[n:]
	s.done += int64(n)
	return n, nil
}

// tail is the byte that makes the value even.
func (s *nativeStream) tail(p []byte) (int, error) {
	if s.done == s.total() || len(p) == 0 {
		return 0, io.EOF
	}
	p[0] = 0
	s.done++
	return 1, nil
}

// packer joins frames of one bit a pixel without padding (PS3.5 8.1.1).
type packer struct {
	acc  uint
	have uint
}

// add is the whole bytes once bits more are there, and with last the rest.
func (k *packer) add(frame []byte, bits int64, last bool) []byte {
	out := make([]byte, 0, len(frame)+1)
	for _, b := range frame {
		n := uint(min(bits, 8))
		bits -= int64(n)
		k.acc |= uint(b) & (1<<n - 1) << k.have
		for k.have += n; k.have >= 8; k.have -= 8 {
			out = append(out, byte(k.acc))
			k.acc >>= 8
		}
	}

	if last && k.have > 0 {
		out = append(out, byte(k.acc))
	}
	return out
}

// Convertible reports a transfer syntax that becomes native: the native ones,
// and those of Decodable. A damaged object of one may
// still fail.
func Convertible(transferSyntax string) bool {
	ts, known := dicom.LookupTransferSyntax(transferSyntax)
	return known && (!ts.Encapsulated || Decodable(transferSyntax))
}
