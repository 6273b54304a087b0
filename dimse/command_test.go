package dimse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"collimator/dicom/tag"
)

func sampleCommands() []*Command {
	tags := []tag.Tag{tag.PatientID, tag.StudyInstanceUID}
	return []*Command{
		{Operation: CEcho, MessageID: 1, AffectedSOPClassUID: "1.2.840.10008.1.1"},
		{Operation: CEcho, Response: true, MessageID: 1, AffectedSOPClassUID: "1.2.840.10008.1.1"},
		{Operation: CStore, MessageID: 2, HasDataSet: true, Priority: PriorityLow, AffectedSOPClassUID: "1.2.3", AffectedSOPInstanceUID: "1.2.3.4",
			MoveOriginatorApplicationEntityTitle: "MOVER", MoveOriginatorMessageID: 9},
		{Operation: CStore, Response: true, MessageID: 2, AffectedSOPClassUID: "1.2.3", AffectedSOPInstanceUID: "1.2.3.4",
			Status: DataSetDoesNotMatchSOPClass, ErrorComment: "mismatch", OffendingElement: tags, ErrorID: 7},
		{Operation: CFind, MessageID: 3, HasDataSet: true, AffectedSOPClassUID: "1.2.3"},
		{Operation: CFind, Response: true, MessageID: 3, HasDataSet: true, AffectedSOPClassUID: "1.2.3", Status: Pending},
		{Operation: CGet, MessageID: 4, HasDataSet: true, AffectedSOPClassUID: "1.2.3"},
		{Operation: CMove, MessageID: 5, HasDataSet: true, AffectedSOPClassUID: "1.2.3", MoveDestination: "DEST"},
		{Operation: CMove, Response: true, MessageID: 5, AffectedSOPClassUID: "1.2.3", Status: Pending, SubOperations: &SubOperations{1, 2, 3, 4}},
		{Operation: CMove, Response: true, MessageID: 5, AffectedSOPClassUID: "1.2.3", Status: Success, SubOperations: &SubOperations{0, 2, 3, 4}},
		{Operation: CCancel, MessageID: 5},
		{Operation: NEventReport, MessageID: 6, HasDataSet: true, AffectedSOPClassUID: "1.2.3", AffectedSOPInstanceUID: "1.2.4", EventTypeID: 2},
		{Operation: NGet, MessageID: 7, RequestedSOPClassUID: "1.2.3", RequestedSOPInstanceUID: "1.2.4", AttributeIdentifierList: tags},
		{Operation: NGet, Response: true, MessageID: 7, HasDataSet: true, AffectedSOPClassUID: "1.2.3", AffectedSOPInstanceUID: "1.2.4"},
		{Operation: NSet, MessageID: 8, HasDataSet: true, RequestedSOPClassUID: "1.2.3", RequestedSOPInstanceUID: "1.2.4"},
		{Operation: NAction, MessageID: 9, HasDataSet: true, RequestedSOPClassUID: "1.2.3", RequestedSOPInstanceUID: "1.2.4", ActionTypeID: 1},
		{Operation: NCreate, MessageID: 10, HasDataSet: true, AffectedSOPClassUID: "1.2.3"},
		{Operation: NDelete, MessageID: 11, RequestedSOPClassUID: "1.2.3", RequestedSOPInstanceUID: "1.2.4"},
	}
}

func TestCommandsSurviveARoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range sampleCommands() {
		got, err := DecodeCommand(c.AppendTo(nil))
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", c.Operation, err, got, c)
		}
	}
}

// raw builds a command set of elements with a true group length.
func raw(els ...[]byte) []byte {
	all := bytes.Join(els, nil)
	out := []byte{0, 0, 0, 0, 4, 0, 0, 0}
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(all))), all...)
}

func el(number uint16, value ...byte) []byte {
	var e commandEncoder
	e.head(number, len(value))
	return append(e.b, value...)
}

