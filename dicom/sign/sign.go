// Package sign makes and checks the digital signatures of data sets: the Base,
// Creator and Authorization RSA Digital Signature Profiles of PS3.15 C.1 to C.3
// over the attributes of PS3.3 C.12.1.1.3. Values are read as streams, so that
// memory does not grow with the image.
//
// A signature says that the elements it lists are as they were when the owner
// of a key signed them. It says nothing of the elements that it does not list,
// and its time is the word of the signer: certified timestamps (RFC 3161) are
// not checked. The package reads no files and asks no server whether a
// certificate was revoked.
package sign

import (
	"crypto/x509"
	"time"

	"collimator/dicom"
)

// State is the verdict on a signature. The zero value is not a verdict.
type State uint8

// The verdicts. Of several that apply, the first in this order is given.
const (
	_ State = iota
	// Altered: what was signed is no longer what it was, or the signature was
	// not made with the key of its certificate.
	Altered
	// Unchecked: it cannot be checked, Result.Reason says why.
	Unchecked
	// UnknownAlgorithm: the MAC, the certificate or the key is of a kind that
	// PS3.15 C.1 does not name.
	UnknownAlgorithm
	// Expired: intact, but the certificate is not valid now, or was not at the
	// time that the signer claims.
	Expired
	// Untrusted: intact, but no trusted authority vouches for the certificate.
	Untrusted
	// Weak: intact and trusted, but the algorithm can be forged today.
	Weak
	// Valid: intact, trusted, and of a sound algorithm.
	Valid
)

// String is a word or two for people and for machines.
func (s State) String() string {
	switch s {
	case Altered:
		return "altered"
	case Unchecked:
		return "cannot be checked"
	case UnknownAlgorithm:
		return "algorithm unknown"
	case Expired:
		return "certificate expired"
	case Untrusted:
		return "not trusted"
	case Weak:
		return "algorithm weak"
	case Valid:
		return "valid"
	}
	return "no verdict"
}

// Intact reports that what was signed is unchanged since the owner of the
// certificate's key signed it, whoever that is.
func (s State) Intact() bool { return s >= Expired && s <= Valid }

// Result is what is known of one signature. Subject and UID come from the
// object and are as private as its other values.
type Result struct {
	State     State
	Reason    string      // more about the verdict, without values; may be empty
	Path      string      // sequences and items around it; empty at the top
	UID       string      // Digital Signature UID (0400,0100)
	Time      time.Time   // claimed by the signer; zero when it is missing or malformed
	Purpose   Purpose     // zero when none is given
	Algorithm string      // defined term of MAC Algorithm (0400,0015), empty when unknown
	Subject   string      // distinguished name in the certificate; empty when there is none
	Expires   time.Time   // of the certificate
	Signed    []dicom.Tag // elements that are there and covered, in the order of the data set
	Unsigned  int         // elements beside them that are not covered, signatures apart
	PixelData bool        // the pixel data are there and covered
}

// Options say how signatures are checked. The zero value trusts nobody.
type Options struct {
	Roots         *x509.CertPool // certificates that are trusted, of authorities or of signers
	Intermediates *x509.CertPool // certificates that may stand between
	Now           time.Time      // at which certificates have to be valid; zero is the current time
	Limits        Limits
}

// Limits bound what the signatures of one data set may cost. A field that is
// zero stands for its default.
type Limits struct {
	Signatures int   // that are checked, default 64; the others are reported as Unchecked
	Bytes      int64 // put through the MAC for all of them; default 16 GiB
}

func (l Limits) signatures() int {
	if l.Signatures == 0 {
		return 64
	}

	return l.Signatures
}

func (l Limits) bytes() int64 {
	if l.Bytes == 0 {
		return 16 << 30
	}

	return l.Bytes
}
