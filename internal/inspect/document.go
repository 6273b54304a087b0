package inspect

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/budget"
	"collimator/internal/fault"
)

func itemPath(path string, t dicom.Tag, i int) string {
	s := fmt.Sprintf("%s[%d]", t, i+1)
	if path != "" {
		s = path + s
	}
	return s
}

// workspace is what looking into a document holds besides it, in bytes.
const workspace = 1 << 20

// document looks into an encapsulated document (PS3.3 C.24.2). It is held in memory
// for that, within the budget of all requests: documents wait for their turn.
func (w *walk) document(ctx context.Context, ds *dicom.DataSet, el dicom.Element, path string) {
	mime := dicom.MediaType(ds.Text(tag.MIMETypeOfEncapsulatedDocument))
	size := el.ValueLength()
	done, err := budget.Take(ctx, min(size, w.lim.Document)+workspace)
	switch {
	case fault.Of(err) == fault.TooLarge:
		size = w.lim.Document + 1
	case err != nil:
		w.err = err
		return
	default:
		defer done()
	}

	if size > w.lim.Document {
		w.value(el, path, Encaps)
		w.add(Finding{Kind: sealed(mime), Place: Encaps, Tag: el.Tag, Path: path})
		return
	}

	b, err := whole(el, size)
	if err != nil {
		w.add(Finding{Kind: Unreadable, Place: Encaps, Tag: el.Tag, Path: path})
		return
	}

	if kind := lookIntoDocument(b, mime, w.lim.Inflated); kind != "" {
		w.add(Finding{Kind: kind, Place: Encaps, Tag: el.Tag, Path: path})
	}
}

// whole reads a value of so many bytes.
func whole(el dicom.Element, size int64) ([]byte, error) {
	r, err := el.Open()
	if err != nil {
		return nil, err
	}

	b := make([]byte, size)
	_, err = io.ReadFull(r, b)
	return b, err
}

// sealed is the kind of a document of a media type that cannot be looked into.
func sealed(mime string) Kind {
	if markupType(mime) {
		return SealedXML
	}
	return SealedPDF
}

// pdfHeader is how far from its start the header of a PDF may stand, in bytes:
// readers skip what is in front (ISO 32000-1 Annex H, note 13).
const pdfHeader = 1024

// lookIntoDocument judges a document by what it is; its media type only adds what
// a reader may take it for.
func lookIntoDocument(b []byte, mime string, inflated int64) Kind {
	switch kind := recognise(b); kind {
	case PE:
		if wholePE(b, int64(len(b)), func(at int64) []byte { return b[at:] }) {
			return kind
		}
	case ELF, MachO, Script, HTML, Archive:
		return kind
	}

	headed := bytes.Contains(b[:min(len(b), pdfHeader)], []byte("%PDF-"))
	if headed || mime == "application/pdf" {
		kind := lookIntoPDF(b, inflated)
		if kind == "" && !headed {
			return SealedPDF // it is not what it says, nor anything else that is known
		}
		return kind
	}

	return lookIntoMarkup(b, mime)
}

// markupType reports the media types of XML and HTML.
func markupType(mime string) bool {
	return strings.HasSuffix(mime, "/xml") || strings.HasSuffix(mime, "+xml") || mime == "text/html"
}
