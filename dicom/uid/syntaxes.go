package uid

import "slices"

// NativeSyntaxes are the transfer syntaxes with native pixel data (PS3.5 10), best
// first: those in which identifiers travel, and every object whose pixel data are
// not compressed. The caller may change what it gets.
func NativeSyntaxes() []string {
	return []string{ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian}
}

// StorageSyntaxes are the transfer syntaxes in which an object can be stored whole:
// NativeSyntaxes, then those with encapsulated pixel data. Syntaxes whose pixel
// data stay on another server (JPIP) are left out: what is acknowledged must be
// here. The caller may change what it gets.
func StorageSyntaxes() []string {
	return slices.Concat(NativeSyntaxes(), []string{
		EncapsulatedUncompressed, DeflatedImageFrame, RLELossless,
		JPEGBaseline8Bit, JPEGExtended12Bit, JPEGSpectralSelection, JPEGFullProgression, JPEGLossless, JPEGLosslessSV1,
		JPEGLSLossless, JPEGLSNearLossless,
		JPEG2000Lossless, JPEG2000, JPEG2000MCLossless, JPEG2000MC,
		JPEGXLLossless, JPEGXLJPEGRecompression, JPEGXL,
		HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K,
		MPEG2MPML, MPEG2MPMLFragmentable, MPEG2MPHL, MPEG2MPHLFragmentable,
		MPEG4HP41, MPEG4HP41Fragmentable, MPEG4HP41BD, MPEG4HP41BDFragmentable,
		MPEG4HP422D, MPEG4HP422DFragmentable, MPEG4HP423D, MPEG4HP423DFragmentable,
		MPEG4HP42STEREO, MPEG4HP42STEREOFragmentable,
		HEVCMP51, HEVCM10P51,
	})
}
