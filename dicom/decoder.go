package dicom

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"collimator/dicom/tag"
)

// DecodeOptions say how a data set is to be read. The zero value reads
// implicit VR little endian into memory.
type DecodeOptions struct {
	TransferSyntax string // UID; empty is implicit VR little endian (PS3.5 10.1)
	Limits         Limits
	// BulkThreshold, if positive, leaves values longer than so many bytes and
	// every encapsulated value in the stream: they are stepped over in constant
	// memory and found again as Bulk. Zero keeps all in memory.
	BulkThreshold int64
	Source        io.ReaderAt // where Bulk is read again; may be nil
	Base          int64       // offset of the data set in Source, in bytes
	Account       Account     // asked for what is kept in memory; nil keeps without asking
}

// Decoder reads a data set as a stream of events in a single pass. Its memory
// does not depend on the data, but for the nesting, which Limits bound. It
// never seeks, and reads the stream to its end. Not safe for concurrent use.
type Decoder struct {
	br     *bufio.Reader
	off    int64
	rest   int64 // bytes of the current value not read yet
	limits Limits
	stack  []level

	deflated *inflater // nil where the data set is not deflated as a whole

	count   int
	frags   int
	cur     Event
	notes   []Note
	scratch []byte
	err     error
}

// level is a sequence, an item or an encapsulated value that is open.
type level struct {
	kind   EventKind // SequenceBegin, ItemBegin, FragmentsBegin; zero for the data set itself
	tag    Tag
	end    int64 // behind its last byte; -1 if a delimiter ends it
	form   form  // of what is inside
	index  int   // items begun
	signed bool  // PixelRepresentation is 1
	length uint32
}

// NewDecoder reads a data set from r. Of the options it uses the transfer
// syntax and the limits: no transfer syntax means implicit VR little endian, one
// that is not known is read as LookupTransferSyntax says. It reads nothing yet.
func NewDecoder(r io.Reader, o DecodeOptions) *Decoder {
	ts := TransferSyntax{}
	if o.TransferSyntax != "" {
		ts, _ = LookupTransferSyntax(o.TransferSyntax)
	}

	var z *inflater
	if ts.Deflated {
		z = newInflater(r, o.Limits)
		r = z
	}

	d := &Decoder{br: buffered(r), limits: o.Limits.withDefaults(), deflated: z}
	d.stack = append(make([]level, 0, 8), level{end: -1, form: ts.form()})
	return d
}

// Offset is how many bytes of the data set have been read.
func (d *Decoder) Offset() int64 { return d.off }

// Notes is what was irregular and read all the same, the first 64 of it.
func (d *Decoder) Notes() []Note { return d.notes }

// Next gives the next event; what is left of a value is stepped over. It
// returns io.EOF at the end of the stream and a *SyntaxError where it cannot
// be read on; then it gives that error for ever.
func (d *Decoder) Next() (Event, error) {
	if d.err != nil {
		return Event{}, d.err
	}
	ev, err := d.next()
	if err != nil {
		d.err = err
		return Event{}, err
	}
	d.cur = ev
	return ev, nil
}

func (d *Decoder) next() (Event, error) {
	if err := d.skip(); err != nil {
		return Event{}, err
	}

	top := &d.stack[len(d.stack)-1]
	if top.end >= 0 && d.off >= top.end {
		return d.close(false, 0)
	}

	switch top.kind {
	case SequenceBegin:
		return d.nextItem(top)
	case FragmentsBegin:
		return d.nextFragment(top)
	}
	return d.nextElement(top)
}

// close ends the innermost level.
func (d *Decoder) close(delimited bool, endLength uint32) (Event, error) {
	top := d.stack[len(d.stack)-1]
	d.stack = d.stack[:len(d.stack)-1]
	ev := Event{Kind: top.kind + 1, Tag: top.tag, Length: top.length, Offset: d.off, ValueOffset: d.off,
		Index: top.index, Depth: d.depth(), form: top.form, delimited: delimited, endLength: endLength}
	if top.kind == FragmentsBegin {
		ev.Kind = FragmentsEnd
	}
	return ev, nil
}

