// Package media reads and writes DICOM file-sets: CDs, DVDs, memory sticks, folders
// and archives (zip) with a DICOMDIR in their root (PS3.10 8, PS3.3 F).
//
// Discs of the field are wrong in many ways. The reader goes as far as a disc makes
// sense, and tells what is wrong with it as a Problem: where it stands, and what it
// is. It never leaves the file system it was given, follows no symbolic link of
// it, and is bounded in memory, depth and records by Limits. What a directory says
// about an object is a hint for finding it; who the patient is stands in the object.
//
// The writer makes file-sets that other programs read: names, keys of the directory
// records (PS3.3 F.5), and offsets. The same objects in the same order give the
// same bytes. It makes no icons and no private records.
//
// The package knows no disc and no ISO 9660: whoever has such an image gives it as
// an fs.FS. Of the media profiles (PS3.11) it knows the transfer syntaxes of the
// General Purpose ones, see Profile, and nothing else.
package media

import "collimator/dicom"

// DirectoryName is the file ID of the directory (PS3.10 8.6).
const DirectoryName = "DICOMDIR"

// Limits bound what a medium from outside may cost. A field that is zero takes its
// default; a negative one means none at all.
type Limits struct {
	Records   int   // directory records, each about 50 bytes in memory; default 1,000,000
	Directory int64 // bytes of a DICOMDIR; default 512 MiB
	InMemory  int64 // bytes of a DICOMDIR of a file system whose files cannot be read at an offset; default 128 MiB
	Depth     int   // records above one another; default 16
	Record    int64 // bytes of the values of one directory record; default 4 MiB
	Problems  int   // that are kept; more are counted; default 1,000
	Folders   int   // folders inside one another that Scan goes into; default 32
	Entries   int   // of one folder, that are looked at; default 1,000,000
	Head      int64 // bytes of an object that are read to know it; default 16 MiB
}

func (l Limits) withDefaults() Limits {
	set(&l.Records, 1_000_000)
	set(&l.Directory, 512<<20)
	set(&l.InMemory, 128<<20)
	set(&l.Depth, 16)
	set(&l.Record, 4<<20)
	set(&l.Problems, 1_000)
	set(&l.Folders, 32)
	set(&l.Entries, 1_000_000)
	set(&l.Head, 16<<20)
	return l
}

func set[T int | int64](field *T, def T) {
	if *field == 0 {
		*field = def
	}
}

// perRecord is how many elements a directory record is expected to have at most, on
// average; the longest of the standard have some twenty, with an icon forty.
const perRecord = 64

// decoding are the limits of the decoder for a whole DICOMDIR.
func (l Limits) decoding() dicom.Limits {
	return dicom.Limits{Depth: 16, Elements: max(l.Records, 1) * perRecord}
}

// Options say how a medium is read. The zero value is the safe choice.
type Options struct {
	Limits Limits
	// Name is that of the directory in the root, for Open; empty is DirectoryName.
	Name string
	// Inactive gives also the records that are not in use (Record In-use Flag 0000H),
	// and what is below them.
	Inactive bool
}
