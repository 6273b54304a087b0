package pacs

import (
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
			case uid.Storable(abstractSyntax):
				return storage
			}
			return nil
		},
		RequestorOrder: true,
		// The requestor may be SCP of storage classes, for C-GET (PS3.4 C.5.3).
		Roles:  func(sopClass string) (scu, scp bool) { return true, !service(sopClass) && uid.Storable(sopClass) },
		Window: s.Window,
		// Most objects can be sent in a native syntax, converted or as they are.
		Sending:     func(string) []string { return native },
		Convertible: pixel.Convertible,
		// Everything is kept as it came: level 2 (full), without coercion.
		Storage: func(sopClass string) (dimse.StorageOptions, bool) {
			return dimse.StorageOptions{Level: 2}, !service(sopClass) && uid.Storable(sopClass)
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
