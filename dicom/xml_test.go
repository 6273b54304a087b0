package dicom

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// nativeElement is an element of the Native DICOM Model, whatever its name.
type nativeElement struct {
	XMLName  xml.Name
	Tag      string          `xml:"tag,attr"`
	VR       string          `xml:"vr,attr"`
	Creator  string          `xml:"privateCreator,attr"`
	Number   string          `xml:"number,attr"`
	URI      string          `xml:"uri,attr"`
	Text     string          `xml:",chardata"`
	Children []nativeElement `xml:",any"`
}

// lines is a document as one line for each attribute and value.
func (n *nativeElement) lines(path string, out *[]string) {
	switch n.XMLName.Local {
	case "DicomAttribute":
		path += "/" + n.Tag + " " + n.VR + " " + n.Creator
		*out = append(*out, path)
	case "Value":
		text := strings.TrimRight(n.Text, " ")
		if f, err := strconv.ParseFloat(text, 32); err == nil && (strings.Contains(path, " FL ") || strings.Contains(path, " FD ")) {
			text = fmt.Sprintf("%.5g", f)
		}
		*out = append(*out, path+" "+n.Number+" "+text)
	case "InlineBinary", "BulkData":
		*out = append(*out, path+" binary")
	case "FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix":
		*out = append(*out, path+" "+n.XMLName.Local+" "+strings.TrimRight(n.Text, " "))
	default:
		path += "/" + n.XMLName.Local + n.Number
	}
	for i := range n.Children {
		n.Children[i].lines(path, out)
	}
}

func nativeLines(t *testing.T, b []byte) []string {
	t.Helper()
	var root nativeElement
	if err := xml.Unmarshal(b, &root); err != nil {
		t.Fatal(err)
	}
	if root.XMLName.Local != "NativeDicomModel" {
		t.Fatalf("the root is %s", root.XMLName.Local)
	}
	var out []string
	root.lines("", &out)
	return out
}

func writeXML(t *testing.T, ds *DataSet, o XMLOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteXML(&b, ds, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNativeModelAgreesWithDcm2xml(t *testing.T) {
	t.Parallel()
	dcmtktest.Find(t, "dcm2xml")
	compared, attributes := 0, 0
	for i, c := range corpus(t, shared(t, "comparing the Native DICOM Model with dcm2xml")) {
		if !c.readable || i%9 != 0 {
			continue
		}
		raw, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ReadFile(bytes.NewReader(raw), DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := dcmtktest.Output(t, "dcm2xml", "--native-format", "-q", "+U8", c.path)
		if err != nil || !xmlReadable(theirs) {
			continue // a character set, or characters, that dcm2xml does not do
		}
		want := map[string]bool{}
		for _, l := range nativeLines(t, theirs) {
			want[l] = true
		}
		compared++
		for _, l := range nativeLines(t, writeXML(t, f.DataSet, XMLOptions{BulkDataURI: everywhere})) {
			if attributes++; !want[l] && !anotherDictionary(l) {
				t.Errorf("%s: dcm2xml has no line %.80q", filepath.Base(c.path), l)
				break
			}
		}
	}
	t.Logf("%d files, %d lines", compared, attributes)
}

// everywhere gives each binary value an address.
func everywhere(path string, _ Element) string { return "http://x.invalid/" + path }

// xmlReadable reports a document without a character that XML has no place for.
func xmlReadable(b []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		switch _, err := d.Token(); {
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			return false
		}
	}
}

// anotherDictionary reports what dcm2xml takes from a dictionary of its own:
// private elements, and elements without a VR in the file.
func anotherDictionary(line string) bool {
	for _, step := range strings.Split(line, "/") {
		if len(step) >= 8 && strings.ContainsAny(step[3:4], "13579BDF") || strings.Contains(step, " UN ") || strings.HasPrefix(step, "7FE00010 ") {
			return true
		}
	}
	return false
}

func TestNativeModelHoldsWhatTheJSONModelHolds(t *testing.T) {
	t.Parallel()
	ds := NewDataSet()
	item := ds.NewItem()
	for _, err := range []error{
		ds.SetText(tag.SpecificCharacterSet, "ISO_IR 100"), ds.SetText(tag.PatientName, "ZZPHI-Müller^Jürgen^^Dr.^<jr> & \"x\""),
		ds.SetText(tag.ImageType, "ORIGINAL", "", "AXIAL"), ds.SetText(tag.PatientComments, "a\r\nb\x01"), ds.SetFloat(tag.RecommendedDisplayFrameRateInFloat, 1.5),
		item.SetText(tag.CodeMeaning, "inside"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ds.Set(NewElement(tag.New(0x0009, 0x0010), LO, []byte("ACME & CO")))
	ds.Set(NewElement(tag.New(0x0009, 0x1001), OB, []byte{1, 2, 3, 4}))
	ds.Set(NewElement(tag.FrameIncrementPointer, AT, []byte{0x18, 0, 0x63, 0x10}))
	ds.SetItems(tag.ContentSequence, ds.NewItem(), item)
	ds.Set(NewFragments(tag.PixelData, OB, nil, []byte("JPEG")))

	got := string(writeXML(t, ds, XMLOptions{BulkDataURI: func(path string, el Element) string {
		if el.Encapsulated() {
			return "bulk?a&b/" + path
		}
		return ""
	}}))
	for _, want := range []string{
		`<NativeDicomModel xml:space="preserve" xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">`,
		`<Value number="1">ISO_IR 192</Value>`, "<FamilyName>ZZPHI-Müller</FamilyName>\n<GivenName>Jürgen</GivenName>\n<NamePrefix>Dr.</NamePrefix>\n<NameSuffix>&lt;jr&gt; &amp; &quot;x&quot;</NameSuffix>",
		`<Value number="1">ORIGINAL</Value>` + "\n" + `<Value number="3">AXIAL</Value>`, "a&#13;&#10;b\uFFFD", `<Value number="1">1.5</Value>`,
		`<DicomAttribute tag="00090001" vr="OB" privateCreator="ACME &amp; CO">` + "\n<InlineBinary>AQIDBA==</InlineBinary>", `<Value number="1">00181063</Value>`,
		`<Item number="1">` + "\n</Item>\n" + `<Item number="2">` + "\n" + `<DicomAttribute tag="00080104" vr="LO" keyword="CodeMeaning">`,
		`<BulkData uri="bulk?a&amp;b/7FE00010"/>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	nativeLines(t, []byte(got))
}

func TestNativeModelIsWrittenInConstantMemory(t *testing.T) {
	ds := NewDataSet()
	ds.Set(NewBulk(tag.PixelData, OW, zeroSource{}, 0, 64<<20))
	before := testing.AllocsPerRun(1, func() {
		if err := WriteXML(io.Discard, ds, XMLOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	if before > 100 {
		t.Errorf("%.0f allocations", before)
	}
}

type zeroSource struct{}

func (zeroSource) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

func FuzzNativeModel(f *testing.F) {
	f.Add([]byte("\x10\x00\x10\x00PN\x06\x00Z^<&>\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ds, err := Decode(bytes.NewReader(b), DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := WriteXML(&out, ds, XMLOptions{}); err == nil && !xmlReadable(out.Bytes()) {
			t.Errorf("no XML: %q", out.Bytes())
		}
	})
}
