package media

import (
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"collimator/dicom/uid"
)

// Scan finds objects in a file system without any DICOMDIR, folder by folder, each
// in the order of names. Of a file it reads the beginning only. What is there and is
// no object comes too, with the problem that says so: NotDICOM, Damaged, Link,
// Unreadable or TooMuch. A DICOMDIR is left out.
func Scan(fsys fs.FS, o Options) iter.Seq[Object] {
	return func(yield func(Object) bool) {
		s := &scan{fsys: fsys, limits: o.Limits.withDefaults(), yield: yield}
		s.folder(".", 0)
	}
}

type scan struct {
	fsys   fs.FS
	limits Limits
	yield  func(Object) bool
}

// folder goes through a folder; false says that the caller has enough.
func (s *scan) folder(dir string, depth int) bool {
	if depth > s.limits.Folders {
		return s.problem(dir, TooMuch, "the folder is deeper than allowed; it was left out")
	}

	var entries []fs.DirEntry
	err := eachEntry(s.fsys, dir, s.limits.Entries, func(e fs.DirEntry) { entries = append(entries, e) })
	if err != nil && !s.problem(dir, Unreadable, "the folder cannot be read, or has more entries than allowed") {
		return false
	}

	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		if !s.entry(path.Join(dir, e.Name()), e, depth) {
			return false
		}
	}
	return true
}

func (s *scan) problem(name string, kind Kind, reason string) bool {
	o := Object{Path: name}
	o.tell(kind, 0, reason)
	return s.yield(o)
}

// entry takes one thing in a folder.
func (s *scan) entry(name string, e fs.DirEntry, depth int) bool {
	switch {
	case e.IsDir():
		return s.folder(name, depth+1)
	case e.Type()&fs.ModeSymlink != 0:
		return s.problem(name, Link, "it is a symbolic link, which is not followed")
	case !e.Type().IsRegular():
		return s.problem(name, NotDICOM, "it is no file") // opening a pipe could wait for ever
	}

	o := Object{Path: name}
	if look(s.fsys, s.limits, &o) && o.SOPClassUID == uid.MediaStorageDirectory {
		return true
	}
	return s.yield(o)
}
