// Package disc is what commands do with media: list what is on one, check it, and
// make one. It reads and writes by dicom/media, and prints. Values of patients are in
// what it prints only where that was asked for; names of files always are, as they
// are what somebody looks for.
package disc

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"collimator/dicom/media"
	"collimator/dicom/media/iso"
	"collimator/internal/fault"
)

// medium is a folder or a zip that somebody named. Close it.
type medium struct {
	fsys   fs.FS
	set    *media.FileSet // nil where there is no DICOMDIR that can be read
	wrong  *media.Problem // why it cannot be read
	opened []io.Closer
}

// open opens a folder, a DICOMDIR in its folder, or a zip.
func open(path string) (_ *medium, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	m := &medium{}
	defer func() {
		if err != nil {
			m.Close()
		}
	}()

	o := media.Options{}
	switch {
	case info.IsDir():
		err = m.folder(path)
	case !info.Mode().IsRegular():
		err = errors.New("it is no file and no folder") // opening a pipe could wait for ever
	case begins(path, 0, "PK\x03\x04"), begins(path, 0, "PK\x05\x06"):
		err = m.zip(path, info.Size())
	case begins(path, iso.SystemArea, "\x01CD001"):
		err = m.image(path, info.Size())
	default:
		o.Name = filepath.Base(path)
		err = m.folder(filepath.Dir(path))
	}
	if err != nil {
		return nil, err
	}

	m.set, err = media.Open(m.fsys, o)
	switch {
	case err == nil:
		m.opened = append(m.opened, m.set)
		return m, nil
	case o.Name != "":
		return nil, err
	}

	// The objects are there all the same.
	m.wrong = &media.Problem{Kind: media.Damaged, Offset: -1, Reason: "the DICOMDIR cannot be read: " + err.Error()}
	if errors.Is(err, media.ErrNoDirectory) {
		m.wrong = &media.Problem{Kind: media.MissingFile, Offset: -1, Reason: "there is no DICOMDIR in the root"}
	}
	return m, nil
}

// folder opens a folder that nothing in it leads out of.
func (m *medium) folder(path string) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	m.opened = append(m.opened, root)
	m.fsys = root.FS()
	return nil
}

// zip opens a zip.
func (m *medium) zip(path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	m.opened = append(m.opened, f)
	z, err := zip.NewReader(f, size)
	if err != nil {
		return fmt.Errorf("the zip cannot be read: %w", err)
	}
	m.fsys = z
	return nil
}

// image opens the image of a disc.
func (m *medium) image(path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	m.opened = append(m.opened, f)
	m.fsys, err = iso.Open(f, size)
	return err
}

// begins reports that a file has a text at a place: how a zip and an image begin.
func begins(path string, at int64, text string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	b := make([]byte, len(text))
	_, err = f.ReadAt(b, at)
	return err == nil && string(b) == text
}

// Close closes what was opened, the last first.
func (m *medium) Close() error {
	var errs []error
	for i := len(m.opened) - 1; i >= 0; i-- {
		errs = append(errs, m.opened[i].Close())
	}
	return errors.Join(errs...)
}

// Problem is something that is wrong with a medium.
type Problem struct {
	Kind   media.Kind `json:"kind"`
	Record *int64     `json:"record,omitempty"` // where it begins in the DICOMDIR, in bytes
	Tag    string     `json:"tag,omitempty"`
	Reason string     `json:"reason"`
	File   string     `json:"file,omitempty"`
}

// problemOf is a problem as it is printed.
func problemOf(p media.Problem) Problem {
	out := Problem{Kind: p.Kind, Reason: p.Reason, File: p.Path}
	if p.Offset >= 0 {
		out.Record = &p.Offset
	}
	if p.Tag != 0 {
		out.Tag = p.Tag.String()
	}
	return out
}

// mostProblems is how many problems are kept for print; the others are counted.
const mostProblems = 10_000

// problems are what is wrong with a medium.
type problems struct {
	List []Problem `json:"problems"`
	All  int       `json:"problemsInAll"` // more than are listed, where there are many
}

func (p *problems) add(list ...media.Problem) {
	for _, x := range list {
		p.All++
		if len(p.List) < mostProblems {
			p.List = append(p.List, problemOf(x))
		}
	}
}

// more counts problems that nobody kept.
func (p *problems) more(n int) { p.All += n }

// ofDirectory adds what is wrong with a directory.
func (p *problems) ofDirectory(d *media.Directory) {
	list, all := d.Problems()
	p.add(list...)
	p.more(all - len(list))
}

// errStopped is that somebody does not wait for the end.
var errStopped = fault.New(fault.Canceled, "interrupted: the rest was not looked at")
