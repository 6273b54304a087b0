package patch

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// frameMost is what one frame may be at most, in bytes: a value is not longer (PS3.5 7.1.1).
const frameMost = 1<<32 - 2

// geometry says what of a picture's size and depth is none (PS3.3 C.7.6.3.1).
func geometry(head *dicom.DataSet) string {
	if why := pictureOf(head); why != "" {
		return why
	}
	for _, icon := range head.Items(tag.IconImageSequence) {
		if why := pictureOf(icon); why != "" {
			return "the icon: " + why
		}
	}
	return ""
}

// pictureOf looks at the numbers of one picture; what is left out is for who reads it to miss.
func pictureOf(ds *dicom.DataSet) string {
	for _, t := range []tag.Tag{tag.Rows, tag.Columns, tag.SamplesPerPixel, tag.BitsAllocated, tag.BitsStored, tag.HighBit} {
		el, ok := ds.Get(t)
		if !ok || el.Empty() {
			continue
		}
		if el.VR != dicom.US || el.ValueLength() != 2 {
			return fmt.Sprintf("%s is not one value of US", t)
		}
	}

	number := func(t tag.Tag, absent int64) int64 {
		if n, ok := ds.Int(t); ok {
			return n
		}
		return absent
	}
	allocated := number(tag.BitsAllocated, 0)
	switch {
	case allocated > 64 || allocated > 1 && allocated%8 != 0 && allocated != 12:
		return "Bits Allocated is none of a picture"
	case allocated > 0 && number(tag.BitsStored, 0) > allocated:
		return "Bits Stored is more than Bits Allocated"
	case allocated > 0 && number(tag.HighBit, 0) >= allocated:
		return "High Bit is not among the bits that are allocated"
	case number(tag.SamplesPerPixel, 1) > 4:
		return "Samples per Pixel is none of a picture"
	}

	size := int64(1)
	for _, n := range []int64{number(tag.Rows, 1), number(tag.Columns, 1), number(tag.SamplesPerPixel, 1), (allocated + 7) / 8} {
		size *= max(n, 1)
	}
	if size > frameMost {
		return "a frame would be longer than a value can be"
	}
	if frames := ds.Texts(tag.NumberOfFrames); len(frames) > 1 || number(tag.NumberOfFrames, 1) < 0 {
		return "Number of Frames is not a number of frames"
	}
	return ""
}

// The elements of overlays (PS3.3 C.9.2), of which there are groups 6000 to 601E.
const (
	overlayFirst   = 0x6000
	overlayLast    = 0x601E
	overlayRows    = 0x0010
	overlayColumns = 0x0011
	overlayFrames  = 0x0015
	overlayData    = 0x3000
)

// overlays says which overlay is shorter than its numbers say: of one bit a pixel.
func overlays(head *dicom.DataSet) string {
	for group := uint16(overlayFirst); group <= overlayLast; group += 2 {
		data, ok := head.Get(tag.New(group, overlayData))
		if !ok || data.Empty() {
			continue
		}
		pixels := int64(1)
		for _, element := range []uint16{overlayRows, overlayColumns, overlayFrames} {
			n, there := head.Int(tag.New(group, element))
			if !there && element == overlayFrames {
				n = 1
			}
			if n < 0 || n > 1<<20 {
				return fmt.Sprintf("the numbers of the overlay of group %04X are none of an overlay", group)
			}
			pixels *= n
		}
		if (pixels+7)/8 > data.ValueLength() {
			return fmt.Sprintf("the overlay of group %04X is shorter than its rows and columns", group)
		}
	}
	return ""
}

// palette says that the colours of a picture stand in a table (PS3.3 C.7.6.3.1.2).
func palette(head *dicom.DataSet) string {
	if strings.EqualFold(head.Text(tag.PhotometricInterpretation), "PALETTE COLOR") {
		return "its colours stand in a table"
	}
	return ""
}

// philipsPixels is where Philips keeps pixel data in a compression of its own.
var philipsPixels = tag.New(0x07A1, 0x1011)

func philipsCompression(head *dicom.DataSet) string {
	for v := range head.Walk() {
		if v.Element.Tag == philipsPixels && strings.HasPrefix(v.Element.Text(), "PMSCT_RLE1") {
			return "it is in a compression of Philips"
		}
	}
	return ""
}

// scripts are the beginnings of what a browser runs, or fetches, when text is shown as HTML.
var scripts = regexp.MustCompile(`(?i)<\s*/?\s*(script|img|svg|iframe|object|embed|link|meta|base|form|input|video|audio|body|html|style|a\s)|javascript:`)

// markup says which text holds what a browser runs.
func markup(head *dicom.DataSet) string {
	for v := range head.Walk() {
		el := v.Element
		if !written(el.VR) || el.ValueLength() > scriptMost {
			continue
		}
		if scripts.Match(el.Bytes()) {
			return fmt.Sprintf("%s holds what a browser would run", el.Tag)
		}
	}
	return ""
}

// scriptMost is how long a text is looked at, in bytes: pages show none that is longer.
const scriptMost = 1 << 20

// written reports a VR of text that people write (PS3.5 6.2).
func written(vr dicom.VR) bool {
	switch vr {
	case dicom.LO, dicom.LT, dicom.PN, dicom.SH, dicom.ST, dicom.UC, dicom.UT, dicom.UR, dicom.CS, dicom.AE:
		return true
	}
	return false
}

// pam says that a fragment is a picture in the format PAM: every transfer syntax has another.
func pam(el dicom.Element, encapsulated bool) string {
	if encapsulated && bytes.HasPrefix(el.Bytes(), []byte("P7\n")) {
		return "a fragment is a picture in the format PAM"
	}
	return ""
}

// Markers of JPEG (ISO 10918-1 B.1.1.3).
const (
	markerStart     = 0xD8
	markerScan      = 0xDA
	markerTemporary = 0x01
)

// temporaryMarker says that a JPEG stream has the marker TEM in front of its first scan; it stands for
// nothing outside of an encoder.
func temporaryMarker(el dicom.Element, encapsulated bool) string {
	b := el.Bytes()
	if !encapsulated || len(b) < 2 || b[0] != 0xFF || b[1] != markerStart {
		return ""
	}
	for i := 2; i+1 < len(b) && b[i] == 0xFF; {
		switch m := b[i+1]; {
		case m == markerTemporary:
			return "a JPEG stream has the marker TEM"
		case m == 0xFF: // fill
			i++
		case m == markerScan || i+3 >= len(b):
			return ""
		default:
			i += 2 + (int(b[i+2])<<8 | int(b[i+3]))
		}
	}
	return ""
}

// representation says that a key of the standard has another value representation.
func representation(el dicom.Element) string {
	known, ok := tag.Lookup(el.Tag)
	if !ok || el.Tag.Private() || el.VR == dicom.UN {
		return ""
	}
	for _, vr := range strings.Split(known.VR, "|") {
		if vr == el.VR.String() {
			return ""
		}
	}
	return fmt.Sprintf("%s is %s in the standard", el.Tag, known.VR)
}
