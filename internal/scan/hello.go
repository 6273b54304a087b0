package scan

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A ClientHello of our own, because crypto/tls cannot ask for SSL 3.0, NULL,
// anonymous or export suites (RFC 6101, RFC 5246 7.4.1.2).

// hello is what is offered in one ClientHello.
type hello struct {
	version uint16 // 0x0300 to 0x0303
	suites  []uint16
	name    string // SNI, none when empty
	tls13   bool   // offers TLS 1.3 too
}

// Versions of the record layer.
const (
	ssl30 = 0x0300
	tls10 = 0x0301
	tls11 = 0x0302
	tls12 = 0x0303
)

func versionName(v uint16) string {
	switch v {
	case ssl30:
		return "SSL 3.0"
	case tls10:
		return "TLS 1.0"
	case tls11:
		return "TLS 1.1"
	case tls12:
		return "TLS 1.2"
	case 0x0304:
		return "TLS 1.3"
	}
	return fmt.Sprintf("version %04X", v)
}

// suiteClass is a class of weak suites of TLS-003.
type suiteClass struct {
	name   string
	suites map[uint16]string
}

// weakClasses lists the suites of each class by number (RFC 5246 A.5 and those before it).
func weakClasses() []suiteClass {
	return []suiteClass{
		{name: "NULL", suites: map[uint16]string{
			0x0001: "RSA_WITH_NULL_MD5", 0x0002: "RSA_WITH_NULL_SHA", 0x003B: "RSA_WITH_NULL_SHA256",
			0xC010: "ECDHE_RSA_WITH_NULL_SHA", 0xC006: "ECDHE_ECDSA_WITH_NULL_SHA",
		}},
		{name: "anonymous", suites: map[uint16]string{
			0x0018: "DH_anon_WITH_RC4_128_MD5", 0x001B: "DH_anon_WITH_3DES_EDE_CBC_SHA", 0x0034: "DH_anon_WITH_AES_128_CBC_SHA",
			0x003A: "DH_anon_WITH_AES_256_CBC_SHA", 0x00A6: "DH_anon_WITH_AES_128_GCM_SHA256", 0xC018: "ECDH_anon_WITH_AES_128_CBC_SHA",
			0xC019: "ECDH_anon_WITH_AES_256_CBC_SHA",
		}},
		{name: "export", suites: map[uint16]string{
			0x0003: "RSA_EXPORT_WITH_RC4_40_MD5", 0x0006: "RSA_EXPORT_WITH_RC2_CBC_40_MD5", 0x0008: "RSA_EXPORT_WITH_DES40_CBC_SHA",
			0x0014: "DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", 0x0062: "RSA_EXPORT1024_WITH_DES_CBC_SHA",
			0x0064: "RSA_EXPORT1024_WITH_RC4_56_SHA",
		}},
		{name: "RC4", suites: map[uint16]string{
			0x0004: "RSA_WITH_RC4_128_MD5", 0x0005: "RSA_WITH_RC4_128_SHA", 0xC007: "ECDHE_ECDSA_WITH_RC4_128_SHA",
			0xC011: "ECDHE_RSA_WITH_RC4_128_SHA",
		}},
		{name: "3DES", suites: map[uint16]string{
			0x0009: "RSA_WITH_DES_CBC_SHA", 0x000A: "RSA_WITH_3DES_EDE_CBC_SHA", 0x0016: "DHE_RSA_WITH_3DES_EDE_CBC_SHA",
			0xC008: "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", 0xC012: "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
		}},
		{name: "static RSA", suites: map[uint16]string{
			0x002F: "RSA_WITH_AES_128_CBC_SHA", 0x0035: "RSA_WITH_AES_256_CBC_SHA", 0x003C: "RSA_WITH_AES_128_CBC_SHA256",
			0x003D: "RSA_WITH_AES_256_CBC_SHA256", 0x009C: "RSA_WITH_AES_128_GCM_SHA256", 0x009D: "RSA_WITH_AES_256_GCM_SHA384",
		}},
		{name: "CBC with SHA-1", suites: map[uint16]string{
			0x0033: "DHE_RSA_WITH_AES_128_CBC_SHA", 0x0039: "DHE_RSA_WITH_AES_256_CBC_SHA", 0xC009: "ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
			0xC00A: "ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xC013: "ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xC014: "ECDHE_RSA_WITH_AES_256_CBC_SHA",
		}},
	}
}

// allSuites are those of every class and the good ones of TLS 1.2 and 1.3.
func allSuites() []uint16 {
	out := []uint16{0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA8, 0xCCA9, 0x009E, 0x009F, 0xC023, 0xC027, 0x0067}
	for _, class := range weakClasses() {
		out = append(out, class.ids()...)
	}
	return out
}

