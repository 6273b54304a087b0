package iso

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Bounds of what is read: bytes of a directory, and levels below the root.
const (
	directoryMost = 16 << 20
	levelsMost    = 32
)

// Open reads an image of ISO 9660, of any level, without its extensions. Names come as file IDs: without version, and
// without a point at the end. Safe for concurrent use.
func Open(r io.ReaderAt, size int64) (fs.FS, error) {
	b := make([]byte, sector)
	if _, err := r.ReadAt(b, SystemArea); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if b[0] != 1 || string(b[1:6]) != "CD001" || binary.LittleEndian.Uint16(b[128:]) != sector {
		return nil, errors.New("iso: this is no image of ISO 9660 with blocks of 2048 bytes")
	}
	root, ok := parse(b[156:190])
	if !ok || !root.dir {
		return nil, errDamaged
	}
	root.name = "."
	return &reader{r: r, size: size, root: root}, nil
}

var errDamaged = errors.New("iso: a directory of the image is damaged")

type reader struct {
	r    io.ReaderAt
	size int64
	root found
}

// found is a record of a directory.
type found struct {
	name  string
	dir   bool
	at    int64
	bytes int64
	when  time.Time
}

// parse reads a record (ECMA-119 9.1). One that is in several parts is none that is read.
func parse(b []byte) (f found, ok bool) {
	if len(b) < 34 || int(b[0]) > len(b) || 33+int(b[32]) > int(b[0]) || b[25]&0x80 != 0 {
		return f, false
	}
	f = found{
		dir: b[25]&2 != 0, at: int64(binary.LittleEndian.Uint32(b[2:])) * sector, bytes: int64(binary.LittleEndian.Uint32(b[10:])),
		name: string(b[33 : 33+int(b[32])]),
	}
	if b[19] != 0 {
		f.when = time.Date(1900+int(b[18]), time.Month(b[19]), int(b[20]), int(b[21]), int(b[22]), int(b[23]), 0, time.FixedZone("", int(int8(b[24]))*15*60))
	}
	return f, true
}

// list is what stands in a directory.
func (x *reader) list(d found) ([]found, error) {
	if d.bytes > directoryMost || d.at+d.bytes > x.size {
		return nil, errDamaged
	}
	b := make([]byte, d.bytes)
	if _, err := x.r.ReadAt(b, d.at); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}

	var out []found
	for at := 0; at < len(b); {
		if b[at] == 0 { // the rest of the block is empty
			at += sector - at%sector
			continue
		}
		f, ok := parse(b[at:])
		if !ok {
			return nil, errDamaged
		}
		at += int(b[at])
		if f.name == "\x00" || f.name == "\x01" {
			continue
		}
		f.name, _, _ = strings.Cut(f.name, ";")
		f.name = strings.TrimSuffix(f.name, ".")
		if f.name == "" || strings.ContainsAny(f.name, "/\\\x00") || strings.Trim(f.name, ".") == "" {
			return nil, errDamaged
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b found) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(out, func(a, b found) bool { return a.name == b.name }), nil
}

// Open implements fs.FS.
func (x *reader) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	at := x.root
	if name != "." {
		parts := strings.Split(name, "/")
		if len(parts) > levelsMost {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		for _, part := range parts {
			list, err := []found(nil), error(nil)
			if at.dir {
				list, err = x.list(at)
			}
			if err != nil {
				return nil, &fs.PathError{Op: "open", Path: name, Err: err}
			}
			i := slices.IndexFunc(list, func(f found) bool { return f.name == part })
			if i < 0 {
				return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
			}
			at = list[i]
		}
	}

	if !at.dir {
		if at.at+at.bytes > x.size {
			return nil, &fs.PathError{Op: "open", Path: name, Err: errDamaged}
		}
		return &openFile{SectionReader: io.NewSectionReader(x.r, at.at, at.bytes), of: at}, nil
	}
	list, err := x.list(at)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openDir{of: at, path: name, rest: list}, nil
}

// openFile is a file of an image.
type openFile struct {
	*io.SectionReader
	of found
}

func (f *openFile) Stat() (fs.FileInfo, error) { return info{f.of}, nil }
func (f *openFile) Close() error               { return nil }

// openDir is a directory of an image.
type openDir struct {
	of   found
	path string
	rest []found
}

func (d *openDir) Stat() (fs.FileInfo, error) { return info{d.of}, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: errors.New("it is a directory")}
}

// ReadDir implements fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	take := len(d.rest)
	if n > 0 {
		if take == 0 {
			return nil, io.EOF
		}
		take = min(take, n)
	}
	out := make([]fs.DirEntry, take)
	for i, f := range d.rest[:take] {
		out[i] = fs.FileInfoToDirEntry(info{f})
	}
	d.rest = d.rest[take:]
	return out, nil
}

// info is what is known of an entry.
type info struct{ of found }

func (i info) Name() string       { return path.Base(i.of.name) }
func (i info) Size() int64        { return i.of.bytes }
func (i info) ModTime() time.Time { return i.of.when }
func (i info) IsDir() bool        { return i.of.dir }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.of.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
