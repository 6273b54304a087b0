package dicom

import (
	"iter"
	"slices"
	"sort"

	"collimator/dicom/tag"
)

// DataSet is a data set or an item of a sequence (PS3.5 7). The zero value is
// empty and ready. It may be read by several goroutines at once, but not while
// one of them changes it or the data set around it. It prints as its shape,
// never as its values.
type DataSet struct {
	els       []Element
	parent    *DataSet  // the data set whose sequence holds this item
	charset   *charset  // of (0008,0005) here; nil inherits
	root      *root     // what only the data set around all items has; nil in items
	dirty     *[]uint16 // groups that were changed since reading; nil where none was
	length    uint32    // length field of the item as read
	endLength uint32
	form      form
	delimited bool // the item ended with a delimitation item
	made      bool // not read from a stream
	changed   bool // here or further inside
	unsorted  bool // some element stands out of tag order, or twice
}

// root is what was read of a data set as a whole.
type root struct {
	notes  []Note
	syntax string // transfer syntax
}

// newRoot makes a data set that is read, both parts laid down together.
func newRoot(f form, syntax string) *DataSet {
	both := &struct {
		DataSet
		root
	}{DataSet{form: f, length: UndefinedLength}, root{syntax: syntax}}
	both.DataSet.root = &both.root
	return &both.DataSet
}

// NewDataSet makes an empty data set.
func NewDataSet() *DataSet { return &DataSet{form: formExplicit, made: true} }

// NewItem makes an empty item for a sequence of ds: its text is
// written in the character set of ds from the start.
func (ds *DataSet) NewItem() *DataSet {
	item := NewDataSet()
	item.parent = ds
	return item
}

// Len is the number of elements, not counting those inside items.
func (ds *DataSet) Len() int { return len(ds.els) }

// All gives the elements in encoded order. The data set must not be changed
// meanwhile.
func (ds *DataSet) All() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for _, el := range ds.els {
			if !yield(el) {
				return
			}
		}
	}
}

// Notes is what was irregular in the stream it was read from, and in its
// character sets. It quotes no values.
func (ds *DataSet) Notes() []Note {
	var notes []Note
	if ds.root != nil {
		notes = ds.root.notes
	}
	if ds.charset != nil && len(ds.charset.notes) > 0 {
		return append(slices.Clone(notes), ds.charset.notes...)
	}
	return notes
}

// Parent is the data set in one of whose sequences this item stands; nil at the top.
func (ds *DataSet) Parent() *DataSet { return ds.parent }

// TransferSyntax is the UID of the transfer syntax in which ds, or the data set
// around this item, was read; empty where it was made or none was named.
func (ds *DataSet) TransferSyntax() string {
	for ds.parent != nil {
		ds = ds.parent
	}
	if ds.root == nil {
		return ""
	}
	return ds.root.syntax
}

// find is where t stands, or where it would be inserted.
func (ds *DataSet) find(t Tag) (int, bool) {
	if ds.unsorted {
		at := -1
		for i := range ds.els {
			if ds.els[i].Tag == t {
				return i, true
			}
			if at < 0 && ds.els[i].Tag > t {
				at = i
			}
		}
		if at < 0 {
			at = len(ds.els)
		}
		return at, false
	}

	i := sort.Search(len(ds.els), func(i int) bool { return ds.els[i].Tag >= t })
	return i, i < len(ds.els) && ds.els[i].Tag == t
}

// Get finds an element; of one that stands twice the first.
func (ds *DataSet) Get(t Tag) (Element, bool) {
	if i, ok := ds.find(t); ok {
		return ds.els[i], true
	}
	return Element{}, false
}

// Has reports whether the element is there, with or without a value.
func (ds *DataSet) Has(t Tag) bool {
	_, ok := ds.find(t)
	return ok
}

// append adds an element read from a stream behind the others.
func (ds *DataSet) append(el Element) {
	if n := len(ds.els); n > 0 && ds.els[n-1].Tag >= el.Tag {
		ds.unsorted = true
	}
	ds.els = append(ds.els, el)
}

// Set replaces the element of that tag or inserts it in tag order. Items are
// taken over; items of another data set are copied. Text of
// another data set is written in the character set of this one where that is
// possible; SetText reports where it is not.
func (ds *DataSet) Set(el Element) {
	if el.v == nil {
		el.v = newCell(value{form: formExplicit})
	}
	if el.v.home != ds || el.v.kind == sequence {
		el.v = ds.adopt(el)
	}

	if i, ok := ds.find(el.Tag); ok {
		ds.els[i] = el
	} else {
		ds.els = slices.Insert(ds.els, i, el)
	}

	ds.touch(el.Tag)
	if el.Tag == tag.SpecificCharacterSet {
		ds.readCharacterSet()
	}
}