func (c suiteClass) ids() []uint16 {
	var out []uint16
	for id := range c.suites {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func sized(n int, b []byte) []byte {
	var size []byte
	for i := n - 1; i >= 0; i-- {
		size = append(size, byte(len(b)>>(8*i)))
	}
	return append(size, b...)
}

// encode is the ClientHello as one record.
func (h hello) encode() []byte {
	body := binary.BigEndian.AppendUint16(nil, h.version)

	random := make([]byte, 32)
	rand.Read(random)
	body = append(body, random...)
	body = append(body, 0) // no session

	var suites []byte
	for _, s := range h.suites {
		suites = binary.BigEndian.AppendUint16(suites, s)
	}
	suites = binary.BigEndian.AppendUint16(suites, 0x00FF) // no renegotiation (RFC 5746 3.3)

	body = append(body, sized(2, suites)...)
	body = append(body, 1, 0) // no compression

	if h.version > ssl30 {
		body = append(body, sized(2, h.extensions())...)
	}

	handshake := append([]byte{1}, sized(3, body)...)
	record := binary.BigEndian.AppendUint16([]byte{22}, min(h.version, tls10))
	return append(record, sized(2, handshake)...)
}

func extension(kind uint16, content []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, kind), sized(2, content)...)
}

func (h hello) extensions() []byte {
	var b []byte
	if h.name != "" {
		b = append(b, extension(0, sized(2, append([]byte{0}, sized(2, []byte(h.name))...)))...)
	}

	b = append(b, extension(10, sized(2, []byte{0, 23, 0, 24, 0, 25, 0, 29}))...) // groups: P-256, P-384, P-521, X25519
	b = append(b, extension(11, sized(1, []byte{0}))...)

	if h.version >= tls12 {
		b = append(b, extension(13, sized(2, []byte{4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1, 2, 1, 2, 3, 2, 2}))...)
	}

	if h.tls13 {
		b = append(b, extension(43, sized(1, []byte{3, 4, 3, 3, 3, 2, 3, 1}))...)
		b = append(b, extension(51, sized(2, nil))...) // no share: the server asks again, which is answer enough
	}
	return b
}

// serverAnswer is what came back to a ClientHello.
type serverAnswer struct {
	version  uint16 // of the ServerHello; 0 where there was none
	suite    uint16
	alert    bool
	leaf     []byte // DER of the first certificate, where it came in the clear
	requests bool   // CertificateRequest
}

var errNotTLS = errors.New("scan: the answer is not TLS")

// Bounds of an answer to a ClientHello.
const (
	maxRecord    = 1<<14 + 2048
	maxHandshake = 256 << 10
)

// readServer reads records until the server is done, an alert or a bound. What
// was read before an error is kept.
func readServer(r io.Reader) (serverAnswer, error) {
	var a serverAnswer
	var flight []byte
	head := make([]byte, 5)

	for len(flight) < maxHandshake {
		if _, err := io.ReadFull(r, head); err != nil {
			return a, err
		}

		n := int(binary.BigEndian.Uint16(head[3:]))
		if head[0] < 20 || head[0] > 23 || head[1] != 3 || head[2] > 4 || n > maxRecord {
			return a, errNotTLS
		}

		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return a, err
		}

		switch head[0] {
		case 21:
			a.alert = true
			return a, nil
		case 22:
			flight = append(flight, body...)
		default:
			return a, nil
		}

		var done bool
		if flight, done = a.take(flight); done {
			return a, nil
		}
	}
	return a, nil
}

// Handshake messages that are looked at (RFC 5246 7.4).
const (
	serverHelloMessage        = 2
	certificateMessage        = 11
	certificateRequestMessage = 13
	serverHelloDoneMessage    = 14
)

// take reads the handshake messages that have come whole and returns the bytes of the
// next one. done says that nothing more is worth waiting for: the server has said all
// that comes in the clear, or its message is longer than maxHandshake.
func (a *serverAnswer) take(b []byte) (rest []byte, done bool) {
	for len(b) >= 4 {
		n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if n > maxHandshake {
			return nil, true
		}
		if len(b) < 4+n {
			return b, false
		}

		kind := b[0]
		body := b[4 : 4+n]
		b = b[4+n:]

		switch kind {
		case serverHelloMessage:
			a.serverHello(body)
			if a.version == 0 || a.version > tls12 {
				return nil, true
			}
		case certificateMessage:
			a.certificate(body)
		case certificateRequestMessage:
			a.requests = true
		case serverHelloDoneMessage:
			return nil, true
		}
	}
	return b, false
}

func (a *serverAnswer) serverHello(b []byte) {
	if len(b) < 35 || len(b) < 35+int(b[34])+3 {
		return
	}

	a.version = binary.BigEndian.Uint16(b)
	b = b[35+int(b[34]):]
	a.suite = binary.BigEndian.Uint16(b)
	b = b[3:]

	if len(b) < 2 {
		return
	}

	for b = b[2:]; len(b) >= 4; {
		kind := binary.BigEndian.Uint16(b)
		n := int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < 4+n {
			return
		}

		if kind == 43 && n == 2 {
			a.version = binary.BigEndian.Uint16(b[4:])
		}

		b = b[4+n:]
	}
}

func (a *serverAnswer) certificate(b []byte) {
	if len(b) < 6 {
		return
	}
	n := int(b[3])<<16 | int(b[4])<<8 | int(b[5])
	if n > 0 && len(b) >= 6+n {
		a.leaf = append([]byte(nil), b[6:6+n]...)
	}
}
