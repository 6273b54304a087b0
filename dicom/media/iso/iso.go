// Package iso writes and reads images of discs for file-sets: ISO 9660 at interchange level 1, as PS3.12 F
// asks of CD-R, with file IDs that may have an extension. Joliet, Rock Ridge and El Torito are not covered,
// and neither are files of 4 GiB and more.
package iso

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// sector is the size of a logical sector and of a logical block (ECMA-119 6.1.2, 6.2.2).
const sector = 2048

// Bounds of ISO 9660 level 1: components of a path, levels below the root, and bytes of a file.
const (
	depthMost = 7 // directories below the root (ECMA-119 6.8.2.1)
	fileMost  = 1<<32 - 1
)

// Spool keeps what is written until the image is complete: it is appended to, and read from anywhere.
type Spool interface {
	io.Writer
	io.ReaderAt
}

// Options say what stands in the image besides files.
type Options struct {
	Volume string    // at most 32 of A-Z, 0-9 and _; may be empty
	Time   time.Time // of everything in it; the zero time says that it is not known
}

// Image is an image that is being made. Files are made one after the other with Create, as a media.Target
// makes them; then WriteTo gives the image. Not safe for concurrent use.
type Image struct {
	spool  Spool
	o      Options
	root   *entry
	blocks int64 // of the spool that are in use
	open   bool
	failed error
	laid   *layout // once no more files come
}

// entry is a file or a directory.
type entry struct {
	name     string // of a directory record: "IM000000.;1", "PT000000"
	isDir    bool
	size     int64 // bytes of a file
	at       int64 // first block: of a file in the spool, of a directory in the image
	blocks   int64 // of a directory
	parent   *entry
	children []*entry
	byName   map[string]*entry
	number   int // of a directory in the path table
}

// New begins an image. Its error is a volume identifier that is none.
func New(spool Spool, o Options) (*Image, error) {
	if len(o.Volume) > 32 || strings.Trim(o.Volume, dCharacters) != "" {
		return nil, errors.New("iso: a volume identifier has at most 32 characters of A-Z, 0-9 and _")
	}
	root := &entry{isDir: true, byName: map[string]*entry{}}
	root.parent = root
	return &Image{spool: spool, o: o, root: root}, nil
}

const dCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// Create makes a file with its directories: components parted by slashes, of 1 to 8 d-characters, that of the
// file with an extension of 1 to 3 more where it has one. It is complete when it was closed; the next comes after.
func (m *Image) Create(name string) (io.WriteCloser, error) {
	switch {
	case m.failed != nil:
		return nil, m.failed
	case m.open || m.laid != nil:
		return nil, errors.New("iso: one file at a time, and none after the image was laid out")
	}

	parts := strings.Split(name, "/")
	dirs, last := parts[:len(parts)-1], parts[len(parts)-1]
	base, ext, dotted := strings.Cut(last, ".")
	if len(dirs) > depthMost || !word(base, 8) || dotted && !word(ext, 3) {
		return nil, fmt.Errorf("iso: a name of %d bytes in %d directories is none of ISO 9660 level 1", len(last), len(dirs))
	}
	at := m.root
	for _, dir := range dirs {
		if !word(dir, 8) {
			return nil, errors.New("iso: the name of a directory has 1 to 8 of A-Z, 0-9 and _")
		}
		below := at.byName[dir]
		if below == nil {
			below = &entry{name: dir, isDir: true, parent: at, byName: map[string]*entry{}}
			at.add(dir, below)
		}
		if !below.isDir {
			return nil, errors.New("iso: a file stands where a directory is wanted")
		}
		at = below
	}

	f := &entry{name: base + "." + ext + ";1", parent: at, at: m.blocks} // both separators, always (ECMA-119 7.5.1)
	if at.byName[last] != nil {
		return nil, errors.New("iso: a file of this name is there already")
	}
	at.add(last, f)
	m.open = true
	return &file{m: m, e: f}, nil
}

func (e *entry) add(name string, child *entry) {
	e.byName[name] = child
	e.children = append(e.children, child)
}

func word(s string, most int) bool {
	return len(s) >= 1 && len(s) <= most && strings.Trim(s, dCharacters) == ""
}

// file is the one that is being written.
type file struct {
	m *Image
	e *entry
}

// Write implements io.Writer.
func (f *file) Write(p []byte) (int, error) {
	if f.e.size+int64(len(p)) > fileMost {
		f.m.failed = errors.New("iso: a file of 4 GiB and more does not go onto such a disc")
		return 0, f.m.failed
	}
	n, err := f.m.spool.Write(p)
	f.e.size += int64(n)
	f.m.failed = errors.Join(f.m.failed, err)
	return n, err
}

// Close implements io.Closer. It fills up the last sector.
func (f *file) Close() error {
	if !f.m.open {
		return nil
	}
	f.m.open = false
	if rest := f.e.size % sector; rest != 0 && f.m.failed == nil {
		_, f.m.failed = f.m.spool.Write(make([]byte, sector-rest))
	}
	f.m.blocks += blocksOf(f.e.size)
	return f.m.failed
}

func blocksOf(size int64) int64 { return (size + sector - 1) / sector }

// Size is how many bytes WriteTo will write. No file comes after it.
func (m *Image) Size() int64 { return m.layout().total * sector }

// WriteTo implements io.WriterTo. It may be called again.
func (m *Image) WriteTo(w io.Writer) (int64, error) {
	if m.failed != nil {
		return 0, m.failed
	}
	l := m.layout()
	counted := &counter{w: w}
	if err := m.writeHead(counted, l); err != nil {
		return counted.n, err
	}
	_, err := io.Copy(counted, io.NewSectionReader(m.spool, 0, m.blocks*sector))
	return counted.n, err
}

// SystemArea is the zeros with which every image begins: it can be sent before the image is there.
const SystemArea = 16 * sector

type counter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
