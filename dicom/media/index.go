package media

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// entry is a directory record in memory: where it stands in the DICOMDIR, what it
// says of its neighbours, and who they are. Its keys are read when they are asked for.
type entry struct {
	at, content, end       uint32 // of its item, of what is in it, and behind it
	next, lower            uint32 // offsets as written; 0 for none
	parent, child, sibling int32  // set by the linker; noRecord for none
	kind                   uint8  // in recordTypes
	flags                  uint8
}

// What is so of an entry.
const (
	inactive uint8 = 1 << iota // Record In-use Flag is 0000H
	placed                     // it has a parent, or is one of the root
	inRoot                     // the chain of the root entity leads to it
	reached                    // it is in the tree
)

// noRecord stands where there is none; as a parent it is the root.
const noRecord = -1

// mostResumed is how often reading begins anew behind damage.
const mostResumed = 1000

// indexer makes entries of a DICOMDIR in one pass.
type indexer struct {
	r      io.ReaderAt
	size   int64
	d      *Directory
	limits Limits

	shift  int64 // what is added to an offset of the decoder
	record entry // that is open
	open   bool
	whole  bool // there was a Directory Record Sequence
}

// index reads a DICOMDIR to its end, or as far as it makes sense.
func (x *indexer) index() error {
	for from, resumed := x.d.base, 0; ; resumed++ {
		again, err := x.pass(from, resumed > 0)
		switch {
		case err != nil:
			return err
		case again <= from:
			return nil
		case resumed >= mostResumed:
			x.d.problems.at(TooMuch, -1, 0, "it is damaged in too many places; the rest was left out")
			return nil
		}
		from = again
	}
}

// pass reads from an offset on, and says where to begin anew; 0 for nowhere. When
// reading is resumed, what comes are items of the record sequence.
func (x *indexer) pass(from int64, resumed bool) (again int64, err error) {
	var r io.Reader = io.NewSectionReader(x.r, from, x.size-from)
	x.shift = from
	if resumed {
		header := sequenceHeader(x.d.syntax)
		r = io.MultiReader(bytes.NewReader(header), r)
		x.shift -= int64(len(header))
	}

	dec := dicom.NewDecoder(bufio.NewReaderSize(r, 64<<10), dicom.DecodeOptions{
		TransferSyntax: x.d.syntax.UID, Limits: x.limits.decoding(),
	})
	defer func() { x.notes(dec.Notes()) }()

	for {
		ev, err := dec.Next()
		if err == nil {
			err = x.event(dec, ev)
		}
		switch {
		case err == io.EOF:
			return 0, nil
		case err != nil:
			return x.broken(dec, err, resumed)
		}
	}
}

