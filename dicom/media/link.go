package media

import (
	"collimator/dicom"
	"collimator/dicom/tag"
)

// linker makes the tree of the records. Where offsets make sense they count,
// whatever the order of the records in the file; a record to which none leads
// stands below the record of a higher level that comes last before it in the file.
type linker struct {
	d      *Directory
	limits Limits
	order  []int32 // records as they were placed
}

// link makes the tree.
func (l *linker) link() {
	l.inactive()
	l.root()

	// All records give their lower level a parent, not only those that the root
	// leads to: one wrong offset above loses nothing below.
	for i := range l.d.entries {
		l.below(int32(i))
	}

	l.restOfRoot()
	l.byOrder()
	l.children()
	l.circles()
	l.judge()
}

// inactive takes a directory in which no record is in use for one whose writer
// knew nothing of the flag.
func (l *linker) inactive() {
	entries := l.d.entries
	for i := range entries {
		if entries[i].flags&inactive == 0 {
			return
		}
	}

	for i := range entries {
		entries[i].flags &^= inactive
	}
	if len(entries) > 0 {
		l.d.problems.at(NotInUse, -1, tag.RecordInUseFlag, "no record is marked as in use; all of them are taken to be")
	}
}

// root follows the chain of the root entity. A record there that belongs below another
// one is placed only when none leads to it.
func (l *linker) root() {
	end := uint32(0)
	for i := l.at(l.d.first, -1, tag.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity); i != noRecord; {
		e := &l.d.entries[i]
		if e.flags&inRoot != 0 {
			l.d.problems.at(Cycle, int64(e.at), tag.OffsetOfTheNextDirectoryRecord, "the records of the root lead in a circle")
			return
		}

		e.flags |= inRoot
		if level := recordTypes[e.kind].level; level == patientLevel {
			l.place(i, noRecord)
		}
		end = e.at
		i = l.at(e.next, int64(e.at), tag.OffsetOfTheNextDirectoryRecord)
	}

	if end != 0 && end != l.d.last {
		t := tag.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity
		l.d.problems.at(BadOffset, -1, t, "it does not lead to the last record of the root")
	}
}

// at is the record that an offset leads to. A wrong offset is told.
func (l *linker) at(offset uint32, of int64, from dicom.Tag) int32 {
	if offset == 0 {
		return noRecord
	}
	i := l.d.starting(offset)
	if i == noRecord {
		l.d.problems.at(BadOffset, of, from, "no record begins at this offset")
	}
	return i
}

// below places the records of the lower level of a record.
func (l *linker) below(parent int32) {
	p := &l.d.entries[parent]
	of := int64(p.at)
	from := tag.OffsetOfReferencedLowerLevelDirectoryEntity
	for i := l.at(p.lower, of, from); i != noRecord; {
		e := &l.d.entries[i]
		switch {
		case e.flags&placed != 0 && e.parent == parent, i == parent:
			l.d.problems.at(Cycle, of, from, "the offset leads in a circle")
			return
		case e.flags&placed != 0:
			l.d.problems.at(SharedRecord, of, from, "the offset leads to a record that another one leads to")
			return
		case !fits(p.kind, e.kind):
			l.d.problems.at(BadOffset, of, from, "the offset leads to a record that cannot stand there")
			return
		}

		l.place(i, parent)
		of = int64(e.at)
		from = tag.OffsetOfTheNextDirectoryRecord
		i = l.at(e.next, of, from)
	}
}

// fits reports that a record may stand below another one, somewhere.
func fits(parent, child uint8) bool {
	upper, lower := recordTypes[parent].level, recordTypes[child].level
	return upper == anywhere || lower == anywhere || upper < lower
}

func (l *linker) place(i, parent int32) {
	e := &l.d.entries[i]
	e.flags |= placed
	e.parent = parent
	l.order = append(l.order, i)
}

// restOfRoot places what only the chain of the root leads to.
func (l *linker) restOfRoot() {
	for i := range l.d.entries {
		if e := &l.d.entries[i]; e.flags&(placed|inRoot) == inRoot && recordTypes[e.kind].level == anywhere {
			l.place(int32(i), noRecord)
		}
	}
}

// byOrder places what no offset leads to. Records that only indirect references
// lead to (MRDR) and those that are not in use need no place.
func (l *linker) byOrder() {
	last := [instanceLevel + 1]int32{noRecord, noRecord, noRecord, noRecord, noRecord}
	for i := range l.d.entries {
		e := &l.d.entries[i]
		t := recordTypes[e.kind]
		if e.flags&placed == 0 && e.flags&inactive == 0 && t.name != "MRDR" {
			l.unreached(int32(i), last)
		}

		if t.level == anywhere || e.flags&placed == 0 {
			continue
		}
		last[t.level] = int32(i)
		for deeper := t.level + 1; deeper < len(last); deeper++ {
			last[deeper] = noRecord
		}
	}
}

