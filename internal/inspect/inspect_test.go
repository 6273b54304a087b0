package inspect_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/inspect"
)

// program is a DOS header that points to a PE header.
func program() []byte {
	b := make([]byte, 256)
	copy(b, "MZ")
	b[60] = 128
	copy(b[128:], "PE\x00\x00")
	return b
}

func with(els ...dicom.Element) *dicom.DataSet {
	ds := dicom.NewDataSet()
	for _, el := range els {
		ds.Set(el)
	}
	return ds
}

func pdf(body string) []byte { return []byte("%PDF-1.7\n" + body + "\n%%EOF\n") }

func deflated(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.String()
}

func document(mime string, b []byte) *dicom.DataSet {
	return with(dicom.NewText(tag.MIMETypeOfEncapsulatedDocument, dicom.LO, mime), dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, b))
}

func look(t testing.TB, ds *dicom.DataSet, lim inspect.Limits) []inspect.Finding {
	t.Helper()
	found, err := inspect.LookAt(t.Context(), ds, lim)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestLookAtFindsWhatDoesNotBelong(t *testing.T) {
	t.Parallel()
	private := dicom.Tag(0x00111001)
	pixels := bytes.Repeat([]byte("MZ\x90\x00ZZPHI"), 100)
	for name, c := range map[string]struct {
		ds   *dicom.DataSet
		want string
	}{
		"nothing":                     {with(dicom.NewText(tag.PatientName, dicom.PN, "ZZPHI^X")), ""},
		"PE in a private element":     {with(dicom.NewElement(private, dicom.OB, program())), "Windows program in private element (0011,1001)"},
		"PE as UN":                    {with(dicom.NewElement(private, dicom.UN, program())), "Windows program in private element (0011,1001)"},
		"ELF in pixel data":           {with(dicom.NewElement(tag.PixelData, dicom.OW, []byte("\x7fELF\x02\x01\x01\x00"))), "Linux program in bulk element (7FE0,0010)"},
		"pixels that begin with #!":   {with(dicom.NewElement(tag.PixelData, dicom.OW, []byte("#!\x12\x00\x21\x05"))), ""},
		"pixels of #! and a slash":    {with(dicom.NewElement(tag.PixelData, dicom.OW, []byte("#!/\x00\x21\x05\n\x00"))), ""},
		"overlay that begins with #!": {with(dicom.NewElement(0x60003000, dicom.OW, []byte("#!\x12\x00"))), ""},
		"plain frame of #!":           {with(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("#!\x12\x00"))), ""},
		"script in pixel data":        {with(dicom.NewElement(tag.PixelData, dicom.OW, []byte("#!/bin/sh\nexit\n"))), "script in bulk element (7FE0,0010)"},
		"#! in a private element":     {with(dicom.NewElement(private, dicom.OB, []byte("#!\x12\x00"))), "script in private element (0011,1001)"},
		"pixels that begin with MZ":   {with(dicom.NewElement(tag.PixelData, dicom.OW, pixels)), ""},
		"script":                      {with(dicom.NewElement(private, dicom.OB, []byte("#!/bin/sh\nexit\n"))), "script in private element (0011,1001)"},
		"macOS in a fragment":         {with(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("\xcf\xfa\xed\xfe\x07\x00\x00\x01"))), "macOS program in bulk element (7FE0,0010)"},
		"JPEG in a fragment":          {with(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("\xff\xd8\xff\xe0\x00\x10"))), ""},
		"ZIP":                         {with(dicom.NewElement(private, dicom.OB, []byte("PK\x03\x04\x14\x00"))), "ZIP archive in private element (0011,1001)"},
		"HTML in private text":        {with(dicom.NewElement(private, dicom.UT, []byte("<script>alert(1)</script>"))), "HTML page in private element (0011,1001)"},
		"in an item":                  {with(dicom.NewSequence(tag.ReferencedSeriesSequence, with(), with(dicom.NewElement(private, dicom.OB, program())))), "Windows program in private element (0011,1001) of (0008,1115)[2]"},
		"plain PDF":                   {document("application/pdf", pdf("1 0 obj <</Type /Catalog /OpenAction [1 0 R /Fit]>> endobj")), ""},
		"PDF with JavaScript":         {document("application/pdf", pdf("1 0 obj <</S /JavaScript /JS (app.alert\\(1\\))>> endobj")), "PDF with active content in encapsulated document (0042,0011)"},
		"name written in hex":         {document("application/pdf", pdf("1 0 obj <</S /#4a#61vaScript>> endobj")), "PDF with active content in encapsulated document (0042,0011)"},
		"in an object stream":         {document("application/pdf", pdf("9 0 obj <</Type /ObjStm /Filter /FlateDecode>> stream\n"+deflated("1 0 <</S /Launch /F (cmd.exe)>>")+"\nendstream")), "PDF with active content in encapsulated document (0042,0011)"},
		"object stream of other kind": {document("application/pdf", pdf("9 0 obj <</Type /ObjStm /Filter /LZWDecode>> stream\nxxxx\nendstream")), "PDF that cannot be looked into in encapsulated document (0042,0011)"},
		"name that only begins so":    {document("application/pdf", pdf("1 0 obj <</JSomething 1 /Launchpad 2>> endobj")), ""},
		"encrypted PDF":               {document("application/pdf", pdf("trailer <</Encrypt 5 0 R>>")), "PDF that cannot be looked into in encapsulated document (0042,0011)"},
		"program called a PDF":        {document("text/plain", program()), "Windows program in encapsulated document (0042,0011)"},
		"plain CDA":                   {document("text/XML", []byte(`<?xml version="1.0"?><ClinicalDocument/>`)), ""},
		"CDA with entities":           {document("text/XML", []byte(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>`)), "XML with active content in encapsulated document (0042,0011)"},
		"CDA with a style sheet":      {document("text/XML", []byte(`<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><x/>`)), "XML with active content in encapsulated document (0042,0011)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range look(t, c.ds, inspect.Limits{}) {
				got = append(got, f.String())
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestFindingsAndInflationAreBounded(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	for i := range 200 {
		ds.Set(dicom.NewElement(dicom.Tag(0x00111000+i), dicom.OB, program()))
	}
	if n := len(look(t, ds, inspect.Limits{Findings: 10})); n != 10 {
		t.Errorf("%d findings, want 10", n)
	}
	bomb := document("application/pdf", pdf("9 0 obj <</Type /ObjStm>> stream\n"+deflated(strings.Repeat("0", 10<<20))+"\nendstream"))
	if got := fmt.Sprint(look(t, bomb, inspect.Limits{Inflated: 1 << 20})); !strings.Contains(got, "cannot be looked into") {
		t.Errorf("a bomb gives %s", got)
	}
}

func TestPreamble(t *testing.T) {
	t.Parallel()
	for first, want := range map[string]inspect.Kind{"": "", "II*\x00": "", "MM\x00*": "", "MZ": inspect.PE, "\x7fELF": inspect.ELF, "#!/bin/sh": inspect.Script, "%PDF-1.4": inspect.Document, "<html>": inspect.HTML, "PK\x03\x04": inspect.Archive} {
		var b [128]byte
		copy(b[:], first)
		got := inspect.LookAtPreamble(b)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[0].Kind != want) {
			t.Errorf("%q: %v, want %q", first, got, want)
		}
	}
}

func TestJudgeTakesTheSternestVerdict(t *testing.T) {
	t.Parallel()
	refuse, accept := inspect.Refuse, inspect.Accept
	pe, zip, pre := inspect.Finding{Kind: inspect.PE, Place: inspect.Private}, inspect.Finding{Kind: inspect.Archive, Place: inspect.Private}, inspect.Finding{Kind: inspect.PE, Place: inspect.Preamble}
	for _, c := range []struct {
		p    inspect.Policy
		f    []inspect.Finding
		want inspect.Verdict
	}{
		{inspect.Policy{}, nil, inspect.Accept},
		{inspect.Policy{}, []inspect.Finding{zip}, inspect.Accept},
		{inspect.Policy{}, []inspect.Finding{zip, pre}, inspect.ClearPreamble},
		{inspect.Policy{}, []inspect.Finding{pre, pe, zip}, inspect.Hold},
		{inspect.Policy{Programs: &refuse}, []inspect.Finding{pe}, inspect.Refuse},
		{inspect.Policy{Programs: &accept}, []inspect.Finding{pe}, inspect.Accept},
	} {
		if got := c.p.Judge(c.f); got != c.want {
			t.Errorf("%v: %s, want %s", c.f, got, c.want)
		}
	}
	for v := inspect.Accept; v <= inspect.Refuse; v++ {
		if got, err := inspect.ParseVerdict(v.String()); err != nil || got != v {
			t.Errorf("%s is read as %s, %v", v, got, err)
		}
	}
	if _, err := inspect.ParseVerdict("maybe"); err == nil {
		t.Error("maybe was taken for a verdict")
	}
}

func FuzzDocument(f *testing.F) {
	f.Add(pdf("1 0 obj <</S /JavaScript>> endobj"))
	f.Add(pdf("9 0 obj <</Type /ObjStm>> stream\n" + deflated("x") + "\nendstream"))
	f.Add([]byte("<?xml version='1.0'?><x/>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, mime := range []string{"application/pdf", "text/XML", ""} {
			look(t, document(mime, b), inspect.Limits{Inflated: 1 << 20})
		}
	})
}
