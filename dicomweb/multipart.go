package dicomweb

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/textproto"
	"strconv"
	"strings"
)

// Errors of a multipart body.
var (
	errPartHeader = errors.New("dicomweb: header of a part is malformed")
	errPartLimit  = errors.New("dicomweb: header of a part is longer than allowed")
	errTooMany    = errors.New("dicomweb: more parts than allowed")
	errBoundary   = errors.New("dicomweb: multipart body ends without its closing boundary")
)

// multipartBuffer is what a reader of parts looks ahead; it is longer than any
// boundary that is taken.
const multipartBuffer = 128 << 10

// partReader reads a multipart body in constant memory (RFC 2046 5.1).
type partReader struct {
	br     *bufio.Reader
	delim  []byte // CRLF, two dashes, boundary
	header int    // most bytes of the header of a part
	left   int    // parts that may still come
	state  partState
	err    error
}

type partState uint8

const (
	beforeFirst partState = iota
	insidePart
	betweenParts
	afterLast
)

// part is one part. Read gives its body.
type part struct {
	textproto.MIMEHeader
	r *partReader
}

// newPartReader reads the parts of r. The boundary has been checked.
func newPartReader(r io.Reader, boundary string, headerBytes, parts int) *partReader {
	return &partReader{br: bufio.NewReaderSize(r, multipartBuffer), delim: []byte("\r\n--" + boundary), header: headerBytes, left: parts}
}

// maxBoundary is the longest boundary that is taken.
//
// Deviation: RFC 2046 5.1.1 allows 70 characters; Orthanc sends 73. What is sent
// from here has 32.
const maxBoundary = 256

// boundaryProblem is what is wrong with a boundary by the grammar of RFC 2046
// 5.1.1; empty for a good one.
func boundaryProblem(s string) string {
	switch {
	case s == "":
		return "it has no boundary"
	case len(s) > maxBoundary:
		return "its boundary has " + strconv.Itoa(len(s)) + " characters, the most is " + strconv.Itoa(maxBoundary)
	case s[len(s)-1] == ' ':
		return "its boundary ends with a blank"
	}

	for i, c := range []byte(s) {
		alnum := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !alnum && !strings.ContainsRune("'()+_,-./:=? ", rune(c)) {
			return "character " + strconv.Itoa(i+1) + " of its boundary is not allowed (RFC 2046 5.1.1)"
		}
	}
	return ""
}

// next steps over the rest of a part and gives the next; io.EOF behind the last.
func (p *partReader) next() (*part, error) {
	if p.err != nil {
		return nil, p.err
	}
	pt, err := p.advance()
	if err != nil {
		p.err = err
	}
	return pt, err
}

func (p *partReader) advance() (*part, error) {
	switch p.state {
	case beforeFirst:
		if err := p.preamble(); err != nil {
			return nil, err
		}
	case insidePart:
		if _, err := copyTo(io.Discard, &part{r: p}); err != nil {
			return nil, err
		}
	}

	if p.state == afterLast {
		return nil, io.EOF
	}
	if p.left--; p.left < 0 {
		return nil, errTooMany
	}

	header, err := p.readHeader()
	if err != nil {
		return nil, err
	}

	p.state = insidePart
	return &part{header, p}, nil
}

// preamble steps to behind the first boundary, which may stand at the start
// without a line break in front.
func (p *partReader) preamble() error {
	first := p.delim[2:]
	b, err := p.br.Peek(len(first))
	if bytes.Equal(b, first) {
		p.br.Discard(len(first))
		return p.boundaryEnd()
	}
	if err != nil {
		return bodyError(err)
	}

	p.state = insidePart
	_, err = copyTo(io.Discard, &part{r: p})
	return err
}

// boundaryEnd reads what follows a boundary: dashes behind the last, else
// blanks to the end of the line.
func (p *partReader) boundaryEnd() error {
	if b, _ := p.br.Peek(2); string(b) == "--" { // an error comes again with the first byte
		p.state = afterLast
		return nil
	}

	for range 64 {
		c, err := p.br.ReadByte()
		if err != nil {
			return bodyError(err)
		}

		switch c {
		case ' ', '\t', '\r':
		case '\n':
			p.state = betweenParts
			return nil
		default:
			return errPartHeader
		}
	}
	return errPartHeader
}

// bodyError is the error of a body that ends too early.
func bodyError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errBoundary
	}
	return err
}

// readHeader reads the header of a part up to the empty line.
func (p *partReader) readHeader() (textproto.MIMEHeader, error) {
	h := textproto.MIMEHeader{}
	total := 0
	for {
		line, err := p.br.ReadSlice('\n')
		if total += len(line); total > p.header || err == bufio.ErrBufferFull {
			return nil, errPartLimit
		}
		if err != nil {
			return nil, bodyError(err)
		}

		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			return h, nil
		}

		name, value, ok := strings.Cut(text, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") || strings.ContainsRune(text, 0) {
			return nil, errPartHeader
		}

		h.Add(name, strings.TrimSpace(value))
	}
}

// Read implements io.Reader: up to the boundary, which it takes along.
func (pt *part) Read(b []byte) (int, error) {
	p := pt.r
	if p.err != nil {
		return 0, p.err
	}
	if p.state != insidePart {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	ahead, err := p.br.Peek(max(p.br.Buffered(), len(p.delim)+2))
	at := bytes.Index(ahead, p.delim)
	switch {
	case at == 0:
		p.br.Discard(len(p.delim))
		if err := p.boundaryEnd(); err != nil {
			p.err = err
			return 0, err
		}
		return 0, io.EOF
	case at < 0 && err != nil:
		p.err = bodyError(err)
		return 0, p.err
	case at < 0:
		// The last bytes may be the start of a boundary.
		at = len(ahead) - len(p.delim) + 1
		if cr := bytes.LastIndexByte(ahead[at:], '\r'); cr < 0 {
			at = len(ahead)
		}
	}
	n := copy(b, ahead[:at])
	p.br.Discard(n)
	return n, nil
}

// partWriter writes a multipart body.
type partWriter struct {
	w        io.Writer
	boundary string
	parts    int
}

func newPartWriter(w io.Writer) *partWriter {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return &partWriter{w: w, boundary: hex.EncodeToString(b[:])}
}

// contentType is that of the whole body.
func (p *partWriter) contentType(partType string) string {
	return `multipart/related; type="` + partType + `"; boundary=` + p.boundary
}

// begin writes the header of a part; the caller writes its body to w afterwards.
// An empty location and a negative length, in bytes, are left out of the header.
func (p *partWriter) begin(contentType, location string, length int64) error {
	var s strings.Builder
	if p.parts > 0 {
		s.WriteString("\r\n")
	}

	p.parts++
	s.WriteString("--" + p.boundary + "\r\nContent-Type: " + contentType + "\r\n")
	if location != "" {
		s.WriteString("Content-Location: " + location + "\r\n")
	}
	if length >= 0 {
		s.WriteString("Content-Length: " + strconv.FormatInt(length, 10) + "\r\n")
	}

	s.WriteString("\r\n")
	_, err := io.WriteString(p.w, s.String())
	return err
}

// end writes the closing boundary.
func (p *partWriter) end() error {
	_, err := io.WriteString(p.w, "\r\n--"+p.boundary+"--\r\n")
	return err
}
