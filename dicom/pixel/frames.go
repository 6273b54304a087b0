package pixel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sort"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Frames is the frames of an image. It reads nothing until a frame is asked
// for, and may be used by several goroutines at once.
type Frames struct {
	Attributes
	el      dicom.Element
	count   int
	first   []int32  // of an encapsulated image: the fragment with which each frame begins, and the end
	lengths []uint64 // of the extended offset table, or nil
	video   bool     // one stream that is not cut into frames

	invalid error // why the attributes describe no image
}

// Index finds the frames of an image: native ones by their size, encapsulated
// ones by the extended or the basic offset table, and without a table that
// fits, one fragment each, all fragments for a single frame, or from one
// fragment that begins a compressed image to the next (PS3.5 A.4, PS3.3
// C.7.6.3.1.8); for the last the first bytes of each fragment are read.
// ErrFrames if none of it applies. Of a video it finds no frames: see Video.
func Index(ds *dicom.DataSet) (*Frames, error) {
	f := &Frames{}
	for _, t := range []dicom.Tag{tag.PixelData, tag.FloatPixelData, tag.DoubleFloatPixelData} {
		if el, ok := ds.Get(t); ok {
			f.el = el
			break
		}
	}
	if f.el.Tag == 0 {
		return nil, ErrNoPixelData
	}

	var err error
	if f.Attributes, err = Describe(ds); f.el.Encapsulated() {
		f.invalid = err
		if VideoSyntax(ds.TransferSyntax()) {
			f.video = true
			return f, nil
		}
		if err := f.indexFragments(ds); err != nil {
			return nil, err
		}
		return f, nil
	}
	if err != nil {
		return nil, err
	}

	f.count = f.NumberOfFrames
	if n := f.el.ValueLength(); (f.FrameBits()*int64(f.count)+7)/8 > n {
		f.count = int(n * 8 / f.FrameBits())
		if f.count == 0 {
			return nil, fmt.Errorf("%w: pixel data are shorter than one frame", ErrFrames)
		}
	}
	return f, nil
}

// Len is the number of frames there are; Attributes.NumberOfFrames is the
// number that is declared.
func (f *Frames) Len() int { return f.count }

// Encapsulated reports frames, or a video, that stand compressed in fragments.
func (f *Frames) Encapsulated() bool { return f.first != nil || f.video }

// indexFragments fills first. Its size is bounded by the fragments there are.
func (f *Frames) indexFragments(ds *dicom.DataSet) error {
	starts := f.fragmentStarts()
	n := f.el.FragmentCount()
	if offsets, lengths := extendedTable(ds, 8*int64(n)); len(offsets) > 0 {
		if f.fromOffsets(offsets, starts, n) {
			f.lengths = lengths
			return nil
		}
	}

	if table := basicTable(f.el.OffsetTable()); len(table) > 0 && f.fromOffsets(table, starts, n) {
		return nil
	}
	return f.withoutTable()
}

// withoutTable fills first from what the fragments themselves say.
func (f *Frames) withoutTable() error {
	declared := max(f.NumberOfFrames, 1)
	n := f.el.FragmentCount()
	for n > declared && f.el.FragmentLength(n-1) == 0 { // equipment ends the value with one of no bytes
		n--
	}

	switch {
	case n == 0:
		return fmt.Errorf("%w: there are no fragments", ErrFrames)
	case declared == 1:
		f.first = []int32{0, int32(n)}
	case declared == n:
		f.first = make([]int32, n+1)
		for i := range f.first {
			f.first[i] = int32(i)
		}
	default:
		if f.first = f.marked(n); len(f.first)-1 != declared {
			f.first = nil
			return fmt.Errorf("%w: %d fragments for %d frames and no offset table that fits", ErrFrames, n, declared)
		}
	}
	f.count = len(f.first) - 1
	return nil
}

// marked is the fragments that begin a compressed image, and the end; nil where
// the first does not or one cannot be read. A frame always begins in a fragment
// of its own (PS3.5 A.4), and inside of a coded image these bytes do not occur.
func (f *Frames) marked(n int) []int32 {
	var first []int32
	for i := range n {
		r, err := f.el.OpenFragment(i)
		if err != nil {
			return nil
		}
		var head [4]byte
		got, err := io.ReadFull(r, head[:])
		if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
			return nil
		}

		if beginsImage(head[:got]) {
			first = append(first, int32(i))
		} else if i == 0 {
			return nil
		}
	}
	return append(first, int32(n))
}

// beginsImage reports the first bytes of a JPEG or JPEG-LS image (ITU-T T.81
// B.2.1: SOI) or of a JPEG 2000 codestream (ITU-T T.800 A.4: SOC and SIZ).
func beginsImage(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xFF, 0xD8}) || bytes.HasPrefix(b, []byte{0xFF, 0x4F, 0xFF, 0x51})
}

// fragmentStarts is where the item of each fragment begins, from the first
// byte behind the basic offset table.
func (f *Frames) fragmentStarts() []uint64 {
	n := f.el.FragmentCount()
	starts := make([]uint64, n)
	var at uint64
	for i := range starts {
		starts[i] = at
		at += 8 + uint64(f.el.FragmentLength(i))
	}
	return starts
}

