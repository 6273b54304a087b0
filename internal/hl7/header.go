package hl7

import (
	"bytes"
	"errors"
	"strings"
)

// Header is what the segment MSH says, as it stands there (HL7 v2 2.14.9 MSH). Its
// texts are bounded by the segment; only Code and Trigger are fit for a log.
type Header struct {
	Separator byte   // MSH-1
	Encoding  string // MSH-2
	// From and To are MSH-3, MSH-4 and MSH-5, MSH-6: application and facility.
	From, To [2]string
	// Code and Trigger are the first components of MSH-9, such as ADT and A01; letters
	// and digits. Trigger may be empty.
	Code, Trigger string
	ControlID     string // MSH-10; may be empty
	Processing    string // MSH-11
	Version       string // MSH-12
	// AcceptAck and ApplicationAck are MSH-15 and MSH-16: AL, NE, ER, SU or empty.
	AcceptAck, ApplicationAck string
	CharacterSet              string // MSH-18
}

// Errors of headers.
var (
	ErrHeader = errors.New("hl7: the message does not begin with a segment MSH that can be read")
	// ErrBatch is for several messages in one frame, with a header of a batch or file,
	// or without.
	ErrBatch = errors.New("hl7: more than one message, or a batch, in one frame")
)

// headerMost is the longest segment MSH, in bytes, and idMost the longest control ID:
// 199 characters are what any version allows.
const (
	headerMost = 4 << 10
	idMost     = 199
)

// byteOrderMark stands in front of what some senders write as UTF-8.
const byteOrderMark = "\xEF\xBB\xBF"

// ReadHeader reads the segment MSH at the beginning of a message, whose segments end
// with CR, as they should, LF or both. With ErrBatch it is given as well where a message
// stands in front, to be answered; else its Code is empty.
func ReadHeader(message []byte) (h Header, err error) {
	message = bytes.TrimPrefix(message, []byte(byteOrderMark))
	if first := bytes.TrimLeft(message, " \t"); bytes.HasPrefix(first, []byte("BHS")) || bytes.HasPrefix(first, []byte("FHS")) {
		return h, ErrBatch
	}

	line := message[:min(len(message), headerMost)]
	end := bytes.IndexAny(line, "\r\n")
	if end < 0 && len(message) > headerMost {
		return h, ErrHeader
	}
	if end >= 0 {
		line = line[:end]
	}
	if len(line) < 8 || string(line[:3]) != "MSH" || !delimiter(line[3]) || bytes.ContainsFunc(line, control) {
		return h, ErrHeader
	}

	h.Separator = line[3]
	fields := strings.Split(string(line[4:]), string(rune(h.Separator)))
	err = h.read(fields)
	if err == nil && h.ambiguous(line) {
		err = ErrHeader
	}
	if err != nil {
		return Header{}, err // what it says is fit for no record
	}
	if batched(message) {
		return h, ErrBatch
	}
	return h, nil
}

// read takes the fields from MSH-2 on.
func (h *Header) read(fields []string) error {
	field := func(number int) string {
		if number-2 < len(fields) {
			return fields[number-2]
		}
		return ""
	}

	h.Encoding = field(2)
	if !h.delimits() {
		return ErrHeader
	}
	h.From = [2]string{field(3), field(4)}
	h.To = [2]string{field(5), field(6)}

	kind := strings.Split(field(9), h.Encoding[:1])
	h.Code = kind[0]
	if len(kind) > 1 {
		h.Trigger = kind[1]
	}
	if !word(h.Code) || h.Trigger != "" && !word(h.Trigger) {
		return ErrHeader
	}

	h.ControlID = field(10)
	h.Processing = field(11)
	h.Version = field(12)
	h.AcceptAck = strings.ToUpper(field(15))
	h.ApplicationAck = strings.ToUpper(field(16))
	h.CharacterSet = field(18)
	if len(h.ControlID) > idMost {
		return ErrHeader
	}
	return nil
}

// delimits reports whether the encoding characters tell parts from one another.
func (h *Header) delimits() bool {
	if len(h.Encoding) < 1 || len(h.Encoding) > 5 {
		return false
	}
	for i := range len(h.Encoding) {
		c := h.Encoding[i]
		if !delimiter(c) || c == h.Separator || strings.IndexByte(h.Encoding, c) != i {
			return false
		}
	}
	return true
}

// delimiter reports a printable character of ASCII that is neither letter nor digit.
func delimiter(c byte) bool { return c > ' ' && c < 0x7F && !alphanumeric(c) }

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// word reports a code of three characters, as those of tables 0076 and 0003 are.
func word(s string) bool {
	return len(s) == 3 && alphanumeric(s[0]) && alphanumeric(s[1]) && alphanumeric(s[2])
}

// Type is what a message is, such as ADT^A01 or ACK.
func (h *Header) Type() string {
	if h.Trigger == "" {
		return h.Code
	}
	return h.Code + "^" + h.Trigger
}