// sequenceHeader begins a Directory Record Sequence of undefined length.
func sequenceHeader(ts dicom.TransferSyntax) []byte {
	switch {
	case ts.BigEndian:
		return []byte{0, 4, 0x12, 0x20, 'S', 'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}
	case ts.Explicit:
		return []byte{4, 0, 0x20, 0x12, 'S', 'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}
	}
	return []byte{4, 0, 0x20, 0x12, 0xFF, 0xFF, 0xFF, 0xFF}
}

// errTooMany ends a pass.
var errTooMany = errors.New("media: more directory records than allowed")

// broken tells what ended a pass, and where the next one may begin: behind a
// damaged record of known length, or at an item behind a sequence that says it is shorter.
func (x *indexer) broken(dec *dicom.Decoder, err error, resumed bool) (again int64, _ error) {
	at := x.shift + dec.Offset()
	offset := int64(-1)
	end := int64(0)
	if x.open {
		offset = int64(x.record.at)
		end = int64(x.record.end)
		x.keep(at)
	}

	var syntax *dicom.SyntaxError
	switch {
	case errors.Is(err, errTooMany), errors.Is(err, dicom.ErrLimit):
		x.d.problems.at(TooMuch, offset, tag.DirectoryRecordSequence, "there is more of it than allowed; the rest was left out")
		return 0, nil
	case !errors.As(err, &syntax):
		return 0, err // the medium itself cannot be read
	case at >= x.size:
		if offset >= 0 || !resumed {
			x.d.problems.at(Damaged, offset, syntax.Tag, "the file ends too early")
		}
		return 0, nil
	}

	if offset < 0 && x.itemAt(at) {
		x.d.problems.at(Irregular, -1, tag.DirectoryRecordSequence, "its length is wrong: records follow behind it")
		return at, nil
	}

	x.d.problems.at(Damaged, offset, syntax.Tag, syntax.Reason)
	if end > at && end < x.size {
		return end, nil
	}
	return 0, nil
}

// itemAt reports an item tag at an offset of the file.
func (x *indexer) itemAt(at int64) bool {
	var b [4]byte
	if _, err := x.r.ReadAt(b[:], at); err != nil {
		return false
	}
	return dicom.Tag(uint32(x.order().Uint16(b[:]))<<16|uint32(x.order().Uint16(b[2:]))) == tag.Item
}

func (x *indexer) order() binary.ByteOrder {
	if x.d.syntax.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// event takes what the decoder came across.
func (x *indexer) event(dec *dicom.Decoder, ev dicom.Event) error {
	record := ev.Depth == 1 && ev.Tag == tag.DirectoryRecordSequence
	switch {
	case ev.Kind == dicom.SequenceBegin && ev.Depth == 0 && ev.Tag == tag.DirectoryRecordSequence:
		x.whole = true
	case ev.Kind == dicom.ItemBegin && record:
		return x.begin(ev)
	case ev.Kind == dicom.ItemEnd && record && x.open:
		end := x.shift + ev.Offset
		if ev.Length == dicom.UndefinedLength {
			end -= 8 // the delimiter
		}
		x.keep(end)
	case ev.Kind == dicom.ElementEvent && ev.Depth == 0:
		return x.head(dec, ev)
	case ev.Kind == dicom.ElementEvent && ev.Depth == 1 && x.open:
		return x.field(dec, ev)
	}
	return nil
}

// begin opens a record. Until it ends, its end is what its length says.
func (x *indexer) begin(ev dicom.Event) error {
	if len(x.d.entries) >= x.limits.Records {
		return errTooMany
	}

	x.record = entry{
		at: uint32(x.shift + ev.Offset), content: uint32(x.shift + ev.ValueOffset),
		parent: noRecord, child: noRecord, sibling: noRecord,
	}
	if end := x.shift + ev.ValueOffset + int64(ev.Length); ev.Length != dicom.UndefinedLength && end <= x.size {
		x.record.end = uint32(end)
	}
	x.open = true
	return nil
}

// keep ends the record that is open.
func (x *indexer) keep(end int64) {
	x.open = false
	x.record.end = uint32(max(end, int64(x.record.content)))
	x.d.entries = append(x.d.entries, x.record)
}

// field takes an element of a record.
func (x *indexer) field(dec *dicom.Decoder, ev dicom.Event) error {
	switch ev.Tag {
	case tag.OffsetOfTheNextDirectoryRecord:
		return x.number(dec, ev, &x.record.next)
	case tag.OffsetOfReferencedLowerLevelDirectoryEntity:
		return x.number(dec, ev, &x.record.lower)
	case tag.RecordInUseFlag:
		flag := uint32(0xFFFF)
		err := x.number(dec, ev, &flag)
		if flag == 0 {
			x.record.flags |= inactive
		}
		return err
	case tag.DirectoryRecordType:
		text, err := shortText(dec, ev)
		x.record.kind = typeIndex(strings.ToUpper(text))
		return err
	}
	return nil
}

// head takes an element in front of the records.
func (x *indexer) head(dec *dicom.Decoder, ev dicom.Event) error {
	var err error
	switch ev.Tag {
	case tag.FileSetID:
		x.d.fileSetID, err = shortText(dec, ev)
	case tag.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity:
		err = x.number(dec, ev, &x.d.first)
	case tag.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity:
		err = x.number(dec, ev, &x.d.last)
	}
	return err
}

// number reads a value of UL or US; one of another length is told and left out.
func (x *indexer) number(dec *dicom.Decoder, ev dicom.Event, to *uint32) error {
	var b [4]byte
	if ev.Length != 4 && ev.Length != 2 {
		offset := int64(-1)
		if x.open {
			offset = int64(x.record.at)
		}
		x.d.problems.at(Irregular, offset, ev.Tag, "no number, or several")
		return nil
	}

	if _, err := io.ReadFull(dec, b[:ev.Length]); err != nil {
		return err
	}
	*to = uint32(x.order().Uint16(b[:]))
	if ev.Length == 4 {
		*to = x.order().Uint32(b[:])
	}
	return nil
}

// shortText reads a value of CS; what is far too long for one is left out.
func shortText(dec *dicom.Decoder, ev dicom.Event) (string, error) {
	if ev.Length > 64 {
		return "", nil
	}
	b := make([]byte, ev.Length)
	if _, err := io.ReadFull(dec, b); err != nil {
		return "", err
	}
	return strings.Trim(string(b), " \x00"), nil
}

// notes takes over what the decoder found irregular.
func (x *indexer) notes(list []dicom.Note) {
	for _, n := range list {
		offset := int64(-1)
		if i := x.d.around(x.shift + n.Offset); i >= 0 {
			offset = int64(x.d.entries[i].at)
		}
		x.d.problems.at(Irregular, offset, n.Tag, n.Reason)
	}
}

// around is the record that has a byte of the file in it.
func (d *Directory) around(at int64) int32 {
	i := sort.Search(len(d.entries), func(i int) bool { return int64(d.entries[i].at) > at }) - 1
	if i >= 0 && at < int64(d.entries[i].end) {
		return int32(i)
	}
	return noRecord
}

// starting is the record that begins at an offset.
func (d *Directory) starting(at uint32) int32 {
	i := sort.Search(len(d.entries), func(i int) bool { return d.entries[i].at >= at })
	if i < len(d.entries) && d.entries[i].at == at {
		return int32(i)
	}
	return noRecord
}

// mostOfMeta is the most elements of file meta information; PS3.10 7.1 has some twenty.
const mostOfMeta = 64

// begin reads what stands in front of the data set, and says of what is wrong there.
func (d *Directory) begin(r io.ReaderAt, size int64, lim Limits) error {
	if size > min(lim.Directory, math.MaxUint32) {
		return fmt.Errorf("media: the DICOMDIR has %d bytes, more than are allowed (%d)", size, min(lim.Directory, math.MaxUint32))
	}

	// So few elements are allowed that little is read behind the meta information. What
	// is wrong with the data set is told by the indexer.
	f, err := dicom.ReadFile(io.NewSectionReader(r, 0, size), dicom.DecodeOptions{Limits: dicom.Limits{Elements: mostOfMeta}})
	if f == nil {
		return fmt.Errorf("media: the DICOMDIR has no file meta information that can be read: %w", err)
	}

	d.base = f.DataSetOffset
	d.syntax, _ = dicom.LookupTransferSyntax(f.TransferSyntax)
	d.class = f.Meta.Text(tag.MediaStorageSOPClassUID)
	d.uid = f.Meta.Text(tag.MediaStorageSOPInstanceUID)
	for _, n := range f.Notes {
		d.problems.at(Irregular, -1, n.Tag, n.Reason)
	}

	switch {
	case d.syntax.Deflated:
		return errors.New("media: a deflated DICOMDIR has no offsets that lead anywhere and is not read; look for the objects with Scan")
	case f.TransferSyntax != uid.ExplicitVRLittleEndian:
		d.problems.at(Irregular, -1, tag.TransferSyntaxUID, "a directory has to be in Explicit VR Little Endian (PS3.10 8.6)")
	}
	if d.class != "" && d.class != uid.MediaStorageDirectory {
		d.problems.at(Irregular, -1, tag.MediaStorageSOPClassUID, "it is not that of a directory")
	}
	return nil
}
