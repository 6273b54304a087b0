package dicom

import (
	"iter"
	"strconv"
	"strings"
)

// Visit is one element met on a walk over a data set.
type Visit struct {
	Element
	// DataSet is the data set or the item in which the element stands.
	DataSet *DataSet
	// Path is the sequences and items around it, outermost first; empty at the
	// top. It is valid until the walk goes on: clone it to keep it.
	Path Path
}

// Step is one sequence on a path and the item of it, from 0, that was entered.
type Step struct {
	Sequence Tag
	Item     int
}

// Path is the sequences and items around an element, outermost first.
type Path []Step

// String is the path as error texts show it: "(0040,A730)[2].(0040,A168)[1]",
// items from 1.
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.Sequence.String() + "[" + strconv.Itoa(s.Item+1) + "]")
	}
	return b.String()
}

// Walk gives every element of ds and of all items inside it, at every depth, in
// encoded order: a sequence first, then what its items hold. Whatever looks for
// a kind of value (encapsulated ones, those left in the stream) goes through
// it, so that what is inside a sequence is met like what is at the top.
// The data set must not be changed meanwhile. It costs no stack for depth.
func (ds *DataSet) Walk() iter.Seq[Visit] {
	return func(yield func(Visit) bool) {
		open := []walkLevel{{ds: ds}}
		var path Path

		for len(open) > 0 {
			top := &open[len(open)-1]
			if len(top.items) > 0 && path[len(path)-1].Item+1 < len(top.items) {
				path[len(path)-1].Item++
				open = append(open, walkLevel{ds: top.items[path[len(path)-1].Item]})
				continue
			}
			if len(top.items) > 0 { // the sequence is done
				path = path[:len(path)-1]
				top.items = nil
			}
			if top.next == len(top.ds.els) {
				open = open[:len(open)-1]
				continue
			}

			el := top.ds.els[top.next]
			top.next++
			if !yield(Visit{Element: el, DataSet: top.ds, Path: path}) {
				return
			}
			if items := el.Items(); len(items) > 0 {
				top.items = items
				path = append(path, Step{Sequence: el.Tag, Item: -1})
			}
		}
	}
}

// walkLevel is a data set on the way down: the element that comes next, and the
// items of the sequence that is being walked through.
type walkLevel struct {
	ds    *DataSet
	next  int
	items []*DataSet
}

// InStream gives every value that was left in the stream, at every depth, in
// encoded order; see Bulk for where its bytes lie. A value in a JSON document
// (BulkDataURI) and one made by NewBulk or NewStream have no place in the stream
// and are not among them.
func (ds *DataSet) InStream() iter.Seq2[Visit, Bulk] {
	return func(yield func(Visit, Bulk) bool) {
		for v := range ds.Walk() {
			b, ok := v.Bulk()
			if !ok || !v.v.more.inStream() {
				continue
			}
			if !yield(v, b) {
				return
			}
		}
	}
}

// inStream reports a value whose Bulk is a place in the stream that was read.
func (m *nested) inStream() bool { return m.uri == "" && !m.made }

// Extent is a stretch of bytes of a stream.
type Extent struct {
	Offset int64 // of its first byte, from the start of the data set
	Length int64 // bytes; never 0
}

// Extents gives the bytes of the value in the order of the stream: those of the
// value itself, or of an encapsulated value those of each fragment without the
// item headers and the offset table (PS3.5 A.4). Empty ones are left out.
func (b Bulk) Extents() iter.Seq[Extent] {
	return func(yield func(Extent) bool) {
		if !b.Encapsulated {
			if b.Length > 0 {
				yield(Extent{Offset: b.Offset, Length: b.Length})
			}
			return
		}
		for _, f := range b.Fragments {
			if f.Length > 0 && !yield(Extent{Offset: f.Offset, Length: int64(f.Length)}) {
				return
			}
		}
	}
}
