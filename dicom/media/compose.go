package media

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// What a record begins with, which is of one length in all of them, so that offsets
// can be put in later (PS3.3 F.3).
const (
	nextAt   = 8                  // the value of the offset of the next record
	inUseAt  = nextAt + 4 + 8     // of the Record In-use Flag
	lowerAt  = inUseAt + 2 + 8    // of the offset of the lower level
	fixed    = lowerAt + 4        // all of it
	itemHead = 8                  // in front of a record
	inUse    = "\xFF\xFF"         // Record In-use Flag
	zero     = "\x00\x00\x00\x00" // an offset
)

// LeftOutError says why an object is not in the file-set: which key it lacks, or what is
// wrong with it. It quotes no value.
type LeftOutError struct {
	Tag    dicom.Tag // zero where it is about no element
	Reason string
}

// Error implements error.
func (e *LeftOutError) Error() string {
	about := ""
	if e.Tag != 0 {
		about = e.Tag.String() + ": "
	}
	if known, ok := tag.Lookup(e.Tag); ok {
		about = known.Keyword + " " + about
	}
	return "media: left out: " + about + e.Reason
}

// compose makes the record of a type for an object, and says which keys it made
// because the object does not have them. n is the number of the record among its
// neighbours, from 1.
func compose(t Type, object *dicom.DataSet, n int, ref *Reference) (record []byte, made []dicom.Tag, err error) {
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewElement(tag.OffsetOfTheNextDirectoryRecord, dicom.UL, []byte(zero)))
	ds.Set(dicom.NewElement(tag.RecordInUseFlag, dicom.US, []byte(inUse)))
	ds.Set(dicom.NewElement(tag.OffsetOfReferencedLowerLevelDirectoryEntity, dicom.UL, []byte(zero)))
	ds.Set(dicom.NewText(tag.DirectoryRecordType, dicom.CS, string(t)))
	if ref != nil {
		ds.Set(dicom.NewText(tag.ReferencedFileID, dicom.CS, ref.FileID...))
		ds.Set(dicom.NewElement(tag.ReferencedSOPClassUIDInFile, dicom.UI, []byte(ref.SOPClassUID)))
		ds.Set(dicom.NewElement(tag.ReferencedSOPInstanceUIDInFile, dicom.UI, []byte(ref.SOPInstanceUID)))
		ds.Set(dicom.NewElement(tag.ReferencedTransferSyntaxUIDInFile, dicom.UI, []byte(ref.TransferSyntaxUID)))
	}

	// Text is copied as it is written, in the character set it is written in.
	if el, ok := object.Get(tag.SpecificCharacterSet); ok && !el.Empty() {
		ds.Set(dicom.NewElement(tag.SpecificCharacterSet, dicom.CS, el.Bytes()))
	}
	for _, k := range keysOf[t] {
		wasMade, err := k.put(ds, object, n)
		if err != nil {
			return nil, nil, err
		}
		if wasMade {
			made = append(made, k.tag)
		}
	}

	record, err = encoded(ds)
	return record, made, err
}

// encoded is a record as it stands in the directory, without the head of its item.
func encoded(ds *dicom.DataSet) ([]byte, error) {
	even, err := ds.Evened()
	if err == nil {
		var b bytes.Buffer
		if err = dicom.Encode(&b, even, uid.ExplicitVRLittleEndian); err == nil {
			return b.Bytes(), nil
		}
	}
	return nil, &LeftOutError{Reason: "its keys cannot be written in a directory record: one is damaged, or far too long"}
}

// put puts a key into a record.
func (k key) put(record, object *dicom.DataSet, n int) (made bool, err error) {
	if el, ok := keyOf(object, k.tag); ok {
		record.Set(el)
		return false, nil
	}

	switch k.need {
	case some:
		return false, nil
	case two:
		record.Set(dicom.NewElement(k.tag, dicom.VRFor(k.tag), nil))
		return false, nil
	}
	for _, t := range k.from {
		if el, ok := keyOf(object, t); ok {
			record.Set(dicom.NewElement(k.tag, el.VR, el.Bytes()))
			return true, nil
		}
	}

	text := k.made.make(object, n)
	if text == "" {
		return false, &LeftOutError{Tag: k.tag, Reason: "a directory record needs it, and the object does not have it"}
	}
	record.Set(dicom.NewElement(k.tag, dicom.VRFor(k.tag), []byte(text)))
	return true, nil
}

// keyOf is an element of an object as a key: with the VR of the dictionary where it
// has none, and of a content sequence only what the directory is to have.
func keyOf(object *dicom.DataSet, t dicom.Tag) (dicom.Element, bool) {
	el, ok := object.Get(t)
	if !ok || el.Empty() {
		return el, false
	}

	switch {
	case t == tag.ContentSequence:
		var items []*dicom.DataSet
		for _, item := range el.Items() {
			if item.Text(tag.RelationshipType) == "HAS CONCEPT MOD" {
				items = append(items, item)
			}
		}
		return dicom.NewSequence(t, items...), len(items) > 0
	case el.Sequence():
		return el, len(el.Items()) > 0
	}

	if _, long := el.Bulk(); long || el.Encapsulated() {
		return el, false
	}
	vr := el.VR
	if vr == dicom.UN || !vr.Known() {
		vr = dicom.VRFor(t)
	}
	if vr.Text() && el.Text() == "" {
		return el, false
	}
	return dicom.NewElement(t, vr, el.Bytes()), true
}

// digest is short, and the same for the same text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
