package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// errXML is for a document that is none. What stands in it is not quoted.
var errXML = errors.New("dicom/report: the document is no XML that can be read")

// document reads the narrative of a CDA document (HL7 CDA R2 4.3.5): titles, paragraphs, items and rows, as text
// alone. Nothing of it is interpreted: no entity from elsewhere, no style, no link.
func document(w *writer, ds *dicom.DataSet) error {
	el, _ := ds.Get(tag.EncapsulatedDocument)
	r, err := el.Open()
	if err != nil {
		return fmt.Errorf("dicom/report: the document cannot be opened: %w", err)
	}

	size := el.ValueLength() // with its padding
	if n, ok := ds.Int(tag.EncapsulatedDocumentLength); ok && n > 0 {
		size = min(size, n)
	}
	d := xml.NewDecoder(io.LimitReader(r, min(size, w.limits.Bytes)))
	d.CharsetReader = charset
	n := &narrative{w: w}
	for !w.full() {
		t, err := d.RawToken() // its own depth is bounded below, and names stand without their spaces
		if err == io.EOF {
			break
		}
		if err != nil {
			if len(w.out.Lines) == 0 {
				return errXML
			}
			w.out.Cut = true
			break
		}
		n.take(t)
	}
	n.flush()
	return nil
}

// charset reads the encodings that documents declare beside UTF-8.
func charset(name string, r io.Reader) (io.Reader, error) {
	var e encoding.Encoding
	switch strings.ToLower(name) {
	case "utf-8", "us-ascii":
		return r, nil
	case "iso-8859-1", "latin1", "windows-1252":
		e = charmap.Windows1252
	case "iso-8859-15":
		e = charmap.ISO8859_15
	default:
		return nil, errXML
	}
	return e.NewDecoder().Reader(r), nil
}

// narrative turns the tokens of a document into lines.
type narrative struct {
	w        *writer
	sections int // that are open
	texts    int // narrative blocks that are open
	title    bool
	cells    int // of the row so far
	text     strings.Builder
}

// take reads the next token.
func (n *narrative) take(t xml.Token) {
	switch t := t.(type) {
	case xml.StartElement:
		n.begin(t.Name.Local)
	case xml.EndElement:
		n.end(t.Name.Local)
	case xml.CharData:
		if (n.texts > 0 || n.title) && int64(n.text.Len()) < n.w.limits.Bytes {
			n.text.Write(t)
		}
	}
}

func (n *narrative) begin(element string) {
	switch element {
	case "section":
		n.flush()
		n.sections++
	case "title":
		n.flush()
		n.title = true
	case "text":
		n.flush()
		n.texts++
	case "paragraph", "item", "tr", "br", "caption", "list", "table":
		n.flush()
		n.cells = 0
	case "td", "th":
		if n.cells++; n.cells > 1 && n.texts > 0 {
			n.text.WriteString(" | ")
		}
	}
}

func (n *narrative) end(element string) {
	switch element {
	case "section":
		n.flush()
		n.sections = max(n.sections-1, 0)
	case "title":
		n.flush()
		n.title = false
	case "text":
		n.flush()
		n.texts = max(n.texts-1, 0)
	case "paragraph", "item", "tr", "caption", "list", "table":
		n.flush()
	}
}

// flush ends a line.
func (n *narrative) flush() {
	text := strings.Join(strings.Fields(n.text.String()), " ")
	n.text.Reset()
	switch {
	case text == "":
	case n.title:
		n.w.line(Line{Depth: max(n.sections-1, 0), Heading: true, Name: text})
	default:
		n.w.line(Line{Depth: n.sections, Value: text})
	}
}