// unreached places one record by those in front of it in the file. last is the last
// one of each level.
func (l *linker) unreached(i int32, last [instanceLevel + 1]int32) {
	e := &l.d.entries[i]
	parent := int32(noRecord)
	if e.flags&inRoot == 0 {
		for level := recordTypes[e.kind].level - 1; level >= patientLevel && parent == noRecord; level-- {
			parent = last[level]
		}
		l.d.problems.at(Unreached, int64(e.at), tag.DirectoryRecordType, "no offset leads here; it was placed by order and type")
	}
	l.place(i, parent)
}

// children makes the lists of children of the parents.
func (l *linker) children() {
	l.d.root = noRecord
	lastOf := make([]int32, len(l.d.entries))
	lastOfRoot := int32(noRecord)
	for i := range lastOf {
		lastOf[i] = noRecord
	}

	for _, i := range l.order {
		first, last := &l.d.root, &lastOfRoot
		if p := l.d.entries[i].parent; p != noRecord {
			first = &l.d.entries[p].child
			last = &lastOf[p]
		}

		if *last == noRecord {
			*first = i
		} else {
			l.d.entries[*last].sibling = i
		}
		*last = i
	}
}

// circles cuts rings of records that lead to one another and hang on nothing: they
// can be of types that stand anywhere. The first of each is one of the root then.
func (l *linker) circles() {
	l.reach(l.d.root, 1)
	for _, i := range l.order {
		e := &l.d.entries[i]
		if e.flags&reached != 0 || e.flags&inactive != 0 || !l.inRing(i) {
			continue
		}

		l.d.problems.at(Cycle, int64(e.at), tag.OffsetOfReferencedLowerLevelDirectoryEntity, "records lead to one another in a circle")
		l.detach(i)
		e.sibling = l.d.root
		l.d.root = i
		l.reachOne(i)
	}

	// What is left hangs below something that is too deep, or out of use.
	for _, i := range l.order {
		if l.d.entries[i].flags&(reached|inactive) == 0 {
			l.d.problems.at(TooMuch, int64(l.d.entries[i].at), 0, "this record, and maybe others, has no place in the tree")
			return
		}
	}
}

// inRing reports a record that is above itself. Whoever climbs passes no more records
// than are allowed above one another, and is then below something too deep.
func (l *linker) inRing(i int32) bool {
	p := l.d.entries[i].parent
	for range l.limits.Depth + 1 {
		if p == noRecord || p == i {
			break
		}
		p = l.d.entries[p].parent
	}
	return p == i
}

// detach takes a record from the list of its parent.
func (l *linker) detach(i int32) {
	e := &l.d.entries[i]
	at := &l.d.entries[e.parent].child
	for *at != i {
		at = &l.d.entries[*at].sibling
	}
	*at = e.sibling
	e.parent = noRecord
}

// reachOne is reach for a new record of the root alone.
func (l *linker) reachOne(i int32) {
	e := &l.d.entries[i]
	e.flags |= reached
	l.reach(e.child, 2)
}

// reach marks the records from one on, with its siblings and all below. What is
// deeper than allowed is cut off.
func (l *linker) reach(from int32, depth int) {
	type step struct {
		i     int32
		depth int
	}
	for stack := []step{{from, depth}}; len(stack) > 0; {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s.i == noRecord {
			continue
		}

		e := &l.d.entries[s.i]
		e.flags |= reached
		stack = append(stack, step{e.sibling, s.depth})
		if e.child != noRecord && s.depth >= l.limits.Depth {
			t := tag.OffsetOfReferencedLowerLevelDirectoryEntity
			l.d.problems.at(TooMuch, int64(e.at), t, "what is deeper than allowed was left out")
			e.child = noRecord
		}
		if e.child != noRecord {
			stack = append(stack, step{e.child, s.depth + 1})
		}
	}
}

// judge tells what is irregular in the tree.
func (l *linker) judge() {
	for i := range l.d.entries {
		e := &l.d.entries[i]
		if e.flags&reached == 0 {
			continue
		}

		t := recordTypes[e.kind]
		switch {
		case t.name == "":
			l.d.problems.at(UnknownType, int64(e.at), tag.DirectoryRecordType, "the record type is none of PS3.3 F.4")
		case !inPlace(l.levelAbove(e), t.level):
			l.d.problems.at(OutOfPlace, int64(e.at), tag.DirectoryRecordType, "PS3.3 F.4 has no such record there")
		}
		if e.flags&inactive != 0 {
			l.d.problems.at(NotInUse, int64(e.at), tag.RecordInUseFlag, "the record is marked as not in use")
		}
	}
}

// levelAbove is the level of the parent, one less than that of patients for the root.
func (l *linker) levelAbove(e *entry) int {
	if e.parent == noRecord {
		return patientLevel - 1
	}
	if level := recordTypes[l.d.entries[e.parent].kind].level; level != anywhere {
		return level
	}
	return -1
}

// inPlace reports that a record of a level stands directly below one of another.
func inPlace(above, level int) bool {
	return above < 0 || level == anywhere || above == level-1
}
