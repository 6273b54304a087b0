package dicom

import (
	"bufio"
	"io"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// File is a Part 10 file (PS3.10 7).
type File struct {
	Preamble       [128]byte
	Meta           *DataSet // group 0002; empty if there was none
	DataSet        *DataSet
	TransferSyntax string // in which the data set stands, from the meta information or guessed
	DataSetOffset  int64  // bytes in front of the data set
	Notes          []Note // what was irregular about the file; see also DataSet.Notes
	HasPreamble    bool   // preamble and prefix were there
}

// ReadFile reads a Part 10 file to the end of r. Files without preamble, meta
// information or transfer syntax are read as dcmdump reads them and get a
// note. Of the options, TransferSyntax is used only where the file names none;
// Base is where the file starts in Source.
func ReadFile(r io.Reader, o DecodeOptions) (*File, error) {
	br := bufio.NewReaderSize(r, bufferSize)
	f := &File{}
	if err := f.readMeta(br, o); err != nil {
		return nil, err
	}
	o.TransferSyntax = f.TransferSyntax
	o.Base += f.DataSetOffset
	var err error
	f.DataSet, err = Decode(br, o)
	return f, err
}

// OpenFile reads a Part 10 file of size bytes and leaves values longer than
// 64 KiB, or than o.BulkThreshold, where they are. They are read from r when
// they are opened.
func OpenFile(r io.ReaderAt, size int64, o DecodeOptions) (*File, error) {
	if o.BulkThreshold == 0 {
		o.BulkThreshold = 64 << 10
	}
	o.Source = r
	o.Base = 0
	return ReadFile(io.NewSectionReader(r, 0, size), o)
}

func (f *File) readMeta(br *bufio.Reader, o DecodeOptions) error {
	lim := o.Limits.withDefaults()
	if b, _ := br.Peek(preambleLength + len(magic)); len(b) > preambleLength && string(b[preambleLength:]) == magic {
		copy(f.Preamble[:], b)
		f.HasPreamble = true
		br.Discard(len(b))
		f.DataSetOffset = int64(len(b))
	} else {
		f.note(0, "no preamble with the prefix DICM")
	}

	var err error
	var n int64
	if f.Meta, n, err = readGroup2(br, lim); err != nil {
		return err
	}
	f.DataSetOffset += n
	if f.Meta.Len() == 0 {
		f.note(0, "no file meta information")
	}

	f.TransferSyntax = f.Meta.Text(tag.TransferSyntaxUID)
	if f.TransferSyntax == "" {
		f.TransferSyntax = o.TransferSyntax
	}
	if f.TransferSyntax == "" {
		f.TransferSyntax = guessSyntax(br)
		f.note(tag.TransferSyntaxUID, "no transfer syntax, guessed from the first element")
	}
	return nil
}

func (f *File) note(t Tag, reason string) {
	f.Notes = append(f.Notes, Note{t, f.DataSetOffset, reason})
}

// guessSyntax looks at the first element of a data set.
func guessSyntax(br *bufio.Reader) string {
	b, _ := br.Peek(6)
	if len(b) < 6 {
		return uid.ImplicitVRLittleEndian
	}

	explicit := VR(b[4])<<8 | VR(b[5])
	switch {
	case !explicit.Known():
		return uid.ImplicitVRLittleEndian
	case b[0] == 0 && b[1] != 0:
		return uid.ExplicitVRBigEndian
	}
	return uid.ExplicitVRLittleEndian
}

// WriteFile writes a Part 10 file: preamble, prefix, meta information and the
// data set in f.TransferSyntax.
func WriteFile(w io.Writer, f *File) error {
	if _, err := w.Write(appendMetaSet(nil, f.Preamble, f.Meta)); err != nil {
		return err
	}
	return Encode(w, f.DataSet, f.TransferSyntax)
}
