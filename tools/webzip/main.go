// Webzip puts what the build of the web parts made into one archive, which the program
// embeds: the same files give the same bytes.
package main

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: webzip DIR FILE.zip")
		os.Exit(2)
	}
	if err := pack(os.DirFS(os.Args[1]), os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "webzip:", err)
		os.Exit(1)
	}
}

// pack writes the files of a folder, in order of their names and without times. The file is there
// whole or not at all.
func pack(from fs.FS, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".webzip-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing after the file has its name
	if err := write(from, f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), to)
}

func write(from fs.FS, to io.Writer) error {
	z := zip.NewWriter(to)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		in, err := from.Open(name)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method(name)})
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return err
	})
	if err != nil {
		return err
	}
	return z.Close()
}

// method stores what is compressed already.
func method(name string) uint16 {
	switch path.Ext(name) {
	case ".woff2", ".png", ".jpg", ".gz":
		return zip.Store
	}
	return zip.Deflate
}
