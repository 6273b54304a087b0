package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// WriterOptions say how a file-set is written.
type WriterOptions struct {
	FileSetID string // at most 16 of A-Z, 0-9 and _ (PS3.10 8.1); may be empty
	Limits    Limits // Records bounds the objects of the file-set
}

// Writer writes a file-set: objects as they are added, and then the directory. Each
// object costs some 500 bytes of memory until the end. Not safe for concurrent use.
type Writer struct {
	to     Target
	o      WriterOptions
	limits Limits

	root      node
	patients  map[string]*node
	studies   map[string]*node
	series    map[string]*node
	instances map[string]bool
	syntaxes  map[string]bool
	failed    error // of the target; nothing is written any more
}

// node is a record to come.
type node struct {
	record   []byte
	above    *node
	folder   string // of what is below it
	children []*node
	offset   uint32
}

// NewWriter begins a file-set. Its error is a File-set ID that is none.
func NewWriter(to Target, o WriterOptions) (*Writer, error) {
	if len(o.FileSetID) > 16 || strings.Trim(o.FileSetID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return nil, errors.New("media: a File-set ID has at most 16 characters of A-Z, 0-9 and _ (PS3.10 8.1)")
	}
	return &Writer{
		to: to, o: o, limits: o.Limits.withDefaults(),
		patients: map[string]*node{}, studies: map[string]*node{}, series: map[string]*node{},
		instances: map[string]bool{}, syntaxes: map[string]bool{},
	}, nil
}

// Source is a file with an object: a Part 10 file, or a data set alone. It is opened
// twice, to be known and to be copied, and must be the same both times.
type Source func() (io.ReadCloser, error)

// Added is an object in a file-set.
type Added struct {
	FileID []string    // components
	Type   Type        // of its record
	Bytes  int64       // of the file
	Made   []dicom.Tag // keys of the directory that were made, as the object does not have them
}

// Path is the file ID with slashes, as it is in the target.
func (a Added) Path() string { return strings.Join(a.FileID, "/") }

// Add copies an object into the file-set. The file is not changed but for file meta
// information that is missing or names another object, which is written anew. A
// *LeftOutError says why an object is left out; the file-set goes on without
// it. After any other error it cannot be finished.
func (w *Writer) Add(ctx context.Context, src Source) (Added, error) {
	if w.failed != nil {
		return Added{}, w.failed
	}

	o, err := w.read(ctx, src)
	if err != nil {
		return Added{}, w.fatal(err)
	}
	p, err := w.place(o)
	if err != nil {
		return Added{}, err
	}

	if err := w.copy(ctx, src, o, p.added.Path()); err != nil {
		w.failed = fmt.Errorf("media: the file-set cannot be finished: %w", err)
		return Added{}, w.failed
	}
	p.added.Bytes = o.written
	w.settle(o, p)
	return p.added, nil
}

// fatal remembers an error that ends the file-set. An object that is left out, or
// that nobody waits for any more, does not.
func (w *Writer) fatal(err error) error {
	var left *LeftOutError
	if errors.As(err, &left) {
		return err
	}
	w.failed = err
	return err
}

// object is an object that is about to be added.
type object struct {
	ds      *dicom.DataSet
	class   string
	uid     string
	syntax  string
	sound   bool  // the file is a Part 10 file of this object
	offset  int64 // of the data set
	size    int64 // bytes of the source
	written int64 // bytes of the copy
}

// longestKey is the most bytes of a value that are kept for a key.
const longestKey = 64 << 10

// read reads a whole file, so that what is cut off or damaged is not found by who gets the
// file-set. Pixel data are stepped over.
func (w *Writer) read(ctx context.Context, src Source) (*object, error) {
	r, err := src()
	if err != nil {
		return nil, &LeftOutError{Reason: "the file cannot be opened"}
	}
	defer r.Close()

	counted := &counter{ctx: ctx, r: r}
	f, err := dicom.ReadFile(counted, dicom.DecodeOptions{BulkThreshold: longestKey, Limits: dicom.Limits{Header: w.limits.Head}})
	if err == nil {
		_, err = io.Copy(io.Discard, counted) // what follows the data set
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	switch {
	case err != nil && (f == nil || !f.HasPreamble) && isSyntax(err):
		return nil, errNoObject // its tags may be text
	case err != nil:
		return nil, unreadable(err)
	}

	o := &object{
		ds: f.DataSet, syntax: f.TransferSyntax, offset: f.DataSetOffset, size: counted.n,
		class: f.DataSet.Text(tag.SOPClassUID), uid: f.DataSet.Text(tag.SOPInstanceUID),
	}
	if f.Meta.Text(tag.MediaStorageSOPClassUID) == uid.MediaStorageDirectory || o.class == uid.MediaStorageDirectory {
		return nil, &LeftOutError{Reason: "it is a DICOMDIR; a file-set has one of its own"}
	}
	if !uid.Tolerable(o.class) || !uid.Tolerable(o.uid) {
		return nil, errNoObject
	}
	o.sound = len(f.Notes) == 0 && f.Meta.Text(tag.MediaStorageSOPClassUID) == o.class &&
		f.Meta.Text(tag.MediaStorageSOPInstanceUID) == o.uid && f.Meta.Has(tag.FileMetaInformationGroupLength)
	return o, nil
}

// errNoObject is why a file was left out that is none of DICOM.
var errNoObject = &LeftOutError{Reason: "it is no DICOM object: it cannot be decoded, or SOP Class UID or SOP Instance UID is missing or malformed"}

// isSyntax reports an error of the data, and not of what they are read from.
func isSyntax(err error) bool {
	var syntax *dicom.SyntaxError
	return errors.As(err, &syntax)
}

// unreadable is why a file was left out that cannot be read.
func unreadable(err error) error {
	var syntax *dicom.SyntaxError
	if errors.As(err, &syntax) {
		return &LeftOutError{Tag: syntax.Tag, Reason: "it cannot be decoded: " + syntax.Reason}
	}
	return &LeftOutError{Reason: "the file cannot be read"}
}

// copy writes the file.
func (w *Writer) copy(ctx context.Context, src Source, o *object, name string) (err error) {
	r, err := src()
	if err != nil {
		return err
	}
	defer r.Close()
	counted := &counter{ctx: ctx, r: r}

	to, err := w.to.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()

	if !o.sound {
		if _, err := io.CopyN(io.Discard, counted, o.offset); err != nil {
			return err
		}
		meta := dicom.AppendMeta(nil, dicom.Meta{
			SOPClassUID: o.class, SOPInstanceUID: o.uid, TransferSyntaxUID: o.syntax,
			ImplementationClassUID: dicom.ImplementationClassUID, ImplementationVersionName: dicom.ImplementationVersionName,
		})
		if _, err := to.Write(meta); err != nil {
			return err
		}
		o.written = int64(len(meta))
	}

	n, err := io.Copy(to, counted)
	o.written += n
	if err == nil && counted.n != o.size {
		err = errors.New("a file changed while it was copied")
	}
	return err
}

// counter counts what is read, until nobody waits for it any more.
type counter struct {
	ctx context.Context
	r   io.Reader
	n   int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
