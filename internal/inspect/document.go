package inspect

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"

	"collimator/dicom"
	"collimator/dicom/tag"
)

func itemPath(path string, t dicom.Tag, i int) string {
	s := fmt.Sprintf("%s[%d]", t, i+1)
	if path != "" {
		s = path + s
	}
	return s
}

// document looks into an encapsulated document (PS3.3 C.24.2).
func (w *walk) document(ds *dicom.DataSet, el dicom.Element, path string) {
	r, err := el.Open()
	if err != nil {
		w.add(Finding{Unreadable, Encaps, el.Tag, path})
		return
	}
	b, err := io.ReadAll(io.LimitReader(r, w.lim.Document+1))
	if err != nil {
		w.add(Finding{Unreadable, Encaps, el.Tag, path})
		return
	}
	mime := ds.Text(tag.MIMETypeOfEncapsulatedDocument)
	switch kind := recognise(b); {
	case int64(len(b)) > w.lim.Document:
		w.add(Finding{SealedPDF, Encaps, el.Tag, path})
	case kind == Document || mime == "application/pdf":
		if kind := lookIntoPDF(b, w.lim.Inflated); kind != "" {
			w.add(Finding{kind, Encaps, el.Tag, path})
		}
	case kind == PE || kind == ELF || kind == MachO || kind == Script || kind == HTML:
		w.add(Finding{kind, Encaps, el.Tag, path})
	case mime == "text/XML" || mime == "text/xml" || bytes.Contains(b[:min(len(b), 256)], []byte("<?xml")):
		if activeXML(b) {
			w.add(Finding{ActiveXML, Encaps, el.Tag, path})
		}
	}
}

// activeNames are names of PDF actions and containers that do something, or
// carry something, when a document is opened (ISO 32000-1 12.6.4, 7.11.4, 13).
var activeNames = [...]string{
	"/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/XFA", "/SubmitForm", "/ImportData", "/GoToE", "/GoToR", "/Rendition", "/Sound", "/Movie",
}

// lookIntoPDF looks for active names in the document's text and in its
// compressed object streams.
func lookIntoPDF(b []byte, budget int64) Kind {
	plain := unescapeNames(b)
	switch {
	case hasActiveName(plain):
		return ActivePDF
	case hasName(plain, "/Encrypt"):
		return SealedPDF
	}
	return lookIntoStreams(b, budget)
}

func hasActiveName(b []byte) bool {
	for _, n := range activeNames {
		if hasName(b, n) {
			return true
		}
	}
	return false
}

// hasName finds a name that ends where a name ends (ISO 32000-1 7.2.2).
func hasName(b []byte, name string) bool {
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(name))
		if i < 0 {
			return false
		}
		at += i + len(name)
		if at == len(b) || bytes.IndexByte([]byte(" \t\r\n\f\x00()<>[]{}/%"), b[at]) >= 0 {
			return true
		}
	}
}

// unescapeNames writes #4A as J, which a name may hide behind (ISO 32000-1 7.3.5).
func unescapeNames(b []byte) []byte {
	if bytes.IndexByte(b, '#') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '#' && i+2 < len(b) {
			hi, lo := hexDigit(b[i+1]), hexDigit(b[i+2])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// lookIntoStreams inflates the streams of a document as far as the budget goes.
// Streams of other filters hold pictures and fonts, but for object streams they
// are not looked into.
func lookIntoStreams(b []byte, budget int64) Kind {
	sealed := Kind("")
	for {
		i := bytes.Index(b, []byte("stream"))
		if i < 0 {
			return sealed
		}
		dictionary := b[max(0, i-512):i]
		b = bytes.TrimLeft(b[i+len("stream"):], "\r\n")
		if bytes.HasSuffix(dictionary, []byte("end")) {
			continue
		}
		if j := bytes.LastIndex(dictionary, []byte("obj")); j >= 0 {
			dictionary = dictionary[j:]
		}
		isObjects := bytes.Contains(dictionary, []byte("/ObjStm"))
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			if isObjects {
				sealed = SealedPDF
			}
			continue
		}
		text, err := io.ReadAll(io.LimitReader(z, budget+1))
		budget -= int64(len(text))
		if hasActiveName(unescapeNames(text)) && (isObjects || looksLikeText(text)) {
			return ActivePDF
		}
		if budget <= 0 || err != nil && isObjects {
			return SealedPDF
		}
	}
}

// looksLikeText tells PDF syntax from the bytes of a picture in which a short
// name may stand by chance.
func looksLikeText(b []byte) bool {
	printable := 0
	head := b[:min(len(b), 4096)]
	for _, c := range head {
		if c >= 0x20 && c < 0x7F || c == '\n' || c == '\r' || c == '\t' {
			printable++
		}
	}
	return printable*10 >= len(head)*9
}

// activeXML reports a document type, which can name entities elsewhere, a style
// sheet, or a script (CDA needs none of them).
func activeXML(b []byte) bool {
	lower := bytes.ToLower(b)
	for _, s := range []string{"<!doctype", "<!entity", "<?xml-stylesheet", "<script", "javascript:", "vbscript:", "onload=", "onerror=", "onclick=", "xlink:href=\"http", "xinclude"} {
		if bytes.Contains(lower, []byte(s)) {
			return true
		}
	}
	return false
}
