package dicom

import (
	"bufio"
	"compress/flate"
	"io"
)

// inflater reads a deflated data set (PS3.5 A.5, RFC 1951) within limits.
type inflater struct {
	z      io.Reader
	in     *countingReader
	out    int64
	limits Limits
	drain  *bufio.Reader
}

// newInflater starts inflating r. A zlib header (RFC 1950 2.2), which some
// writers leave in front, is stepped over.
func newInflater(r io.Reader, l Limits) *inflater {
	in := &countingReader{r: r}
	br := bufio.NewReaderSize(in, bufferSize)
	if h, err := br.Peek(2); err == nil && h[0] == 0x78 && (uint(h[0])<<8|uint(h[1]))%31 == 0 {
		br.Discard(2)
	}
	return &inflater{z: flate.NewReader(br), in: in, limits: l.withDefaults(), drain: br}
}

// Read implements io.Reader. After the last block it reads the source to its
// end, so that a tee in front sees each byte.
func (f *inflater) Read(p []byte) (int, error) {
	n, err := f.z.Read(p)
	f.out += int64(n)
	if f.out > f.limits.Inflated {
		return n, &SyntaxError{Offset: f.out, Clause: "PS3.5 A.5", Reason: "inflated data set is beyond the limit", err: ErrLimit}
	}
	if f.out > inflateFloor && f.out/int64(max(1, f.limits.InflateRatio)) > f.in.n {
		return n, &SyntaxError{Offset: f.out, Clause: "PS3.5 A.5", Reason: "data set inflates beyond the ratio allowed", err: ErrLimit}
	}

	if err == io.EOF {
		if _, derr := io.Copy(io.Discard, f.drain); derr != nil {
			return n, derr
		}
	}
	if _, bad := err.(flate.CorruptInputError); bad {
		err = &SyntaxError{Offset: f.out, Clause: "PS3.5 A.5", Reason: "deflated bytes are damaged"}
	}
	return n, err
}

type countingReader struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
