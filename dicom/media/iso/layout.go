package iso

import (
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"time"
)

// layout is where everything stands: descriptors, both path tables, directories, then the files.
type layout struct {
	dirs   []*entry // in the order of the path table (ECMA-119 6.9.1)
	table  int64    // bytes of a path table
	tables [2]int64 // first blocks: little-endian, big-endian
	data   int64    // block of the first file
	total  int64
}

// descriptors is the block behind the volume descriptors: the primary one and the end of the set.
const descriptors = 18

func (m *Image) layout() *layout {
	if m.laid != nil {
		return m.laid
	}
	l := &layout{}
	level := []*entry{m.root}
	for len(level) > 0 {
		var below []*entry
		for _, d := range level {
			l.dirs = append(l.dirs, d)
			d.number = len(l.dirs)
			slices.SortFunc(d.children, func(a, b *entry) int { return strings.Compare(a.name, b.name) })
			for _, c := range d.children {
				if c.isDir {
					below = append(below, c)
				}
			}
		}
		level = below
	}

	for _, d := range l.dirs {
		l.table += int64(8 + even(len(identifier(d))))
	}
	l.tables = [2]int64{descriptors, descriptors + blocksOf(l.table)}
	at := l.tables[1] + blocksOf(l.table)
	for _, d := range l.dirs {
		d.at, d.blocks = at, directoryBlocks(d)
		at += d.blocks
	}
	l.data = at
	l.total = at + m.blocks
	m.laid = l
	return l
}

func even(n int) int { return n + n%2 }

// identifier is the one of a directory; the root has a byte of 0 (ECMA-119 7.6.2).
func identifier(d *entry) string {
	if d.parent == d {
		return "\x00"
	}
	return d.name
}

// directoryBlocks is how many blocks the records of a directory take: none crosses the end of one (ECMA-119 6.8.1.1).
func directoryBlocks(d *entry) int64 {
	at := 2 * recordLength("\x00")
	for _, c := range d.children {
		at = behind(at, recordLength(c.name))
	}
	return blocksOf(int64(at))
}

// behind is where a record ends that comes at a place or, where it does not fit, in the next block.
func behind(at, length int) int {
	if at%sector+length > sector {
		at += sector - at%sector
	}
	return at + length
}

func recordLength(name string) int { return even(33 + len(name)) }

// writeHead writes all that stands before the files.
func (m *Image) writeHead(w io.Writer, l *layout) error {
	for _, b := range [][]byte{make([]byte, SystemArea), m.primary(l), terminator(), pathTable(l, binary.LittleEndian), pathTable(l, binary.BigEndian)} {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	for _, d := range l.dirs {
		if _, err := w.Write(m.directory(d, l)); err != nil {
			return err
		}
	}
	return nil
}

// primary is the primary volume descriptor (ECMA-119 8.4).
func (m *Image) primary(l *layout) []byte {
	b := make([]byte, sector)
	b[0], b[6] = 1, 1
	copy(b[1:], "CD001")
	text(b[8:40], "")
	text(b[40:72], m.o.Volume)
	both32(b[80:], uint32(l.total))
	both16(b[120:], 1)
	both16(b[124:], 1)
	both16(b[128:], sector)
	both32(b[132:], uint32(l.table))
	binary.LittleEndian.PutUint32(b[140:], uint32(l.tables[0]))
	binary.BigEndian.PutUint32(b[148:], uint32(l.tables[1]))
	copy(b[156:], m.record("\x00", l.dirs[0], l))
	for _, field := range [][2]int{{190, 318}, {318, 446}, {446, 574}, {574, 702}, {702, 739}, {739, 776}, {776, 813}} {
		text(b[field[0]:field[1]], "")
	}
	for i, t := range []time.Time{m.o.Time, m.o.Time, {}, m.o.Time} { // made, changed, expires never, effective
		copy(b[813+17*i:], longTime(t))
	}
	b[881] = 1
	return b
}

// terminator ends the set of descriptors (ECMA-119 8.3).
func terminator() []byte {
	b := make([]byte, sector)
	b[0], b[6] = 255, 1
	copy(b[1:], "CD001")
	return b
}

// pathTable is that of one byte order, filled up to a block (ECMA-119 9.4).
func pathTable(l *layout, order binary.AppendByteOrder) []byte {
	b := make([]byte, 0, blocksOf(l.table)*sector)
	for _, d := range l.dirs {
		id := identifier(d)
		b = append(b, byte(len(id)), 0)
		b = order.AppendUint32(b, uint32(d.at))
		b = order.AppendUint16(b, uint16(d.parent.number))
		b = append(b, id...)
		if len(id)%2 == 1 {
			b = append(b, 0)
		}
	}
	return append(b, make([]byte, cap(b)-len(b))...)
}

// directory is its records (ECMA-119 9.1): itself, what is above it, and what is in it.
func (m *Image) directory(d *entry, l *layout) []byte {
	b := make([]byte, d.blocks*sector)
	at := copy(b, m.record("\x00", d, l))
	at += copy(b[at:], m.record("\x01", d.parent, l))
	for _, c := range d.children {
		r := m.record(c.name, c, l)
		end := behind(at, len(r))
		copy(b[end-len(r):], r)
		at = end
	}
	return b
}

func (m *Image) record(name string, e *entry, l *layout) []byte {
	b := make([]byte, recordLength(name))
	at, size := e.at, e.size
	if e.isDir {
		size = e.blocks * sector
		b[25] = 2
	} else {
		at += l.data
	}
	b[0] = byte(len(b))
	both32(b[2:], uint32(at))
	both32(b[10:], uint32(size))
	copy(b[18:25], shortTime(m.o.Time))
	both16(b[28:], 1)
	b[32] = byte(len(name))
	copy(b[33:], name)
	return b
}

func text(b []byte, s string) {
	for i := copy(b, s); i < len(b); i++ {
		b[i] = ' '
	}
}

func both16(b []byte, v uint16) {
	binary.LittleEndian.PutUint16(b, v)
	binary.BigEndian.PutUint16(b[2:], v)
}

func both32(b []byte, v uint32) {
	binary.LittleEndian.PutUint32(b, v)
	binary.BigEndian.PutUint32(b[4:], v)
}

// shortTime is the time of a record (ECMA-119 9.1.5); zeros where it is not known.
func shortTime(t time.Time) []byte {
	if t.IsZero() {
		return make([]byte, 7)
	}
	t = t.UTC()
	return []byte{byte(t.Year() - 1900), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second()), 0}
}

// longTime is a time of a descriptor (ECMA-119 8.4.26.1).
func longTime(t time.Time) []byte {
	if t.IsZero() {
		return append([]byte(strings.Repeat("0", 16)), 0)
	}
	return append([]byte(t.UTC().Format("20060102150405")+"00"), 0)
}
