package dimse

import "fmt"

// Operation is a DIMSE operation or notification: the Command Field of its request (PS3.7 E.1).
type Operation uint16

// Operations and notifications.
const (
	CStore       Operation = 0x0001
	CGet         Operation = 0x0010
	CFind        Operation = 0x0020
	CMove        Operation = 0x0021
	CEcho        Operation = 0x0030
	NEventReport Operation = 0x0100
	NGet         Operation = 0x0110
	NSet         Operation = 0x0120
	NAction      Operation = 0x0130
	NCreate      Operation = 0x0140
	NDelete      Operation = 0x0150
	CCancel      Operation = 0x0FFF
)

// String is the name in the standard.
func (o Operation) String() string {
	switch o {
	case CStore:
		return "C-STORE"
	case CGet:
		return "C-GET"
	case CFind:
		return "C-FIND"
	case CMove:
		return "C-MOVE"
	case CEcho:
		return "C-ECHO"
	case NEventReport:
		return "N-EVENT-REPORT"
	case NGet:
		return "N-GET"
	case NSet:
		return "N-SET"
	case NAction:
		return "N-ACTION"
	case NCreate:
		return "N-CREATE"
	case NDelete:
		return "N-DELETE"
	case CCancel:
		return "C-CANCEL"
	}
	return fmt.Sprintf("operation %04XH", uint16(o))
}

// known reports an operation of PS3.7.
func (o Operation) known() bool {
	switch o {
	case CStore, CGet, CFind, CMove, CEcho, NEventReport, NGet, NSet, NAction, NCreate, NDelete, CCancel:
		return true
	}
	return false
}

// normalized reports an operation of DIMSE-N whose request names Requested SOP Class and Instance (PS3.7 10.3).
func (o Operation) requested() bool {
	return o == NGet || o == NSet || o == NAction || o == NDelete
}
