package dicom

import (
	"strings"

	"collimator/dicom/tag"
)

// VR is a value representation, its two letters in the upper and the lower
// byte (PS3.5 6.2). The zero VR is that of items and delimiters, which have none.
type VR uint16

// The value representations of PS3.5 6.2.
const (
	AE VR = 'A'<<8 | 'E'
	AS VR = 'A'<<8 | 'S'
	AT VR = 'A'<<8 | 'T'
	CS VR = 'C'<<8 | 'S'
	DA VR = 'D'<<8 | 'A'
	DS VR = 'D'<<8 | 'S'
	DT VR = 'D'<<8 | 'T'
	FD VR = 'F'<<8 | 'D'
	FL VR = 'F'<<8 | 'L'
	IS VR = 'I'<<8 | 'S'
	LO VR = 'L'<<8 | 'O'
	LT VR = 'L'<<8 | 'T'
	OB VR = 'O'<<8 | 'B'
	OD VR = 'O'<<8 | 'D'
	OF VR = 'O'<<8 | 'F'
	OL VR = 'O'<<8 | 'L'
	OV VR = 'O'<<8 | 'V'
	OW VR = 'O'<<8 | 'W'
	PN VR = 'P'<<8 | 'N'
	SH VR = 'S'<<8 | 'H'
	SL VR = 'S'<<8 | 'L'
	SQ VR = 'S'<<8 | 'Q'
	SS VR = 'S'<<8 | 'S'
	ST VR = 'S'<<8 | 'T'
	SV VR = 'S'<<8 | 'V'
	TM VR = 'T'<<8 | 'M'
	UC VR = 'U'<<8 | 'C'
	UI VR = 'U'<<8 | 'I'
	UL VR = 'U'<<8 | 'L'
	UN VR = 'U'<<8 | 'N'
	UR VR = 'U'<<8 | 'R'
	US VR = 'U'<<8 | 'S'
	UT VR = 'U'<<8 | 'T'
	UV VR = 'U'<<8 | 'V'
)

// String is the two letters, or "??" for any other value.
func (v VR) String() string {
	if !v.Known() {
		return "??"
	}
	return string([]byte{byte(v >> 8), byte(v)})
}

// Known reports one of the value representations above.
func (v VR) Known() bool {
	switch v {
	case AE, AS, AT, CS, DA, DS, DT, FD, FL, IS, LO, LT, OB, OD, OF, OL, OV, OW,
		PN, SH, SL, SQ, SS, ST, SV, TM, UC, UI, UL, UN, UR, US, UT, UV:
		return true
	}
	return false
}

// Long reports a VR whose explicit form has two reserved bytes and a 32-bit
// length (PS3.5 7.1.2). An unknown VR counts as long.
func (v VR) Long() bool {
	switch v {
	case AE, AS, AT, CS, DA, DS, DT, FD, FL, IS, LO, LT, PN, SH, SL, SS, ST, TM, UI, UL, US:
		return false
	}
	return true
}

// Text reports a VR whose value is characters.
func (v VR) Text() bool {
	switch v {
	case AE, AS, CS, DA, DS, DT, IS, LO, LT, PN, SH, ST, TM, UC, UI, UR, UT:
		return true
	}
	return false
}

// CharacterSet reports a VR to which (0008,0005) applies (PS3.5 6.1.2.2).
func (v VR) CharacterSet() bool {
	switch v {
	case LO, LT, PN, SH, ST, UC, UT:
		return true
	}
	return false
}

// unit is the size in bytes of the numbers a value consists of, the step in
// which it changes its byte order; 1 where it has none.
func (v VR) unit() int {
	switch v {
	case AT, OW, SS, US:
		return 2
	case FL, OF, OL, SL, UL:
		return 4
	case FD, OD, OV, SV, UV:
		return 8
	}
	return 1
}

// WordSize is the size in bytes of the numbers a value consists of, the step in
// which its byte order changes (PS3.5 7.3); 1 where it has none.
func (v VR) WordSize() int { return v.unit() }

// VRFor is the dictionary's value representation of a tag. Where it leaves a
// choice (US or SS, OB or OW) the first is taken; a private creator is LO, a
// group length UL, and what is not in the dictionary UN (PS3.5 6.2.2).
func VRFor(t Tag) VR {
	switch {
	case t.PrivateCreator():
		return LO
	case t.GroupLength():
		return UL
	}

	e, ok := tag.Lookup(t)
	if !ok {
		return UN
	}

	first, _, _ := strings.Cut(e.VR, "|")
	if len(first) != 2 {
		return 0
	}
	return VR(first[0])<<8 | VR(first[1])
}
