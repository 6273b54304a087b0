package dicom

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

var dumpLine = regexp.MustCompile(`^( *)\(([0-9a-f]{4}),([0-9a-f]{4})\) (..)`)

// structure is tags and VRs line by line, indented by level, as dcmdump prints.
func structure(ds *DataSet, indent string, out *[]string) {
	for el := range ds.All() {
		vr := el.VR.String()
		if el.Sequence() && el.VR == UN {
			vr = "SQ"
		}
		*out = append(*out, fmt.Sprintf("%s(%04x,%04x) %s", indent, el.Tag.Group(), el.Tag.Element(), vr))
		for _, item := range el.Items() {
			structure(item, indent+"    ", out)
		}
	}
}

func TestStructureAgreesWithDcmdump(t *testing.T) {
	t.Parallel()
	dcmtktest.Find(t, "dcmdump")
	compared := 0
	for i, c := range corpus(t, shared(t, "comparing the structure with dcmdump")) {
		if !c.readable || i%12 != 0 || filepath.Base(c.path) == "adb1_8.dcm" { // private sequences dcmdump has a dictionary for
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
		out, err := dcmtktest.Output(t, "dcmdump", "-q", c.path)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, line := range strings.Split(string(out), "\n") {
			m := dumpLine.FindStringSubmatch(line)
			if m == nil || m[2] == "fffe" || m[2] == "0002" {
				continue
			}
			want = append(want, fmt.Sprintf("%s(%s,%s) %s", m[1], m[2], m[3], m[4]))
		}
		structure(f.DataSet, "", &got)
		compared++
		explicit, _ := LookupTransferSyntax(f.TransferSyntax)
		if a, b := comparable(want, explicit.Explicit), comparable(got, explicit.Explicit); a != b {
			at := mismatch([]byte(a), []byte(b))
			t.Errorf("%s: differs: dcmdump %.60q, here %.60q", filepath.Base(c.path), a[max(0, at-20):], b[max(0, at-20):])
		}
	}
	t.Logf("%d files", compared)
}

// comparable leaves out the VR where dcmdump has another dictionary.
func comparable(lines []string, vr bool) string {
	var b strings.Builder
	for _, l := range lines {
		l = strings.Replace(l, " up", " UL", 1)
		if !vr || strings.Contains(l, "(7fe0,0010)") || strings.HasSuffix(l, "UN") || strings.HasSuffix(l, "??") || strings.HasSuffix(l, "  ") {
			l = l[:strings.LastIndexByte(l, ')')]
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

func TestConversionAgreesWithDcmconv(t *testing.T) {
	t.Parallel()
	ds := declared(t, "ISO_IR 100")
	for _, el := range []Element{
		NewElement(tag.PatientName, PN, []byte("ZZPHI^A ")), NewElement(tag.Rows, US, []byte{2, 1}), NewElement(tag.BitsAllocated, US, []byte{16, 0}),
		NewElement(tag.Columns, US, []byte{1, 0}), NewElement(tag.PixelRepresentation, US, []byte{1, 0}), NewElement(tag.SmallestImagePixelValue, SS, []byte{0xFE, 0xFF}),
		NewElement(tag.DopplerCorrectionAngle, FD, []byte{1, 2, 3, 4, 5, 6, 7, 8}), NewElement(tag.FrameIncrementPointer, AT, []byte{0x18, 0, 0x63, 0x10}),
		NewElement(tag.SOPClassUID, UI, []byte("1.2.840.10008.5.1.4.1.1.7")), NewElement(tag.SOPInstanceUID, UI, []byte("1.2.3.4")),
		NewElement(tag.New(9, 0x10), LO, []byte("MAKER ")), NewElement(tag.New(9, 0x1001), UN, []byte{1, 2, 3, 4}),
	} {
		ds.Set(el)
	}
	item := NewDataSet()
	item.Set(NewElement(tag.ReferencedFrameNumber, IS, []byte("7 ")))
	ds.SetItems(tag.ReferencedImageSequence, item, NewDataSet())
	dir := t.TempDir()
	in := filepath.Join(dir, "in.dcm")
	var b bytes.Buffer
	if err := WriteFile(&b, &File{Meta: readMetaOf(t, uid.ExplicitVRLittleEndian), DataSet: ds, TransferSyntax: uid.ExplicitVRLittleEndian}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, ts := range map[string]string{"+ti": uid.ImplicitVRLittleEndian, "+te": uid.ExplicitVRLittleEndian, "+tb": uid.ExplicitVRBigEndian} {
		for lengths, open := range map[string]bool{"+e": false, "-e": true} {
			expected := filepath.Join(dir, "out.dcm")
			dcmtktest.Must(t, "dcmconv", flag, lengths, "-g", in, expected)
			raw, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			br := bytes.NewReader(raw)
			f, err := ReadFile(br, DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want := raw[f.DataSetOffset:]
			if got := encoded(t, ds, EncodeOptions{TransferSyntax: ts, UndefinedLengths: open}); !bytes.Equal(got, want) {
				t.Errorf("%s %s: differs from byte %d\n% x\n% x", flag, lengths, mismatch(got, want), got, want)
			}
		}
	}
}

func readMetaOf(t *testing.T, ts string) *DataSet {
	t.Helper()
	m, _, err := ReadMeta(bytes.NewReader(meta(ts)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