// depth is the number of sequences open.
func (d *Decoder) depth() int { return len(d.stack) / 2 }

// peek gives the next n bytes of the stream without taking them.
func (d *Decoder) peek(n int) ([]byte, error) {
	b, err := d.br.Peek(n)
	if err == nil || len(b) == 0 && err == io.EOF {
		return b, err
	}
	if err == io.EOF {
		return b, d.fail(0, "PS3.5 7.1", "stream ends inside an element header", io.ErrUnexpectedEOF)
	}
	return b, err
}

func (d *Decoder) take(n int) {
	d.br.Discard(n)
	d.off += int64(n)
}

// nextElement reads an element header of a data set or an item (PS3.5 7.1).
func (d *Decoder) nextElement(top *level) (Event, error) {
	if len(d.stack) == 1 && d.off > 0 && d.atZeros() {
		return Event{}, d.skipZeros()
	}

	b, err := d.peek(8)
	if err == io.EOF {
		if len(d.stack) == 1 {
			return Event{}, io.EOF
		}
		if d.shortDirectory() {
			return d.close(false, 0)
		}
		return Event{}, d.fail(0, "PS3.5 7.5", "stream ends inside an item", io.ErrUnexpectedEOF)
	}
	if err != nil {
		return Event{}, err
	}

	ev := Event{Kind: ElementEvent, Tag: top.form.tag(b), Offset: d.off, Depth: d.depth(), form: top.form}
	if ev.Tag.Group() == 0xFFFE {
		return d.strayItem(top, ev, top.form.uint32(b[4:]))
	}

	n, err := d.header(&ev, b)
	if err != nil {
		return Event{}, err
	}

	// Elements are counted before anything is kept of them.
	d.count++
	if d.tooMany() {
		return Event{}, d.fail(ev.Tag, "", "more elements than allowed", ErrLimit)
	}
	d.take(n)
	ev.ValueOffset = d.off

	if ev.Length == UndefinedLength || ev.VR == SQ {
		return d.open(ev)
	}
	if top.end >= 0 && ev.ValueOffset+int64(ev.Length) > top.end {
		return Event{}, d.failAt(ev.Offset, ev.Tag, "PS3.5 7.5.1", "value runs past the end of its item", nil)
	}

	if ev.Length&1 == 1 {
		d.note(ev, "odd length")
	}

	d.rest = int64(ev.Length)
	if ev.Tag == tag.PixelRepresentation && ev.Length == 2 {
		if v, err := d.br.Peek(2); err == nil {
			top.signed = top.form.uint16(v) == 1
		}
	}
	return ev, nil
}

// header fills VR and length of ev and says how long the header is.
func (d *Decoder) header(ev *Event, b []byte) (int, error) {
	f := ev.form
	if f&formExplicit == 0 {
		ev.VR = d.implicitVR(ev.Tag)
		ev.Length = f.uint32(b[4:])
		return 8, nil
	}

	ev.VR = VR(b[4])<<8 | VR(b[5])
	if !longForm(ev.VR) {
		if !ev.VR.Known() {
			d.note(*ev, "VR is not two capital letters")
		}
		ev.Length = uint32(f.uint16(b[6:]))
		return 8, nil
	}

	ev.reserved = f.uint16(b[6:])
	b, err := d.peek(12)
	if err != nil {
		return 0, err
	}

	ev.Length = f.uint32(b[8:])
	return 12, nil
}

// longForm reports a header of twelve bytes in explicit VR. Capital letters
// that are not a VR yet are a VR to come, which has the long form; anything else
// is an error of the writer and in practice short (PS3.5 7.1.2).
func longForm(vr VR) bool {
	if vr.Known() {
		return vr.Long()
	}
	hi, lo := byte(vr>>8), byte(vr)
	return hi >= 'A' && hi <= 'Z' && lo >= 'A' && lo <= 'Z'
}

