package scan

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"

	"collimator/internal/finding"
)

// Requests and decoders of management protocols. Decoders take what one read
// brought, check every bound and keep protocol words only.

// sshGreeting reads how an SSH server identifies itself, sends our identification,
// and reads the algorithms the server offers (RFC 4253 4.2, 7.1). A server of 1.99
// speaks 2 as well (5.1); to one that speaks 1 alone nothing is sent. It logs in
// nowhere.
func sshGreeting(c io.ReadWriter, h *finding.HostFacts) {
	greeting := readSome(c, 4096)
	line, rest, _ := bytes.Cut(greeting, []byte("\n"))
	h.Banner = firstLine(line)

	h.Spoke = strings.HasPrefix(h.Banner, "SSH-")
	if !h.Spoke {
		return
	}

	if strings.HasPrefix(h.Banner, "SSH-1.") && !strings.HasPrefix(h.Banner, "SSH-1.99") {
		h.Old = append(h.Old, "protocol 1")
		return
	}

	if _, err := io.WriteString(c, "SSH-2.0-Collimator_scan\r\n"); err != nil {
		return
	}

	for len(rest) < 32<<10 {
		if whole(rest) {
			break
		}
		more := readSome(c, 4096)
		if len(more) == 0 {
			break
		}
		rest = append(rest, more...)
	}

	h.Old = append(h.Old, decodeKex(rest)...)
}

func whole(b []byte) bool {
	return len(b) >= 4 && uint64(len(b)-4) >= uint64(binary.BigEndian.Uint32(b))
}

// decodeKex names the obsolete algorithms of a SSH_MSG_KEXINIT.
func decodeKex(b []byte) []string {
	if len(b) < 6+16 || b[5] != 20 {
		return nil
	}
	b = b[6+16:]

	var old []string
	for range 10 {
		if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
			break
		}

		n := binary.BigEndian.Uint32(b)
		for _, name := range strings.Split(string(b[4:4+n]), ",") {
			if obsolete(name) && !strings.Contains(strings.Join(old, " ")+" ", name+" ") {
				old = append(old, name)
			}
		}

		b = b[4+n:]
	}
	return old
}

func obsolete(name string) bool {
	switch name {
	case "diffie-hellman-group1-sha1", "ssh-dss", "arcfour", "arcfour128", "arcfour256", "des-cbc", "3des-cbc",
		"blowfish-cbc", "hmac-md5", "hmac-md5-96":
		return true
	}
	return false
}

// smbNegotiate offers the dialect of SMB 1 alone.
func smbNegotiate() []byte {
	header := make([]byte, 32)
	copy(header, "\xFFSMB\x72")
	header[9], header[10] = 0x18, 0x01
	header[26], header[27] = 0xC0, 0x1A // process

	dialect := "\x02NT LM 0.12\x00"
	body := append([]byte{0}, byte(len(dialect)), 0)

	packet := append(append(header, body...), dialect...)
	return append([]byte{0, 0, byte(len(packet) >> 8), byte(len(packet))}, packet...)
}

func decodeSMB(b []byte, h *finding.HostFacts) {
	switch {
	case len(b) >= 39 && string(b[4:8]) == "\xFFSMB" && b[8] == 0x72:
		h.Spoke = true
		h.SMB1 = binary.LittleEndian.Uint32(b[9:]) == 0 && binary.LittleEndian.Uint16(b[37:]) == 0
		h.Banner = "SMB 1 refused"
		if h.SMB1 {
			h.Banner = "dialect NT LM 0.12 accepted"
		}
	case len(b) >= 8 && string(b[4:8]) == "\xFESMB":
		h.Spoke = true
		h.Banner = "SMB 2 or later"
	}
}

// rdpRequest asks for TLS without network level authentication (X.224 connection request).
func rdpRequest() []byte {
	return []byte{3, 0, 0, 19, 14, 0xE0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 1, 0, 0, 0}
}

