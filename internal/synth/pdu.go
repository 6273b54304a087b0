package synth

import (
	"encoding/binary"
	"slices"

	"collimator/dicom/uid"
)

// The PDUs of this file are put together by hand, because most of them are
// wrong (PS3.8 9.3).

// Types of PDUs and items.
const (
	pduAssociateRQ = 1
	pduPData       = 4
	pduReleaseRQ   = 5
	pduReleaseRP   = 6
	pduAbort       = 7

	itemApplication = 0x10
	itemContext     = 0x20
	itemAbstract    = 0x30
	itemTransfer    = 0x40
	itemUser        = 0x50
	itemMaximum     = 0x51
	itemClass       = 0x52
	itemVersion     = 0x55
	itemIdentity    = 0x58
)

func pduOf(t byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{t, 0}, uint32(len(body))), body...)
}

func pduItem(t byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{t, 0}, uint16(len(body))), body...)
}

// Request is an A-ASSOCIATE-RQ that can be bent out of shape.
type Request struct {
	Calling, Called string
	// CallingField and CalledField, where set, are the sixteen bytes as they are.
	CallingField, CalledField []byte
	contexts                  [][]byte
	user                      [][]byte
}

// NewRequest proposes verification in context 1 and secondary capture storage
// in context 3.
func NewRequest(calling, called string) Request {
	return Request{
		Calling: calling, Called: called,
		contexts: [][]byte{
			contextItem(1, uid.Verification, uid.ImplicitVRLittleEndian),
			contextItem(3, uid.SecondaryCaptureImageStorage, uid.ExplicitVRLittleEndian),
		},
		user: [][]byte{
			pduItem(itemMaximum, []byte{0, 0, 0x40, 0}),
			pduItem(itemClass, []byte("1.2.3.4")),
			pduItem(itemVersion, []byte("SYNTH")),
		},
	}
}

func contextItem(id byte, abstract string, transfer ...string) []byte {
	b := append([]byte{id, 0, 0, 0}, pduItem(itemAbstract, []byte(abstract))...)
	for _, ts := range transfer {
		b = append(b, pduItem(itemTransfer, []byte(ts))...)
	}
	return pduItem(itemContext, b)
}

func titleField(title string) []byte {
	b := []byte("                ")
	copy(b, title)
	return b
}

// Bytes is the PDU.
func (r Request) Bytes() []byte {
	b := []byte{0, 1, 0, 0}
	for _, f := range []struct {
		field []byte
		title string
	}{
		{field: r.CalledField, title: r.Called},
		{field: r.CallingField, title: r.Calling},
	} {
		if f.field == nil {
			f.field = titleField(f.title)
		}
		b = append(b, f.field...)
	}

	b = append(b, make([]byte, 32)...)
	b = append(b, pduItem(itemApplication, []byte(uid.ApplicationContext))...)
	b = append(b, slices.Concat(r.contexts...)...)
	return pduOf(pduAssociateRQ, append(b, pduItem(itemUser, slices.Concat(r.user...))...))
}

func (r Request) withContexts(items ...[]byte) []byte {
	r.contexts = items
	return r.Bytes()
}

func (r Request) withUser(items ...[]byte) []byte {
	r.user = append(slices.Clone(r.user), items...)
	return r.Bytes()
}

// pdv is a presentation data value item (PS3.8 9.3.5.1, E.2).
func pdv(context, control byte, data []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(data)+2)), context, control), data...)
}

// Bits of the message control header.
const (
	pdvCommand = 1
	pdvLast    = 2
)

// PData is a P-DATA-TF with one fragment.
func PData(context byte, command, last bool, data []byte) []byte {
	control := byte(0)
	if command {
		control |= pdvCommand
	}
	if last {
		control |= pdvLast
	}
	return pduOf(pduPData, pdv(context, control, data))
}

// commandElement is an element of a command set, of group 0000.
type commandElement struct {
	number uint16
	value  []byte
}

func us(number, v uint16) commandElement {
	return commandElement{number, binary.LittleEndian.AppendUint16(nil, v)}
}

func ui(number uint16, s string) commandElement {
	return commandElement{number, text(0, "UI", s).value}
}

// command is a command set with its group length (PS3.7 6.3.1).
func command(els ...commandElement) []byte {
	body := commandBody(els)
	return append(commandBody([]commandElement{{0, binary.LittleEndian.AppendUint32(nil, uint32(len(body)))}}), body...)
}

func commandBody(els []commandElement) []byte {
	var b []byte
	for _, el := range els {
		b = append(b, 0, 0)
		b = binary.LittleEndian.AppendUint16(b, el.number)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(el.value)))
		b = append(b, el.value...)
	}
	return b
}

// Numbers of the command elements (PS3.7 E.1).
const (
	affectedClass    = 0x0002
	commandField     = 0x0100
	messageID        = 0x0110
	respondedTo      = 0x0120
	priority         = 0x0700
	dataSetType      = 0x0800
	statusField      = 0x0900
	affectedInstance = 0x1000
)

func echoElements(id uint16) []commandElement {
	return []commandElement{
		ui(affectedClass, uid.Verification), us(commandField, 0x0030), us(messageID, id), us(dataSetType, 0x0101),
	}
}

// EchoRQ is the P-DATA-TF of a C-ECHO request in context 1.
func EchoRQ(id uint16) []byte { return PData(1, true, true, command(echoElements(id)...)) }

// StoreRQ is the P-DATA-TF of the command of a C-STORE request of a secondary
// capture image in context 3.
func StoreRQ(id uint16, instanceUID string) []byte {
	return PData(3, true, true, command(storeElements(id, uid.SecondaryCaptureImageStorage, instanceUID)...))
}

func storeElements(id uint16, class, instanceUID string) []commandElement {
	return []commandElement{
		ui(affectedClass, class), us(commandField, 1), us(messageID, id), us(priority, 0), us(dataSetType, 1),
		ui(affectedInstance, instanceUID),
	}
}
