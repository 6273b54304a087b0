package hl7

import (
	"bytes"
	"errors"
	"strings"
	"time"
)

// Codes of an acknowledgment, MSA-1 (HL7 table 0008).
const (
	Accepted = "AA"
	Error    = "AE"
	Rejected = "AR"

	CommitAccepted = "CA"
	CommitError    = "CE"
	CommitRejected = "CR"
)

// Ack is the segment MSA of an answer.
type Ack struct {
	Code      string // MSA-1
	ControlID string // MSA-2, of the message that is answered
}

// ErrAck is for what is no answer to a message.
var ErrAck = errors.New("hl7: not an answer with one segment MSA that can be read")

// ReadAck reads an answer, an ACK or the response to a query.
func ReadAck(message []byte) (a Ack, err error) {
	h, err := ReadHeader(message)
	if err != nil {
		return a, err
	}

	found := 0
	for segment := range bytes.FieldsFuncSeq(message, func(c rune) bool { return c == cr || c == lf }) {
		if !bytes.HasPrefix(segment, []byte("MSA")) {
			continue
		}
		fields := strings.Split(string(segment[:min(len(segment), headerMost)]), string(rune(h.Separator)))
		if fields[0] != "MSA" || len(fields) < 3 {
			return a, ErrAck
		}
		a = Ack{Code: fields[1], ControlID: fields[2]}
		found++
	}

	switch a.Code {
	case Accepted, Error, Rejected, CommitAccepted, CommitError, CommitRejected:
	default:
		return a, ErrAck
	}
	if found != 1 {
		return a, ErrAck
	}
	return a, nil
}

// Answer is an ACK to a message with this header: code is that of MSA-1, id the control
// ID of the answer, and text a sentence in ASCII for whoever looks after the sender.
// Who sent and who received is turned round, with the delimiters of the sender.
func (h *Header) Answer(code, id, text string, now time.Time) []byte {
	sep := string(rune(h.Separator))
	kind := "ACK"
	if h.Trigger != "" {
		kind += h.Encoding[:1] + h.Trigger
	}
	version := h.Version
	if version == "" {
		version = "2.3"
	}
	processing := h.Processing
	if processing == "" {
		processing = "P"
	}

	msh := strings.Join([]string{"MSH" + sep + h.Encoding, h.To[0], h.To[1], h.From[0], h.From[1],
		now.Format("20060102150405"), "", kind, id, processing, version}, sep)
	msa := strings.Join([]string{"MSA", code, h.ControlID, h.plain(text)}, sep)
	return []byte(msh + "\r" + msa + "\r")
}

// plain is a text in which nothing delimits.
func (h *Header) plain(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7F || c == rune(h.Separator) || strings.ContainsRune(h.Encoding, c) {
			return ' '
		}
		return c
	}, text)
}
