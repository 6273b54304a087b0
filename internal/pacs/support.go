package pacs

import (
	"collimator/dicom/pixel"
	"collimator/dicom/uid"
	"collimator/dimse"
)

// Support is what the service offers in association negotiation: its services, and
// storage of every class. The order of the requestor counts, so that what is
// compressed stays compressed.
func (s *Service) Support() dimse.Support {
	native, storage := uid.NativeSyntaxes(), uid.StorageSyntaxes()

	options := map[string]dimse.QueryOptions{} // of each SOP Class of a service
	for _, x := range s.services() {
		for _, class := range x.classes {
			options[class] = x.options
		}
	}
	stored := func(sopClass string) bool {
		_, other := options[sopClass]
		return !other && uid.Storable(sopClass)
	}

	return dimse.Support{
		TransferSyntaxes: func(abstractSyntax string) []string {
			if _, ok := options[abstractSyntax]; ok {
				return native
			}
			if stored(abstractSyntax) {
				return storage
			}
			return nil
		},
		RequestorOrder: true,
		// The requestor may be SCP of storage classes, for C-GET (PS3.4 C.5.3).
		Roles:  func(sopClass string) (scu, scp bool) { return true, stored(sopClass) },
		Window: s.Window,
		// Most objects can be sent in a native syntax, converted or as they are.
		Sending:     func(string) []string { return native },
		Convertible: pixel.Convertible,
		// Everything is kept as it came: level 2 (full), without coercion.
		Storage: func(sopClass string) (dimse.StorageOptions, bool) {
			return dimse.StorageOptions{Level: 2}, stored(sopClass)
		},
		Query: func(sopClass string) dimse.QueryOptions { return options[sopClass] },
	}
}
