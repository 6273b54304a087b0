package disc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"collimator/dicom/media"
	"collimator/internal/fault"
	"collimator/internal/shown"
)

// Made is a file-set that was made. Its lists are never nil.
type Made struct {
	Objects  int       `json:"objects"`
	Bytes    int64     `json:"bytes"` // of the objects
	Records  int       `json:"records"`
	UID      string    `json:"uid"`
	Profile  string    `json:"profile"` // PS3.11, by the transfer syntaxes alone; empty for none
	MadeKeys int       `json:"madeKeys"`
	NotDICOM int       `json:"notDICOM"`
	LeftOut  []LeftOut `json:"leftOut"`
}

// LeftOut is a file that is not in the file-set.
type LeftOut struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Source is a file of which a file-set is made. Its size is that of when it was found.
type source struct {
	name string // for people
	size int64
	fsys fs.FS
	path string
}

// Sources are the objects below paths, found before anything is written. Close them.
type Sources struct {
	files  []source
	out    *Made
	opened []*os.Root
}

// Len is how many objects were found.
func (s *Sources) Len() int { return len(s.files) }

// Close closes the folders.
func (s *Sources) Close() error {
	var errs []error
	for _, c := range s.opened {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Find finds objects: files that are named, and those below folders that are named.
// What is no object below a folder is counted; what is named and none is left out and
// told. progress is called for each file that was looked at, where it is not nil.
func Find(ctx context.Context, paths []string, progress func()) (*Sources, error) {
	s := &Sources{out: &Made{LeftOut: []LeftOut{}}}
	for _, path := range paths {
		if err := s.below(ctx, path, progress); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// below finds the objects of one path.
func (s *Sources) below(ctx context.Context, path string, progress func()) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}

	switch {
	case info.IsDir():
	case info.Mode().IsRegular():
		return s.named(path, info.Size())
	default:
		s.out.LeftOut = append(s.out.LeftOut, LeftOut{File: path, Reason: "it is no file"})
		return nil
	}

	root, err := s.open(path)
	if err != nil {
		return err
	}
	for o := range media.Scan(root, media.Options{}) {
		if ctx.Err() != nil {
			return errStopped
		}
		s.found(root, path, o)
		if progress != nil {
			progress()
		}
	}
	return nil
}

// named takes a file that was named. A link that is named is followed.
func (s *Sources) named(path string, size int64) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	root, err := s.open(filepath.Dir(real))
	if err != nil {
		return err
	}
	s.files = append(s.files, source{name: path, size: size, fsys: root, path: filepath.Base(real)})
	return nil
}

// open opens a folder until Close. The one that was opened last is taken again: files
// are named by the hundred.
func (s *Sources) open(dir string) (fs.FS, error) {
	if n := len(s.opened); n > 0 && s.opened[n-1].Name() == dir {
		return s.opened[n-1].FS(), nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	s.opened = append(s.opened, root)
	return root.FS(), nil
}

// found takes what is below a folder.
func (s *Sources) found(fsys fs.FS, dir string, o media.Object) {
	name := filepath.Join(dir, filepath.FromSlash(o.Path))
	switch {
	case o.Head != nil:
		s.files = append(s.files, source{name: name, size: o.Size, fsys: fsys, path: o.Path})
	case o.Problems[0].Kind == media.NotDICOM:
		s.out.NotDICOM++
	default:
		s.out.LeftOut = append(s.out.LeftOut, LeftOut{File: name, Reason: o.Problems[0].Reason})
	}
}

// MakeOptions say how a file-set is made.
type MakeOptions struct {
	Dir       string // it is made, or is empty
	FileSetID string
	Progress  func(bytes int64, failed bool) // called for each object, where it is not nil
}

// Make writes a file-set of objects that were found. Beside an error stands what came of
// the objects, or nil where none was touched.
func Make(ctx context.Context, s *Sources, o MakeOptions) (*Made, error) {
	if len(s.files) == 0 {
		return s.out, errors.New("there is no DICOM object among the files that were named; nothing was written")
	}
	if _, err := media.NewWriter(nil, media.WriterOptions{FileSetID: o.FileSetID}); err != nil {
		return nil, fault.Usage("--id: %w", err)
	}
	root, err := emptyFolder(o.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()

	w, err := media.NewWriter(media.Folder(root), media.WriterOptions{FileSetID: o.FileSetID})
	if err != nil {
		return nil, err
	}
	for _, f := range s.files {
		if err := s.add(ctx, w, f, o.Progress); err != nil {
			return s.out, fmt.Errorf("%w; what is in %s is no file-set, remove it", err, shown.Text(o.Dir))
		}
	}
	if s.out.Objects == 0 {
		return s.out, errors.New("no object could be taken; nothing was written")
	}

	written, err := w.Close()
	if err != nil {
		return s.out, err
	}
	s.out.Records = written.Records
	s.out.UID = written.UID
	s.out.Profile = written.Profile
	return s.out, nil
}

// add adds one object.
func (s *Sources) add(ctx context.Context, w *media.Writer, f source, progress func(int64, bool)) error {
	added, err := w.Add(ctx, func() (io.ReadCloser, error) { return f.fsys.Open(f.path) })
	var left *media.LeftOutError
	switch {
	case errors.As(err, &left):
		s.out.LeftOut = append(s.out.LeftOut, LeftOut{File: f.name, Reason: strings.TrimPrefix(left.Error(), "media: left out: ")})
	case err != nil:
		return err
	default:
		s.out.Objects++
		s.out.Bytes += added.Bytes
		s.out.MadeKeys += len(added.Made)
	}

	if progress != nil {
		progress(f.size, err != nil)
	}
	return nil
}

// emptyFolder makes a folder, or takes one that is empty.
func emptyFolder(dir string) (*os.Root, error) {
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		entries, err := os.ReadDir(dir)
		switch {
		case err != nil:
			return nil, err
		case len(entries) > 0:
			return nil, fault.Usage("%s is not empty: name a folder that is, or one that is not there yet", shown.Text(dir))
		}
	} else if err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

// Verdict is fault.Partly where objects were left out.
func (m *Made) Verdict() error {
	if len(m.LeftOut) == 0 {
		return nil
	}
	return fault.Partial("objects were left out; they are listed with the reason")
}
