package pacs

import (
	"strings"

	"collimator/dicom/pixel"
	"collimator/dicom/uid"
	"collimator/dimse"
)

// Support is what the service offers in association negotiation. The order of
// the requestor counts, so that what is compressed stays compressed.
func (s *Service) Support() dimse.Support {
	native, storage := uid.NativeSyntaxes(), uid.StorageSyntaxes()
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
