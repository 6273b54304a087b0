package media

import (
	"fmt"

	"collimator/dicom"
)

// Kind is what sort of thing is wrong with a medium. There may be more kinds in a
// later release.
type Kind string

// The kinds of problems, of the directory and of objects.
const (
	Irregular     Kind = "irregular"      // not as the standard has it, and read all the same
	Damaged       Kind = "damaged"        // cannot be decoded; what stands behind it was looked for
	TooMuch       Kind = "too-much"       // above a limit; the rest was left out
	BadOffset     Kind = "bad-offset"     // an offset leads to no record, or to one that cannot stand there
	SharedRecord  Kind = "shared-record"  // an offset leads to a record that another one has already
	Cycle         Kind = "cycle"          // offsets lead in a circle
	Unreached     Kind = "unreached"      // no offset leads to the record; it was placed by order and type
	OutOfPlace    Kind = "out-of-place"   // PS3.3 F.4 has no such record below such a record
	UnknownType   Kind = "unknown-type"   // the record type is none of PS3.3 F.4
	NotInUse      Kind = "not-in-use"     // the record is marked as not in use
	MissingKey    Kind = "missing-key"    // a key of type 1 is missing (PS3.3 F.5)
	BadFileID     Kind = "bad-file-id"    // the file ID is none, or would lead outside
	MissingFile   Kind = "missing-file"   // the file is not there
	AmbiguousFile Kind = "ambiguous-file" // several files have that name but for upper and lower case
	Link          Kind = "link"           // a symbolic link stands in the way; it is not followed
	Unreadable    Kind = "unreadable"     // the file cannot be read
	NotDICOM      Kind = "not-dicom"      // the file is no DICOM object
	WrongFile     Kind = "wrong-file"     // the file is not what the record says
	Unlisted      Kind = "unlisted"       // no record leads to the object
)

// Problem is one thing that is wrong with a medium. It holds no value of an
// element; the name of a file may hold anything, and stands in no String.
type Problem struct {
	Kind   Kind
	Offset int64     // of the directory record in the DICOMDIR, in bytes; -1 where it is about none
	Tag    dicom.Tag // what it is about; zero for all of it
	Reason string    // what is wrong, for people
	Path   string    // of the file in the file system, where it is about one
}

// String is the problem as a sentence, without the name of the file.
func (p Problem) String() string {
	text := p.Reason
	if p.Tag != 0 {
		text = p.Tag.String() + ": " + text
	}
	if p.Offset >= 0 {
		text = fmt.Sprintf("record at byte %d: %s", p.Offset, text)
	}
	return text
}

// problems are those that are kept, and the number of all.
type problems struct {
	list []Problem
	all  int
	most int
}

func (p *problems) add(x Problem) {
	p.all++
	if len(p.list) < p.most {
		p.list = append(p.list, x)
	}
}

// at is add for a record.
func (p *problems) at(kind Kind, offset int64, t dicom.Tag, reason string) {
	p.add(Problem{Kind: kind, Offset: offset, Tag: t, Reason: reason})
}