func basicTable(b []byte) []uint64 {
	out := make([]uint64, len(b)/4)
	for i := range out {
		out[i] = uint64(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

// loaded is a value of at most so many bytes, from memory or the source.
func loaded(ds *dicom.DataSet, t dicom.Tag, most int64) []byte {
	el, _ := ds.Get(t)
	el, err := el.Load(most)
	if b := el.Bytes(); err == nil && int64(len(b)) <= most {
		return b
	}
	return nil
}

// extendedTable is the tables of (7FE0,0001) and (7FE0,0002), which belong
// together (PS3.3 C.7.6.3.1.8).
func extendedTable(ds *dicom.DataSet, most int64) (offsets, lengths []uint64) {
	ob, lb := loaded(ds, tag.ExtendedOffsetTable, most), loaded(ds, tag.ExtendedOffsetTableLengths, most)
	if len(ob) == 0 || len(ob) != len(lb) {
		return nil, nil
	}
	for ; len(ob) >= 8; ob, lb = ob[8:], lb[8:] {
		offsets = append(offsets, binary.LittleEndian.Uint64(ob))
		lengths = append(lengths, binary.LittleEndian.Uint64(lb))
	}
	return offsets, lengths
}

// fromOffsets takes over an offset table if each entry is the start of a
// fragment behind that of the entry before and there are as many as declared.
func (f *Frames) fromOffsets(offsets, starts []uint64, n int) bool {
	if len(offsets) != max(f.NumberOfFrames, 1) || len(offsets) > n || offsets[0] != 0 {
		return false
	}

	first := make([]int32, 0, len(offsets)+1)
	for i, o := range offsets {
		at := sort.Search(len(starts), func(k int) bool { return starts[k] >= o })
		if at == len(starts) || starts[at] != o || i > 0 && int32(at) <= first[i-1] {
			return false
		}
		first = append(first, int32(at))
	}

	f.first = append(first, int32(n))
	f.count = len(offsets)
	return true
}

// Length is the bytes that Open gives for frame n, from 1; -1 without it.
func (f *Frames) Length(n int) int64 {
	if n < 1 || n > f.count {
		return -1
	}
	if f.first == nil {
		return f.FrameLength()
	}

	var total int64
	for i := f.first[n-1]; i < f.first[n]; i++ {
		total += f.el.FragmentLength(int(i))
	}

	if f.lengths != nil && f.lengths[n-1] < uint64(total) {
		return int64(f.lengths[n-1])
	}
	return total
}

// Open reads frame n, from 1: the compressed stream of an encapsulated image,
// else the native frame in little endian, packed from its first bit on.
// Nothing of the other frames is read. ErrNoFrame if there is none.
func (f *Frames) Open(n int) (io.Reader, error) {
	if n < 1 || n > f.count {
		return nil, ErrNoFrame
	}
	if f.first == nil {
		return f.openNative(n)
	}
	r := &fragmentReader{el: f.el, next: int(f.first[n-1]), end: int(f.first[n])}
	return io.LimitReader(r, f.Length(n)), nil
}

func (f *Frames) openNative(n int) (io.Reader, error) {
	bits := f.FrameBits()
	start := bits * int64(n-1)
	first := start / 8
	shift := uint(start % 8)
	last := min((start+bits+7)/8, f.el.ValueLength())
	r, err := f.el.OpenRange(first, last-first)
	if err != nil || shift == 0 && bits%8 == 0 {
		return r, err
	}
	return shifted(r, shift, bits)
}

// shifted is the bits of r from bit shift on, counted from the least
// significant, with zeros behind the last (PS3.5 8.1.1).
func shifted(r io.Reader, shift uint, bits int64) (io.Reader, error) {
	raw, err := readAll(r, (int64(shift)+bits+7)/8)
	if err != nil {
		return nil, err
	}

	out := make([]byte, (bits+7)/8)
	for i := range out {
		v := uint(raw[i]) >> shift
		if shift > 0 && i+1 < len(raw) {
			v |= uint(raw[i+1]) << (8 - shift)
		}
		out[i] = byte(v)
	}

	if rest := bits % 8; rest != 0 {
		out[len(out)-1] &= 1<<rest - 1
	}
	return bytes.NewReader(out), nil
}

// Bytes is frame n as Open gives it.
func (f *Frames) Bytes(n int) ([]byte, error) {
	r, err := f.Open(n)
	if err != nil {
		return nil, err
	}
	return readAll(r, f.Length(n))
}

// readAll is io.ReadAll for what is known to have so many bytes: of up to 1 MiB
// nothing is allocated twice, of more not until the first has arrived.
func readAll(r io.Reader, length int64) ([]byte, error) {
	out := make([]byte, min(length, firstPiece))
	n, err := io.ReadFull(r, out)
	if err == nil && length > firstPiece {
		out = append(make([]byte, 0, length), out...)[:length]
		var more int
		more, err = io.ReadFull(r, out[n:])
		n += more
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil // how long a frame has to be is for whoever decodes it
	}
	return out[:n], err
}

// firstPiece is the bytes that are allocated before any has arrived.
const firstPiece = 1 << 20

// fragmentReader reads fragments one after the other.
type fragmentReader struct {
	el        dicom.Element
	next, end int
	r         io.Reader
}

// Read implements io.Reader.
func (f *fragmentReader) Read(p []byte) (int, error) {
	for {
		if f.r == nil {
			if f.next >= f.end {
				return 0, io.EOF
			}
			r, err := f.el.OpenFragment(f.next)
			if err != nil {
				return 0, err
			}
			f.r = r
			f.next++
		}

		n, err := f.r.Read(p)
		if err == io.EOF {
			f.r = nil
			err = nil
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}
