package dicom

import (
	"io"

	"collimator/dicom/tag"
)

// Decode reads a data set to the end of r, in a single pass. It never
// allocates from a length field: memory is bounded by what arrived and by the
// limits. What is wrong with the stream comes as a *SyntaxError. Beside an error
// stands what was read until then: it is for saying what was refused, and for
// nothing else.
func Decode(r io.Reader, o DecodeOptions) (*DataSet, error) {
	b, ds := newBuilder(r, o)
	for {
		ev, err := b.d.Next()
		if err == io.EOF {
			ds.root.notes = b.d.notes
			return ds, nil
		}
		if err != nil {
			return ds, err
		}
		if err := b.event(ev); err != nil {
			return ds, err
		}
	}
}

// newBuilder begins to read a data set from r.
func newBuilder(r io.Reader, o DecodeOptions) (*builder, *DataSet) {
	b := &builder{d: NewDecoder(r, o), o: o, limits: o.Limits.withDefaults(), charge: charger{account: o.Account}}
	b.source = &bulkSource{at: o.Source, base: o.Base, limits: o.Limits}

	if o.TransferSyntax != "" {
		b.ts, _ = LookupTransferSyntax(o.TransferSyntax)
	}
	b.source.deflated = b.ts.Deflated

	ds := newRoot(b.ts.form(), o.TransferSyntax)
	b.open = append(b.open, ds)
	return b, ds
}

// builder makes data sets of events.
type builder struct {
	d      *Decoder
	o      DecodeOptions
	ts     TransferSyntax // zero is implicit VR little endian
	limits Limits
	source *bulkSource
	open   []*DataSet // data set and the items around
	slots  []slot     // arena
	bytes  []byte     // arena
	header int64      // bytes kept that count as header
	charge charger
}

// minArena and maxArena are the sizes in bytes of the pieces in which short
// values are laid down together.
const (
	minArena = 1 << 10
	maxArena = 32 << 10
)

func (b *builder) event(ev Event) error {
	if err := b.charge.add(costOf(ev.Kind)); err != nil {
		return err
	}

	switch ev.Kind {
	case ElementEvent:
		return b.element(ev)
	case SequenceBegin:
		v := b.add(ev)
		v.kind = sequence
		v.more = &nested{content: ev.content}
	case SequenceEnd, FragmentsEnd:
		m := b.last().more
		m.delimited = ev.delimited
		m.endLength = ev.endLength
		if ev.Kind == FragmentsEnd && b.last().kind == bulk {
			m.bulk.Length = ev.Offset - m.bulk.Offset
		}
	case ItemBegin:
		parent := b.open[len(b.open)-1]
		item := &DataSet{parent: parent, form: ev.content, length: ev.Length}
		m := b.last().more
		m.items = append(m.items, item)
		b.open = append(b.open, item)
	case ItemEnd:
		item := b.open[len(b.open)-1]
		item.delimited = ev.delimited
		item.endLength = ev.endLength
		b.open = b.open[:len(b.open)-1]
	case FragmentsBegin:
		v := b.add(ev)
		v.kind = fragments
		v.more = aside(apart{})
		if b.o.BulkThreshold > 0 {
			v.kind = bulk
			v.more.source = b.source
			v.more.bulk = Bulk{Offset: ev.ValueOffset, Encapsulated: true}
		}
	case FragmentEvent:
		return b.fragment(ev)
	}
	return nil
}

// costOf is what an event adds in memory, without the bytes of its value.
func costOf(kind EventKind) int64 {
	switch kind {
	case ElementEvent:
		return elementCost
	case SequenceBegin:
		return elementCost + nestedCost
	case FragmentsBegin:
		return elementCost + apartCost
	case ItemBegin:
		return itemCost
	case FragmentEvent:
		return fragmentCost
	}
	return 0
}

// last is the value of the element being built.
func (b *builder) last() *value {
	ds := b.open[len(b.open)-1]
	return ds.els[len(ds.els)-1].v.value
}

