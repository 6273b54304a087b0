package patch

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// frameMost is what one frame may be at most, in bytes: a value is not longer (PS3.5 7.1.1).
const frameMost = 1<<32 - 2

// geometry says what of a picture's size and depth is none (PS3.3 C.7.6.3.1), of the object and of
// each within it.
func geometry(head *dicom.DataSet) string {
	if why := pictureOf(head); why != "" {
		return why
	}
	for v := range head.Walk() {
		for _, item := range v.Element.Items() {
			if why := pictureOf(item); why != "" {
				return fmt.Sprintf("within %s: %s", v.Element.Tag, why)
			}
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
	return framesOf(ds)
}

// framesOf looks at the number of frames: one that cannot be read is another to each who reads it.
func framesOf(ds *dicom.DataSet) string {
	el, ok := ds.Get(tag.NumberOfFrames)
	if !ok || el.VR == dicom.IS && el.Text() == "" {
		return ""
	}
	if _, ok := digits(el); !ok {
		return "Number of Frames is not a number of frames"
	}
	return ""
}

// digits is one value of IS in digits alone, of 32 bits with a sign.
func digits(el dicom.Element) (n int64, ok bool) {
	values := el.Texts()
	if el.VR != dicom.IS || len(values) != 1 {
		return 0, false
	}
	u, err := strconv.ParseUint(strings.TrimPrefix(values[0], "+"), 10, 31)
	return int64(u), err == nil
}

// The elements of overlays (PS3.3 C.9.2). The standard has groups 6000 to 601E of them; readers take
// those up to 60FE for more.
const (
	overlayFirst   = 0x6000
	overlayLast    = 0x60FE
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
		rows, okRows := short(head, tag.New(group, overlayRows))
		columns, okColumns := short(head, tag.New(group, overlayColumns))
		frames, okFrames := int64(1), true
		if el, there := head.Get(tag.New(group, overlayFrames)); there {
			frames, okFrames = digits(el)
		}
		if !okRows || !okColumns || !okFrames || frames > 1<<20 {
			return fmt.Sprintf("the numbers of the overlay of group %04X are none of an overlay", group)
		}
		if (rows*columns*frames+7)/8 > data.ValueLength() {
			return fmt.Sprintf("the overlay of group %04X is shorter than its rows and columns", group)
		}
	}
	return ""
}

// short is one value of US.
func short(ds *dicom.DataSet, t tag.Tag) (n int64, ok bool) {
	el, _ := ds.Get(t)
	if el.VR != dicom.US || el.ValueLength() != 2 {
		return 0, false
	}
	return ds.Int(t)
}

// palette says that the colours of a picture stand in a table (PS3.3 C.7.6.3.1.2), for whoever
// reads the word less strictly, too.
func palette(head *dicom.DataSet) string {
	el, ok := head.Get(tag.PhotometricInterpretation)
	if !ok {
		return ""
	}
	if el.VR != dicom.CS && !el.Empty() {
		return fmt.Sprintf("%s is not CS", el.Tag)
	}
	if strings.Contains(strings.ToUpper(string(el.Bytes())), "PALETTE") {
		return "its colours stand in a table"
	}
	return ""
}

// philipsPixels is where Philips keeps pixel data in a compression of its own.
var philipsPixels = tag.New(0x07A1, 0x1011)

func philipsCompression(head *dicom.DataSet) string {
	for v := range head.Walk() {
		if v.Element.Tag == philipsPixels && bytes.Contains(v.Element.Bytes(), []byte("PMSCT_RLE1")) {
			return "it is in a compression of Philips"
		}
	}
	return ""
}

// scripts are what a browser runs, or fetches, when text is shown as HTML: elements, attributes of any
// that run something, addresses that do.
var scripts = regexp.MustCompile(`(?i)<\s*/?\s*(script|img|image|svg|math|iframe|frame|object|embed|applet|link|meta|base|form|input|button|` +
	`select|textarea|keygen|isindex|video|audio|source|body|html|head|style|template|noscript|xml|marquee|bgsound|details|dialog|a[\s/>])` +
	`|["'\x60/]\s*on[a-z]{3,}\s*=|<[^>]*\son[a-z]{3,}\s*=|<[!?]|javascript:|vbscript:|data:text/html`)

// markup says which text holds what a browser runs, whatever it is said to be.
func markup(head *dicom.DataSet) string {
	for v := range head.Walk() {
		if why := markupIn(v.Element); why != "" {
			return why
		}
	}
	return ""
}

// markupBehind is markup for a value behind the pixel data, of which the beginning is seen.
func markupBehind(el dicom.Element) string {
	if el.Tag.Group() == tag.PixelData.Group() {
		return ""
	}
	if int(el.ValueLength()) >= dicom.LookSize && el.VR.Text() {
		return fmt.Sprintf("%s is a text behind the pixel data that is too long to be looked at", el.Tag)
	}
	return markupIn(el)
}

func markupIn(el dicom.Element) string {
	if el.Sequence() || el.Encapsulated() || !el.VR.Text() && el.VR != dicom.UN {
		return ""
	}
	if scripts.Match(el.Bytes()) {
		return fmt.Sprintf("%s holds what a browser would run", el.Tag)
	}
	return ""
}

// representation says that a key of the standard has another value representation.
func representation(el dicom.Element) string {
	known, ok := tag.Lookup(el.Tag)
	if !ok || el.Tag.Private() || el.VR == dicom.UN && known.VR != dicom.SQ.String() {
		return ""
	}
	for _, vr := range strings.Split(known.VR, "|") {
		if vr == el.VR.String() {
			return ""
		}
	}
	return fmt.Sprintf("%s is %s in the standard", el.Tag, known.VR)
}
