package dicomweb

import (
	"errors"
	"io"

	"collimator/dicom"
)

// fragmentReader reads the fragments of an encapsulated value one behind the
// other, without the items around them. It seeks, so that a player may jump in
// a video.
type fragmentReader struct {
	el   dicom.Element
	size int64

	next int       // fragment to be opened
	skip int64     // bytes of it to leave out
	r    io.Reader // of the fragment before next, or nil
}

func newFragmentReader(el dicom.Element) *fragmentReader {
	f := &fragmentReader{el: el}
	for i := range el.FragmentCount() {
		f.size += el.FragmentLength(i)
	}
	return f
}

var errSeek = errors.New("dicomweb: seek out of a value")

// Seek implements io.Seeker from the start. Only the fragment that holds the
// place is opened.
func (f *fragmentReader) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart || offset < 0 || offset > f.size {
		return 0, errSeek
	}
	f.r = nil
	f.next = 0
	f.skip = offset
	for f.next < f.el.FragmentCount() && f.skip >= f.el.FragmentLength(f.next) {
		f.skip -= f.el.FragmentLength(f.next)
		f.next++
	}
	return offset, nil
}

// Read implements io.Reader.
func (f *fragmentReader) Read(p []byte) (int, error) {
	for {
		if f.r == nil {
			if f.next >= f.el.FragmentCount() {
				return 0, io.EOF
			}
			if err := f.open(); err != nil {
				return 0, err
			}
		}

		n, err := f.r.Read(p)
		if err != io.EOF {
			return n, err
		}

		f.r = nil
		if n > 0 {
			return n, nil
		}
	}
}

// open begins the next fragment, behind the bytes that Seek left out.
func (f *fragmentReader) open() error {
	r, err := f.el.OpenFragment(f.next)
	if err != nil {
		return err
	}

	skip := f.skip
	f.next++
	f.skip = 0
	if s, ok := r.(io.Seeker); ok && skip > 0 {
		_, err = s.Seek(skip, io.SeekStart)
	} else if skip > 0 {
		_, err = io.CopyN(io.Discard, r, skip)
	}

	f.r = r
	return err
}
