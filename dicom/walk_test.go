package dicom

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func TestWalkMeetsEveryElementAtEveryDepthInOrder(t *testing.T) {
	t.Parallel()
	inner := NewDataSet()
	inner.Set(NewElement(tag.CodeValue, SH, []byte("c ")))
	first, second := NewDataSet(), NewDataSet()
	first.SetItems(tag.ConceptNameCodeSequence, inner, NewDataSet())
	second.Set(NewElement(tag.TextValue, UT, []byte("t ")))
	ds := NewDataSet()
	ds.Set(NewElement(tag.PatientID, LO, []byte("p ")))
	ds.SetItems(tag.ContentSequence, first, NewDataSet(), second)
	ds.Set(NewElement(tag.PixelData, OW, []byte("px")))

	var got []string
	for v := range ds.Walk() {
		if el, ok := v.DataSet.Get(v.Tag); !ok || !el.Equal(v.Element) {
			t.Errorf("%v is not in the data set it is said to stand in", v.Tag)
		}
		got = append(got, strings.TrimPrefix(v.Path.String()+"."+v.Tag.String(), "."))
	}
	want := []string{
		"(0010,0020)", "(0040,A730)", "(0040,A730)[1].(0040,A043)", "(0040,A730)[1].(0040,A043)[1].(0008,0100)",
		"(0040,A730)[3].(0040,A160)", "(7FE0,0010)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("met %v\nwant %v", got, want)
	}

	for v := range ds.Walk() { // a walk may end anywhere
		if v.Tag == tag.CodeValue {
			break
		}
	}
}

func TestWalkDoesNotGrowTheStackWithDepth(t *testing.T) {
	t.Parallel()
	ds := NewDataSet()
	for range 200_000 {
		outer := NewDataSet()
		outer.els = []Element{NewSequence(tag.ContentSequence, ds)}
		ds = outer
	}
	n := 0
	for range ds.Walk() {
		n++
	}
	if n != 200_000 {
		t.Errorf("%d elements met", n)
	}
}

// TestValuesLeftInTheStreamAreFoundInItemsToo: an icon in fragments has a place
// in the stream like the image itself (PS3.3 C.7.6.1.1.6).
func TestValuesLeftInTheStreamAreFoundInItemsToo(t *testing.T) {
	t.Parallel()
	fragmented := func(frags ...string) string {
		s := item(tag.Item, 0, "")
		for _, f := range frags {
			s += item(tag.Item, uint32(len(f)), f)
		}
		return long(tag.PixelData, "OB", open, s+item(tag.SequenceDelimitationItem, 0, ""))
	}
	icon := fragmented("ic", "", "on")
	raw := long(tag.IconImageSequence, "SQ", open, item(tag.Item, open, icon+item(tag.ItemDelimitationItem, 0, ""))+
		item(tag.SequenceDelimitationItem, 0, ""))
	raw += long(tag.LUTData, "OW", 6, "lutlut") + fragmented("main")
	source := strings.NewReader(raw)
	ds, err := Decode(strings.NewReader(raw), DecodeOptions{TransferSyntax: uid.RLELossless, BulkThreshold: 4, Source: source})
	if err != nil {
		t.Fatal(err)
	}
	ds.Set(NewBulk(tag.EncapsulatedDocument, OB, bytes.NewReader([]byte("made")), 0, 4))

	var values []string
	for v, b := range ds.InStream() {
		value := v.Path.String() + v.Tag.String() + "="
		for x := range b.Extents() {
			value += raw[x.Offset:x.Offset+x.Length] + "|"
		}
		values = append(values, value)
	}
	want := []string{"(0088,0200)[1](7FE0,0010)=ic|on|", "(0028,3006)=lutlut|", "(7FE0,0010)=main|"}
	if !slices.Equal(values, want) {
		t.Errorf("found %v\nwant %v", values, want)
	}
}
