package dimse

import (
	"encoding/binary"
	"math"
	"strings"

	"collimator/dicom/tag"
)

// Elements of the command set (PS3.7 E.1); group 0000 is known by its element number.
const (
	elGroupLength             = 0x0000
	elAffectedSOPClassUID     = 0x0002
	elRequestedSOPClassUID    = 0x0003
	elCommandField            = 0x0100
	elMessageID               = 0x0110
	elMessageIDRespondedTo    = 0x0120
	elMoveDestination         = 0x0600
	elPriority                = 0x0700
	elCommandDataSetType      = 0x0800
	elStatus                  = 0x0900
	elOffendingElement        = 0x0901
	elErrorComment            = 0x0902
	elErrorID                 = 0x0903
	elAffectedSOPInstanceUID  = 0x1000
	elRequestedSOPInstanceUID = 0x1001
	elEventTypeID             = 0x1002
	elAttributeIdentifierList = 0x1005
	elActionTypeID            = 0x1008
	elRemaining               = 0x1020
	elCompleted               = 0x1021
	elFailed                  = 0x1022
	elWarning                 = 0x1023
	elMoveOriginatorAETitle   = 0x1030
	elMoveOriginatorMessageID = 0x1031
)

const (
	responseBit = 0x8000
	noDataSet   = 0x0101 // Command Data Set Type of a message without data set
	someDataSet = 0x0001
)

// commandElement is one decoded element; value aliases the input.
type commandElement struct {
	number uint16
	value  []byte
}

// commandElements splits a command set: implicit VR little endian, group 0000 only,
// ascending, no element twice, a group length that is true (PS3.7 6.3.1).
func commandElements(b []byte, into []commandElement) ([]commandElement, error) {
	const clause = "PS3.7 6.3.1"

	last := -1
	for off := 0; off < len(b); {
		if len(b)-off < 8 {
			return nil, breach(clause, "command element cut short")
		}

		group := binary.LittleEndian.Uint16(b[off:])
		number := binary.LittleEndian.Uint16(b[off+2:])
		n := binary.LittleEndian.Uint32(b[off+4:])
		off += 8

		switch {
		case group != 0:
			return nil, breach(clause, "element of another group in the command set")
		case int(number) <= last:
			return nil, breach(clause, "command element twice or out of order")
		case uint64(n) > uint64(len(b)-off):
			return nil, breach(clause, "command element longer than the command set")
		case n%2 != 0:
			return nil, breach(clause, "command element of odd length")
		case last < 0 && number != elGroupLength:
			return nil, breach(clause, "command group length missing")
		}

		value := b[off : off+int(n)]
		off += int(n)
		if number == elGroupLength {
			if n != 4 || uint64(binary.LittleEndian.Uint32(value)) != uint64(len(b)-off) {
				return nil, breach(clause, "command group length is not true")
			}
		}

		last = int(number)
		into = append(into, commandElement{number, value})
	}

	if last < 0 {
		return nil, breach(clause, "empty command set")
	}
	return into, nil
}

// DecodeCommand decodes a command set and checks it against what PS3.7 9.3 and 10.3
// demand of its operation. The error is a *ProtocolError.
func DecodeCommand(b []byte) (*Command, error) {
	var store [32]commandElement
	els, err := commandElements(b, store[:0])
	if err != nil {
		return nil, err
	}

	d := &commandDecoder{cmd: &Command{}}
	for _, el := range els {
		if err := d.element(el); err != nil {
			return nil, err
		}
	}
	return d.cmd, d.check()
}

// commandDecoder collects the elements of one command set.
type commandDecoder struct {
	cmd        *Command
	seen       presence
	field      uint16
	id, respTo uint16
	sub        SubOperations
}

// presence is the set of elements that have come, for the check of the schema.
type presence uint32

// Bits of presence.
const (
	hasField presence = 1 << iota
	hasID
	hasResponded
	hasDataSetType
	hasStatus
	hasAffectedClass
	hasRequestedClass
	hasAffectedInstance
	hasRequestedInstance
	hasDestination
	hasEventType
	hasActionType
	hasSubOperations
)

