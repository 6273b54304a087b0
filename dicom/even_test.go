package dicom

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// oddValues is a data set of even and odd values, at the top, in a sequence of
// defined length and in fragments behind an offset table.
func oddValues() string {
	inside := short(tag.CodeValue, "SH", 3, "abc") + short(tag.CodeMeaning, "LO", 2, "de")
	raw := short(tag.PatientID, "LO", 5, "ZZPHI")
	raw += long(tag.LUTData, "OW", 7, "lutluts")
	raw += long(tag.ContentSequence, "SQ", uint32(8+len(inside)), item(tag.Item, uint32(len(inside)), inside))
	table := string(binary.LittleEndian.AppendUint32(make([]byte, 4), 8+3))
	return raw + long(tag.PixelData, "OB", open, item(tag.Item, 8, table)+item(tag.Item, 3, "one")+item(tag.Item, 4, "four")+
		item(tag.SequenceDelimitationItem, 0, ""))
}

func TestOddValuesAreWrittenEvenForTheWire(t *testing.T) {
	t.Parallel()
	raw := short(tag.NumberOfFrames, "IS", 2, "2 ") + oddValues()
	for name, threshold := range map[string]int64{"in memory": 0, "left in the stream": 4} {
		ds, err := Decode(strings.NewReader(raw), DecodeOptions{
			TransferSyntax: uid.RLELossless, BulkThreshold: threshold, Source: strings.NewReader(raw)})
		if err != nil {
			t.Fatal(err)
		}
		even, err := ds.Evened()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var b bytes.Buffer
		if err := Encode(&b, even, uid.RLELossless); err != nil {
			t.Fatalf("%s: %v", name, err)
		}

		got, err := Decode(bytes.NewReader(b.Bytes()), DecodeOptions{TransferSyntax: uid.RLELossless})
		if err != nil {
			t.Fatalf("%s: what was written cannot be read: %v", name, err)
		}
		if b.Len()%2 != 0 || got.odd() || len(got.Notes()) > 0 {
			t.Errorf("%s: %d bytes, notes %v", name, b.Len(), got.Notes())
		}
		px, _ := got.Get(tag.PixelData)
		if want := []byte{0, 0, 0, 0, 12, 0, 0, 0}; !bytes.Equal(px.OffsetTable(), want) {
			t.Errorf("%s: offset table % x, want % x", name, px.OffsetTable(), want)
		}
		if !slices.EqualFunc(px.Fragments(), [][]byte{[]byte("one\x00"), []byte("four")}, bytes.Equal) {
			t.Errorf("%s: fragments %q", name, px.Fragments())
		}
		if id := got.Text(tag.PatientID); id != "ZZPHI" {
			t.Errorf("%s: text was changed", name)
		}

		b.Reset()
		if err := Encode(&b, ds, uid.RLELossless); err != nil || b.String() != raw {
			t.Errorf("%s: the data set itself was changed (%v)", name, err)
		}
	}
}

func TestEvenDataSetsGoAsTheyCame(t *testing.T) {
	t.Parallel()
	raw := short(tag.PatientID, "LO", 6, "ZZPHI ")
	ds, err := Decode(strings.NewReader(raw), DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	if even, err := ds.Evened(); even != ds || err != nil {
		t.Errorf("copied for nothing, %v", err)
	}
}

// TestOddFragmentInsideAFrameIsRefused: a zero byte between two parts of one
// compressed stream would damage it.
func TestOddFragmentInsideAFrameIsRefused(t *testing.T) {
	t.Parallel()
	ds, err := Decode(strings.NewReader(oddValues()), DecodeOptions{TransferSyntax: uid.RLELossless})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ds.Evened(); !errors.Is(err, ErrEncapsulated) {
		t.Errorf("got %v", err)
	}
}

func TestExtendedOffsetTableFollowsPaddedFragments(t *testing.T) {
	t.Parallel()
	table := binary.LittleEndian.AppendUint64(make([]byte, 8), 8+3)
	ds := NewDataSet()
	ds.Set(NewElement(tag.NumberOfFrames, IS, []byte("2 ")))
	ds.Set(NewElement(tag.ExtendedOffsetTable, OV, table))
	ds.Set(NewFragments(tag.PixelData, OB, nil, []byte("one"), []byte("four")))
	ds.els[2].v.more.fragments[1] = []byte("one") // NewFragments pads

	even, err := ds.Evened()
	if err != nil {
		t.Fatal(err)
	}
	el, _ := even.Get(tag.ExtendedOffsetTable)
	if got := binary.LittleEndian.Uint64(el.Bytes()[8:]); got != 12 {
		t.Errorf("second frame at %d, want 12", got)
	}
}

func TestDeflatedDataSetsAreOfEvenLength(t *testing.T) {
	t.Parallel()
	padded := 0
	for n := range 64 {
		ds := NewDataSet()
		if err := ds.SetText(tag.PatientComments, strings.Repeat("ZZPHI", n)+"abcdefgh"[:n%8]); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := Encode(&b, ds, uid.DeflatedExplicitVRLittleEndian); err != nil {
			t.Fatal(err)
		}
		if b.Len()%2 != 0 {
			t.Fatalf("%d bytes", b.Len())
		}

		rest := bytes.NewReader(b.Bytes())
		if _, err := io.Copy(io.Discard, flate.NewReader(rest)); err != nil {
			t.Fatal(err)
		}
		padded += rest.Len()
		back, err := Decode(bytes.NewReader(b.Bytes()), DecodeOptions{TransferSyntax: uid.DeflatedExplicitVRLittleEndian})
		if err != nil || !back.Equal(ds) {
			t.Errorf("does not read back: %v", err)
		}
	}
	if padded == 0 {
		t.Error("no stream of odd length was among them")
	}
}

func TestReaderGivesWhatEncodeWritesAndItsError(t *testing.T) {
	t.Parallel()
	ds := NewDataSet()
	if err := ds.SetText(tag.PatientID, "ZZPHI1"); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := Encode(&want, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	r := Reader(ds, EncodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want.Bytes()) || r.Close() != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}

	ds.Set(NewStream(tag.PixelData, OB, 2, func() (io.Reader, error) { panic("ZZPHI") }))
	r = Reader(ds, EncodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if _, err := io.ReadAll(r); err != errEncoding {
		t.Errorf("after a panic: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
