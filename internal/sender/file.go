package sender

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// File is a file with an object that can be stored.
type File struct {
	Path           string
	Size           int64 // bytes
	SOPClassUID    string
	SOPInstanceUID string
	TransferSyntax string
	Offset         int64 // of the data set, in bytes

	modified int64 // nanoseconds
	sent     bool
}

// errNotStorable is a data set without the UIDs of an object.
var errNotStorable = errors.New("it holds no object that can be stored: SOP Class UID or SOP Instance UID is missing or malformed")

// Inspect reads the identity of a file: from the data set, because some
// files have none or a wrong one in front. ErrNotDICOM, ErrDirectory and
// ErrBroken tell the files apart that are not an object.
func Inspect(path string) (*File, error) {
	info, err := os.Stat(path) // opening a pipe could wait for ever
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotDICOM
	}

	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()

	f, err := dicom.OpenFile(r, info.Size(), dicom.DecodeOptions{BulkThreshold: 4 << 10})
	if err != nil {
		return nil, inspected(r, err)
	}

	out := &File{
		Path: path, Size: info.Size(), modified: info.ModTime().UnixNano(),
		Offset: f.DataSetOffset, TransferSyntax: f.TransferSyntax,
		SOPClassUID: f.DataSet.Text(tag.SOPClassUID), SOPInstanceUID: f.DataSet.Text(tag.SOPInstanceUID),
	}
	if isDirectory(f) {
		return nil, ErrDirectory
	}
	if err := out.storable(); err != nil {
		return nil, inspected(r, err) // noise may pass as an empty data set
	}
	return out, nil
}

// isDirectory reports a media storage directory. Its data set names no SOP Class: the file meta information
// does, and where there is none its records show what it is.
func isDirectory(f *dicom.File) bool {
	class := cmp.Or(f.DataSet.Text(tag.SOPClassUID), f.Meta.Text(tag.MediaStorageSOPClassUID))
	_, records := f.DataSet.Get(tag.DirectoryRecordSequence)
	return class == uid.MediaStorageDirectory || class == "" && records
}

// open gives the data set in one of the accepted transfer syntaxes.
func (f *File) open(ctx context.Context, accepted []string) (io.ReadCloser, string, error) {
	r, err := os.Open(f.Path)
	if err != nil {
		return nil, "", err
	}

	for _, ts := range append([]string{f.TransferSyntax}, NativeSyntaxes()...) {
		if !slices.Contains(accepted, ts) {
			continue
		}

		o := pixel.Object{At: r, Offset: f.Offset, Size: f.Size - f.Offset, TransferSyntax: f.TransferSyntax}
		body, err := pixel.Open(ctx, o, ts)
		if err != nil {
			return nil, "", errors.Join(err, r.Close())
		}
		return openFile{body, r}, ts, nil
	}

	err = fmt.Errorf("the peer does not take %s, and it cannot be converted", uid.Name(f.TransferSyntax))
	return nil, "", errors.Join(err, r.Close())
}

// openFile is the data set of a file; closing it closes the file, too.
type openFile struct {
	io.ReadCloser
	file *os.File
}

// Close implements io.Closer.
func (o openFile) Close() error { return errors.Join(o.ReadCloser.Close(), o.file.Close()) }

// storable reports whether the UIDs name an object that can be stored.
func (f *File) storable() error {
	if !uid.Tolerable(f.SOPClassUID) || !uid.Tolerable(f.SOPInstanceUID) {
		return errNotStorable
	}
	return nil
}
