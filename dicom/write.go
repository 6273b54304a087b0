package dicom

import (
	"bytes"
	"io"
	"slices"

	"collimator/dicom/tag"
)

// measureDataSet is how many bytes the elements of ds take in form f.
func (e *encoder) measureDataSet(ds *DataSet, f form) int64 {
	var total int64
	group := -1
	slot := -1
	sum := int64(0)
	closeGroup := func() {
		if slot >= 0 && ds.regroup(uint16(group), f) {
			e.sizes[slot] = uint32(sum)
		}
		slot = -1
	}
	for _, el := range ds.els {
		if g := int(el.Tag.Group()); g != group {
			closeGroup()
			group = g
		}

		n := e.measure(el, f)
		total += n
		sum += n
		if isGroupLength(el) {
			closeGroup()
			slot = len(e.sizes)
			sum = 0
			e.sizes = append(e.sizes, uint32(el.Ints()[0]))
		}
	}
	closeGroup()
	return total
}

// isGroupLength reports a group length that can be corrected (PS3.5 7.2).
func isGroupLength(el Element) bool {
	return el.Tag.GroupLength() && el.VR == UL && el.v.kind == plain && len(el.v.raw) == 4
}

// regroup reports whether the length of a group is no longer as it was read.
func (ds *DataSet) regroup(group uint16, f form) bool {
	if ds.made || ds.form != f {
		return true
	}
	if slices.Contains(ds.changedGroups(), group) {
		return true
	}

	for _, el := range ds.els {
		if el.Tag.Group() == group && el.v.kind == sequence && !el.v.clean(contentForm(el, f)) {
			return true
		}
	}
	return false
}

// measure is how many bytes el takes in form f, header included.
func (e *encoder) measure(el Element, f form) int64 {
	switch {
	case el.v.kind == sequence:
		return e.measureSequence(el, f)
	case el.v.kind == fragments:
		_, _, header := headerFor(el.VR, UndefinedLength, f)
		n := int64(header + 8)
		for _, b := range el.v.more.fragments {
			n += 8 + int64(len(b))
		}
		return n
	case el.Encapsulated():
		_, _, header := headerFor(el.VR, UndefinedLength, f)
		if el.v.more.even {
			return int64(header) + el.v.more.bulk.evenLength()
		}
		return int64(header) + el.v.more.bulk.Length
	}

	_, n, header := layout(el, f)
	return int64(header) + int64(n)
}

func (e *encoder) measureSequence(el Element, f form) int64 {
	_, _, header := headerFor(el.VR, UndefinedLength, f)
	cf := contentForm(el, f)
	slot := len(e.sizes)
	e.sizes = append(e.sizes, 0)
	var n int64
	for _, item := range el.v.more.items {
		n += 8 + e.measureItem(item, cf)
	}

	made := el.v.more.made
	length := el.v.length
	if f&formExplicit == 0 && VRFor(el.Tag) != SQ { // or its items could not be found again
		made = false
		length = UndefinedLength
	}

	n = e.settle(slot, n, el.v.clean(cf), made, length)
	return int64(header) + n
}

func (e *encoder) measureItem(item *DataSet, f form) int64 {
	slot := len(e.sizes)
	e.sizes = append(e.sizes, 0)
	n := e.measureDataSet(item, f)
	return e.settle(slot, n, item.clean(f), item.made, item.length)
}

// settle decides the length field of a sequence or item of n bytes, and gives
// the bytes with the delimiter.
func (e *encoder) settle(slot int, n int64, clean, made bool, length uint32) int64 {
	switch {
	case clean && length != UndefinedLength:
		e.sizes[slot] = length
		return n
	case clean, e.endsOpen(made, length), n >= UndefinedLength:
		e.sizes[slot] = UndefinedLength
		return n + 8
	}
	e.sizes[slot] = uint32(n)
	return n
}

// next is the length field that was measured, or else the one that was read.
func (e *encoder) next(read uint32) uint32 {
	if !e.measured {
		return read
	}
	n := e.sizes[0]
	e.sizes = e.sizes[1:]
	return n
}

// dataSet writes the elements of ds.
func (e *encoder) dataSet(ds *DataSet, f form) {
	for _, el := range ds.els {
		if e.err != nil {
			return
		}
		e.element(el, f)
	}
}

func (e *encoder) element(el Element, f form) {
	switch {
	case el.v.kind == sequence:
		e.sequence(el, f)
	case el.v.kind == fragments:
		e.fragments(el, f)
	case el.v.kind == bulk:
		e.bulk(el, f)
	case e.measured && isGroupLength(el):
		e.header(el, UL, 4, f)
		b := f.order().AppendUint32(e.scratch[:0], e.next(0))
		e.write(b)
	default:
		e.plain(el, f)
	}
}

