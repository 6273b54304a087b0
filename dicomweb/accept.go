package dicomweb

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"collimator/dicom/uid"
)

// mediaRange is one range of an Accept header, or the media type of a body.
type mediaRange struct {
	mediaType      string // in lower case: "image/*"; of multipart/related its type parameter
	multipart      bool
	transferSyntax string // "" if not said, "*" for any
	boundary       string
	q              float64
}

// parseMediaRange reads a media type with parameters (RFC 9110 8.3.1, RFC 2387).
// The type parameter of multipart/related is taken without quotes too, as many
// clients write it.
func parseMediaRange(s string) (m mediaRange, ok bool) {
	parts := splitQuoted(s, ';')
	m = mediaRange{mediaType: strings.ToLower(strings.TrimSpace(parts[0])), q: 1}
	if m.mediaType == "*" {
		m.mediaType = "*/*"
	}

	kind, sub, found := strings.Cut(m.mediaType, "/")
	if !found || kind == "" || sub == "" || strings.ContainsAny(m.mediaType, " \t\"") {
		return m, false
	}

	related := ""
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(p, "=")
		value = unquote(strings.TrimSpace(value))
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "q":
			m.q = quality(value)
		case "type":
			related = strings.ToLower(strings.TrimSpace(value))
		case "transfer-syntax":
			m.transferSyntax = value
		case "boundary":
			m.boundary = value
		}
	}

	switch m.mediaType {
	case "multipart/related", "multipart/*":
		m.multipart = true
		m.mediaType = related
		if related == "" {
			m.mediaType = "*/*"
		}
	}
	m.mediaType = currentName(m.mediaType)
	return m, true
}

// currentName is the media type under the name it has now: older editions had
// others, and clients use them.
func currentName(t string) string {
	switch t {
	case "image/x-dicom-rle":
		return "image/dicom-rle"
	case "image/x-jls":
		return "image/jls"
	case "video/mpeg2":
		return "video/mpeg"
	}
	return t
}

// quality reads a weight; a malformed one is 0 (RFC 9110 12.4.2).
func quality(s string) float64 {
	q, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}

