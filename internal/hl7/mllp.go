// Package hl7 reads of HL7 v2 what somebody in between has to know, and no more: the
// frames of MLLP in which messages come, the header segment MSH, and the segment MSA of
// an answer. It interprets no other segment, no escape and no character set, so that
// nothing in a message can break it; it knows no rules and no sockets.
package hl7

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Bytes of a frame: <VT> message <FS> <CR> (HL7 v2 Transport: Minimal Lower Layer
// Protocol, release 1).
const (
	vt = 0x0B
	fs = 0x1C
	cr = '\r'
	lf = '\n'
)

// Errors of frames. After one the rest of the stream means nothing.
var (
	// ErrFraming is for bytes that are not the frame of a message.
	ErrFraming = errors.New("hl7: not a frame of MLLP: <VT>, a message without <VT> and <FS>, <FS>, <CR>")
	// ErrTooLong is for a message above the bound. What was read of it is given with it.
	ErrTooLong = errors.New("hl7: the message is longer than may be")
)

// betweenMost is how many line ends may stand between two frames, which some senders
// write there.
const betweenMost = 4

// Reader reads frames from a stream. It is for one goroutine.
type Reader struct {
	// Grow, when set, is asked before more of a message is kept, in bytes.
	Grow func(n int) error

	in *bufio.Reader
}

// NewReader reads frames from r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReader(r)} }

// Begin waits for the first byte of a frame. io.EOF is the end between two frames.
func (r *Reader) Begin() error {
	for range betweenMost + 1 {
		c, err := r.in.ReadByte()
		switch {
		case err != nil:
			return err
		case c == vt:
			return nil
		case c != cr && c != lf:
			return ErrFraming
		}
	}
	return ErrFraming
}

// Message reads the rest of a frame and gives what stands in it, at most most bytes.
// Memory is what arrived. An error of Grow ends it.
func (r *Reader) Message(most int) (message []byte, err error) {
	for {
		if _, err := r.in.Peek(1); err != nil {
			return message, cut(err)
		}
		piece, _ := r.in.Peek(r.in.Buffered()) // is there
		end := bytes.IndexAny(piece, "\x0B\x1C")
		if end >= 0 {
			piece = piece[:end]
		}
		if len(message)+len(piece) > most {
			return append(message, piece[:most-len(message)]...), ErrTooLong
		}
		if r.Grow != nil {
			if err := r.Grow(len(piece)); err != nil {
				return message, err
			}
		}

		message = append(message, piece...)
		r.in.Discard(len(piece)) // what was peeked
		if end >= 0 {
			return message, r.end()
		}
	}
}

// end reads <FS> <CR>.
func (r *Reader) end() error {
	for _, want := range []byte{fs, cr} {
		c, err := r.in.ReadByte()
		if err != nil {
			return cut(err)
		}
		if c != want {
			return ErrFraming
		}
	}
	return nil
}

// Waiting reports whether bytes have come that nobody asked for yet.
func (r *Reader) Waiting() bool { return r.in.Buffered() > 0 }

// cut is the error of a frame that ends in its middle.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Frame puts a message into a frame. One that holds bytes of a frame is ErrFraming.
func Frame(message []byte) ([]byte, error) {
	if bytes.ContainsAny(message, "\x0B\x1C") {
		return nil, ErrFraming
	}
	out := make([]byte, 0, len(message)+3)
	out = append(out, vt)
	out = append(out, message...)
	return append(out, fs, cr), nil
}
