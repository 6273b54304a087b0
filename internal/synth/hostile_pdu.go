package synth

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"collimator/dicom/uid"
)

// Channel is where the bytes of an Attack go.
type Channel uint8

// The channels.
const (
	Opening    Channel = iota // as the first bytes inside TLS
	Associated                // after NewRequest was accepted
	PlainTCP                  // as the first bytes of the TCP connection to the TLS listener
	PlainPort                 // as the first bytes to the listener without TLS
)

// Answer is what the attacked may do.
type Answer uint8

// The answers.
const (
	Refuses Answer = iota // A-ASSOCIATE-RJ, A-ABORT or the end of the connection
	Waits                 // nothing, until its time for the request is over; then it closes
	Accepts               // the association: what is odd about it has to be skipped
	Goes                  // on with the association, or refuses
)

// Attack is bytes on a connection.
type Attack struct {
	ID, Name string
	Channel  Channel
	Answer   Answer
	Bytes    []byte
}

// PDUAttacks makes the attacks UL-01, UL-03 to UL-05 and UL-07 to UL-11 for a
// caller that would be let in.
func PDUAttacks(calling, called string) []Attack {
	m := &pduMaker{rq: NewRequest(calling, called)}

	m.lengths()
	m.items()
	m.contexts()
	m.titles()
	m.user()
	m.states()
	m.values()
	m.garbage()

	return m.all
}

type pduMaker struct {
	rq  Request
	all []Attack
}

func (m *pduMaker) add(id, name string, c Channel, a Answer, b []byte) {
	m.all = append(m.all, Attack{ID: id, Name: name, Channel: c, Answer: a, Bytes: b})
}

func (m *pduMaker) lengths() {
	m.add("UL-01", "three bytes and silence", Opening, Waits, []byte{1, 0, 0})

	good := m.rq.Bytes()

	for _, n := range []uint32{0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0, 1, 67} {
		b := slices.Clone(good)
		binary.BigEndian.PutUint32(b[2:], n)
		m.add("UL-03", fmt.Sprintf("request of length %#x", n), Opening, Refuses, b)
	}

	for _, n := range []uint32{0xFFFFFFFF, 0x80000000, 0, 1, 5} {
		b := EchoRQ(1)
		binary.BigEndian.PutUint32(b[2:], n)
		m.add("UL-03", fmt.Sprintf("P-DATA-TF of length %#x", n), Associated, Refuses, b)
	}

	m.add("UL-03", "A-RELEASE-RQ of length 4 GiB", Associated, Refuses, []byte{pduReleaseRQ, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0})
}

func (m *pduMaker) items() {
	long := func(t byte, n uint16) []byte { return binary.BigEndian.AppendUint16([]byte{t, 0}, n) }

	m.add("UL-04", "item longer than the PDU", Opening, Refuses,
		m.rq.withContexts(append(long(itemContext, 0xFFFF), 1, 0, 0, 0)))
	m.add("UL-04", "sub-item longer than its item", Opening, Refuses,
		m.rq.withContexts(pduItem(itemContext, append([]byte{1, 0, 0, 0}, append(long(itemAbstract, 500), "1.2"...)...))))

	m.add("UL-04", "item of three bytes", Opening, Refuses, m.rq.withContexts([]byte{itemContext, 0, 0}))
	m.add("UL-04", "context of two bytes", Opening, Refuses, m.rq.withContexts(pduItem(itemContext, []byte{1, 0})))
	m.add("UL-04", "abstract syntax of no length", Opening, Refuses, m.rq.withContexts(contextItem(1, "", uid.ImplicitVRLittleEndian)))
	m.add("UL-04", "transfer syntax of no length", Opening, Refuses, m.rq.withContexts(contextItem(1, uid.Verification, "")))

	m.add("UL-04", "maximum length of one byte", Opening, Refuses, m.rq.withUser(pduItem(itemMaximum, []byte{1})))
	m.add("UL-04", "role selection that overlaps", Opening, Refuses,
		m.rq.withUser(pduItem(0x54, append([]byte{0xFF, 0xFF}, uid.Verification...))))
	m.add("UL-04", "user information sub-item beyond", Opening, Refuses, m.rq.withUser(append(long(0x57, 0xFFFF), 0, 9)))

	b := m.rq.Bytes()
	m.add("UL-04", "request cut in the fixed part", Opening, Refuses, pduOf(pduAssociateRQ, b[6:50]))
}

