package inspect_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/budget"
	"collimator/internal/inspect"
)

const (
	script = `<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\(1\))>>>>`
	plain  = `<</Type/Catalog/Pages 2 0 R>>`
	inner  = "1 0 " + script
)

// file is a PDF with a catalogue and another object.
func file(catalogue, more string) []byte {
	return []byte("%PDF-1.5\n1 0 obj\n" + catalogue + "\nendobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" + more + "trailer<</Root 1 0 R>>\n%%EOF\n")
}

// objects is an object stream.
func objects(filter, data, more string) string {
	return fmt.Sprintf("9 0 obj\n<</Type/ObjStm/N 1/First 4%s/Filter %s/Length %d>>\nstream\n%s\nendstream\nendobj\n", more, filter, len(data), data)
}

// programAt is a program whose PE header stands far behind.
func programAt(at int) []byte {
	b := make([]byte, at+64)
	copy(b, "MZ")
	binary.LittleEndian.PutUint32(b[60:], uint32(at))
	copy(b[at:], "PE\x00\x00\x64\x86")
	return b
}

// predicted puts the byte of the PNG predictor "none" in front of each row.
func predicted(s string, columns int) string {
	var b strings.Builder
	for ; len(s) > 0; s = s[min(columns, len(s)):] {
		b.WriteByte(0)
		b.WriteString(s[:min(columns, len(s))])
	}
	return b.String()
}

func wide(s string, order binary.AppendByteOrder, mark bool) []byte {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xFEFF)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

const entity = `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`

