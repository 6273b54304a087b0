package archive

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"slices"
	"sort"
	"sync"

	"collimator/dicom"
	"collimator/internal/budget"
	"collimator/internal/fault"
)

// The header of an instance is its data set without the values longer than
// bulkThreshold. It is kept in the index as the bytes of the data set with
// holes where these values are, so that reading it back gives the very same
// elements, each left-out value with its place in the file:
//
//	uvarint n, then n holes: uvarint distance from the end of the hole before, uvarint length
//	the bytes between the holes
//
// all of it deflated (RFC 1951).

type hole struct{ offset, length int64 }

// packHeader makes the stored form of a header, or nothing where there can be
// none: of a data set that is deflated as a whole, and of one that does not
// read back as what it was. These are read from the file when asked for. The
// stored form is read back here, once, so that no query meets one that cannot be.
func packHeader(ds *dicom.DataSet, ts dicom.TransferSyntax, size int64) ([]byte, error) {
	if ts.Deflated {
		return nil, nil
	}

	holes := findHoles(ds)
	slices.SortFunc(holes, func(a, b hole) int { return int(min(max(a.offset-b.offset, -1), 1)) })

	var buf bytes.Buffer
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	z.Reset(&buf)

	head := binary.AppendUvarint(nil, uint64(len(holes)))
	end := int64(0)
	for _, h := range holes {
		head = binary.AppendUvarint(head, uint64(h.offset-end))
		head = binary.AppendUvarint(head, uint64(h.length))
		end = h.offset + h.length
	}
	if _, err := z.Write(head); err != nil {
		return nil, err
	}

	cut := &holeWriter{w: z, holes: holes}
	if err := dicom.Encode(cut, ds, ts.UID); err != nil || cut.n != size {
		return nil, nil
	}
	if err := z.Close(); err != nil {
		return nil, err
	}

	if !readsBack(buf.Bytes(), ts, ds) {
		return nil, nil
	}

	return buf.Bytes(), nil
}

var deflaters = sync.Pool{New: func() any {
	z, _ := flate.NewWriter(nil, flate.BestSpeed) // the level is valid
	return z
}}

// A header is small beside the tables of a decompressor and a buffer.
var (
	inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}
	readers   = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 16<<10) }}
)

// findHoles lists the values left in the stream, of all depths. Of an
// encapsulated value the fragments are the holes; their item headers stay.
func findHoles(ds *dicom.DataSet) (out []hole) {
	for _, b := range ds.InStream() {
		for x := range b.Extents() {
			out = append(out, hole{x.Offset, x.Length})
		}
	}

	return out
}

// holeWriter passes on what lies between the holes.
type holeWriter struct {
	w     io.Writer
	holes []hole
	n     int64
}

// Write implements io.Writer.
func (h *holeWriter) Write(p []byte) (int, error) {
	all := len(p)
	for len(p) > 0 {
		for len(h.holes) > 0 && h.n >= h.holes[0].offset+h.holes[0].length {
			h.holes = h.holes[1:]
		}

		keep := int64(len(p))
		if len(h.holes) > 0 {
			next := h.holes[0]
			if h.n >= next.offset {
				skip := min(keep, next.offset+next.length-h.n)
				h.n += skip
				p = p[skip:]
				continue
			}
			keep = min(keep, next.offset-h.n)
		}

		if _, err := h.w.Write(p[:keep]); err != nil {
			return 0, err
		}
		h.n += keep
		p = p[keep:]
	}
	return all, nil
}

// spool keeps the bytes of encapsulated values that are not in fragments: it
// is the source from which a header is written. At ingest the file cannot be
// read yet, so the item headers are made again from what the decoder saw.
type spool struct {
	ds *dicom.DataSet
	// file, once it can be read, has the data set at base.
	file io.ReaderAt
	base int64
}

// ReadAt implements io.ReaderAt. What it gives inside of holes is dropped.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(p, s.base+off)
	}
	clear(p)

	for _, b := range s.ds.InStream() { // an icon in an item has fragments too
		if !b.Encapsulated || off >= b.Offset+b.Length || off+int64(len(p)) <= b.Offset {
			continue
		}
		at := b.Offset
		at = overlay(p, off, at, 0xE000, uint32(len(b.OffsetTable)))
		at = overlayBytes(p, off, at, b.OffsetTable)

		first := sort.Search(len(b.Fragments), func(i int) bool { return b.Fragments[i].Offset+int64(b.Fragments[i].Length) > off })
		for _, f := range b.Fragments[first:] {
			if f.Offset-8 >= off+int64(len(p)) {
				break
			}
			overlay(p, off, f.Offset-8, 0xE000, f.Length)
		}

		if n := len(b.Fragments); n > 0 {
			at = b.Fragments[n-1].Offset + int64(b.Fragments[n-1].Length)
		}
		overlay(p, off, at, 0xE0DD, 0)
	}
	return len(p), nil
}

