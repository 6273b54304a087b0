package sender

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"collimator/dicom"
)

// What a file is that is not an object. ErrBroken shows that it is meant as DICOM.
var (
	ErrNotDICOM  = errors.New("it is not DICOM")
	ErrDirectory = errors.New("it is a media storage directory (DICOMDIR), which holds no object")
	ErrBroken    = errors.New("DICOM but broken")
)

// inspected judges a file that could not be read as an object: broken where it
// shows that it is meant as DICOM.
func inspected(r io.ReaderAt, err error) error {
	head := make([]byte, 4<<10)
	n, readErr := r.ReadAt(head, 0)
	switch {
	case readErr != nil && !errors.Is(readErr, io.EOF):
		return readErr
	case looksDICOM(head[:n]):
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return ErrNotDICOM
}

// Part 10 files have a preamble and this prefix in front (PS3.10 7.1).
const (
	preambleLength = 128
	part10Prefix   = "DICM"
)

// looksDICOM reports whether a file begins as DICOM does: with the prefix, or,
// where old software left it out, with two elements of group 0002 or 0008.
func looksDICOM(head []byte) bool {
	if len(head) > preambleLength && strings.HasPrefix(string(head[preambleLength:]), part10Prefix) {
		return true
	}

	first, next := elementAt(head)
	if first.Group() != 0x0002 && first.Group() != 0x0008 || next >= len(head) {
		return false
	}

	second, after := elementAt(head[next:])
	return after > 0 && second > first && second.Group() <= 0x0010
}

// elementAt reads the tag of an element in little endian and how many bytes the
// element takes, whether its VR is written (PS3.5 7.1.2) or not (7.1.3).
func elementAt(b []byte) (t dicom.Tag, size int) {
	const head = 8 // tag, VR and length of most VRs
	if len(b) < head {
		return 0, 0
	}

	u16 := func(at int) int { return int(b[at]) | int(b[at+1])<<8 }
	t = dicom.Tag(u16(0)<<16 | u16(2))

	if b[4] >= 'A' && b[4] <= 'Z' && b[5] >= 'A' && b[5] <= 'Z' {
		if strings.Contains("OB OW OF OD OL OV SQ UC UN UR UT SV UV", string(b[4:6])) {
			return t, len(b) // long ones are not looked behind
		}
		return t, head + u16(6)
	}

	if u16(6) != 0 {
		return t, len(b)
	}
	return t, head + u16(4)
}
