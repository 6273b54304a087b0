package dicom

import (
	"errors"
	"strconv"
	"strings"
)

// Errors a caller may test for with errors.Is.
var (
	// ErrLimit: the data set is larger, deeper or denser than Limits allow.
	ErrLimit = errors.New("dicom: beyond the limits")
	// ErrNoSource: a value was left in the stream and there is no Source to read it from.
	ErrNoSource = errors.New("dicom: value was left in the stream and no source is known")
	// ErrEncapsulated: the value is encoded in fragments and has no plain stream of bytes.
	ErrEncapsulated = errors.New("dicom: value is encapsulated in fragments")
	// ErrCharacterSet: text cannot be written in the character sets of the data set.
	ErrCharacterSet = errors.New("dicom: text is outside the specific character set")
	// ErrValue: a value does not fit its VR.
	ErrValue = errors.New("dicom: value does not fit the VR")
)

// SyntaxError says where a stream stops being a data set. It quotes no value.
// A stream that ends too early matches io.ErrUnexpectedEOF, one beyond the
// limits ErrLimit.
type SyntaxError struct {
	Tag    Tag    // the element being read; zero where none was begun
	Path   string // sequences and items around it: "(0040,A730)[2]"; empty at the top
	Offset int64  // bytes from the start of the data set, after inflation
	Clause string // of the standard: "PS3.5 7.5"
	Reason string

	tagged bool // Tag is that of an element, be it (0000,0000)
	err    error
}

// Error is one line with all of it.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	b.WriteString("dicom: ")
	if e.tagged || e.Tag != 0 {
		b.WriteString(e.Tag.String())
		b.WriteByte(' ')
	}

	b.WriteString("at byte ")
	b.WriteString(strconv.FormatInt(e.Offset, 10))
	if e.Path != "" {
		b.WriteString(" in ")
		b.WriteString(e.Path)
	}

	b.WriteString(": ")
	b.WriteString(e.Reason)
	if e.Clause != "" {
		b.WriteString(" (")
		b.WriteString(e.Clause)
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap is what errors.Is looks at.
func (e *SyntaxError) Unwrap() error { return e.err }

// Note is something irregular that was read all the same. It quotes no value.
type Note struct {
	Tag    Tag
	Offset int64 // bytes from the start of the data set or file
	Reason string
}

// String is one line.
func (n Note) String() string {
	return n.Tag.String() + " at byte " + strconv.FormatInt(n.Offset, 10) + ": " + n.Reason
}

// maxNotes bounds what a stream can make us remember.
const maxNotes = 64