func (d *commandDecoder) element(el commandElement) (err error) {
	c := d.cmd

	switch el.number {
	case elCommandField:
		d.field, err = d.us(el, hasField)
	case elMessageID:
		d.id, err = d.us(el, hasID)
	case elMessageIDRespondedTo:
		d.respTo, err = d.us(el, hasResponded)
	case elCommandDataSetType:
		var v uint16
		v, err = d.us(el, hasDataSetType)
		c.HasDataSet = v != noDataSet
	case elStatus:
		var v uint16
		v, err = d.us(el, hasStatus)
		c.Status = StatusCode(v)
	case elPriority:
		var v uint16
		v, err = d.us(el, 0)
		c.Priority = Priority(v)
	case elErrorID:
		c.ErrorID, err = d.us(el, 0)
	case elEventTypeID:
		c.EventTypeID, err = d.us(el, hasEventType)
	case elActionTypeID:
		c.ActionTypeID, err = d.us(el, hasActionType)
	case elMoveOriginatorMessageID:
		c.MoveOriginatorMessageID, err = d.us(el, 0)
	case elRemaining:
		d.sub.Remaining, err = d.us(el, hasSubOperations)
	case elCompleted:
		d.sub.Completed, err = d.us(el, hasSubOperations)
	case elFailed:
		d.sub.Failed, err = d.us(el, hasSubOperations)
	case elWarning:
		d.sub.Warning, err = d.us(el, hasSubOperations)
	default:
		return d.text(el)
	}
	return err
}

func (d *commandDecoder) text(el commandElement) (err error) {
	c := d.cmd

	switch el.number {
	case elAffectedSOPClassUID:
		c.AffectedSOPClassUID, err = d.ui(el, hasAffectedClass)
	case elRequestedSOPClassUID:
		c.RequestedSOPClassUID, err = d.ui(el, hasRequestedClass)
	case elAffectedSOPInstanceUID:
		c.AffectedSOPInstanceUID, err = d.ui(el, hasAffectedInstance)
	case elRequestedSOPInstanceUID:
		c.RequestedSOPInstanceUID, err = d.ui(el, hasRequestedInstance)
	case elMoveDestination:
		c.MoveDestination, err = d.ae(el, hasDestination)
	case elMoveOriginatorAETitle:
		c.MoveOriginatorApplicationEntityTitle, err = d.ae(el, 0)
	case elErrorComment:
		if len(el.value) > 1024 { // LO allows 64 characters; this is 16 times as much
			return breach("PS3.7 E.1", "error comment oversized")
		}
		c.ErrorComment = neutral(strings.TrimRight(string(el.value), "\x00 "))
	case elOffendingElement:
		c.OffendingElement, err = attributeTags(el)
	case elAttributeIdentifierList:
		c.AttributeIdentifierList, err = attributeTags(el)
	}
	return err // retired and unknown elements of group 0000 are skipped
}

func (d *commandDecoder) us(el commandElement, bit presence) (uint16, error) {
	if len(el.value) != 2 {
		return 0, breach("PS3.7 E.1", "command element of VR US is not 2 bytes")
	}
	d.seen |= bit
	return binary.LittleEndian.Uint16(el.value), nil
}

// ui takes up to 64 printable characters; whether they are a UID is for whoever uses
// them, so that a wrong instance UID gets a status and not an abort.
func (d *commandDecoder) ui(el commandElement, bit presence) (string, error) {
	s := strings.TrimRight(string(el.value), "\x00 ")
	if len(s) > 64 || !printable(s) {
		return "", breach("PS3.7 E.1", "command element of VR UI oversized or not printable")
	}
	if s != "" {
		d.seen |= bit
	}
	return s, nil
}

