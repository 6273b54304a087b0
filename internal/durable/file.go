package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// File is a file that is being written and has no name of its own yet. It is
// not safe for concurrent use. End it with Once or Whole, or with Abort, which
// does nothing after one of them and so can be deferred.
type File struct {
	f    *os.File
	done bool
}

// Names of files that are being written.
const (
	begun   = ".new-"
	pattern = begun + "*"
)

// Create begins a file that will stand in dir.
func Create(dir string, mode fs.FileMode) (*File, error) {
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, aboutName("create a file in", dir, err)
	}
	// The file was not there before, so that nobody has it open who may not.
	if err := f.Chmod(mode); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return &File{f: f}, nil
}

// Name is where the file stands until it has its own name, for who writes to it
// by another way.
func (f *File) Name() string { return f.f.Name() }

// Write implements io.Writer.
func (f *File) Write(p []byte) (int, error) { return f.f.Write(p) }

// Once gives the file its name, and returns when it is durable. Where the name
// is taken, what stands there stays, and the error is fs.ErrExist. path is on
// the file system of the directory it was begun in.
func (f *File) Once(path string) error {
	defer f.Abort()
	if err := f.flush(); err != nil {
		return err
	}

	// A link, unlike a rename, never replaces: of two processes the first wins.
	err := os.Link(f.f.Name(), path)
	err = aboutName("create", path, err)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}

	synced := Sync(filepath.Dir(path))
	if synced != nil && err == nil {
		return errors.Join(synced, os.Remove(path)) // it must not look stored
	}
	return errors.Join(err, synced)
}

// Whole gives the file its name, in the place of what stands there, and returns
// when it is durable.
func (f *File) Whole(path string) error {
	defer f.Abort()
	if err := f.flush(); err != nil {
		return err
	}

	if err := Move(f.f.Name(), path); err != nil {
		return aboutName("create", path, err)
	}

	f.done = true
	return nil
}

// aboutName makes an error speak of the name that the caller gave, and not of
// the one that a file has while it is being written.
func aboutName(op, path string, err error) error {
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return &fs.PathError{Op: op, Path: path, Err: e.Err}
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok && strings.HasPrefix(filepath.Base(e.Path), begun) {
		return &fs.PathError{Op: op, Path: path, Err: e.Err}
	}

	return err
}

func (f *File) flush() error {
	if f.done {
		return fs.ErrClosed
	}
	return errors.Join(f.f.Sync(), f.f.Close())
}

// Abort drops what was written.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	f.f.Close() // may be closed already; what is in it is dropped
	os.Remove(f.f.Name())
}

// Once writes a file that is never replaced, and returns when it is durable.
// Where the name is taken nothing is written, and the error is fs.ErrExist.
func Once(path string, content []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
	}

	f, err := begin(path, content, mode)
	if err != nil {
		return err
	}

	return f.Once(path)
}

// Whole writes a file in one step, in the place of what stands there, and
// returns when it is durable.
func Whole(path string, content []byte, mode fs.FileMode) error {
	f, err := begin(path, content, mode)
	if err != nil {
		return err
	}
	return f.Whole(path)
}

func begin(path string, content []byte, mode fs.FileMode) (*File, error) {
	f, err := Create(filepath.Dir(path), mode)
	if err != nil {
		return nil, err
	}

	if _, err := f.Write(content); err != nil {
		f.Abort()
		return nil, err
	}

	return f, nil
}

// Sweep removes from a directory of ours what killed processes began and did
// not end: files of Create older than age. What cannot be removed now is tried
// again at the next start.
func Sweep(dir string, age time.Duration) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}

	for _, e := range entries {
		prefix := strings.TrimSuffix(pattern, "*")
		info, err := e.Info()
		ours := strings.HasPrefix(e.Name(), prefix)
		if err == nil && ours && info.Mode().IsRegular() && time.Since(info.ModTime()) > age {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