// overlay puts an item header at offset at of the stream into p, which starts
// at off, and says where it ends (PS3.5 A.4).
func overlay(p []byte, off, at int64, element uint16, length uint32) int64 {
	var h [8]byte
	binary.LittleEndian.PutUint16(h[0:], 0xFFFE)
	binary.LittleEndian.PutUint16(h[2:], element)
	binary.LittleEndian.PutUint32(h[4:], length)
	return overlayBytes(p, off, at, h[:])
}

func overlayBytes(p []byte, off, at int64, b []byte) int64 {
	end := at + int64(len(b))
	if from, to := max(at, off), min(end, off+int64(len(p))); from < to {
		copy(p[from-off:to-off], b[from-at:to-at])
	}
	return end
}

// unpackHeader reads a stored header. Values that were left out are read from
// source, the file, with the data set at base; it may be nil. What the data set
// takes in memory is taken from the account.
func unpackHeader(account *budget.Account, data []byte, ts dicom.TransferSyntax, source io.ReaderAt,
	base int64) (ds *dicom.DataSet, err error) {

	options := storedOptions(ts)
	options.BulkThreshold = bulkThreshold
	options.Source = source
	options.Base = base
	options.Account = account
	err = unfold(data, func(r io.Reader) error {
		ds, err = dicom.Decode(r, options)
		return err
	})
	if fault.Of(err) == fault.Busy || fault.Of(err) == fault.TooLarge {
		return nil, err
	}
	if err != nil {
		return nil, corrupt(err)
	}

	return ds, nil
}

// storedOptions are those of a data set that was held against the limits when it
// arrived.
func storedOptions(ts dicom.TransferSyntax) dicom.DecodeOptions {
	return dicom.DecodeOptions{TransferSyntax: ts.UID, Limits: dicom.Limits{Header: 1 << 30, Depth: 1 << 16, Elements: 1 << 30}}
}

// unfold gives the stream that a stored header stands for, with zeros in the
// holes.
func unfold(data []byte, read func(io.Reader) error) error {
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	if err := z.(flate.Resetter).Reset(bytes.NewReader(data), nil); err != nil {
		return err
	}

	r := &holeReader{r: newByteReader(z)}
	n, err := binary.ReadUvarint(r.r)
	if err != nil {
		return err
	}

	for range n {
		distance, err := binary.ReadUvarint(r.r)
		if err != nil {
			return err
		}
		length, err := binary.ReadUvarint(r.r)
		if err != nil {
			return err
		}
		r.holes = append(r.holes, hole{int64(distance), int64(length)})
	}

	br := readers.Get().(*bufio.Reader)
	defer readers.Put(br)
	br.Reset(r)

	return read(br)
}

func corrupt(err error) error {
	return fault.Wrap(fault.Internal, err, "archive: stored header is damaged")
}

type byteReader interface {
	io.Reader
	io.ByteReader
}

func newByteReader(r io.Reader) byteReader {
	if b, ok := r.(byteReader); ok {
		return b
	}
	return &oneByte{Reader: r}
}

type oneByte struct{ io.Reader }

// ReadByte implements io.ByteReader.
func (o *oneByte) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(o.Reader, b[:])
	return b[0], err
}

// holeReader gives the bytes back with zeros in the holes. Here the offset of
// a hole is its distance from the one before.
type holeReader struct {
	r     byteReader
	holes []hole
}

// Read implements io.Reader.
func (h *holeReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}

	for len(h.holes) > 0 && h.holes[0].offset == 0 && h.holes[0].length == 0 {
		h.holes = h.holes[1:]
	}
	if len(h.holes) == 0 {
		return h.r.Read(p)
	}

	next := &h.holes[0]
	if next.offset > 0 {
		n, err := h.r.Read(p[:min(int64(len(p)), next.offset)])
		next.offset -= int64(n)
		if err == io.EOF && next.offset == 0 {
			err = nil // the hole itself is still to come
		}
		return n, err
	}

	n := min(int64(len(p)), next.length)
	clear(p[:n])
	next.length -= n
	return int(n), nil
}
