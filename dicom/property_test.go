package dicom

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

var nativeSyntaxes = []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian}

// drawn makes a data set of elements of the dictionary, private ones and
// sequences.
func drawn(t *rapid.T, depth int) *DataSet {
	ds := NewDataSet()
	tags := []Tag{tag.PatientName, tag.PatientID, tag.Rows, tag.PixelSpacing, tag.FrameIncrementPointer, tag.StudyDate,
		tag.DopplerCorrectionAngle, tag.SelectorUVValue, tag.SelectorOLValue, tag.RedPaletteColorLookupTableData, tag.PixelData,
		tag.New(9, 0x10), tag.New(9, 0x1001), tag.AdditionalPatientHistory, tag.SOPInstanceUID, tag.ContentSequence, tag.ReferencedImageSequence}
	for _, tg := range rapid.SliceOfDistinct(rapid.SampledFrom(tags), rapid.ID[Tag]).Draw(t, "tags") {
		vr := implicitVR(tg, false)
		switch {
		case vr == SQ && depth > 0:
			var items []*DataSet
			for range rapid.IntRange(0, 3).Draw(t, "items") {
				items = append(items, drawn(t, depth-1))
			}
			ds.SetItems(tg, items...)
		case vr == SQ:
		case vr.Text():
			ds.Set(NewElement(tg, vr, []byte(rapid.StringMatching(`[A-Z0-9 ^.]{0,20}`).Draw(t, "text"))))
		default:
			unit := vr.unit()
			if vr == AT {
				unit = 4
			}
			n := unit * rapid.IntRange(0, 9).Draw(t, "count")
			ds.Set(NewElement(tg, vr, rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bytes")))
		}
	}
	return ds
}

func encoded(t interface{ Fatal(...any) }, ds *DataSet, o EncodeOptions) []byte {
	var b bytes.Buffer
	if err := EncodeWith(&b, ds, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDataSetsSurviveEverySyntax(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ds := drawn(t, 2)
		o := EncodeOptions{UndefinedLengths: rapid.Bool().Draw(t, "undefined")}
		var last *DataSet = ds
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			o.TransferSyntax = rapid.SampledFrom(nativeSyntaxes).Draw(t, "syntax")
			raw := encoded(t, last, o)
			got, err := Decode(bytes.NewReader(raw), DecodeOptions{TransferSyntax: o.TransferSyntax})
			if err != nil {
				t.Fatal(err)
			}
			if !cmp.Equal(ds, got) {
				t.Fatalf("differs in %s", uid.Name(o.TransferSyntax))
			}
			if again := encoded(t, got, EncodeOptions{TransferSyntax: o.TransferSyntax}); o.TransferSyntax != uid.DeflatedExplicitVRLittleEndian && !bytes.Equal(raw, again) {
				t.Fatal("written back differently")
			}
			last = got
		}
		fromJSON(t, ds)
	})
}

func fromJSON(t *rapid.T, ds *DataSet) {
	b, err := MarshalJSON(ds, JSONOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := UnmarshalJSON(b, JSONOptions{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := MarshalJSON(got, JSONOptions{})
	if err != nil || !bytes.Equal(b, again) {
		t.Fatalf("%s became %s, %v", b, again, err)
	}
}

func TestChangeOfOneElementLeavesTheOthersBitForBit(t *testing.T) {
	t.Parallel()
	seq := func(id string) string {
		return long(tag.ReferencedImageSequence, "SQ", open,
			item(tag.Item, open, short(tag.ReferencedSOPClassUID, "UI", 3, "1.2")+item(tag.ItemDelimitationItem, 0, ""))+
				item(tag.Item, uint32(8+len(id)), short(tag.ReferencedSOPInstanceUID, "UI", uint16(len(id)), id))+
				item(tag.SequenceDelimitationItem, 0, ""))
	}
	build := func(id, name string, group uint32) string {
		return short(tag.SOPInstanceUID, "UI", 5, "1.2.3") + // an odd length stays
			seq(id) +
			long(tag.New(9, 0x1001), "UN", open, item(tag.Item, 8, string([]byte{9, 0, 2, 0x10, 0, 0, 0, 0}))+item(tag.SequenceDelimitationItem, 7, "")) +
			short(tag.New(0x10, 0), "UL", 4, string([]byte{byte(group), 0, 0, 0})) +
			short(tag.PatientName, "PN", uint16(len(name)), name) +
			short(tag.PatientID, "ZZ", 0, "\x02\x00\x00\x00ab") + // a VR to come
			short(tag.PatientSex, "??", 2, "M ") + // none at all
			short(tag.PatientSex, "CS", 2, "M ") // twice
	}
	raw := build("1.2.4.", "A^B ", 12)
	o := DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian}
	ds, err := Decode(strings.NewReader(raw), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := encoded(t, ds, EncodeOptions{TransferSyntax: o.TransferSyntax}); string(got) != raw {
		t.Fatalf("unchanged, written back differently from byte %d", mismatch(got, []byte(raw)))
	}
	if err := ds.Items(tag.ReferencedImageSequence)[1].SetText(tag.ReferencedSOPInstanceUID, "9.8.7.6."); err != nil {
		t.Fatal(err)
	}
	if err := ds.SetText(tag.PatientName, "Changed^Much"); err != nil {
		t.Fatal(err)
	}
	want := build("9.8.7.6.", "Changed^Much", 8+12+14+20)
	if got := encoded(t, ds, EncodeOptions{TransferSyntax: o.TransferSyntax}); string(got) != want {
		t.Errorf("differs from byte %d\n% x\n% x", mismatch(got, []byte(want)), got, want)
	}
}

func TestImplicitChoicesFollowPixelRepresentation(t *testing.T) {
	t.Parallel()
	for signed, want := range []VR{US, SS} {
		ds := NewDataSet()
		if err := ds.SetInt(tag.PixelRepresentation, int64(signed)); err != nil {
			t.Fatal(err)
		}
		ds.Set(NewElement(tag.SmallestImagePixelValue, US, []byte{0xFE, 0xFF}))
		item := NewDataSet()
		item.Set(NewElement(tag.RealWorldValueLastValueMapped, US, []byte{0xFE, 0xFF}))
		ds.SetItems(tag.RealWorldValueMappingSequence, item)
		ds.Set(NewElement(tag.PixelData, OB, []byte{1, 2}))
		got, err := Decode(bytes.NewReader(encoded(t, ds, EncodeOptions{})), DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		el, _ := got.Get(tag.SmallestImagePixelValue)
		inner, _ := got.Items(tag.RealWorldValueMappingSequence)[0].Get(tag.RealWorldValueLastValueMapped)
		pixels, _ := got.Get(tag.PixelData)
		if el.VR != want || inner.VR != want || pixels.VR != OW {
			t.Errorf("representation %d: %v, %v, %v", signed, el, inner, pixels)
		}
	}
}

func TestLongValueOfAShortVRBecomesUN(t *testing.T) {
	t.Parallel()
	ds := NewDataSet()
	ds.Set(NewElement(tag.PatientID, LO, bytes.Repeat([]byte("ab"), 40_000)))
	ds.Set(NewElement(tag.Rows, US, bytes.Repeat([]byte{1, 2}, 40_000)))
	for _, ts := range nativeSyntaxes {
		got, err := Decode(bytes.NewReader(encoded(t, ds, EncodeOptions{TransferSyntax: ts})), DecodeOptions{TransferSyntax: ts})
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := got.Int(tag.Rows); v != 0x0201 || len(got.Text(tag.PatientID)) != 80_000 {
			t.Errorf("%s: %x, %d characters", ts, v, len(got.Text(tag.PatientID)))
		}
	}
}

func FuzzDecode(f *testing.F) {
	ds := NewDataSet()
	ds.Set(NewElement(tag.Rows, US, []byte{1, 2}))
	ds.SetItems(tag.ContentSequence, NewDataSet(), ds.Clone())
	ds.Set(NewFragments(tag.PixelData, OB, nil, []byte{1, 2}))
	for i, ts := range append(nativeSyntaxes[:3:3], uid.JPEGBaseline8Bit) {
		var b bytes.Buffer
		if encode(&b, ds, [...]form{0, formExplicit, formExplicit | formBig, formExplicit}[i], EncodeOptions{UndefinedLengths: true}) == nil {
			f.Add(b.Bytes(), byte(i), int64(0))
			f.Add(b.Bytes(), byte(i), int64(1))
		}
		_ = ts
	}
	f.Fuzz(func(t *testing.T, raw []byte, syntax byte, threshold int64) {
		ts := nativeSyntaxes[syntax%3]
		var seen bytes.Buffer
		ds, err := Decode(io.TeeReader(bytes.NewReader(raw), &seen), DecodeOptions{TransferSyntax: ts, BulkThreshold: threshold, Source: bytes.NewReader(raw)})
		if err != nil {
			return
		}
		if !bytes.Equal(seen.Bytes(), raw) {
			t.Fatal("the tee did not see each byte")
		}
		if got := encoded(t, ds, EncodeOptions{TransferSyntax: ts}); !bytes.Equal(got, raw) {
			t.Fatalf("written back differently from byte %d", mismatch(got, raw))
		}
		for el := range ds.All() {
			el.Texts()
			el.Ints()
			el.Floats()
		}
		if j, err := MarshalJSON(ds, JSONOptions{}); err == nil {
			if _, err := UnmarshalJSON(j, JSONOptions{}); err != nil && !strings.Contains(err.Error(), "base 64") {
				t.Logf("not read back: %v", err)
			}
		}
		var other bytes.Buffer
		if err := EncodeWith(&other, ds, EncodeOptions{TransferSyntax: nativeSyntaxes[(syntax+1)%3]}); err != nil {
			return
		}
		if _, err := Decode(&other, DecodeOptions{TransferSyntax: nativeSyntaxes[(syntax+1)%3]}); err != nil {
			if syntax%3 == 2 {
				return // implicit VR has no room for a VR that is wrong
			}
			t.Fatalf("not readable in another syntax: %v", err)
		}
	})
}
