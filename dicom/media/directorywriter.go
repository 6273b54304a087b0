package media

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Written is a file-set that was written.
type Written struct {
	Objects int    // files
	Records int    // directory records
	Bytes   int64  // of the DICOMDIR
	UID     string // of the file-set; the same objects in the same order have the same
	Profile string // see Profile; empty for none
}

// Close writes the directory. Without it what was written is no file-set.
func (w *Writer) Close() (Written, error) {
	if w.failed != nil {
		return Written{}, w.failed
	}
	w.failed = errors.New("media: the file-set is closed")

	sum := sha256.New()
	io.WriteString(sum, w.o.FileSetID+"\x00") // a hash takes every byte
	out := Written{Objects: len(w.instances), Profile: w.profile()}
	w.root.walk(func(n *node) {
		out.Records++
		sum.Write(n.record)
	})
	out.UID = uidOf(sum.Sum(nil))

	front, err := w.front(out.UID)
	if err != nil {
		return Written{}, err
	}
	end := w.root.settle(int64(len(front)) + sequenceHead)
	if end > math.MaxUint32 {
		return Written{}, fmt.Errorf("media: the DICOMDIR would have %d bytes, and offsets end at %d", end, uint32(math.MaxUint32))
	}

	out.Bytes = end
	return out, w.directory(out.UID, end)
}

// sequenceHead is the bytes in front of the first record.
const sequenceHead = 12

// uidOf makes a UID of the root 2.25 from a hash (PS3.5 B.2).
func uidOf(sum []byte) string {
	id := bytes.Clone(sum[:16])
	id[6] = id[6]&0x0F | 0x80 // version 8: from whatever its maker likes
	id[8] = id[8]&0x3F | 0x80
	return "2.25." + new(big.Int).SetBytes(id).String()
}

// front is what stands in front of the records. Its length depends on no offset.
func (w *Writer) front(id string) ([]byte, error) {
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewText(tag.FileSetID, dicom.CS, w.o.FileSetID))
	ds.Set(dicom.NewElement(tag.FileSetConsistencyFlag, dicom.US, []byte{0, 0}))

	first, last := uint32(0), uint32(0)
	if n := len(w.root.children); n > 0 {
		first = w.root.children[0].offset
		last = w.root.children[n-1].offset
	}
	for t, offset := range map[dicom.Tag]uint32{
		tag.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity: first,
		tag.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity:  last,
	} {
		ds.Set(dicom.NewElement(t, dicom.UL, binary.LittleEndian.AppendUint32(nil, offset)))
	}

	b := bytes.NewBuffer(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: uid.MediaStorageDirectory, SOPInstanceUID: id, TransferSyntaxUID: uid.ExplicitVRLittleEndian,
		ImplementationClassUID: dicom.ImplementationClassUID, ImplementationVersionName: dicom.ImplementationVersionName,
	}))
	err := dicom.Encode(b, ds, uid.ExplicitVRLittleEndian)
	return b.Bytes(), err
}

// walk goes through the records below, each before those below it. They are four levels.
func (n *node) walk(do func(*node)) {
	for _, child := range n.children {
		do(child)
		child.walk(do)
	}
}

// settle gives each record its place in the file, and says where the next one would begin.
func (n *node) settle(at int64) int64 {
	n.walk(func(n *node) {
		n.offset = uint32(at) // one that is too large is found at the end
		at += int64(itemHead + len(n.record))
	})
	n.link()
	n.walk((*node).link)
	return at
}

// link writes the offsets into the records directly below, and into its own.
func (n *node) link() {
	if len(n.children) > 0 && n.record != nil {
		binary.LittleEndian.PutUint32(n.record[lowerAt:], n.children[0].offset)
	}
	for i := 1; i < len(n.children); i++ {
		binary.LittleEndian.PutUint32(n.children[i-1].record[nextAt:], n.children[i].offset)
	}
}

// directory writes the DICOMDIR, of end bytes.
func (w *Writer) directory(id string, end int64) (err error) {
	front, err := w.front(id) // with the offsets that are known now
	if err != nil {
		return err
	}

	f, err := w.to.Create(DirectoryName)
	if err != nil {
		return fmt.Errorf("media: the DICOMDIR cannot be made: %w", err)
	}
	out := bufio.NewWriter(f)
	out.Write(front) // an error comes again with Flush

	sequence := []byte{4, 0, 0x20, 0x12, 'S', 'Q', 0, 0}
	out.Write(binary.LittleEndian.AppendUint32(sequence, uint32(end-int64(len(front))-sequenceHead)))
	w.root.walk(func(n *node) {
		item := []byte{0xFE, 0xFF, 0x00, 0xE0}
		out.Write(binary.LittleEndian.AppendUint32(item, uint32(len(n.record))))
		out.Write(n.record)
	})

	if err := errors.Join(out.Flush(), f.Close()); err != nil {
		return fmt.Errorf("media: the DICOMDIR cannot be written: %w", err)
	}
	return nil
}

// profiles are the General Purpose Profiles of PS3.11 with the transfer syntaxes they
// have, from the least on.
var profiles = []struct {
	name     string
	syntaxes map[string]bool
}{
	{"STD-GEN-CD", map[string]bool{uid.ExplicitVRLittleEndian: true}},
	{"STD-GEN-DVD-JPEG", map[string]bool{
		uid.ExplicitVRLittleEndian: true, uid.JPEGBaseline8Bit: true, uid.JPEGExtended12Bit: true, uid.JPEGLosslessSV1: true,
	}},
	{"STD-GEN-DVD-J2K", map[string]bool{
		uid.ExplicitVRLittleEndian: true, uid.JPEG2000Lossless: true, uid.JPEG2000: true,
	}},
}

// profile is the first General Purpose Profile whose transfer syntaxes hold all that
// was added; empty for none. Nothing else of a profile is looked at: neither the
// physical medium, nor whether it has one file-set, nor the SOP Classes.
func (w *Writer) profile() string {
	for _, p := range profiles {
		holds := true
		for syntax := range w.syntaxes {
			holds = holds && p.syntaxes[syntax]
		}
		if holds {
			return p.name
		}
	}
	return ""
}
