package dicom

import (
	"encoding/binary"
	"fmt"
	"sort"

	"collimator/dicom/tag"
)

// Evened is ds with every value and every fragment of an even length, as the
// standard has it (PS3.5 7.1.1, A.4) and as it has to be where the data set
// goes to a peer: each fragment of a message is of even length (PS3.8 E).
// It is ds itself where that is so already; else a copy in which odd values are
// padded as their VR wants, and offset tables point to where the fragments then
// begin. ErrEncapsulated where a fragment of odd length is in the middle of
// a frame: padding would damage its stream.
func (ds *DataSet) Evened() (*DataSet, error) {
	if !ds.odd() {
		return ds, nil
	}
	out := ds.Clone()

	// Values are replaced after the walk, once in each item that has one.
	sets := map[*DataSet]bool{}
	for v := range out.Walk() {
		if v.odd() {
			sets[v.DataSet] = true
		}
	}
	for set := range sets {
		if err := set.makeEven(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// makeEven replaces the values of odd length of ds itself.
func (ds *DataSet) makeEven() error {
	for i, el := range ds.els {
		if !el.odd() {
			continue
		}

		even, err := ds.evened(el)
		if err != nil {
			return err
		}

		ds.els[i] = even
		ds.touch(el.Tag)
	}
	return nil
}

// odd reports a value of odd length at any depth.
func (ds *DataSet) odd() bool {
	for v := range ds.Walk() {
		if v.odd() {
			return true
		}
	}
	return false
}

// odd reports a value, or a fragment of it, of odd length.
func (el Element) odd() bool {
	if !el.Encapsulated() {
		return el.ValueLength()&1 == 1
	}
	if len(el.OffsetTable())&1 == 1 {
		return true
	}

	for i := range el.FragmentCount() {
		if el.FragmentLength(i)&1 == 1 {
			return true
		}
	}
	return false
}

// evened is el with its value, or each of its fragments, padded to even length; the
// tables of offsets follow. ErrEncapsulated says that a pad would come to stand
// inside a frame.
func (ds *DataSet) evened(el Element) (Element, error) {
	v := *el.v.value
	if v.kind == plain {
		v.raw = pad(el.VR, v.raw)
		v.length = uint32(len(v.raw))
		return Element{el.Tag, el.VR, newCell(v)}, nil
	}

	more, aside := *v.more, *v.more.apart
	v.more, more.apart = &more, &aside
	more.even = true
	if !el.Encapsulated() {
		return Element{el.Tag, el.VR, newCell(v)}, nil
	}

	starts := fragmentShifts(el)
	if err := ds.padsWholeFrames(el); err != nil {
		return el, err
	}
	table := pad(OB, shiftedTable(el.OffsetTable(), 4, starts))
	if v.kind == bulk {
		more.bulk.OffsetTable = table
	} else {
		more.fragments = append([][]byte{table}, el.Fragments()...)
		for i := range more.fragments {
			more.fragments[i] = pad(OB, more.fragments[i])
		}
	}
	return Element{el.Tag, el.VR, newCell(v)}, ds.shiftExtendedTable(starts)
}

// padsWholeFrames refuses a fragment of odd length with more of its frame
// behind it. Only the end of a frame can be padded.
func (ds *DataSet) padsWholeFrames(el Element) error {
	frames, ok := ds.Int(tag.NumberOfFrames)
	if !ok {
		frames = 1
	}

	n := el.FragmentCount()
	if int64(n) <= frames {
		return nil
	}

	for i := range n - 1 {
		if el.FragmentLength(i)&1 == 1 {
			return fmt.Errorf("%w: a fragment of odd length inside a frame", ErrEncapsulated)
		}
	}
	return nil
}

// fragmentShift is where a fragment began, counted from the first byte behind
// the offset table, and by how many bytes it moves.
type fragmentShift struct{ start, by uint64 }

func fragmentShifts(el Element) []fragmentShift {
	out := make([]fragmentShift, el.FragmentCount())
	at := fragmentShift{}
	for i := range out {
		out[i] = at
		n := uint64(el.FragmentLength(i))
		at.start += 8 + n
		at.by += n & 1
	}
	return out
}

// shiftedTable is an offset table with entries of width bytes, little endian,
// that point to the same fragments once these have moved (PS3.5 A.4).
func shiftedTable(table []byte, width int, starts []fragmentShift) []byte {
	out := append([]byte(nil), table...)
	for b := out; len(b) >= width; b = b[width:] {
		at := uint64(binary.LittleEndian.Uint32(b))
		if width == 8 {
			at = binary.LittleEndian.Uint64(b)
		}

		i := sort.Search(len(starts), func(i int) bool { return starts[i].start > at })
		if i > 0 {
			at += starts[i-1].by
		}

		if width == 8 {
			binary.LittleEndian.PutUint64(b, at)
		} else {
			binary.LittleEndian.PutUint32(b, uint32(at))
		}
	}
	return out
}

// shiftExtendedTable moves the entries of (7FE0,0001), if there is one (PS3.3
// C.7.6.3.1.8). The lengths of (7FE0,0002) are those of the streams without
// padding and stay.
func (ds *DataSet) shiftExtendedTable(starts []fragmentShift) error {
	for i := range ds.els {
		el := &ds.els[i]
		if el.Tag != tag.ExtendedOffsetTable || el.Empty() {
			continue
		}

		loaded, err := el.Load(8 * int64(len(starts)))
		if err != nil {
			return err
		}

		moved := NewElement(el.Tag, el.VR, shiftedTable(loaded.Bytes(), 8, starts))
		moved.v.home = ds
		*el = moved
		ds.touch(el.Tag)
	}
	return nil
}
