package scan

import (
	"slices"

	"collimator/dicom/uid"
)

// testObject is the labelled Secondary Capture image of DIM-005: 2x2 pixels of
// a patient called COLLIMATOR-TEST.
type testObject struct{ study, series, instance string }

func newTestObject() testObject {
	return testObject{instance: impossibleUID(), study: impossibleUID(), series: impossibleUID()}
}

// encode is the data set in Implicit VR Little Endian, with a description that
// tells two apart.
func (o testObject) encode(description string) []byte {
	return slices.Concat(
		element(0x0008, 0x0016, uid.SecondaryCaptureImageStorage, 0),
		element(0x0008, 0x0018, o.instance, 0),
		element(0x0008, 0x0020, "", ' '),
		element(0x0008, 0x0030, "", ' '),
		element(0x0008, 0x0050, "", ' '),
		element(0x0008, 0x0060, "OT", ' '),
		element(0x0008, 0x0064, "SYN", ' '),
		element(0x0008, 0x0090, "", ' '),
		element(0x0008, 0x103E, description, ' '),

		element(0x0010, 0x0010, "COLLIMATOR^TEST", ' '),
		element(0x0010, 0x0020, "COLLIMATOR-TEST", ' '),
		element(0x0010, 0x0030, "", ' '),
		element(0x0010, 0x0040, "", ' '),

		element(0x0020, 0x000D, o.study, 0),
		element(0x0020, 0x000E, o.series, 0),
		element(0x0020, 0x0010, "", ' '),
		element(0x0020, 0x0011, "", ' '),
		element(0x0020, 0x0013, "1", ' '),
		element(0x0020, 0x0020, "", ' '),

		element(0x0028, 0x0002, "\x01\x00", 0),
		element(0x0028, 0x0004, "MONOCHROME2", ' '),
		element(0x0028, 0x0010, "\x02\x00", 0),
		element(0x0028, 0x0011, "\x02\x00", 0),
		element(0x0028, 0x0100, "\x08\x00", 0),
		element(0x0028, 0x0101, "\x08\x00", 0),
		element(0x0028, 0x0102, "\x07\x00", 0),
		element(0x0028, 0x0103, "\x00\x00", 0),
		element(0x7FE0, 0x0010, "\x00\x7F\x7F\xFF", 0),
	)
}
