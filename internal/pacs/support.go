package pacs

import (
	"strings"

	"collimator/dicom/pixel"
	"collimator/dicom/uid"
	"collimator/dimse"
)

// nativeSyntaxes are those in which identifiers and native objects are taken
// and given, best first.
func nativeSyntaxes() []string {
	return []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian}
}

// storageSyntaxes are those in which objects are stored. Syntaxes whose pixel
// data stay on another server (JPIP) are left out: what is acknowledged must be
// here.
func storageSyntaxes() []string {
	return append(nativeSyntaxes(),
		uid.EncapsulatedUncompressed, uid.DeflatedImageFrame, uid.RLELossless,
		uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGSpectralSelection, uid.JPEGFullProgression, uid.JPEGLossless, uid.JPEGLosslessSV1,
		uid.JPEGLSLossless, uid.JPEGLSNearLossless,
		uid.JPEG2000Lossless, uid.JPEG2000, uid.JPEG2000MCLossless, uid.JPEG2000MC,
		uid.JPEGXLLossless, uid.JPEGXLJPEGRecompression, uid.JPEGXL,
		uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K,
		uid.MPEG2MPML, uid.MPEG2MPMLFragmentable, uid.MPEG2MPHL, uid.MPEG2MPHLFragmentable,
		uid.MPEG4HP41, uid.MPEG4HP41Fragmentable, uid.MPEG4HP41BD, uid.MPEG4HP41BDFragmentable,
		uid.MPEG4HP422D, uid.MPEG4HP422DFragmentable, uid.MPEG4HP423D, uid.MPEG4HP423DFragmentable,
		uid.MPEG4HP42STEREO, uid.MPEG4HP42STEREOFragmentable,
		uid.HEVCMP51, uid.HEVCM10P51,
	)
}

// Support is what the service offers in association negotiation. The order of
// the requestor counts, so that what is compressed stays compressed.
func (s *Service) Support() dimse.Support {
	native, storage := nativeSyntaxes(), storageSyntaxes()
	return dimse.Support{
		TransferSyntaxes: func(abstractSyntax string) []string {
			switch {
			case service(abstractSyntax):
				return native
			case Storable(abstractSyntax):
				return storage
			}
			return nil
		},
		RequestorOrder: true,
		// The requestor may be SCP of storage classes, for C-GET (PS3.4 C.5.3).
		Roles:  func(sopClass string) (scu, scp bool) { return true, !service(sopClass) && Storable(sopClass) },
		Window: s.Window,
		// Most objects can be sent in a native syntax, converted or as they are.
		Sending:     func(string) []string { return native },
		Convertible: pixel.Convertible,
		// Everything is kept as it came: level 2 (full), without coercion.
		Storage: func(sopClass string) (dimse.StorageOptions, bool) {
			return dimse.StorageOptions{Level: 2}, !service(sopClass) && Storable(sopClass)
		},
		Query: func(string) dimse.QueryOptions {
			return dimse.QueryOptions{Relational: true, FuzzyMatching: true, DateTimeMatching: true}
		},
	}
}

func service(abstractSyntax string) bool {
	switch abstractSyntax {
	case uid.Verification, uid.PatientRootFind, uid.PatientRootMove, uid.PatientRootGet,
		uid.StudyRootFind, uid.StudyRootMove, uid.StudyRootGet, uid.StorageCommitmentPushModel:
		return true
	}
	return false
}

// Roots of UIDs: what DICOM itself hands out, and its storage classes.
const (
	dicomRoot   = "1.2.840.10008."
	storageRoot = "1.2.840.10008.5.1.4.1.1."
)

// Storable reports a SOP Class that is taken for storage: every storage class of
// the standard, retired and future ones too, and every private one. An archive
// that refuses a class it has never heard of loses images.
func Storable(sopClass string) bool {
	if !strings.HasPrefix(sopClass, dicomRoot) {
		return uid.Tolerable(sopClass)
	}
	return uid.Storage(sopClass) || strings.HasPrefix(sopClass, storageRoot)
}