// splitQuoted cuts at sep outside of quotes.
func splitQuoted(s string, sep byte) (out []string) {
	quoted := false
	start := 0
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}

	s = s[1 : len(s)-1]
	if !strings.Contains(s, `\`) {
		return s
	}

	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// accept is what a request takes, best first. The query parameter of the same
// name goes before the header (PS3.18 8.3.3.1).
func (x *exchange) accept() ([]mediaRange, error) {
	values := x.r.Header.Values("Accept")
	if v := query(x.r)["accept"]; len(v) > 0 {
		values = v
	}

	total := 0
	for _, v := range values {
		total += len(v)
	}

	if total > x.h.limits.HeaderBytes {
		return nil, problemf(http.StatusBadRequest,
			"The Accept header is longer than %d bytes. Name fewer media types.", x.h.limits.HeaderBytes)
	}
	return parseAccept(values), nil
}

// parseAccept reads the values of Accept headers, and returns their media ranges with
// the preferred ones first. It leaves out malformed ranges. A request that names no
// range takes everything; one whose ranges are all malformed takes nothing.
func parseAccept(values []string) (out []mediaRange) {
	said := false
	for _, v := range values {
		for _, s := range splitQuoted(v, ',') {
			if strings.TrimSpace(s) == "" {
				continue
			}
			said = true
			if m, ok := parseMediaRange(s); ok {
				out = append(out, m)
			}
		}
	}

	if !said {
		return []mediaRange{{mediaType: "*/*", q: 1}}
	}

	slices.SortStableFunc(out, func(a, b mediaRange) int {
		switch {
		case a.q > b.q:
			return -1
		case a.q < b.q:
			return 1
		}
		return 0
	})
	return out
}

// offer is a representation that could be given.
type offer struct {
	mediaType      string
	multipart      bool
	transferSyntax string // empty where none is named
	implied        bool   // the media type alone asks for this transfer syntax
}

// String is the offer as a client would ask for it.
func (o offer) String() string {
	s := o.mediaType
	if o.multipart {
		s = `multipart/related; type="` + s + `"`
	}
	if o.transferSyntax != "" {
		s += "; transfer-syntax=" + o.transferSyntax
	}
	return s
}

// matches reports an offer within a range. A range that says type */* and
// nothing of multipart takes both forms.
func (m mediaRange) matches(o offer) bool {
	anything := m.mediaType == "*/*"
	if m.multipart != o.multipart && (m.multipart || !anything) {
		return false
	}

	if !anything && m.mediaType != o.mediaType {
		kind, sub, _ := strings.Cut(m.mediaType, "/")
		other, _, _ := strings.Cut(o.mediaType, "/")
		if sub != "*" || kind != other {
			return false
		}
	}

	switch m.transferSyntax {
	case "*":
		return true
	case "":
		return anything || o.transferSyntax == "" || o.implied
	}
	return m.transferSyntax == o.transferSyntax
}

// specificity orders ranges that contradict one another (RFC 9110 12.5.1).
func (m mediaRange) specificity() int {
	n := 0
	switch {
	case m.mediaType == "*/*":
	case strings.HasSuffix(m.mediaType, "/*"):
		n = 1
	default:
		n = 2
	}

	if m.transferSyntax != "" && m.transferSyntax != "*" {
		n++
	}
	return n
}

// negotiate finds the offer a client likes best: by its weights, then in the
// order it wrote them, then in the order of the offers. Of an offer the most
// specific range decides, so that q=0 excludes.
func negotiate(accept []mediaRange, offers []offer) (offer, bool) {
	best := offer{}
	bestAt := 0
	found := false
	for _, o := range offers {
		at := -1
		for i, m := range accept {
			if m.matches(o) && (at < 0 || m.specificity() > accept[at].specificity()) {
				at = i
			}
		}

		if at < 0 || accept[at].q == 0 {
			continue
		}

		if !found || at < bestAt {
			best = o
			bestAt = at
			found = true
		}
	}
	return best, found
}

// notAcceptable is the answer where no offer was taken.
func notAcceptable(offers []offer, detail string) *Error {
	e := &Error{Status: http.StatusNotAcceptable, Detail: detail}
	for _, o := range offers {
		if s := o.String(); !slices.Contains(e.Possible, s) {
			e.Possible = append(e.Possible, s)
		}
	}
	return e
}

// coded is the error with the code of why there is no picture.
func (e *Error) coded(c Code) *Error {
	e.Code = c
	return e
}

// Media types.
const (
	typeDICOM   = "application/dicom"
	typeJSON    = "application/dicom+json"
	typeOctets  = "application/octet-stream"
	typeJPEG    = "image/jpeg"
	typePNG     = "image/png"
	typePDF     = "application/pdf"
	typeProblem = "application/problem+json"
)

// video reports a transfer syntax whose pixel data are one stream and no frames
// (PS3.5 8.2.5 to 8.2.11).
func video(ts string) bool { return strings.HasPrefix(frameType(ts), "video/") }

// frameType is the media type of a frame in a transfer syntax (PS3.18 8.7.3.3).
func frameType(ts string) string {
	switch ts {
	case uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGSpectralSelection, uid.JPEGFullProgression,
		uid.JPEGLossless, uid.JPEGLosslessSV1:
		return typeJPEG
	case uid.JPEGLSLossless, uid.JPEGLSNearLossless:
		return "image/jls"
	case uid.JPEG2000Lossless, uid.JPEG2000:
		return "image/jp2"
	case uid.JPEG2000MCLossless, uid.JPEG2000MC:
		return "image/jpx"
	case uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K:
		return "image/jphc"
	case uid.JPEGXLLossless, uid.JPEGXLJPEGRecompression, uid.JPEGXL:
		return "image/jxl"
	case uid.RLELossless:
		return "image/dicom-rle"
	case uid.MPEG2MPML, uid.MPEG2MPMLFragmentable, uid.MPEG2MPHL, uid.MPEG2MPHLFragmentable:
		return "video/mpeg"
	case uid.MPEG4HP41, uid.MPEG4HP41Fragmentable, uid.MPEG4HP41BD, uid.MPEG4HP41BDFragmentable,
		uid.MPEG4HP422D, uid.MPEG4HP422DFragmentable, uid.MPEG4HP423D, uid.MPEG4HP423DFragmentable,
		uid.MPEG4HP42STEREO, uid.MPEG4HP42STEREOFragmentable, uid.HEVCMP51, uid.HEVCM10P51:
		return "video/mp4"
	}
	return typeOctets
}