// implicitVR is the VR of the dictionary, with the choices of PS3.5 A.1 made.
func (d *Decoder) implicitVR(t Tag) VR {
	signed := false
	for i := len(d.stack) - 1; i >= 0 && !signed; i-- {
		signed = d.stack[i].signed
	}
	return implicitVR(t, signed)
}

func implicitVR(t Tag, signed bool) VR {
	vr := VRFor(t)
	if vr == 0 {
		return UN
	}
	if vr != OB && vr != US {
		return vr
	}

	e, _ := tag.Lookup(t)
	switch {
	case strings.Contains(e.VR, "OW"):
		return OW
	case signed && strings.Contains(e.VR, "SS"):
		return SS
	}
	return vr
}

// open begins a sequence or an encapsulated value.
func (d *Decoder) open(ev Event) (Event, error) {
	l := level{tag: ev.Tag, end: -1, form: ev.form, length: ev.Length, kind: SequenceBegin}
	switch {
	case ev.Length != UndefinedLength:
		l.end = ev.ValueOffset + int64(ev.Length)
		d.stretch(ev, l.end, "sequence runs past the end of its item")
	case ev.Tag == tag.PixelData || ev.VR == OB || ev.VR == OW:
		l.kind = FragmentsBegin
	case ev.VR == UN:
		l.form = 0
	case ev.form&formExplicit != 0 && ev.VR != SQ && ev.VR.Known():
		return Event{}, d.failAt(ev.Offset, ev.Tag, "PS3.5 7.1.2", "VR "+ev.VR.String()+" cannot have undefined length", nil)
	}

	if ev.form&formExplicit == 0 && l.kind == SequenceBegin {
		ev.VR = SQ
	}

	ev.Kind = l.kind
	ev.content = l.form
	if d.depth() >= d.limits.Depth {
		return Event{}, d.failAt(ev.Offset, ev.Tag, "PS3.5 7.5", "sequences nested deeper than "+strconv.Itoa(d.limits.Depth), ErrLimit)
	}

	d.stack = append(d.stack, l)
	return ev, nil
}

// stretch lets what is open end no sooner than what is about to begin in it.
// DICOMDIR writers get the length of the record sequence wrong.
func (d *Decoder) stretch(ev Event, end int64, reason string) {
	for i := range d.stack {
		if l := &d.stack[i]; l.end >= 0 && l.end < end {
			l.end = end
			if i == len(d.stack)-1 {
				d.note(ev, reason)
			}
		}
	}
}

// shortDirectory lets the last directory record end with the file though its
// length says otherwise, as DICOMDIR writers in the field have it (PS3.3 F.3).
func (d *Decoder) shortDirectory() bool {
	if d.stack[1].tag != tag.DirectoryRecordSequence {
		return false
	}

	for _, l := range d.stack[1:] {
		if l.end < 0 {
			return false
		}
	}

	for i := range d.stack[1:] {
		d.stack[1+i].end = d.off
	}

	d.note(Event{Tag: tag.DirectoryRecordSequence, Offset: d.off}, "file ends before its last record")
	return true
}

// strayItem deals with item tags where an element should begin (PS3.5 7.5).
func (d *Decoder) strayItem(top *level, ev Event, length uint32) (Event, error) {
	if ev.Tag == tag.ItemDelimitationItem && top.kind == ItemBegin && top.end < 0 {
		d.take(8)
		if length != 0 {
			d.note(ev, "delimitation item has a length")
		}
		return d.close(true, length)
	}
	return Event{}, d.fail(ev.Tag, "PS3.5 7.5", "item or delimitation item where an element is due", nil)
}

