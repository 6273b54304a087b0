// Package web holds what is built of the browser's side and serves it: files of an archive that is
// embedded. It knows nothing of the door.
package web

import (
	"archive/zip"
	"bytes"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed dist
var dist embed.FS

// ErrNotBuilt is for a program that was built without the parts for browsers.
var ErrNotBuilt = errors.New("web: this program was built without the pages for browsers; 'make web' builds them, and needs Node.js")

// Site is what was built of one part. It is not changed, and safe for concurrent use.
type Site struct{ files map[string]*file }

type file struct {
	*zip.File
	kind string // media type
	etag string
}

// Viewer is OHIF, made to stand under /viewer/. ErrNotBuilt where it was not built.
func Viewer() (*Site, error) { return open("viewer.zip") }

// Console is the console, made to stand under /console/. ErrNotBuilt where it was not built.
func Console() (*Site, error) { return open("console.zip") }

func open(name string) (*Site, error) {
	b, err := dist.ReadFile("dist/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	if err != nil {
		return nil, err
	}
	return read(b)
}

func read(b []byte) (*Site, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("web: what is embedded cannot be read: %w", err)
	}
	s := &Site{files: map[string]*file{}}
	for _, f := range z.File {
		h := fnv.New64a()
		fmt.Fprint(h, f.Name, f.CRC32, f.UncompressedSize64)
		s.files[f.Name] = &file{f, kindOf(f.Name), fmt.Sprintf(`"%x"`, h.Sum64())}
	}
	return s, nil
}

// kinds are the media types of what is built: those of the machine may be others.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".json": "application/json", ".wasm": "application/wasm", ".svg": "image/svg+xml", ".png": "image/png",
	".ico": "image/x-icon", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
}

func kindOf(name string) string {
	if kind, ok := kinds[path.Ext(name)]; ok {
		return kind
	}
	return "application/octet-stream"
}

// Has reports whether a file is there: a name without a slash in front.
func (s *Site) Has(name string) bool { return s.files[name] != nil }

// Serve answers with a file, as GET and HEAD have it (RFC 9110); 404 where there is none. What has the digest
// of its content in its name is kept for a year, everything else asked for again.
func (s *Site) Serve(w http.ResponseWriter, r *http.Request, name string) {
	f := s.files[name]
	if f == nil {
		http.NotFound(w, r)
		return
	}

	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache")
	if digested(name) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	f.write(w, r)
}

// digested reports a name that another content would not have: name.DIGEST.js, DIGEST.wasm.
func digested(name string) bool {
	for _, part := range strings.FieldsFunc(path.Base(name), func(c rune) bool { return c == '.' || c == '-' }) {
		if len(part) >= 16 && strings.Trim(part, "0123456789abcdef") == "" {
			return true
		}
	}
	return false
}

// write answers with the content: as it is stored, where the browser takes gzip, since the body of a member of
// an archive and that of a gzip stream are the same (RFC 1952 2.3).
func (f *file) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if f.Method != zip.Deflate || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Length", fmt.Sprint(f.UncompressedSize64))
		if in, err := f.Open(); err == nil && r.Method != http.MethodHead {
			defer in.Close()
			_, _ = io.Copy(w, in) // who goes away reads no more
		}
		return
	}

	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", fmt.Sprint(len(gzipHead)+int(f.CompressedSize64)+gzipTail))
	if r.Method == http.MethodHead {
		return
	}
	in, err := f.OpenRaw()
	if err != nil {
		return
	}
	tail := binary.LittleEndian.AppendUint32(nil, f.CRC32)
	tail = binary.LittleEndian.AppendUint32(tail, uint32(f.UncompressedSize64))
	_, _ = io.Copy(w, io.MultiReader(bytes.NewReader(gzipHead), in, bytes.NewReader(tail)))
}

// gzipHead is that of a gzip stream without name and time, and gzipTail the length of its end.
var gzipHead = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

const gzipTail = 8
