package dicom

// EventKind is what a Decoder came across.
type EventKind uint8

// The events of a data set. Begin and end always come in pairs.
const (
	ElementEvent   EventKind = iota + 1 // an element with a value of known length; Decoder.Read gives it
	SequenceBegin                       // an element whose value is items (PS3.5 7.5)
	SequenceEnd                         //
	ItemBegin                           // an item of a sequence
	ItemEnd                             //
	FragmentsBegin                      // an encapsulated value (PS3.5 A.4)
	FragmentEvent                       // one fragment, the first is the basic offset table; Decoder.Read gives it
	FragmentsEnd                        //
)

// Event is one step of reading a data set.
type Event struct {
	Kind        EventKind
	Tag         Tag    // of the element; of the enclosing element in items and fragments
	VR          VR     // as written, or of the dictionary in implicit VR
	Length      uint32 // length field; UndefinedLength possible
	Depth       int    // sequences around it
	Index       int    // of an item or fragment, from 0
	Offset      int64  // of its tag, in bytes from the start of the data set
	ValueOffset int64  // behind the header

	reserved  uint16
	form      form
	content   form
	delimited bool
	endLength uint32
}

// Explicit reports that the element was written with its VR.
func (ev Event) Explicit() bool { return ev.form&formExplicit != 0 }
