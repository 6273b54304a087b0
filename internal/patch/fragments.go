package patch

import (
	"errors"
	"io"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// stream looks at the fragments of a compressed value as they come: a picture may begin with any of
// them, and go on in the next.
type stream interface {
	// begin is the beginning of a fragment.
	begin()
	// next are bytes of it; what is wrong with them, or nothing.
	next(b []byte) string
}

// Fragments looks at the fragments of pixel data. Not safe for concurrent use.
type Fragments struct {
	patches []Patch
	streams []stream
}

// Fragments are what the patches look at of one encapsulated value; nil where none does.
func (s *Set) Fragments() *Fragments {
	f := &Fragments{}
	if s == nil {
		return nil
	}
	for _, p := range s.patches {
		if p.check.fragments != nil {
			f.patches = append(f.patches, p)
			f.streams = append(f.streams, p.check.fragments())
		}
	}
	if len(f.streams) == 0 {
		return nil
	}
	return f
}

// Next begins a fragment. What it gives takes the bytes of that; its error is a *Refusal.
func (f *Fragments) Next() io.Writer {
	for _, s := range f.streams {
		s.begin()
	}
	return fragment{f}
}

type fragment struct{ *Fragments }

// Write implements io.Writer.
func (f fragment) Write(b []byte) (int, error) {
	for i, s := range f.streams {
		if why := s.next(b); why != "" {
			return 0, f.patches[i].refusal(why)
		}
	}
	return len(b), nil
}

// nested refuses fragments of pictures within the head, such as icons.
func (s *Set) nested(head *dicom.DataSet) *Refusal {
	for v := range head.Walk() {
		if v.Element.Tag != tag.PixelData || !v.Element.Encapsulated() {
			continue
		}
		f := s.Fragments()
		if f == nil {
			return nil
		}
		for _, b := range v.Element.Fragments() {
			if _, err := f.Next().Write(b); err != nil {
				refusal, _ := errors.AsType[*Refusal](err)
				return refusal
			}
		}
	}
	return nil
}

// pam finds pictures in the format PAM: every transfer syntax has another.
type pam struct{ heads [][]byte } // of fragments of which less was seen than tells

const pamBegins = "P7\n"

func (p *pam) begin() {
	if n := len(p.heads); n == 0 || len(p.heads[n-1]) > 0 { // of empty fragments there may be any number
		p.heads = append(p.heads, nil)
	}
}

func (p *pam) next(b []byte) string {
	left := p.heads[:0]
	for _, head := range p.heads {
		head = append(head, b[:min(len(b), len(pamBegins)-len(head))]...)
		if string(head) == pamBegins {
			return "a fragment is a picture in the format PAM"
		}
		if len(head) < len(pamBegins) && string(head) == pamBegins[:len(head)] {
			left = append(left, head)
		}
	}
	p.heads = left
	return ""
}

// Markers of JPEG (ISO 10918-1 B.1.1.3), without the FF in front.
const (
	markerTemporary = 0x01
	markerRestart   = 0xD0 // to D7
	markerStart     = 0xD8
	markerEnd       = 0xD9
	markerScan      = 0xDA
)

// jpegMarkers finds the marker TEM in front of the first scan of a JPEG stream, where it stands for
// nothing outside of an encoder, however long the segments in front of it are.
type jpegMarkers struct {
	at     place
	length int  // of the segment, in bytes that are left
	within bool // the fragment began within a segment
	seen   int  // bytes of the fragment, up to two
	first  byte
}

// place is where in the header of a stream the next byte stands.
type place int

const (
	outside place = iota // in none
	ahead                // in front of a marker
	code                 // behind the FF of one
	high                 // in the length of a segment
	low
	inside
)

func (j *jpegMarkers) begin() {
	j.seen = 0
	j.within = j.at >= high
}

func (j *jpegMarkers) next(b []byte) string {
	for len(b) > 0 && (j.seen < 2 || j.at != outside) {
		if j.seen >= 2 && j.at == inside {
			n := min(j.length, len(b))
			j.pass(n)
			b = b[n:]
			continue
		}
		if why := j.one(b[0]); why != "" {
			return why
		}
		b = b[1:]
	}
	return ""
}

// pass leaves out bytes of a segment.
func (j *jpegMarkers) pass(n int) {
	if j.length -= n; j.length == 0 {
		j.at = ahead
	}
}

// one takes a byte: of the beginning of a fragment, where a stream may begin, or of a header.
func (j *jpegMarkers) one(c byte) string {
	starts := j.seen == 1 && j.first == 0xFF && c == markerStart
	if j.seen < 2 {
		j.seen++
		j.first = c
	}
	if starts {
		j.at = ahead
		if j.within {
			return "a JPEG stream begins within the header of another"
		}
		return ""
	}

	switch j.at {
	case ahead:
		j.at = outside // where nobody goes on reading a header
		if c == 0xFF {
			j.at = code
		}
	case code:
		return j.marker(c)
	case high:
		j.length = int(c) << 8
		j.at = low
	case low:
		return j.segment(j.length | int(c))
	case inside:
		j.pass(1)
	}
	return ""
}

func (j *jpegMarkers) marker(c byte) string {
	switch {
	case c == markerTemporary:
		return "a JPEG stream has the marker TEM"
	case c == 0xFF: // fill
	case c >= markerRestart && c <= markerEnd: // they have no segment
		j.at = ahead
	case c == markerScan:
		j.at = outside
	default:
		j.at = high
	}
	return ""
}

// segment begins one by its length, which counts itself.
func (j *jpegMarkers) segment(length int) string {
	if length < 2 {
		return "a segment of a JPEG stream is shorter than its length"
	}
	j.at = inside
	j.length = length - 2
	j.pass(0)
	return ""
}