// header writes tag, VR and length (PS3.5 7.1.2, 7.1.3).
func (e *encoder) header(el Element, vr VR, n uint32, f form) {
	o := f.order()
	b := o.AppendUint16(e.scratch[:0], el.Tag.Group())
	b = o.AppendUint16(b, el.Tag.Element())
	switch {
	case f&formExplicit == 0:
		b = o.AppendUint32(b, n)
	case longForm(vr):
		b = append(b, byte(vr>>8), byte(vr))
		b = o.AppendUint16(b, el.v.reserved)
		b = o.AppendUint32(b, n)
	default:
		b = append(b, byte(vr>>8), byte(vr))
		b = o.AppendUint16(b, uint16(n))
	}

	e.write(b)
}

// item writes the header of an item or a delimitation item (PS3.5 7.5).
func (e *encoder) item(t Tag, n uint32, f form) {
	o := f.order()
	b := o.AppendUint16(e.scratch[:0], t.Group())
	b = o.AppendUint16(b, t.Element())
	e.write(o.AppendUint32(b, n))
}

func (e *encoder) write(b []byte) {
	if _, err := e.w.Write(b); err != nil {
		e.fail(err)
	}
}

func (e *encoder) plain(el Element, f form) {
	vr, n, _ := layout(el, f)
	e.header(el, vr, n, f)
	raw := el.v.raw
	if unit := el.VR.unit(); unit > 1 && turned(el, vr, f) {
		raw = bytes.Clone(raw)
		swap(raw, unit)
	}
	e.write(raw)
	if uint32(len(raw)) < n {
		e.write([]byte{padding(vr)})
	}
}

// turned reports whether a value changes its byte order on the way into form
// f; what becomes UN is little endian (PS3.5 6.2.2).
func turned(el Element, vr VR, f form) bool {
	if vr == UN {
		f = 0
	}
	return (el.v.form^f)&formBig != 0
}

func (e *encoder) sequence(el Element, f form) {
	vr, n, _ := headerFor(el.VR, e.next(el.v.length), f)
	e.header(el, vr, n, f)
	cf := contentForm(el, f)
	for _, item := range el.v.more.items {
		n := e.next(item.length)
		e.item(tag.Item, n, cf)
		e.dataSet(item, cf)
		if n == UndefinedLength {
			e.item(tag.ItemDelimitationItem, item.endLength, cf)
		}
	}

	if n == UndefinedLength {
		e.item(tag.SequenceDelimitationItem, el.v.more.endLength, cf)
	}
}

func (e *encoder) fragments(el Element, f form) {
	e.header(el, el.VR, UndefinedLength, f)
	for _, b := range el.v.more.fragments {
		e.item(tag.Item, uint32(len(b)), f)
		e.write(b)
	}
	e.item(tag.SequenceDelimitationItem, el.v.more.endLength, f)
}

// evenLength is the bytes of an encapsulated value with fragments of even
// length, from the offset table up to and including the delimiter.
func (b Bulk) evenLength() int64 {
	n := int64(8 + len(b.OffsetTable) + 8)
	for _, f := range b.Fragments {
		n += 8 + int64(f.Length) + int64(f.Length&1)
	}
	return n
}

// evenFragments copies the fragments from the stream in which they were left,
// each padded to an even length (PS3.5 A.4).
func (e *encoder) evenFragments(el Element, f form) {
	b := el.v.more.bulk
	e.item(tag.Item, uint32(len(b.OffsetTable)), f)
	e.write(b.OffsetTable)

	for _, frag := range b.Fragments {
		e.item(tag.Item, frag.Length+frag.Length&1, f)
		r, err := el.v.more.source.open(frag.Offset, int64(frag.Length))
		if err != nil {
			e.fail(err)
			return
		}
		if _, err := io.Copy(e.w, r); err != nil {
			e.fail(err)
			return
		}
		if frag.Length&1 == 1 {
			e.write([]byte{0})
		}
	}
	e.item(tag.SequenceDelimitationItem, el.v.more.endLength, f)
}

// bulk copies a value from the stream in which it was left.
func (e *encoder) bulk(el Element, f form) {
	b := el.v.more.bulk
	vr, n, _ := layout(el, f)
	if b.Encapsulated {
		vr = el.VR
		n = UndefinedLength
		if (el.v.form^f)&formBig != 0 {
			e.fail(ErrEncapsulated)
			return
		}
	}
	e.header(el, vr, n, f)
	if b.Encapsulated && el.v.more.even {
		e.evenFragments(el, f)
		return
	}

	r, err := el.v.more.source.open(b.Offset, b.Length)
	if err != nil {
		e.fail(err)
		return
	}
	if unit := el.VR.unit(); unit > 1 && turned(el, vr, f) {
		r = &swapReader{r: r, unit: unit}
	}
	if _, err := io.Copy(e.w, r); err != nil {
		e.fail(err)
	}
	if !b.Encapsulated && int64(n) > b.Length {
		e.write([]byte{padding(vr)})
	}
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}
