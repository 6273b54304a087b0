package media

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// resolver finds files of a file system whatever the case of their names. It keeps
// the names of the folders it was in last: records come folder by folder. Not safe
// for concurrent use.
type resolver struct {
	fsys   fs.FS
	limits Limits
	known  map[string]*folder
	latest []string // names of known, the oldest first
}

// keptFolders is how many folders a resolver remembers.
const keptFolders = 8

// folder is what stands in a folder, by its plain name.
type folder struct {
	entries map[string]found
	err     error
}

// found is an entry of a folder.
type found struct {
	name string
	mode fs.FileMode
	more bool // there are others of that plain name
}

func newResolver(fsys fs.FS, limits Limits) *resolver {
	return &resolver{fsys: fsys, limits: limits, known: map[string]*folder{}}
}

// components are those of a Referenced File ID (PS3.10 8.2) as they can stand in a
// file system. Writers put a whole path into one component, or begin with the root:
// that is made good and told; a path that would leave the root is refused.
func components(fileID []string) (parts []string, irregular bool, ok bool) {
	for _, c := range fileID {
		for part := range strings.SplitSeq(c, "/") {
			part = strings.TrimSpace(part)
			switch {
			case part == "" || part == ".":
				irregular = true
				continue
			case part == ".." || strings.ContainsAny(part, "\x00:\\"):
				return nil, true, false
			}
			parts = append(parts, part)
		}
	}
	if len(parts) != len(fileID) {
		irregular = true
	}
	return parts, irregular, len(parts) > 0 && len(parts) <= mostComponents
}

// mostComponents is how deep a file ID may lead here; PS3.10 8.2 has eight.
const mostComponents = 32

// resolve is the path of a file that stands below the root by these components. The
// kind is empty where it is found and there is no other.
func (r *resolver) resolve(parts []string) (name string, kind Kind) {
	dir := "."
	for i, part := range parts {
		in := r.folder(dir)
		if in.err != nil {
			if errors.Is(in.err, fs.ErrNotExist) {
				return "", MissingFile
			}
			return "", Unreadable
		}

		entry, ok := in.entries[plain(part)]
		switch {
		case !ok:
			return "", MissingFile
		case entry.mode&fs.ModeSymlink != 0:
			return "", Link
		case entry.more:
			kind = AmbiguousFile
			entry.name = r.exact(dir, part, entry.name)
		}

		last := i == len(parts)-1
		if last && !entry.mode.IsRegular() || !last && !entry.mode.IsDir() {
			return "", MissingFile
		}
		dir = path.Join(dir, entry.name)
	}
	return dir, kind
}

// exact is the name as it is written where there is such a file, and else the one
// that was found.
func (r *resolver) exact(dir, part, other string) string {
	if info, err := fs.Lstat(r.fsys, path.Join(dir, part)); err == nil && info.Mode().Type()&fs.ModeSymlink == 0 {
		return part
	}
	return other
}

// folder reads the names of a folder, or has them still.
func (r *resolver) folder(dir string) *folder {
	if known := r.known[dir]; known != nil {
		return known
	}

	if len(r.latest) >= keptFolders {
		delete(r.known, r.latest[0])
		r.latest = r.latest[1:]
	}

	f := &folder{entries: map[string]found{}}
	f.err = eachEntry(r.fsys, dir, r.limits.Entries, func(e fs.DirEntry) {
		key := plain(e.Name())
		if before, ok := f.entries[key]; ok {
			before.more = true
			f.entries[key] = before
			return
		}
		f.entries[key] = found{name: e.Name(), mode: e.Type()}
	})

	r.known[dir] = f
	r.latest = append(r.latest, dir)
	return f
}

// errManyEntries ends a folder.
var errManyEntries = errors.New("media: a folder has more entries than allowed")

// eachEntry reads a folder some entries at a time, in the order of the file system.
func eachEntry(fsys fs.FS, dir string, most int, do func(fs.DirEntry)) error {
	f, err := fsys.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	list, ok := f.(fs.ReadDirFile)
	if !ok {
		return errors.New("media: the folder cannot be listed")
	}

	for n := 0; ; {
		entries, err := list.ReadDir(512)
		if n += len(entries); n > most {
			return errManyEntries
		}
		for _, e := range entries {
			do(e)
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case len(entries) == 0:
			return nil
		}
	}
}