func (m *pduMaker) contexts() {
	var many [][]byte
	for i := range 130 {
		many = append(many, contextItem(byte(2*i+1), uid.Verification, uid.ImplicitVRLittleEndian))
	}

	m.add("UL-05", "130 contexts", Opening, Refuses, m.rq.withContexts(many...))
	m.add("UL-05", "even context", Opening, Refuses, m.rq.withContexts(contextItem(2, uid.Verification, uid.ImplicitVRLittleEndian)))
	m.add("UL-05", "context zero", Opening, Refuses, m.rq.withContexts(contextItem(0, uid.Verification, uid.ImplicitVRLittleEndian)))
	m.add("UL-05", "context twice", Opening, Refuses, m.rq.withContexts(
		contextItem(1, uid.Verification, uid.ImplicitVRLittleEndian), contextItem(1, uid.CTImageStorage, uid.ImplicitVRLittleEndian)))

	syntaxes := make([]string, 1000)
	for i := range syntaxes {
		syntaxes[i] = fmt.Sprintf("1.2.840.10008.1.2.%d", i)
	}

	m.add("UL-05", "1,000 transfer syntaxes", Opening, Refuses, m.rq.withContexts(contextItem(1, uid.Verification, syntaxes...)))
	m.add("UL-05", "no context", Opening, Refuses, m.rq.withContexts())
	m.add("UL-05", "request of 2 MiB", Opening, Refuses, m.rq.withContexts(bytes.Repeat(pduItem(0x77, make([]byte, 60_000)), 35)))
}

func (m *pduMaker) titles() {
	for _, t := range []struct{ name, title string }{
		{"path", "../secret/VICTIM"}, {"backslash", `A\B`}, {"NUL inside", "A\x00B"},
		{"blanks only", ""}, {"line break", "A\r\nlevel=ERROR"},
		{"escape", "A\x1B[2J"}, {"eight bits", "\xC4RZTIN"}, {"DEL", "A\x7F"}, {"quote", `" OR 1=1 --`}, {"format verbs", "%s%n%v%!x"},
	} {
		rq := m.rq
		rq.CallingField = titleField(t.title)
		m.add("UL-07", "calling title with "+t.name, Opening, Refuses, rq.Bytes())

		rq = m.rq
		rq.CalledField = titleField(t.title)
		m.add("UL-07", "called title with "+t.name, Opening, Refuses, rq.Bytes())
	}

	rq := m.rq
	rq.CallingField = append(bytes.Repeat([]byte{0}, 16-len(rq.Calling)), rq.Calling...)
	m.add("UL-07", "calling title behind NULs", Opening, Refuses, rq.Bytes())
}

func (m *pduMaker) user() {
	m.add("UL-08", "implementation version name of 1,000 characters", Opening, Goes,
		m.rq.withUser(pduItem(itemVersion, bytes.Repeat([]byte("V"), 1000))))

	identity := func(kind byte, primary, secondary int) []byte {
		b := binary.BigEndian.AppendUint16([]byte{kind, 1}, uint16(primary))
		b = append(b, bytes.Repeat([]byte("u"), primary)...)
		b = binary.BigEndian.AppendUint16(b, uint16(secondary))
		return append(b, bytes.Repeat([]byte("p"), secondary)...)
	}

	m.add("UL-08", "user identity of 60,000 bytes", Opening, Refuses, m.rq.withUser(pduItem(itemIdentity, identity(1, 60_000, 0))))
	m.add("UL-08", "user identity longer than its item", Opening, Refuses,
		m.rq.withUser(pduItem(itemIdentity, []byte{1, 0, 0xFF, 0xFF, 'u'})))
	m.add("UL-08", "passcode longer than its item", Opening, Refuses,
		m.rq.withUser(pduItem(itemIdentity, []byte{2, 0, 0, 1, 'u', 0xFF, 0xFF, 'p'})))
	m.add("UL-08", "user identity of an unknown type", Opening, Refuses, m.rq.withUser(pduItem(itemIdentity, identity(99, 4, 4))))
	m.add("UL-08", "wrong passcode", Opening, Refuses, m.rq.withUser(pduItem(itemIdentity, identity(2, 4, 4))))

	m.add("UL-08", "unknown sub-items", Opening, Accepts,
		m.rq.withUser(pduItem(0x7A, []byte("???")), pduItem(0xFE, make([]byte, 2000)), pduItem(0, nil)))
	m.add("UL-08", "5,000 sub-items", Opening, Refuses, m.rq.withUser(bytes.Repeat(pduItem(0x7A, nil), 5000)))
}

