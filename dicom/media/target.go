package media

import (
	"archive/zip"
	"io"
	"os"
	"path"
)

// Target is where a file-set is written. Create makes a file with its folders; a
// file that is there already is an error. What is written to it counts when it was
// closed. The name has components of PS3.10 8.2, parted by slashes.
type Target interface {
	Create(name string) (io.WriteCloser, error)
}

// Folder writes a file-set below a folder. Folders that are there are used, and no
// file is overwritten. It is a copy: nobody waits until it has reached the disk.
func Folder(root *os.Root) Target { return folderTarget{root} }

type folderTarget struct{ root *os.Root }

// Create implements Target.
func (t folderTarget) Create(name string) (io.WriteCloser, error) {
	if dir := path.Dir(name); dir != "." {
		if err := t.root.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	return t.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// Zip writes a file-set into a zip, one file after the other, stored without
// compression and without times, so that the same files make the same zip. The
// caller closes the zip.
func Zip(w *zip.Writer) Target { return zipTarget{w} }

type zipTarget struct{ w *zip.Writer }

// Create implements Target.
func (t zipTarget) Create(name string) (io.WriteCloser, error) {
	w, err := t.w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return nil, err
	}
	return zipFile{w}, nil
}

// zipFile ends with the next file.
type zipFile struct{ io.Writer }

// Close implements io.Closer.
func (zipFile) Close() error { return nil }
