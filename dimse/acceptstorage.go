package dimse

import "collimator/dicom/uid"

// AcceptStorage is a Support for a storage SCP that takes every object
// in every transfer syntax in which it can be stored whole, and answers C-ECHO.
// The order of the requestor counts, so that what is compressed stays compressed.
// Change its fields to offer more or less.
func AcceptStorage() Support {
	return Support{
		TransferSyntaxes: func(abstractSyntax string) []string {
			switch {
			case abstractSyntax == uid.Verification:
				return uid.NativeSyntaxes()
			case uid.Storable(abstractSyntax):
				return uid.StorageSyntaxes()
			}
			return nil
		},
		RequestorOrder: true,
	}
}
