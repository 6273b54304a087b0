package media

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// headTags are what of an object says whose it is, in order. Its class and UIDs come
// first, so that little of a file has to be read.
var headTags = map[dicom.Tag]bool{
	tag.SpecificCharacterSet: true, tag.SOPClassUID: true, tag.SOPInstanceUID: true,
	tag.StudyDate: true, tag.Modality: true, tag.StudyDescription: true, tag.SeriesDescription: true,
	tag.PatientName: true, tag.PatientID: true, tag.IssuerOfPatientID: true,
	tag.StudyInstanceUID: true, tag.SeriesInstanceUID: true, tag.StudyID: true, tag.SeriesNumber: true, tag.InstanceNumber: true,
}

// lastHeadTag is where a head ends.
const lastHeadTag = tag.InstanceNumber

// longestHeadValue is the most bytes of a value of a head; those of the standard
// have 64 characters.
const longestHeadValue = 1024

// look reads the beginning of the file of an object. It is false where the file is
// no object that can be used; then its problem says so.
func look(fsys fs.FS, limits Limits, o *Object) bool {
	f, err := fsys.Open(o.Path)
	if err != nil {
		o.tell(Unreadable, 0, "the file cannot be opened")
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		o.Size = info.Size()
	}

	h, err := readHead(f, limits)
	var syntax *dicom.SyntaxError
	switch {
	case errors.Is(err, errNotDICOM):
		o.tell(NotDICOM, 0, "the file is no DICOM object")
		return false
	case errors.As(err, &syntax):
		o.tell(Damaged, syntax.Tag, "the file cannot be decoded: "+syntax.Reason)
		return false
	case err != nil:
		o.tell(Unreadable, 0, "the file cannot be read")
		return false
	}

	o.SOPClassUID = h.class
	o.SOPInstanceUID = h.instance
	o.TransferSyntaxUID = h.syntax
	o.Head = h.ds
	if !h.part10 {
		o.tell(Irregular, 0, "the file has no meta information (PS3.10 7.1)")
	}
	if h.mixed {
		o.tell(Irregular, tag.MediaStorageSOPInstanceUID, "the file meta information names another object than the data set")
	}
	return true
}

// head is the beginning of an object.
type head struct {
	class, instance, syntax string
	ds                      *dicom.DataSet
	part10                  bool // there is file meta information
	mixed                   bool // which names another object
}

// errNotDICOM is a file that does not begin like an object.
var errNotDICOM = errors.New("media: no DICOM object")

// readHead reads the beginning of a file as far as InstanceNumber.
func readHead(r io.Reader, limits Limits) (*head, error) {
	br := bufio.NewReaderSize(io.LimitReader(r, limits.Head), 8<<10)
	h := &head{}
	begin, err := br.Peek(132)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case len(begin) == 132 && string(begin[128:]) == "DICM":
		if err := h.meta(br); err != nil {
			return nil, err
		}
	case !h.guess(begin):
		return nil, errNotDICOM
	}
	if h.class == uid.MediaStorageDirectory {
		h.ds = dicom.NewDataSet()
		return h, nil
	}

	h.ds, err = headOf(br, h.syntax)
	switch {
	case err != nil && !h.part10 && isSyntax(err):
		return nil, errNotDICOM // its tags may be text
	case err != nil:
		return nil, err
	}
	return h, h.settle()
}

// meta reads the file meta information.
func (h *head) meta(br *bufio.Reader) error {
	meta, _, err := dicom.ReadMeta(br, dicom.Limits{})
	if err != nil {
		return err
	}
	h.part10 = true
	h.class = meta.Text(tag.MediaStorageSOPClassUID)
	h.instance = meta.Text(tag.MediaStorageSOPInstanceUID)
	h.syntax = meta.Text(tag.TransferSyntaxUID)
	if h.syntax == "" {
		begin, _ := br.Peek(8)
		h.guess(begin)
	}
	return nil
}

// guess looks whether a data set begins here, with group 0008, and in which transfer
// syntax.
func (h *head) guess(b []byte) bool {
	if len(b) < 8 || binary.LittleEndian.Uint16(b) != 8 {
		return false
	}

	h.syntax = uid.ImplicitVRLittleEndian
	if vr := dicom.VR(b[4])<<8 | dicom.VR(b[5]); vr.Known() {
		h.syntax = uid.ExplicitVRLittleEndian
		return true
	}
	return binary.LittleEndian.Uint32(b[4:]) < 1<<16
}

// settle takes class and instance from the data set: that is the object, whatever
// stands in front of it.
func (h *head) settle() error {
	class, instance := h.ds.Text(tag.SOPClassUID), h.ds.Text(tag.SOPInstanceUID)
	if !uid.Tolerable(class) || !uid.Tolerable(instance) {
		return errNotDICOM
	}
	h.mixed = h.part10 && (class != h.class || instance != h.instance)
	h.class = class
	h.instance = instance
	return nil
}

// headOf reads the elements of headTags.
func headOf(br *bufio.Reader, syntax string) (*dicom.DataSet, error) {
	ds := dicom.NewDataSet()
	dec := dicom.NewDecoder(br, dicom.DecodeOptions{TransferSyntax: syntax, Limits: dicom.Limits{Elements: 1_000_000}})
	for {
		ev, err := dec.Next()
		switch {
		case err == io.EOF, err == nil && ev.Depth == 0 && ev.Tag > lastHeadTag:
			return ds, nil
		case err != nil:
			return nil, err
		case ev.Kind != dicom.ElementEvent || ev.Depth > 0 || !headTags[ev.Tag] || ev.Length > longestHeadValue:
			continue
		}

		value := make([]byte, ev.Length)
		if _, err := io.ReadFull(dec, value); err != nil {
			return nil, err
		}
		ds.Set(dicom.NewElement(ev.Tag, dicom.VRFor(ev.Tag), value))
	}
}