// add appends an element to the innermost data set.
func (b *builder) add(ev Event) *value {
	if len(b.slots) == 0 {
		b.slots = make([]slot, min(16+b.d.count, 256))
	}

	s := &b.slots[0]
	b.slots = b.slots[1:]

	ds := b.open[len(b.open)-1]
	s.stored = value{home: ds, length: ev.Length, reserved: ev.reserved, form: ev.form}
	ds.append(Element{ev.Tag, ev.VR, s.cell()})
	return &s.stored
}

// slot is a cell and its value, laid down together.
type slot struct {
	handle cell
	stored value
}

func (s *slot) cell() *cell {
	s.handle.value = &s.stored
	return &s.handle
}

func (b *builder) element(ev Event) error {
	v := b.add(ev)
	n := int64(ev.Length)
	if b.o.BulkThreshold > 0 && n > b.o.BulkThreshold {
		v.kind = bulk
		v.more = aside(apart{bulk: Bulk{Offset: ev.ValueOffset, Length: n}, source: b.source})
		return b.d.skip()
	}

	var err error
	if v.raw, err = b.value(ev, b.d.depth() == 0 && pixelKind(ev.Tag)); err != nil {
		return err
	}

	if ev.Tag == tag.SpecificCharacterSet {
		b.open[len(b.open)-1].readCharacterSet()
	}
	return nil
}

func (b *builder) fragment(ev Event) error {
	m := b.last().more
	if b.last().kind == fragments {
		raw, err := b.value(ev, ev.Index > 0)
		m.fragments = append(m.fragments, raw)
		return err
	}

	if ev.Index == 0 {
		raw, err := b.value(ev, false)
		m.bulk.OffsetTable = raw
		return err
	}

	m.bulk.Fragments = append(m.bulk.Fragments, BulkFragment{ev.ValueOffset, ev.Length})
	return b.d.skip()
}

// value reads the current value into memory: pixels up to Limits.Value, other values
// up to Limits.Header together. Short values share their memory.
func (b *builder) value(ev Event, pixels bool) ([]byte, error) {
	n := int64(ev.Length)
	if pixels {
		if n > b.limits.Value {
			return nil, b.d.failAt(ev.Offset, ev.Tag, "", "value is longer than allowed", ErrLimit)
		}
	} else if b.header += n; b.header > b.limits.Header {
		return nil, b.d.failAt(ev.Offset, ev.Tag, "", "values are longer than allowed for a header", ErrLimit)
	}

	if n == 0 {
		return nil, nil
	}
	if n > maxArena/8 {
		return b.long(n)
	}

	if err := b.charge.add(n); err != nil {
		return nil, err
	}

	if int(n) > len(b.bytes) {
		b.bytes = make([]byte, max(min(minArena+2*int(b.header), maxArena), int(n)))
	}

	out := b.bytes[:n:n]
	b.bytes = b.bytes[n:]
	_, err := readFull(b.d, out)
	return out, err
}

// firstPiece is the most bytes that are allocated before any has arrived.
const firstPiece = 512 << 10

// long reads n bytes into memory that grows as they arrive.
func (b *builder) long(n int64) ([]byte, error) {
	out := make([]byte, min(n, firstPiece))
	if err := b.charge.add(int64(len(out))); err != nil {
		return nil, err
	}
	for have := 0; ; {
		got, err := readFull(b.d, out[have:])
		if err != nil {
			return nil, err
		}
		if have += got; int64(have) == n {
			return out, nil
		}

		more := min(n, 2*int64(have)) - int64(have)
		if err := b.charge.add(more); err != nil {
			return nil, err
		}

		grown := make([]byte, int64(have)+more)
		copy(grown, out)
		out = grown
	}
}

// readFull is io.ReadFull without turning the decoder's error into another.
func readFull(d *Decoder, p []byte) (int, error) {
	have := 0
	for have < len(p) {
		n, err := d.Read(p[have:])
		have += n
		if err != nil {
			return have, err
		}
	}
	return have, nil
}
