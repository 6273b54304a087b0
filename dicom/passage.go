package dicom

import (
	"bufio"
	"bytes"
	"compress/flate"
	"fmt"
	"hash"
	"io"

	"collimator/dicom/tag"
)

// headEnd is where the head of a data set ends: pixel data and what belongs to
// them is of group 7FE0, and all groups behind it only repeat or seal what stands
// in front (PS3.3 C.7.6.3.1.4).
const headEnd = Tag(0x7FE0_0000)

// Passage is a data set on its way from one peer to another: what stands in front
// of the pixel data is in memory, the rest is still in the stream. Whoever stands
// between the two judges the head, and then lets the data set pass, decoded and
// written anew element by element, or not at all. Not safe for concurrent use.
type Passage struct {
	// Head holds the elements of the groups below 7FE0. It may be changed before
	// WriteTo.
	Head *DataSet
	// Hash, when it is set before WriteTo, is given all that is written, before it is
	// deflated: of one data set it is the same whenever that comes in the same transfer syntax.
	Hash hash.Hash
	// Look, when it is set before WriteTo, is shown the values that come behind the head: each
	// element that is not a sequence, and the first fragments of an encapsulated one. What it is given
	// has the tag, the VR and the first LookSize bytes of the value, in the byte order of the
	// stream. It is called before any of the value is written, and its error ends WriteTo.
	Look func(el Element) error
	// Fragments, when it is set before WriteTo, is called at the beginning of each fragment behind the
	// basic offset table of an encapsulated value that comes behind the head. What it gives is written
	// all bytes of the fragment, some before they are passed on and all before the data set ends; its
	// error ends WriteTo.
	Fragments func(of Tag) io.Writer

	d     *Decoder
	ts    TransferSyntax
	first Event // of the rest
	more  bool  // there is a rest
	order order
}

// ReadPassage reads the head of a data set from r, and nothing of the pixel data
// but their header. It holds the values of the head in memory, within
// Limits.Header, and asks Account for them; BulkThreshold and Source are not used.
func ReadPassage(r io.Reader, o DecodeOptions) (*Passage, error) {
	o.BulkThreshold = 0
	b, ds := newBuilder(r, o)
	p := &Passage{Head: ds, d: b.d, ts: b.ts}

	for {
		ev, err := b.d.Next()
		if err == io.EOF {
			return p, nil
		}
		if err != nil {
			return p, err
		}

		if err := p.order.check(b.d, ev); err != nil {
			return p, err
		}
		if ev.Depth == 0 && ev.Tag >= headEnd {
			p.first = ev
			p.more = true
			return p, nil
		}
		if err := b.event(ev); err != nil {
			return p, err
		}
	}
}

// order is the element at the top of a data set that was met last.
type order struct{ last Tag }

// check refuses an element at the top that stands behind a later one, or twice:
// of two readers each could take another one of them for what counts (PS3.5 7.1).
func (o *order) check(d *Decoder, ev Event) error {
	begins := ev.Kind == ElementEvent || ev.Kind == SequenceBegin || ev.Kind == FragmentsBegin
	if ev.Depth > 0 || !begins {
		return nil
	}
	if ev.Tag <= o.last && o.last != 0 {
		return d.failAt(ev.Offset, ev.Tag, "PS3.5 7.1", "element behind a later one, or twice", nil)
	}
	o.last = ev.Tag
	return nil
}

// Notes is what was irregular in what was read so far; see Decoder.Notes.
func (p *Passage) Notes() []Note { return p.d.Notes() }

// WriteTo writes the head, and then the rest as it comes, in the transfer syntax in
// which the data set is read: sequences and items of the rest end with
// delimiters, values are of even length, and what follows the data set is left
// out. Memory does not grow with the value. An error of the data set is a
// *SyntaxError, or ErrEncapsulated where a fragment of odd length cannot be
// padded. It may be called once.
func (p *Passage) WriteTo(w io.Writer) (int64, error) {
	counted := &countingWriter{w: w}
	if !p.ts.Deflated {
		err := p.write(counted)
		return counted.n, err
	}

	z, err := flate.NewWriter(counted, flate.DefaultCompression)
	if err != nil {
		return 0, err
	}
	if err := p.write(z); err != nil {
		return counted.n, err
	}
	if err := z.Close(); err != nil {
		return counted.n, err
	}
	if counted.n&1 == 1 { // PS3.5 A.5
		_, err = counted.Write([]byte{0})
	}
	return counted.n, err
}

