package dicom

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func meta(ts string) []byte {
	return AppendMeta(nil, Meta{SOPClassUID: "1.2.3", SOPInstanceUID: "1.2.3.4", TransferSyntaxUID: ts, ImplementationClassUID: "1.2", SourceAETitle: "ZZPHI"})
}

func TestMetaIsReadUpToTheDataSetExactly(t *testing.T) {
	t.Parallel()
	good := meta(uid.ExplicitVRLittleEndian)
	short := bytes.Clone(good)
	short[preambleLength+4+8] -= 8
	far := bytes.Clone(good)
	far[preambleLength+4+8] += 8
	for name, c := range map[string]struct {
		raw   []byte
		plain bool // also without looking ahead
	}{"good": {good, true}, "group length too short": {short, false}, "group length too long": {far, false}} {
		const rest = "\x08\x00\x05\x00CS\x00\x00 and more"
		br := bufio.NewReader(iotest.OneByteReader(io.MultiReader(bytes.NewReader(c.raw), strings.NewReader(rest))))
		m, n, err := ReadMeta(br, Limits{})
		if err != nil || n != int64(len(c.raw)) || m.Text(tag.MediaStorageSOPInstanceUID) != "1.2.3.4" {
			t.Errorf("%s: %d of %d bytes, %v", name, n, len(c.raw), err)
		}
		if left, _ := io.ReadAll(br); string(left) != rest {
			t.Errorf("%s: left are %q", name, left)
		}
		r := io.MultiReader(bytes.NewReader(c.raw), strings.NewReader(rest))
		m, n, err = ReadMeta(struct{ io.Reader }{r}, Limits{})
		if (err == nil) != c.plain || c.plain && (n != int64(len(c.raw)) || m.Len() != 7) {
			t.Errorf("%s, plain reader: %d of %d bytes, %v", name, n, len(c.raw), err)
		}
		if left, _ := io.ReadAll(r); c.plain && string(left) != rest {
			t.Errorf("%s, plain reader: left are %q", name, left)
		}
	}
}

func TestMetaIsBounded(t *testing.T) {
	t.Parallel()
	head := string(make([]byte, preambleLength)) + magic
	for name, raw := range map[string]string{
		"value of 4 GiB": head + long(tag.PrivateInformation, "OB", 0xFFFFFFFE, "a"),
		"many values":    head + strings.Repeat(long(tag.PrivateInformation, "OB", 1000, string(make([]byte, 1000))), 100),
	} {
		if _, _, err := ReadMeta(bufio.NewReader(strings.NewReader(raw)), Limits{}); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string]string{"cut short": head + long(tag.PrivateInformation, "OB", 10, "a"), "no file": "ZZPHI", "nothing": ""} {
		_, _, err := ReadMeta(bufio.NewReader(strings.NewReader(raw)), Limits{})
		if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "ZZPHI") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilesWithoutMetaAreGuessedAndNoted(t *testing.T) {
	t.Parallel()
	ds := NewDataSet()
	if err := ds.SetText(tag.SOPInstanceUID, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	for _, ts := range nativeSyntaxes[:3] {
		raw := encoded(t, ds, EncodeOptions{TransferSyntax: ts})
		for name, head := range map[string][]byte{"nothing in front": nil, "preamble only": append(make([]byte, preambleLength), magic...)} {
			f, err := ReadFile(bytes.NewReader(append(bytes.Clone(head), raw...)), DecodeOptions{})
			if err != nil || f.TransferSyntax != ts || f.DataSet.Text(tag.SOPInstanceUID) != "1.2.3" || len(f.Notes) == 0 {
				t.Errorf("%s, %s: %+v, %v", name, uid.Name(ts), f, err)
			}
		}
	}
}

func TestFileIsWrittenBackWithItsPreamble(t *testing.T) {
	t.Parallel()
	raw := meta(uid.ExplicitVRLittleEndian)
	copy(raw, "II*\x00")
	raw = append(raw, short(tag.PatientID, "LO", 3, "abc")...)
	f, err := ReadFile(bytes.NewReader(raw), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteFile(&b, f); err != nil || !bytes.Equal(b.Bytes(), raw) {
		t.Errorf("differs from byte %d, %v", mismatch(b.Bytes(), raw), err)
	}
}

func TestValuesLeftInTheFileAreReadWhenOpened(t *testing.T) {
	t.Parallel()
	pixels := bytes.Repeat([]byte{1, 2}, 100_000)
	ds := NewDataSet()
	ds.Set(NewElement(tag.PixelData, OW, pixels))
	for _, ts := range nativeSyntaxes {
		raw := append(meta(ts), encoded(t, ds, EncodeOptions{TransferSyntax: ts})...)
		f, err := OpenFile(bytes.NewReader(raw), int64(len(raw)), DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		el, _ := f.DataSet.Get(tag.PixelData)
		if _, ok := el.Bulk(); !ok || el.Bytes() != nil {
			t.Errorf("%s: the value is in memory", uid.Name(ts))
		}
		r, err := el.Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(io.LimitReader(iotest.OneByteReader(r), 100), pixels[:100]); err != nil {
			t.Error(err)
		}
		r, err = el.OpenRange(1001, 5)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, []byte{2, 1, 2, 1, 2}) {
			t.Errorf("%s: part of the value is % x, %v", uid.Name(ts), b, err)
		}
		if _, err := el.OpenRange(199_999, 2); err == nil {
			t.Errorf("%s: a part beyond the value was opened", uid.Name(ts))
		}
		for _, to := range nativeSyntaxes[:3] {
			got, err := Decode(bytes.NewReader(encoded(t, f.DataSet, EncodeOptions{TransferSyntax: to})), DecodeOptions{TransferSyntax: to})
			if err != nil {
				t.Fatal(err)
			}
			if el, _ := got.Get(tag.PixelData); !bytes.Equal(el.Bytes(), pixels) {
				t.Errorf("%s to %s: pixels differ", uid.Name(ts), uid.Name(to))
			}
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(append(meta(uid.ExplicitVRLittleEndian), short(tag.PatientID, "LO", 2, "ab")...))
	f.Add([]byte(short(tag.PatientID, "LO", 2, "ab")))
	f.Add(append(make([]byte, preambleLength), magic...))
	f.Add(append(meta(uid.DeflatedExplicitVRLittleEndian), deflate(f, []byte(short(tag.PatientID, "LO", 2, "ab")))...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := ReadFile(bytes.NewReader(raw), DecodeOptions{Limits: Limits{Inflated: 1 << 20}})
		if err != nil || !file.HasPreamble {
			return
		}
		if ts, _ := LookupTransferSyntax(file.TransferSyntax); ts.Deflated {
			return
		}
		var b bytes.Buffer
		if err := WriteFile(&b, file); err != nil || !bytes.Equal(b.Bytes(), raw) {
			t.Errorf("differs from byte %d, %v", mismatch(b.Bytes(), raw), err)
		}
	})
}
