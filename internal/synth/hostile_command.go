package synth

import (
	"bytes"
	"slices"
	"strings"

	"collimator/dicom/uid"
)

// CommandAttacks makes the attacks DM-01 and DM-12: what follows on an
// association that NewRequest opened.
func CommandAttacks() []Attack {
	var all []Attack
	add := func(id, name string, a Answer, b []byte) {
		all = append(all, Attack{ID: id, Name: name, Channel: Associated, Answer: a, Bytes: b})
	}
	raw := func(name string, set []byte) { add("DM-01", name, Refuses, PData(1, true, true, set)) }
	echo := echoElements(1)
	except := func(number uint16) []byte {
		return command(slices.DeleteFunc(slices.Clone(echo), func(el commandElement) bool { return el.number == number })...)
	}

	raw("no command field", except(commandField))
	raw("no message ID", except(messageID))
	raw("no data set type", except(dataSetType))
	raw("no SOP Class", except(affectedClass))
	raw("empty command set", nil)

	raw("element twice", command(append(slices.Clone(echo), us(dataSetType, 0x0101))...))
	raw("elements out of order", command(echo[1], echo[0], echo[2], echo[3]))
	raw("no group length", commandBody(echo))

	lie := command(echo...)
	lie[8] += 40
	raw("group length too long", lie)

	short := command(echo...)
	short[8] -= 10
	raw("group length too short", short)

	raw("cut short", command(echo...)[:30])
	raw("message ID of four bytes", command(echo[0], echo[1], commandElement{number: messageID, value: []byte{1, 0, 0, 0}}, echo[3]))
	raw("odd length", command(echo[0], echo[1], commandElement{number: messageID, value: []byte{1, 0, 0}}, echo[3]))

	class := func(s string) []byte {
		return command(append([]commandElement{ui(affectedClass, s)}, echo[1:]...)...)
	}
	raw("SOP Class of 60,000 characters", class(strings.Repeat("1.", 30_000)))
	raw("SOP Class with control characters", class("1.2\r\n\x1b[2J"))
	raw("unknown command", command(echo[0], us(commandField, 0x7777), echo[2], echo[3]))

	raw("element of another group", append(command(echo...), 8, 0, 0x18, 0, 4, 0, 0, 0, '1', '.', '2', 0))
	raw("explicit VR", []byte{0, 0, 0, 0, 'U', 'L', 4, 0, 10, 0, 0, 0, 0, 0, 0, 1, 'U', 'S', 2, 0, 0x30, 0})
	raw("length of 4 GiB", []byte{0, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0, 0, 0, 2, 0, 0xFE, 0xFF, 0xFF, 0xFF})
	raw("C-STORE without instance", command(storeElements(1, uid.SecondaryCaptureImageStorage, "x")[:5]...))

	response := command(ui(affectedClass, uid.Verification), us(commandField, 0x8030), us(respondedTo, 1), us(dataSetType, 0x0101),
		us(statusField, 0))
	add("DM-01", "response nobody asked for", Goes, PData(1, true, true, response))

	add("DM-12", "10,000 C-ECHO at once", Goes, floodOf(10_000, EchoRQ))
	add("DM-12", "10,000 C-CANCEL", Refuses, floodOf(10_000, func(id uint16) []byte {
		return PData(1, true, true, command(us(commandField, 0x0FFF), us(respondedTo, id), us(dataSetType, 0x0101)))
	}))

	add("DM-12", "same message ID twice", Goes, append(EchoRQ(7), EchoRQ(7)...))

	return all
}

// floodOf is n messages with ascending message IDs, in one piece.
func floodOf(n int, message func(id uint16) []byte) []byte {
	var b bytes.Buffer
	for i := range n {
		b.Write(message(uint16(i + 1)))
	}
	return b.Bytes()
}

// WrongClass is a C-ECHO in the context of another SOP Class, and a C-STORE of
// a class that is not that of its context with its data set.
func WrongClass() []Attack {
	echo := PData(3, true, true, command(echoElements(1)...))
	store := PData(3, true, true, command(storeElements(1, uid.CTImageStorage, "1.2.3")...))
	data := PData(3, false, true, WithUIDs(Instance{
		SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "1.2.3", StudyInstanceUID: "1.2", SeriesInstanceUID: "1.2.1",
	}))

	return []Attack{
		{ID: "DM-01", Name: "C-ECHO in the context of a storage class", Channel: Associated, Answer: Goes, Bytes: echo},
		{ID: "DM-01", Name: "C-STORE of another class than the context", Channel: Associated, Answer: Goes, Bytes: append(store, data...)},
	}
}