func decodeRDP(b []byte, h *finding.HostFacts) {
	if len(b) < 11 || b[0] != 3 || b[5] != 0xD0 {
		return
	}

	h.Spoke = true
	h.Banner = "connection confirmed without network level authentication"
	if len(b) >= 19 && b[11] == 3 && binary.LittleEndian.Uint32(b[15:]) == 5 {
		h.NLA = true
		h.Banner = "network level authentication is required"
	}
}

// vncGreeting reads the version and the kinds of security that are offered (RFC 6143 7.1).
func vncGreeting(c io.ReadWriter, h *finding.HostFacts) {
	greeting := readSome(c, 64)
	h.Spoke = bytes.HasPrefix(greeting, []byte("RFB "))
	if !h.Spoke {
		return
	}

	h.Banner = firstLine(greeting)
	if len(greeting) < 12 || string(greeting[4:11]) < "003.007" {
		return // the server decides alone there
	}

	if _, err := c.Write(greeting[:12]); err == nil {
		h.Open = decodeVNC(readSome(c, 256))
		if h.Open {
			h.Banner += ", security none"
		}
	}
}

// decodeVNC reports that the kind "none" is offered.
func decodeVNC(b []byte) bool {
	if len(b) < 2 || int(b[0]) > len(b)-1 {
		return false
	}
	return bytes.IndexByte(b[1:1+int(b[0])], 1) >= 0
}

func decodeMySQL(b []byte, h *finding.HostFacts) {
	if len(b) < 6 || b[3] != 0 || b[4] != 10 && b[4] != 0xFF {
		return
	}

	h.Spoke = true
	if b[4] == 10 {
		version, _, _ := bytes.Cut(b[5:], []byte{0})
		h.Banner = "MySQL " + clean(string(version), 40)
	}
}

func decodePostgreSQL(b []byte, h *finding.HostFacts) {
	if h.Spoke = len(b) == 1 && (b[0] == 'S' || b[0] == 'N') || len(b) > 5 && b[0] == 'E'; h.Spoke {
		h.Banner = "PostgreSQL"
	}
}

// tdsPrelogin is the first message of Microsoft SQL Server, with the version option alone.
func tdsPrelogin() []byte {
	body := []byte{0, 0, 6, 0, 6, 0xFF, 0, 0, 0, 0, 0, 0}
	return append([]byte{0x12, 1, 0, byte(8 + len(body)), 0, 0, 0, 0}, body...)
}

func decodeTDS(b []byte, h *finding.HostFacts) {
	if h.Spoke = len(b) >= 9 && b[0] == 4; h.Spoke {
		h.Banner = "Microsoft SQL Server"
	}
}

// mongoHello is the message hello of MongoDB.
func mongoHello() []byte {
	doc := []byte("\x10hello\x00\x01\x00\x00\x00\x02$db\x00\x06\x00\x00\x00admin\x00\x00")
	doc = append(binary.LittleEndian.AppendUint32(nil, uint32(len(doc)+4)), doc...)
	body := append([]byte{0, 0, 0, 0, 0}, doc...)
	head := binary.LittleEndian.AppendUint32(nil, uint32(16+len(body)))
	head = append(head, 1, 0, 0, 0, 0, 0, 0, 0, 0xDD, 7, 0, 0)
	return append(head, body...)
}

func decodeMongo(b []byte, h *finding.HostFacts) {
	h.Spoke = len(b) >= 16 && binary.LittleEndian.Uint32(b[12:]) == 2013 && bytes.Contains(b, []byte("maxWireVersion"))
	if h.Spoke {
		h.Banner = "MongoDB"
	}
}

func decodeRedis(b []byte, h *finding.HostFacts) {
	switch {
	case bytes.HasPrefix(b, []byte("+PONG")):
		h.Spoke, h.Open = true, true
		h.Banner = "PONG"
	case bytes.HasPrefix(b, []byte("-NOAUTH")), bytes.HasPrefix(b, []byte("-DENIED")):
		h.Spoke = true
		h.Banner = "authentication required"
	}
}