func TestMalformedCommandsAreRefused(t *testing.T) {
	t.Parallel()
	class, field, id, none := el(elAffectedSOPClassUID, '1', '.', '2', 0), el(elCommandField, 0x30, 0), el(elMessageID, 1, 0), el(elCommandDataSetType, 1, 1)
	good := raw(class, field, id, none)
	if _, err := DecodeCommand(good); err != nil {
		t.Fatal(err)
	}
	lie := bytes.Clone(good)
	lie[8]++
	other := el(elCommandDataSetType, 1, 1)
	other[0] = 8
	huge := el(elErrorComment)
	binary.LittleEndian.PutUint32(huge[4:], 0xFFFFFFFE)
	for name, b := range map[string][]byte{
		"empty":                     nil,
		"no group length":           good[12:],
		"group length lies":         lie,
		"element twice":             raw(class, class, field, id, none),
		"out of order":              raw(field, class, id, none),
		"another group":             raw(class, field, id, other),
		"length past the end":       raw(class, field, id, none, huge),
		"odd length":                raw(el(elAffectedSOPClassUID, '1', '.', '2'), field, id, none),
		"no SOP class":              raw(field, id, none),
		"blank SOP class":           raw(el(elAffectedSOPClassUID, ' ', ' '), field, id, none),
		"no command field":          raw(class, id, none),
		"no message ID":             raw(class, field, none),
		"no data set type":          raw(class, field, id),
		"command field of 4 bytes":  raw(class, el(elCommandField, 0x30, 0, 0, 0), id, none),
		"unknown command":           raw(class, el(elCommandField, 0x31, 0), id, none),
		"C-CANCEL-RSP":              raw(el(elCommandField, 0xFF, 0x8F), el(elMessageIDRespondedTo, 1, 0), none, el(elStatus, 0, 0)),
		"status in a request":       raw(class, field, id, none, el(elStatus, 0, 0)),
		"UID of 66 bytes":           raw(el(elAffectedSOPClassUID, bytes.Repeat([]byte{'1'}, 66)...), field, id, none),
		"C-ECHO with data set":      raw(class, field, id, el(elCommandDataSetType, 1, 0)),
		"C-STORE without data set":  raw(class, el(elCommandField, 1, 0), id, none, el(elAffectedSOPInstanceUID, '1', 0)),
		"C-MOVE without target":     raw(class, el(elCommandField, 0x21, 0), id, el(elCommandDataSetType, 1, 0)),
		"response without status":   raw(class, el(elCommandField, 0x30, 0x80), el(elMessageIDRespondedTo, 1, 0), none),
		"N-ACTION with affected":    raw(class, el(elCommandField, 0x30, 1), id, none),
		"attribute list of 3 bytes": raw(class, el(elCommandField, 0x30, 0x80), el(elMessageIDRespondedTo, 1, 0), none, el(elStatus, 0, 0), el(elOffendingElement, 1, 2)),
	} {
		var protocol *ProtocolError
		if c, err := DecodeCommand(b); !errors.As(err, &protocol) {
			t.Errorf("%s: %+v %v", name, c, err)
		}
	}
}

func FuzzDecodeCommand(f *testing.F) {
	for _, c := range sampleCommands() {
		f.Add(c.AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCommand(b)
		if err != nil {
			return
		}
		if _, err := DecodeCommand(c.AppendTo(nil)); err != nil {
			t.Fatalf("%+v was read but not written so that it can be read: %v", c, err)
		}
	})
}

func TestStatusClasses(t *testing.T) {
	t.Parallel()
	for code, want := range map[StatusCode]StatusClass{
		0: ClassSuccess, 0xFE00: ClassCancel, 0xFF00: ClassPending, 0xFF01: ClassPending, 0xB000: ClassWarning, 0xB007: ClassWarning,
		1: ClassWarning, 0x107: ClassWarning, 0x116: ClassWarning, 0xA700: ClassFailure, 0xC123: ClassFailure, 0x111: ClassFailure, 0x7777: ClassFailure,
	} {
		if got := code.Class(); got != want {
			t.Errorf("%s is %s, want %s", code, got, want)
		}
	}
	for code := range statusNames {
		if code.Name() == "" {
			t.Errorf("%04X has no name", uint16(code))
		}
	}
}

func TestCommentsAreNeutral(t *testing.T) {
	t.Parallel()
	long := "caf\u00e9\\x\n" + string(bytes.Repeat([]byte{'a'}, 100))
	if got := neutral(long); len(got) != 64 || bytes.ContainsAny([]byte(got), "\\\n\xc3") {
		t.Errorf("%q", got)
	}
}

func TestCommandEncodingDoesNotAllocate(t *testing.T) {
	cmd := &Command{Operation: CStore, Response: true, MessageID: 2, AffectedSOPClassUID: "1.2.3", AffectedSOPInstanceUID: "1.2.3.4"}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = cmd.AppendTo(buf[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