// adopt is a value of el that belongs to ds.
func (ds *DataSet) adopt(el Element) *cell {
	v := *el.v.value
	v.home = ds
	if v.kind == sequence {
		m := *v.more
		m.items = slices.Clone(m.items)
		for i, item := range m.items {
			m.items[i] = ds.adoptItem(item)
		}
		v.more = &m
		return newCell(v)
	}

	if v.kind == plain && el.VR.CharacterSet() && el.v.home != nil && !el.v.home.encoding().same(ds.encoding()) {
		if raw, err := ds.encoding().recode(el.v.home.encoding(), el.VR, v.raw); err == nil {
			v.raw = pad(el.VR, raw)
			v.length = uint32(len(v.raw))
			v.form = formExplicit
		}
	}
	return newCell(v)
}

func (ds *DataSet) adoptItem(item *DataSet) *DataSet {
	if item == nil {
		item = NewDataSet()
	}
	for p := ds; p != nil; p = p.parent {
		if p == item {
			item = item.Clone()
		}
	}

	if item.parent != nil && item.parent != ds {
		item = item.Clone()
	}
	if item.parent != ds {
		item.settleIn(ds)
	}
	return item
}

// settleIn makes item an item of ds. Its text is written in the character set
// of ds, or else it declares its own.
func (ds *DataSet) settleIn(parent *DataSet) {
	if !ds.Has(tag.SpecificCharacterSet) {
		from, to := ds.encoding(), parent.encoding()
		changed, err := ds.recoded(to)
		if err != nil {
			ds.SetText(tag.SpecificCharacterSet, from.terms...)
		} else {
			ds.charset = nil
			for _, c := range changed {
				c.ds.Set(c.el)
			}
		}
	}

	ds.parent = parent
}

// touch remembers that the group of t was changed, here and outwards.
func (ds *DataSet) touch(t Tag) {
	if !slices.Contains(ds.changedGroups(), t.Group()) {
		groups := append(slices.Clip(ds.changedGroups()), t.Group())
		ds.dirty = &groups
	}
	for p := ds; p != nil && !p.changed; p = p.parent {
		p.changed = true
	}
}

// changedGroups is the groups that were changed since reading; it is never
// written to.
func (ds *DataSet) changedGroups() []uint16 {
	if ds.dirty == nil {
		return nil
	}
	return *ds.dirty
}

// Delete removes each element of that tag and reports whether there was one.
func (ds *DataSet) Delete(t Tag) bool {
	n := len(ds.els)
	ds.els = slices.DeleteFunc(ds.els, func(el Element) bool { return el.Tag == t })
	if len(ds.els) == n {
		return false
	}
	ds.touch(t)
	if t == tag.SpecificCharacterSet {
		ds.charset = nil
	}
	return true
}

// SetItems sets a sequence of items, which it takes over.
func (ds *DataSet) SetItems(t Tag, items ...*DataSet) { ds.Set(NewSequence(t, items...)) }

// Items is the items of a sequence; nil if it is absent or empty.
func (ds *DataSet) Items(t Tag) []*DataSet {
	el, _ := ds.Get(t)
	return el.Items()
}

// Equal reports whether both hold the same elements with the same values in
// the same order, however they were encoded.
func (ds *DataSet) Equal(o *DataSet) bool {
	if ds == nil || o == nil {
		return ds == o
	}
	return slices.EqualFunc(ds.els, o.els, Element.Equal)
}

// Clone is a copy that can be changed apart. The bytes of values are shared,
// and are never written to.
func (ds *DataSet) Clone() *DataSet {
	out := *ds
	out.parent = nil
	out.charset = ds.encodingOrNil()
	out.els = slices.Clone(ds.els)

	cells := make([]slot, len(ds.els))
	for i, el := range ds.els {
		v := &cells[i].stored
		*v = *el.v.value
		v.home = &out
		if v.kind == sequence {
			m := *v.more
			m.items = make([]*DataSet, len(el.v.more.items))
			for j, item := range el.v.more.items {
				m.items[j] = item.Clone()
				m.items[j].parent = &out
			}
			v.more = &m
		}
		out.els[i].v = cells[i].cell()
	}
	return &out
}