// snmpRequest is a GET of sysDescr and sysObjectID, version 1, community public
// (RFC 1157 4.1.2).
func snmpRequest() []byte {
	bind := func(last byte) []byte {
		return []byte{0x30, 0x0C, 0x06, 0x08, 0x2B, 6, 1, 2, 1, 1, last, 0, 5, 0}
	}

	list := append(bind(1), bind(2)...)
	pdu := append([]byte{2, 1, 1, 2, 1, 0, 2, 1, 0, 0x30, byte(len(list))}, list...)
	body := append([]byte{2, 1, 0, 4, 6, 'p', 'u', 'b', 'l', 'i', 'c', 0xA0, byte(len(pdu))}, pdu...)
	return append([]byte{0x30, byte(len(body))}, body...)
}

// decodeSNMP gives sysDescr of a response; ok reports a response of SNMP.
func decodeSNMP(b []byte) (string, bool) {
	kind, message, _ := ber(b)
	if kind != 0x30 {
		return "", false
	}

	_, _, rest := ber(message) // version
	kind, _, rest = ber(rest)  // community
	if kind != 4 {
		return "", false
	}

	kind, pdu, _ := ber(rest)
	if kind != 0xA2 {
		return "", false
	}
	for range 3 { // request, error, index
		_, _, pdu = ber(pdu)
	}

	_, list, _ := ber(pdu)
	_, bind, _ := ber(list)
	_, _, value := ber(bind)
	kind, text, _ := ber(value)
	if kind != 4 {
		return "", true
	}
	return clean(string(text), 80), true
}

// ber takes one element of BER apart; kind is 0 where it does not fit.
func ber(b []byte) (kind byte, content, rest []byte) {
	if len(b) < 2 {
		return 0, nil, nil
	}

	n := int(b[1])
	at := 2
	if n >= 0x80 {
		size := n & 0x7F
		if size == 0 || size > 3 || len(b) < 2+size {
			return 0, nil, nil
		}
		n = 0
		for _, c := range b[2 : 2+size] {
			n = n<<8 | int(c)
		}
		at += size
	}

	if n > len(b)-at {
		return 0, nil, nil
	}
	return b[0], b[at : at+n], b[at+n:]
}

// rmcpPing asks a management controller whether it is there.
func rmcpPing() []byte { return []byte{6, 0, 0xFF, 6, 0, 0, 0x11, 0xBE, 0x80, 1, 0, 0} }

func decodeRMCP(b []byte) (string, bool) {
	return "RMCP pong", len(b) >= 12 && b[0] == 6 && b[3] == 6 && b[8] == 0x40
}

// isFrame reports an MLLP frame.
func isFrame(b []byte) bool {
	return len(b) >= 3 && b[0] == 0x0B && bytes.HasSuffix(b, []byte{0x1C, 0x0D})
}

// hl7Query is a whole query with test facilities and a trigger that does not
// exist, which a receiver must refuse.
func hl7Query(at string) []byte {
	const cr = "\r"
	message := "MSH|^~\\&|COLLIMATOR-SCAN|COLLIMATOR-TEST|NOBODY|NOWHERE|" + at +
		"||QBP^Z00^QBP_Z00|" + randomTitle(12) + "|P|2.5" + cr +
		"QPD|Z00^COLLIMATOR SCAN^L|" + randomTitle(12) + cr +
		"RCP|I|1^RD" + cr
	return append(append([]byte{0x0B}, message...), 0x1C, 0x0D)
}

// acknowledgement is MSA-1 of a framed answer, empty where there is none.
func acknowledgement(b []byte) string {
	if len(b) < 3 || b[0] != 0x0B {
		return ""
	}
	for _, segment := range bytes.Split(b, []byte{'\r'}) {
		if fields := bytes.Split(segment, []byte{'|'}); string(fields[0]) == "MSA" && len(fields) > 1 {
			return clean(string(fields[1]), 2)
		}
	}
	return ""
}
