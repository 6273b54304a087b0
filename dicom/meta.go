package dicom

import (
	"bufio"
	"bytes"
	"io"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Meta is the file meta information of PS3.10 7.1 that a writer chooses.
// AppendMeta fills in the rest.
type Meta struct {
	SOPClassUID               string
	SOPInstanceUID            string
	TransferSyntaxUID         string
	ImplementationClassUID    string // empty leaves it out, which PS3.10 allows no writer of new files
	ImplementationVersionName string
	SourceAETitle             string
	SendingAETitle            string
	ReceivingAETitle          string
}

// magic follows the preamble (PS3.10 7.1).
const magic = "DICM"

// preambleLength is the bytes in front of the magic.
const preambleLength = 128

// AppendMeta appends an empty preamble, the prefix and the file meta
// information to dst.
func AppendMeta(dst []byte, m Meta) []byte {
	ds := NewDataSet()
	ds.Set(NewElement(tag.FileMetaInformationGroupLength, UL, make([]byte, 4)))
	ds.Set(NewElement(tag.FileMetaInformationVersion, OB, []byte{0, 1}))

	for _, f := range []struct {
		t    Tag
		vr   VR
		text string
	}{
		{tag.MediaStorageSOPClassUID, UI, m.SOPClassUID},
		{tag.MediaStorageSOPInstanceUID, UI, m.SOPInstanceUID},
		{tag.TransferSyntaxUID, UI, m.TransferSyntaxUID},
		{tag.ImplementationClassUID, UI, m.ImplementationClassUID},
		{tag.ImplementationVersionName, SH, m.ImplementationVersionName},
		{tag.SourceApplicationEntityTitle, AE, m.SourceAETitle},
		{tag.SendingApplicationEntityTitle, AE, m.SendingAETitle},
		{tag.ReceivingApplicationEntityTitle, AE, m.ReceivingAETitle},
	} {
		if f.text != "" {
			ds.Set(NewElement(f.t, f.vr, []byte(f.text)))
		}
	}

	return appendMetaSet(dst, [preambleLength]byte{}, ds)
}

func appendMetaSet(dst []byte, preamble [preambleLength]byte, meta *DataSet) []byte {
	buf := bytes.NewBuffer(dst)
	buf.Write(preamble[:])
	buf.WriteString(magic)
	encode(buf, meta, formExplicit, EncodeOptions{}) // a buffer takes every byte
	return buf.Bytes()
}

// peeker is a reader that can be looked ahead in: *bufio.Reader.
type peeker interface {
	io.Reader
	Peek(n int) ([]byte, error)
	Discard(n int) (int, error)
}

// ReadMeta reads preamble, prefix and file meta information (PS3.10 7.1) and
// says how many bytes they were. With a *bufio.Reader the stream stands
// exactly at the data set afterwards, also where the group length is wrong;
// any other reader is read to where the group length points.
func ReadMeta(r io.Reader, lim Limits) (meta *DataSet, n int64, err error) {
	lim = lim.withDefaults()

	var head [preambleLength + len(magic)]byte
	got, err := io.ReadFull(r, head[:])
	if err != nil || string(head[preambleLength:]) != magic {
		if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
			err = &SyntaxError{
				Offset: int64(got),
				Clause: "PS3.10 7.1",
				Reason: "no preamble with the prefix DICM",
				err:    io.ErrUnexpectedEOF,
			}
		}
		return nil, int64(got), err
	}
	if p, ok := r.(peeker); ok {
		meta, n, err = readGroup2(p, lim)
		return meta, int64(len(head)) + n, err
	}
	counted := &countingReader{r: r}
	meta, n, err = readGroup2(bufio.NewReaderSize(&metaReader{r: counted, left: 12}, bufferSize), lim)
	if err == nil && counted.n != n {
		err = metaError(nil, int(n), "group length is wrong and the stream cannot be looked ahead in", nil)
	}
	return meta, int64(len(head)) + counted.n, err
}

// metaReader hands on no more than the group length allows: first the twelve
// bytes of the group length element, then what it announces.
type metaReader struct {
	r     io.Reader
	left  int
	first []byte
	ready bool
}

// Read implements io.Reader.
func (m *metaReader) Read(p []byte) (int, error) {
	if m.left == 0 && !m.ready {
		m.ready = true
		if b := m.first; len(b) == 12 && formExplicit.tag(b) == tag.FileMetaInformationGroupLength {
			m.left = int(formExplicit.uint32(b[8:]))
		}
	}

	if m.left == 0 {
		return 0, io.EOF
	}

	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	if !m.ready {
		m.first = append(m.first, p[:n]...)
	}
	return n, err
}

// readGroup2 reads elements as long as they are of group 0002.
func readGroup2(p peeker, lim Limits) (*DataSet, int64, error) {
	var raw []byte
	for {
		b, err := p.Peek(8)
		if err != nil && err != io.EOF {
			return nil, int64(len(raw)), err
		}
		if len(b) < 8 || formExplicit.uint16(b) != 2 {
			break
		}

		header := 8
		length := int64(formExplicit.uint16(b[6:]))
		if longForm(VR(b[4])<<8 | VR(b[5])) {
			header = 12
			if b, err = p.Peek(12); err != nil {
				return nil, int64(len(raw)), metaError(b, len(raw), "stream ends inside an element header", io.ErrUnexpectedEOF)
			}
			length = int64(formExplicit.uint32(b[8:]))
		}

		if int64(len(raw)+header)+length > lim.Meta {
			return nil, int64(len(raw)), metaError(b, len(raw), "file meta information is longer than allowed", ErrLimit)
		}

		start := len(raw)
		raw = append(raw, make([]byte, header+int(length))...)
		if n, err := io.ReadFull(p, raw[start:]); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = metaError(raw[start:], start, "stream ends inside the value", io.ErrUnexpectedEOF)
			}
			return nil, int64(start + n), err
		}
	}

	lim.Header = max(lim.Header, lim.Meta)
	meta, err := Decode(bytes.NewReader(raw), DecodeOptions{TransferSyntax: metaSyntax, Limits: lim})
	return meta, int64(len(raw)), err
}

// metaSyntax is that of the file meta information (PS3.10 7.1).
const metaSyntax = uid.ExplicitVRLittleEndian

func metaError(b []byte, at int, reason string, err error) error {
	e := &SyntaxError{Offset: int64(at), Clause: "PS3.10 7.1", Reason: reason + ", in the file meta information", err: err}
	if len(b) >= 4 {
		e.Tag = formExplicit.tag(b)
	}
	return e
}
