package dicom

import (
	"encoding/binary"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// TransferSyntax says how a data set is encoded in a stream (PS3.5 10).
type TransferSyntax struct {
	UID          string
	Explicit     bool // the VR is written with each element
	BigEndian    bool
	Deflated     bool // the whole data set is compressed (PS3.5 A.5)
	Encapsulated bool // pixel data are encoded in fragments (PS3.5 A.4)
	Lossy        bool // the codec may have changed the pixels
}

// LookupTransferSyntax finds a transfer syntax by its UID. For one that is not
// known it returns false and what every syntax since 1996 has been: explicit
// VR little endian with encapsulated pixel data.
func LookupTransferSyntax(id string) (TransferSyntax, bool) {
	ts := TransferSyntax{UID: id, Explicit: true}

	switch id {
	case uid.ImplicitVRLittleEndian:
		ts.Explicit = false
	case uid.ExplicitVRLittleEndian:
	case uid.ExplicitVRBigEndian:
		ts.BigEndian = true
	case uid.DeflatedExplicitVRLittleEndian:
		ts.Deflated = true
	case uid.JPIPReferenced, uid.JPIPHTJ2KReferenced:
	case uid.JPIPReferencedDeflate, uid.JPIPHTJ2KReferencedDeflate:
		ts.Deflated = true
	case uid.EncapsulatedUncompressed, uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless,
		uid.JPEG2000Lossless, uid.JPEG2000MCLossless, uid.JPEGXLLossless, uid.HTJ2KLossless,
		uid.HTJ2KLosslessRPCL, uid.RLELossless, uid.DeflatedImageFrame:
		ts.Encapsulated = true
	case uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGSpectralSelection, uid.JPEGFullProgression,
		uid.JPEGLSNearLossless, uid.JPEG2000, uid.JPEG2000MC, uid.JPEGXL, uid.JPEGXLJPEGRecompression, uid.HTJ2K,
		uid.MPEG2MPML, uid.MPEG2MPMLFragmentable, uid.MPEG2MPHL, uid.MPEG2MPHLFragmentable,
		uid.MPEG4HP41, uid.MPEG4HP41Fragmentable, uid.MPEG4HP41BD, uid.MPEG4HP41BDFragmentable,
		uid.MPEG4HP422D, uid.MPEG4HP422DFragmentable, uid.MPEG4HP423D, uid.MPEG4HP423DFragmentable,
		uid.MPEG4HP42STEREO, uid.MPEG4HP42STEREOFragmentable, uid.HEVCMP51, uid.HEVCM10P51:
		ts.Encapsulated = true
		ts.Lossy = true
	default:
		ts.Encapsulated = true
		return ts, false
	}
	return ts, true
}

// form is the part of a transfer syntax that decides how an element is written.
func (ts TransferSyntax) form() form {
	var f form
	if ts.Explicit {
		f |= formExplicit
	}
	if ts.BigEndian {
		f |= formBig
	}
	return f
}

// form is how the bytes of an element or an item stand.
type form uint8

const (
	formExplicit form = 1 << iota
	formBig
)

// byteOrder reads and appends.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// order is the byte order of a form.
func (f form) order() byteOrder {
	if f&formBig != 0 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (f form) uint16(b []byte) uint16 {
	if f&formBig != 0 {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (f form) uint32(b []byte) uint32 {
	if f&formBig != 0 {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (f form) tag(b []byte) Tag { return tag.New(f.uint16(b), f.uint16(b[2:])) }