func (d *commandDecoder) ae(el commandElement, bit presence) (string, error) {
	s := strings.Trim(string(el.value), "\x00 ")
	if len(s) > 16 || !printable(s) || strings.Contains(s, `\`) {
		return "", breach("PS3.7 E.1", "command element of VR AE oversized or not printable")
	}
	if s != "" {
		d.seen |= bit
	}
	return s, nil
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7E {
			return false
		}
	}
	return true
}

func attributeTags(el commandElement) ([]tag.Tag, error) {
	if len(el.value)%4 != 0 {
		return nil, breach("PS3.7 E.1", "command element of VR AT is not a multiple of 4 bytes")
	}
	var out []tag.Tag
	for p := el.value; len(p) > 0; p = p[4:] {
		out = append(out, tag.Tag(uint32(binary.LittleEndian.Uint16(p))<<16|uint32(binary.LittleEndian.Uint16(p[2:]))))
	}
	return out, nil
}

// AppendTo appends the command set with its group length; elements that do not belong
// to the operation are left out.
func (c *Command) AppendTo(dst []byte) []byte {
	start := len(dst)
	e := commandEncoder{append(dst, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0)}

	named := !c.Response && c.Operation.requested()
	if !named && c.Operation != CCancel {
		e.text(elAffectedSOPClassUID, c.AffectedSOPClassUID, 0)
	}
	if named {
		e.text(elRequestedSOPClassUID, c.RequestedSOPClassUID, 0)
	}

	field := uint16(c.Operation)
	if c.Response {
		field |= responseBit
	}
	e.us(elCommandField, field)

	if c.Response || c.Operation == CCancel {
		e.us(elMessageIDRespondedTo, c.MessageID)
	} else {
		e.us(elMessageID, c.MessageID)
	}

	if c.Operation == CMove && !c.Response {
		e.text(elMoveDestination, c.MoveDestination, ' ')
	}
	if !c.Response && (c.Operation == CStore || c.Operation == CFind || c.Operation == CGet || c.Operation == CMove) {
		e.us(elPriority, uint16(c.Priority))
	}

	set := uint16(noDataSet)
	if c.HasDataSet {
		set = someDataSet
	}
	e.us(elCommandDataSetType, set)

	e.rest(c, named)
	binary.LittleEndian.PutUint32(e.b[start+8:], uint32(len(e.b)-start-12))
	return e.b
}

// rest appends the elements from Status on.
func (e *commandEncoder) rest(c *Command, named bool) {
	if c.Response {
		e.us(elStatus, uint16(c.Status))
		e.tags(elOffendingElement, c.OffendingElement)
		e.text(elErrorComment, neutral(c.ErrorComment), ' ')
		if c.ErrorID != 0 {
			e.us(elErrorID, c.ErrorID)
		}
	}

	switch {
	case named:
		e.text(elRequestedSOPInstanceUID, c.RequestedSOPInstanceUID, 0)
	case c.Operation == CStore || c.Operation >= NEventReport && c.Operation <= NDelete:
		e.text(elAffectedSOPInstanceUID, c.AffectedSOPInstanceUID, 0)
	}

	switch c.Operation {
	case NEventReport:
		e.us(elEventTypeID, c.EventTypeID)
	case NGet:
		if !c.Response {
			e.tags(elAttributeIdentifierList, c.AttributeIdentifierList)
		}
	case NAction:
		e.us(elActionTypeID, c.ActionTypeID)
	}

	if s := c.SubOperations; c.Response && s != nil && (c.Operation == CGet || c.Operation == CMove) {
		if k := c.Status.Class(); k == ClassPending || k == ClassCancel { // PS3.7 9.1.3.1.6
			e.us(elRemaining, s.Remaining)
		}
		e.us(elCompleted, s.Completed)
		e.us(elFailed, s.Failed)
		e.us(elWarning, s.Warning)
	}

	if c.Operation == CStore && !c.Response && c.MoveOriginatorApplicationEntityTitle != "" {
		e.text(elMoveOriginatorAETitle, c.MoveOriginatorApplicationEntityTitle, ' ')
		e.us(elMoveOriginatorMessageID, c.MoveOriginatorMessageID)
	}
}

// commandEncoder appends elements in implicit VR little endian.
type commandEncoder struct{ b []byte }

func (e *commandEncoder) head(number uint16, n int) {
	e.b = append(e.b, 0, 0)
	e.b = binary.LittleEndian.AppendUint16(e.b, number)
	e.b = binary.LittleEndian.AppendUint32(e.b, uint32(min(n, math.MaxInt32)))
}

func (e *commandEncoder) us(number, v uint16) {
	e.head(number, 2)
	e.b = binary.LittleEndian.AppendUint16(e.b, v)
}

// text appends a value padded to an even length; an empty one is left out.
func (e *commandEncoder) text(number uint16, s string, pad byte) {
	if s == "" {
		return
	}
	e.head(number, len(s)+len(s)%2)
	e.b = append(e.b, s...)
	if len(s)%2 != 0 {
		e.b = append(e.b, pad)
	}
}

func (e *commandEncoder) tags(number uint16, tags []tag.Tag) {
	if len(tags) == 0 {
		return
	}
	e.head(number, 4*len(tags))
	for _, t := range tags {
		e.b = binary.LittleEndian.AppendUint16(e.b, uint16(uint32(t)>>16))
		e.b = binary.LittleEndian.AppendUint16(e.b, uint16(uint32(t)))
	}
}