// TestNothingIsTakenForWhatItSays: a document is judged by what it is, and what is
// not wholly understood is sealed.
func TestNothingIsTakenForWhatItSays(t *testing.T) {
	t.Parallel()
	padding := "/P(" + strings.Repeat("x", 600) + ")"
	const active, closed = inspect.ActivePDF, inspect.SealedPDF
	for name, c := range map[string]struct {
		mime string
		b    []byte
		want inspect.Kind
	}{
		"program as PDF":               {"application/pdf", program(), inspect.PE},
		"ELF as PDF":                   {"application/pdf", []byte("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 57)), inspect.ELF},
		"shell script as PDF":          {"application/pdf", []byte("#!/bin/sh\nexit\n"), inspect.Script},
		"HTML as PDF":                  {"application/pdf", []byte("<html><script>alert(1)</script>"), inspect.HTML},
		"case and a line in front":     {"APPLICATION/PDF", append([]byte("\n"), file(script, "")...), active},
		"case and a picture in front":  {"Application/pdf ; x=y", append([]byte("GIF89a\n"), file(script, "")...), active},
		"PDF of no type":               {"", append(bytes.Repeat([]byte("x"), 900), file(script, "")...), active},
		"no PDF at all":                {"application/pdf", []byte("just words"), closed},
		"predictor":                    {"application/pdf", file(plain, objects("/FlateDecode", deflated(predicted(inner, 2)), "/DecodeParms<</Predictor 12/Columns 2>>")), closed},
		"predictor by reference":       {"application/pdf", file(plain, objects("/FlateDecode", deflated(predicted(inner, 2)), "/DecodeParms 7 0 R")), closed},
		"predictor in an array":        {"application/pdf", file(plain, objects("[/FlateDecode]", deflated(predicted(inner, 2)), "/DecodeParms[<</Predictor 15>>]")), closed},
		"deflated twice":               {"application/pdf", file(plain, objects("[/FlateDecode/FlateDecode]", deflated(deflated(inner)), "")), closed},
		"hexadecimal, dictionary long": {"application/pdf", file(plain, objects("[/ASCIIHexDecode/FlateDecode]", hex.EncodeToString([]byte(deflated(inner)))+">", padding)), closed},
		"filter by reference":          {"application/pdf", file(plain, objects("7 0 R", deflated(deflated(inner)), "")), closed},
		"filter in escaped letters":    {"application/pdf", file(plain, objects("/L#5aWDecode", "\x80\x0b\x60\x50", "")), closed},
		"data in another file":         {"application/pdf", file(plain, objects("/FlateDecode", "", "/F(x.bin)")), closed},
		"noise in front":               {"application/pdf", file(plain, objects("/FlateDecode", deflated("1 0 ("+strings.Repeat("\x81", 3000)+")"+inner), padding)), active},
		"object in the string":         {"application/pdf", file(plain, objects("/LZWDecode", "\x80\x0b", "/P(1 0 obj<</Filter/FlateDecode>>)")), closed},
		"bracket that closes nothing":  {"application/pdf", file(plain, "9 0 obj<<]>/N 1/First 4/Filter/LZWDecode>>stream\nxx\nendstream"), closed},
		"without a type":               {"application/pdf", file(plain, "9 0 obj<</N 1/First 4/Filter/LZWDecode>>stream\nxx\nendstream"), closed},
		"damaged in the middle":        {"application/pdf", file(plain, objects("/FlateDecode", deflated("1 0 " + plain + plain)[:20], "")), closed},
		"name over two pieces":         {"application/pdf", file(plain, objects("/FlateDecode", deflated(strings.Repeat(" ", 64<<10-5)+script), "")), active},
		"ordinary object stream":       {"application/pdf", file(plain, objects("/FlateDecode", deflated("1 0 "+plain), "")), ""},
		"parameters without predictor": {"application/pdf", file(plain, objects("/FlateDecode", deflated("1 0 "+plain), "/DecodeParms<</Columns 4/Predictor 1>>")), ""},
		"predictor of a table":         {"application/pdf", file(plain, "9 0 obj<</Type/XRef/W[1 2 1]/DecodeParms<</Predictor 12/Columns 4>>/Filter/FlateDecode>>stream\n"+deflated("\x02\x00\x01\x00")+"\nendstream"), ""},
		"picture":                      {"application/pdf", file(plain, "9 0 obj<</Subtype/Image/Filter/DCTDecode>>stream\n\xff\xd8 /JavaScrip\nendstream"), ""},
		"outline":                      {"application/pdf", file(plain, "9 0 obj<</Type/Outlines/First 5 0 R/Count 1>>endobj"), ""},
		"only a name that begins so":   {"application/pdf", file(plain, objects("/FlateDecode", deflated("1 0 <</JSomething 1>>"), "")), ""},
		"UTF-16, little endian":        {"text/xml", wide(`<?xml version="1.0" encoding="UTF-16"?>`+entity, binary.LittleEndian, true), inspect.ActiveXML},
		"UTF-16, big endian":           {"text/xml", wide(`<?xml version="1.0" encoding="UTF-16"?>`+entity, binary.BigEndian, true), inspect.ActiveXML},
		"UTF-16 without a mark":        {"application/octet-stream", wide(entity, binary.BigEndian, false), inspect.ActiveXML},
		"UTF-16, nothing in it":        {"text/xml", wide(`<?xml version="1.0" encoding="UTF-16"?><a>Größe</a>`, binary.LittleEndian, true), ""},
		"case of the type":             {"TEXT/XML", []byte(strings.Repeat(" ", 300) + entity), inspect.ActiveXML},
		"handler":                      {"text/xml", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onmouseover="alert(1)"/>`), inspect.ActiveXML},
		"handler, spaced":              {"text/xml", []byte("<?xml version=\"1.0\"?><a\nonwheel\t=\n'x()'/>"), inspect.ActiveXML},
		"handler behind a value":       {"text/html", []byte(`<!-- x --><img src="x"onpointerup=alert(1)>`), inspect.ActiveXML},
		"script with a prefix":         {"text/xml", []byte(`<?xml version="1.0"?><h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>`), inspect.ActiveXML},
		"script behind a comment":      {"text/html", []byte(`<!-- x --><script>alert(1)</script>`), inspect.ActiveXML},
		"markup of no type":            {"", []byte(`<?xml version="1.0"?>` + entity), inspect.ActiveXML},
		"EBCDIC":                       {"text/xml", []byte("\x4c\x6f\xa7\x94\x93"), inspect.SealedXML},
		"UTF-7":                        {"text/xml", []byte(`<?xml version="1.0" encoding="UTF-7"?><a>+ADw-script+AD4-</a>`), inspect.SealedXML},
		"no XML at all":                {"text/xml", []byte("\x1f\x8b\x08rest"), inspect.SealedXML},
		"words that are no handlers":   {"text/xml", []byte(`<?xml version="1.0" encoding="ISO-8859-1"?><a online="true" failonerror="true" x="y"> once = <b only='1'/>on load = 5</a>`), ""},
		"model":                        {"model/stl", []byte("solid ZZPHI\nfacet normal 0 0 0"), ""},
		"ZIP":                          {"application/zip", []byte("PK\x03\x04rest"), inspect.Archive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := look(t, document(c.mime, c.b), inspect.Limits{})
			if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || found[0].Kind != c.want) {
				t.Errorf("%v, want %q", found, c.want)
			}
		})
	}
}

func TestProgramsAreRecognisedWhereverTheirHeaderStands(t *testing.T) {
	t.Parallel()
	private := dicom.Tag(0x00111001)
	for name, c := range map[string]struct {
		el   dicom.Element
		want bool
	}{
		"near":                    {dicom.NewElement(private, dicom.OB, programAt(128)), true},
		"far":                     {dicom.NewElement(private, dicom.OB, programAt(8192)), true},
		"very far":                {dicom.NewElement(private, dicom.UN, programAt(3<<20)), true},
		"in pixels":               {dicom.NewElement(tag.PixelData, dicom.OW, programAt(100_000)), true},
		"in a fragment":           {dicom.NewFragments(tag.PixelData, dicom.OB, nil, programAt(9000)), true},
		"not on disk yet":         {dicom.NewBulk(private, dicom.OB, bytes.NewReader(programAt(70_000)), 0, 70_064), true},
		"header behind the value": {dicom.NewElement(private, dicom.OB, programAt(8192)[:8192]), false},
		"no header there":         {dicom.NewElement(private, dicom.OB, bytes.Repeat([]byte("MZ\x00\x01"), 4000)), false},
	} {
		if found := look(t, with(c.el), inspect.Limits{}); (len(found) == 1 && found[0].Kind == inspect.PE) != c.want {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// bomb is a document of a few bytes that becomes many.
func bomb(n int) []byte {
	return file(plain, objects("/FlateDecode", deflated(strings.Repeat("\x00", n)), ""))
}

// TestDocumentsWaitForTheirTurn: forty at once hold no more than the budget, and
// each gets its verdict.
func TestDocumentsWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	b := budget.New(20 << 20)
	large := append(file(script, ""), bytes.Repeat([]byte(" #41"), 1<<20)...)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			account := b.Open("WS1", "192.0.2.1")
			defer account.Close()
			found, err := inspect.LookAt(budget.With(t.Context(), account), document("application/pdf", large), inspect.Limits{})
			if err != nil || len(found) != 1 || found[0].Kind != inspect.ActivePDF {
				t.Errorf("%v, %v", found, err)
			}
		})
	}
	all.Wait()
	if u := b.Usage(); u.Held != 0 || u.Most < int64(len(large)) || u.Most > 10<<20 {
		t.Errorf("%+v", u)
	}
}

// TestLookingIntoADocumentHoldsItOnce: what is reserved for it is what it takes.
func TestLookingIntoADocumentHoldsItOnce(t *testing.T) { // alone: it counts bytes of the process
	for name, b := range map[string][]byte{
		"escapes": append(file(plain, ""), bytes.Repeat([]byte(" #41"), 2<<20)...),
		"streams": append(file(plain, ""), bytes.Repeat([]byte("1 0 obj<<>>stream\n"), 400_000)...),
		"bomb":    bomb(60 << 20),
		"markup":  append([]byte("<a>"), bytes.Repeat([]byte("<B X='y'>"), 800_000)...),
		"wide":    wide("<?xml?>"+strings.Repeat("<a>", 1<<20), binary.LittleEndian, true),
	} {
		mime := "application/pdf"
		if name == "markup" || name == "wide" {
			mime = "text/xml"
		}
		ds := with(dicom.NewText(tag.MIMETypeOfEncapsulatedDocument, dicom.LO, mime), dicom.NewBulk(tag.EncapsulatedDocument, dicom.OB, bytes.NewReader(b), 0, int64(len(b))))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		look(t, ds, inspect.Limits{})
		runtime.ReadMemStats(&after)
		if took, most := after.TotalAlloc-before.TotalAlloc, uint64(len(b)+1<<20); took > most {
			t.Errorf("%s: took %d bytes for a document of %d", name, took, len(b))
		}
	}
}

// TestDictionariesThatOverlapAreReadAFewTimes: what would take the square of its
// length is sealed instead.
func TestDictionariesThatOverlapAreReadAFewTimes(t *testing.T) {
	t.Parallel()
	b := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("1 0 obj<<("), 200_000)...)
	if found := look(t, document("application/pdf", b), inspect.Limits{}); len(found) != 1 || found[0].Kind != inspect.SealedPDF {
		t.Errorf("%v", found)
	}
}

func TestWhatFindsNoRoomOrIsGivenUpIsNotJudged(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := budget.New(8 << 20)
	other := b.Open("other")
	if err := other.Grow(4 << 20); err != nil {
		t.Fatal(err)
	}
	cancel()
	account := b.Open("WS1")
	if _, err := inspect.LookAt(budget.With(ctx, account), document("application/pdf", bomb(1)), inspect.Limits{}); err == nil {
		t.Error("judged although it was given up")
	}
	// What nobody could ever hold is sealed.
	tiny := budget.New(1 << 20).Open("WS1")
	if found, err := inspect.LookAt(budget.With(t.Context(), tiny), document("application/pdf", bomb(1)), inspect.Limits{}); err != nil || len(found) != 1 || found[0].Kind != inspect.SealedPDF {
		t.Errorf("%v, %v", found, err)
	}
}
