package pixel

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// stored is a data set as an object that Open can read.
func stored(t *testing.T, ds *dicom.DataSet, ts string) Object {
	t.Helper()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, ts); err != nil {
		t.Fatal(err)
	}
	return Object{At: bytes.NewReader(b.Bytes()), Size: int64(b.Len()), TransferSyntax: ts}
}

// rleFrames is an image of n frames of 4096 bytes, the last of them as given.
func rleFrames(t *testing.T, n int, last []byte) *dicom.DataSet {
	t.Helper()
	ds := describeImage(t, 64, 64, 1, 8, n, "MONOCHROME2")
	frames := make([][]byte, n)
	for i := range frames {
		frames[i] = encodeRLE(bytes.Repeat([]byte{byte(i)}, 4096))
	}
	if last != nil {
		frames[n-1] = last
	}
	ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, frames...))
	return ds
}

// TestDamagedFrameIsAnErrorBeforeTheFirstByte: half a message cannot be taken
// back, so what is behind must be known to be sound.
func TestDamagedFrameIsAnErrorBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"kept in memory": 3, "decoded twice": mostKept/4096 + 2} {
		_, err := Open(t.Context(), stored(t, rleFrames(t, n, []byte("no RLE")), uid.RLELossless), uid.ExplicitVRLittleEndian)
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}

		r, err := Open(t.Context(), stored(t, rleFrames(t, n, nil), uid.RLELossless), uid.ExplicitVRLittleEndian)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ds, err := dicom.Decode(r, dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
		if err != nil || r.Close() != nil {
			t.Fatalf("%s: %v", name, err)
		}
		el, _ := ds.Get(tag.PixelData)
		px := el.Bytes()
		if len(px) != 4096*n || px[0] != 0 || px[len(px)-1] != byte(n-1) {
			t.Errorf("%s: %d bytes of pixel data", name, len(px))
		}
	}
}

func TestObjectsWithOddValuesAreOpenedEven(t *testing.T) {
	t.Parallel()
	raw := []byte("\x10\x00\x20\x00LO\x05\x00ZZPHI")
	deflated := make([]byte, 301)
	for name, c := range map[string]struct {
		o    Object
		want int
	}{
		"odd value":    {Object{At: bytes.NewReader(raw), Size: int64(len(raw)), TransferSyntax: uid.ExplicitVRLittleEndian}, len(raw) + 1},
		"odd deflated": {Object{At: bytes.NewReader(deflated), Size: 301, TransferSyntax: uid.DeflatedExplicitVRLittleEndian}, 302},
	} {
		r, err := Open(t.Context(), c.o, c.o.TransferSyntax)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b, err := io.ReadAll(r); len(b) != c.want || err != nil || r.Close() != nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}

func TestObjectsAreOpenedAsStoredWhereThatIsAsked(t *testing.T) {
	t.Parallel()
	o := stored(t, rleFrames(t, 2, []byte("no RLE")), uid.RLELossless)
	r, err := Open(t.Context(), o, uid.RLELossless)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	want := make([]byte, o.Size)
	if _, err := o.At.ReadAt(want, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestEncapsulatedIconsAreConvertedWithTheImage: PS3.3 C.7.6.1.1.6.
func TestEncapsulatedIconsAreConvertedWithTheImage(t *testing.T) {
	t.Parallel()
	icon := describeImage(t, 2, 2, 1, 8, 1, "MONOCHROME2")
	icon.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, encodeRLE([]byte{1, 2, 3, 4})))
	ds := rleFrames(t, 1, nil)
	ds.SetItems(tag.IconImageSequence, icon)

	out, err := Transcode(t.Context(), ds, uid.RLELossless, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	el, _ := out.Items(tag.IconImageSequence)[0].Get(tag.PixelData)
	if !bytes.Equal(el.Bytes(), []byte{1, 2, 3, 4}) || encapsulated(out) {
		t.Errorf("icon of %d bytes", len(el.Bytes()))
	}
}

func TestVideoHasNoFramesAndOneStream(t *testing.T) {
	t.Parallel()
	made := describeImage(t, 2, 2, 3, 8, 30, "YBR_PARTIAL_420")
	made.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("moving "), []byte("pictures")))
	o := stored(t, made, uid.MPEG4HP41)
	ds, err := dicom.Decode(io.NewSectionReader(o.At, 0, o.Size), dicom.DecodeOptions{TransferSyntax: uid.MPEG4HP41})
	if err != nil {
		t.Fatal(err)
	}

	f, err := Index(ds)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Video() || f.Len() != 0 || !f.Encapsulated() {
		t.Errorf("video %v of %d frames", f.Video(), f.Len())
	}
	r, err := f.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); string(b) != "moving \x00pictures" || int64(len(b)) != f.StreamLength() || err != nil {
		t.Errorf("stream of %d bytes, %v", len(b), err)
	}
	if _, err := f.Open(1); !errors.Is(err, ErrNoFrame) {
		t.Errorf("frame 1: %v", err)
	}
	if _, _, err := f.Decode(t.Context(), 1, uid.MPEG4HP41); !errors.Is(err, ErrNotConvertible) {
		t.Errorf("decoded: %v", err)
	}
	if _, err := Render(t.Context(), ds, 1, uid.MPEG4HP41, RenderOptions{}); !errors.Is(err, ErrNotRenderable) {
		t.Errorf("rendered: %v", err)
	}
}

func TestDecodableIsWhatIsDecodedWhateverItsBits(t *testing.T) {
	t.Parallel()
	if Decodable(uid.JPEGExtended12Bit) || Convertible(uid.JPEGExtended12Bit) || !DecodableInPart(uid.JPEGExtended12Bit) {
		t.Error("JPEG Extended of twelve bits is not decoded, of eight it is")
	}
	for _, ts := range []string{uid.RLELossless, uid.JPEGBaseline8Bit, uid.EncapsulatedUncompressed, uid.DeflatedImageFrame} {
		if !Decodable(ts) || !DecodableInPart(ts) {
			t.Errorf("%s is decoded", ts)
		}
	}
}

// TestCodecThatPanicsIsADamagedFrame: attributes and stream come from outside.
func TestCodecThatPanicsIsADamagedFrame(t *testing.T) {
	t.Parallel()
	senseless := Attributes{Rows: -1, Columns: 1 << 40, SamplesPerPixel: 1, BitsAllocated: 8}
	if _, _, err := decode(t.Context(), make([]byte, 64), senseless, uid.EncapsulatedUncompressed); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
}
