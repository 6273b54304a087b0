package sign

import (
	"collimator/dicom"
	"collimator/dicom/tag"
)

// Purpose is the code of a reason to sign (PS3.3 C.12.1.1.3, CID 7007). The
// zero value is an unknown purpose.
type Purpose uint8

// Purposes that PS3.15 C and this project name. All of them stand in CID 7007
// with their numbers.
const (
	Author         Purpose = 1
	Verification   Purpose = 5
	Source         Purpose = 14
	Administrative Purpose = 17
)

// purposeScheme is the coding scheme of CID 7007.
const purposeScheme = "ASTM-sigpurpose"

// String is the code meaning; empty for none and for an unknown one.
func (p Purpose) String() string {
	names := [...]string{
		1: "Author's Signature", 2: "Coauthor's Signature", 3: "Co-participant's Signature",
		4: "Transcriptionist/Recorder Signature", 5: "Verification Signature", 6: "Validation Signature",
		7: "Consent Signature", 8: "Signature Witness Signature", 9: "Event Witness Signature",
		10: "Identity Witness Signature", 11: "Consent Witness Signature", 12: "Interpreter Signature",
		13: "Review Signature", 14: "Source Signature", 15: "Addendum Signature",
		16: "Modification Signature", 17: "Administrative (Error/Edit) Signature", 18: "Timestamp Signature",
	}
	if int(p) >= len(names) {
		return ""
	}

	return names[p]
}

// purposeOf reads an item of the Digital Signature Purpose Code Sequence.
func purposeOf(item *dicom.DataSet) Purpose {
	n, ok := parsePurpose(item.Text(tag.CodeValue))
	if !ok || item.Text(tag.CodingSchemeDesignator) != purposeScheme {
		return 0
	}

	return n
}

// parsePurpose reads the code value of a purpose that is known.
func parsePurpose(code string) (Purpose, bool) {
	for p := Purpose(1); p.String() != ""; p++ {
		if p.code() == code {
			return p, true
		}
	}

	return 0, false
}

// code is the code value.
func (p Purpose) code() string {
	if p < 10 {
		return string(rune('0' + p))
	}

	return "1" + string(rune('0'+p-10))
}