// nextItem reads an item header or the end of a sequence (PS3.5 7.5.1).
func (d *Decoder) nextItem(top *level) (Event, error) {
	t, length, err := d.itemHeader(top, "sequence")
	if err != nil {
		return Event{}, err
	}

	ev := Event{Kind: ItemBegin, Tag: top.tag, Length: length, Offset: d.off, ValueOffset: d.off + 8,
		Index: top.index, Depth: d.depth(), form: top.form, content: top.form}

	switch {
	case t == tag.SequenceDelimitationItem && top.end < 0:
		d.take(8)
		if length != 0 {
			d.note(ev, "delimitation item has a length")
		}
		return d.close(true, length)
	case t != tag.Item:
		return Event{}, d.fail(t, "PS3.5 7.5", "element where an item is due", nil)
	}

	d.count++
	if d.tooMany() {
		return Event{}, d.fail(t, "", "more elements than allowed", ErrLimit)
	}
	d.take(8)

	l := level{kind: ItemBegin, tag: top.tag, end: -1, form: top.form, length: length, index: top.index}
	if length != UndefinedLength {
		l.end = d.off + int64(length)
		d.stretch(ev, l.end, "item runs past the end of its sequence")
	}

	top.index++
	d.stack = append(d.stack, l)
	return ev, nil
}

// nextFragment reads a fragment header or the end of them (PS3.5 A.4).
func (d *Decoder) nextFragment(top *level) (Event, error) {
	t, length, err := d.itemHeader(top, "encapsulated value")
	if err != nil {
		return Event{}, err
	}

	switch {
	case t == tag.SequenceDelimitationItem:
		d.take(8)
		return d.close(true, length)
	case t != tag.Item:
		return Event{}, d.fail(t, "PS3.5 A.4", "element where a fragment is due", nil)
	case length == UndefinedLength:
		return Event{}, d.fail(t, "PS3.5 A.4", "fragment of undefined length", nil)
	}

	if d.frags++; d.frags > d.limits.Fragments {
		return Event{}, d.fail(t, "PS3.5 A.4", "more fragments than allowed", ErrLimit)
	}

	ev := Event{Kind: FragmentEvent, Tag: top.tag, Length: length, Offset: d.off, ValueOffset: d.off + 8,
		Index: top.index, Depth: d.depth(), form: top.form}
	d.take(8)
	d.rest = int64(length)
	top.index++
	return ev, nil
}

// itemHeader peeks at the eight bytes of an item or a delimitation item.
func (d *Decoder) itemHeader(top *level, where string) (Tag, uint32, error) {
	b, err := d.peek(8)
	if err == io.EOF {
		return 0, 0, d.fail(top.tag, "PS3.5 7.5", "stream ends inside a "+where, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return 0, 0, err
	}
	return top.form.tag(b), top.form.uint32(b[4:]), nil
}

// Read reads the value of the current element or fragment, in the byte order
// of the stream; io.EOF at its end.
func (d *Decoder) Read(p []byte) (int, error) {
	if d.rest == 0 {
		return 0, io.EOF
	}

	if int64(len(p)) > d.rest {
		p = p[:d.rest]
	}

	n, err := d.br.Read(p)
	d.off += int64(n)
	d.rest -= int64(n)
	if err == io.EOF {
		err = d.truncated()
	}
	if err != nil && d.rest > 0 {
		d.err = err
		return n, err
	}
	return n, nil
}

func (d *Decoder) truncated() error {
	return d.failAt(d.cur.Offset, d.cur.Tag, "PS3.5 7.1.1", "stream ends inside the value", io.ErrUnexpectedEOF)
}

// skip steps over what is left of the current value.
func (d *Decoder) skip() error {
	for d.rest > 0 {
		if d.rest <= 1<<20 {
			n, err := d.br.Discard(int(d.rest))
			d.off += int64(n)
			d.rest -= int64(n)
			if err == io.EOF {
				return d.truncated()
			}
			if err != nil {
				return err
			}
			continue
		}

		if d.scratch == nil {
			d.scratch = make([]byte, 4*bufferSize)
		}

		if _, err := d.Read(d.scratch); err != nil {
			return err
		}
	}
	return nil
}