// states adds PDUs that may not come in the state the association is in (PS3.8 9.2):
// before the request, and once it is established.
func (m *pduMaker) states() {
	m.add("UL-09", "P-DATA-TF first", Opening, Refuses, EchoRQ(1))
	m.add("UL-09", "A-RELEASE-RQ first", Opening, Refuses, pduOf(pduReleaseRQ, make([]byte, 4)))
	m.add("UL-09", "A-RELEASE-RP first", Opening, Refuses, pduOf(pduReleaseRP, make([]byte, 4)))
	m.add("UL-09", "A-ABORT first", Opening, Refuses, bytes.Repeat(pduOf(pduAbort, make([]byte, 4)), 1000))
	m.add("UL-09", "A-ASSOCIATE-AC first", Opening, Refuses, append([]byte{2}, m.rq.Bytes()[1:]...))
	m.add("UL-09", "unknown PDU first", Opening, Refuses, pduOf(0x42, make([]byte, 16)))

	m.add("UL-09", "second request", Associated, Refuses, m.rq.Bytes())
	m.add("UL-09", "A-ASSOCIATE-RJ by the requestor", Associated, Refuses, pduOf(3, []byte{0, 1, 1, 1}))
	m.add("UL-09", "A-RELEASE-RP not asked for", Associated, Refuses, pduOf(pduReleaseRP, make([]byte, 4)))
	m.add("UL-09", "data behind a release", Associated, Refuses, append(pduOf(pduReleaseRQ, make([]byte, 4)), EchoRQ(1)...))
	m.add("UL-09", "a thousand releases", Associated, Refuses, bytes.Repeat(pduOf(pduReleaseRQ, make([]byte, 4)), 1000))
	m.add("UL-09", "unknown PDU", Associated, Refuses, pduOf(0x08, make([]byte, 4)))
	m.add("UL-09", "PDU of type 255", Associated, Refuses, pduOf(0xFF, make([]byte, 4)))
}

func (m *pduMaker) values() {
	echo := command(echoElements(1)...)

	m.add("UL-10", "context never proposed", Associated, Refuses, PData(77, true, true, echo))
	m.add("UL-10", "context zero", Associated, Refuses, PData(0, true, true, echo))

	value := func(n uint32, rest ...byte) []byte {
		return pduOf(pduPData, append(binary.BigEndian.AppendUint32(nil, n), rest...))
	}

	m.add("UL-10", "value of length 1", Associated, Refuses, value(1, 1, 3))
	m.add("UL-10", "value of length 0", Associated, Refuses, value(0, 1, 3))
	m.add("UL-10", "value longer than the PDU", Associated, Refuses, value(0x7FFFFFFF, 1, 3, 0, 0))
	m.add("UL-10", "value of 4 GiB", Associated, Refuses, value(0xFFFFFFFF, 1, 3, 0, 0))

	m.add("UL-10", "data where a command is due", Associated, Refuses, PData(1, false, true, echo))
	m.add("UL-10", "command of a C-STORE, then a command", Associated, Refuses, append(StoreRQ(1, "1.2.3"), EchoRQ(2)...))
	m.add("UL-10", "data in another context", Associated, Refuses, append(StoreRQ(1, "1.2.3"), PData(1, false, true, echo)...))
	m.add("UL-10", "command set without last fragment", Associated, Refuses,
		bytes.Repeat(PData(1, true, false, make([]byte, 8192)), 64))
	m.add("UL-10", "command set of empty fragments, then release", Associated, Refuses,
		append(bytes.Repeat(PData(1, true, false, nil), 1000), pduOf(pduReleaseRQ, make([]byte, 4))...))
}

// garbage adds bytes that are not an association request for the port they come to: other
// protocols, a request without TLS where TLS is due, and TLS where none is.
func (m *pduMaker) garbage() {
	http := []byte("GET / HTTP/1.1\r\nHost: pacs\r\n\r\n")
	ssh := []byte("SSH-2.0-OpenSSH_9.6\r\n")
	hello := append([]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3}, make([]byte, 509)...)

	m.add("UL-11", "plain request on the TLS port", PlainTCP, Refuses, m.rq.Bytes())
	m.add("UL-11", "HTTP on the TLS port", PlainTCP, Refuses, http)
	m.add("UL-11", "SSH on the TLS port", PlainTCP, Refuses, ssh)
	m.add("UL-11", "zeros on the TLS port", PlainTCP, Refuses, make([]byte, 4096))

	m.add("UL-11", "HTTP inside TLS", Opening, Refuses, http)

	m.add("UL-11", "TLS on the plain port", PlainPort, Refuses, hello)
	m.add("UL-11", "HTTP on the plain port", PlainPort, Refuses, http)
	m.add("UL-11", "SSH on the plain port", PlainPort, Refuses, ssh)
}