func (p *Passage) write(w io.Writer) error {
	if p.Hash != nil {
		w = io.MultiWriter(w, p.Hash)
	}

	head, err := p.Head.Evened()
	if err != nil {
		return err
	}
	if err := encode(w, head, p.ts.form(), EncodeOptions{UndefinedLengths: true}); err != nil {
		return err
	}
	if !p.more {
		return nil
	}

	out := &passageWriter{encoder: encoder{w: bufio.NewWriterSize(w, bufferSize)}, d: p.d, look: p.Look, fragments: p.Fragments}
	out.event(p.first)
	for out.err == nil {
		ev, err := p.d.Next()
		if err == io.EOF {
			return out.w.Flush()
		}
		if err == nil {
			err = p.order.check(p.d, ev)
		}
		if err != nil {
			return err
		}
		out.event(ev)
	}
	return out.err
}

// passageWriter writes events as they are read.
type passageWriter struct {
	encoder
	d         *Decoder
	look      func(Element) error
	fragments func(Tag) io.Writer
	odd       bool // the last fragment of the encapsulated value was padded
}

// LookSize is how much of a value Passage.Look is shown, in bytes.
const LookSize = bufferSize

// lookFragments is how many fragments of an encapsulated value are shown, behind the
// basic offset table.
const lookFragments = 4

// show lets Look see the beginning of the value that the decoder has come to.
func (p *passageWriter) show(ev Event) {
	if p.look == nil || p.err != nil || ev.Length == 0 || ev.Kind == FragmentEvent && (ev.Index == 0 || ev.Index > lookFragments) {
		return
	}
	b, err := p.d.br.Peek(int(min(ev.Length, LookSize)))
	if err != nil {
		return // it is cut short, which reading it shows
	}
	p.fail(p.look(Element{Tag: ev.Tag, VR: ev.VR, v: newCell(value{raw: bytes.Clone(b), length: uint32(len(b)), form: ev.form})}))
}

func (p *passageWriter) event(ev Event) {
	el := Element{Tag: ev.Tag, VR: ev.VR, v: newCell(value{reserved: ev.reserved})}
	switch ev.Kind {
	case ElementEvent:
		p.show(ev)
		n := ev.Length + ev.Length&1
		p.header(el, ev.VR, n, ev.form)
		p.copy(p.d, ev.Length, padding(ev.VR))
	case SequenceBegin:
		p.header(el, ev.VR, UndefinedLength, ev.form)
	case ItemBegin:
		p.item(tag.Item, UndefinedLength, ev.form)
	case ItemEnd:
		p.item(tag.ItemDelimitationItem, 0, ev.form)
	case SequenceEnd, FragmentsEnd:
		p.item(tag.SequenceDelimitationItem, 0, ev.form)
	case FragmentsBegin:
		p.odd = false
		p.header(el, ev.VR, UndefinedLength, ev.form)
	case FragmentEvent:
		p.fragment(ev)
	}
}

// fragment writes one fragment of even length (PS3.5 A.4). Behind one that was
// padded others would no longer begin where an offset table says, nor might a
// stream go on in them.
func (p *passageWriter) fragment(ev Event) {
	if p.odd {
		p.fail(fmt.Errorf("%w: a fragment of odd length stands in front of another", ErrEncapsulated))
		return
	}
	p.odd = ev.Index > 0 && ev.Length&1 == 1

	p.show(ev)
	p.item(tag.Item, ev.Length+ev.Length&1, ev.form)
	var from io.Reader = p.d
	if p.fragments != nil && ev.Index > 0 {
		from = io.TeeReader(p.d, p.fragments(ev.Tag))
	}
	p.copy(from, ev.Length, 0)
}

// copy writes the value that the decoder has come to, from there, padded to an even length.
func (p *passageWriter) copy(value io.Reader, n uint32, pad byte) {
	if p.err != nil {
		return
	}
	if _, err := io.Copy(p.w, value); err != nil {
		p.fail(err)
		return
	}
	if n&1 == 1 {
		p.write([]byte{pad})
	}
}
