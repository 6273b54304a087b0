package console

import (
	"slices"
	"strings"

	"collimator/dicom/pixel"
	"collimator/dicom/uid"
)

// kind is what a page makes of an object.
type kind uint8

const (
	aPicture      kind = iota // rendered frames
	aSegmentation             // rendered frames over those they were drawn on
	aDocument                 // an encapsulated document
	aReport                   // text that dicom/report reads
	aWaveform                 // curves
	aVideo                    // pixel data that are no frames
	aPrivate                  // an object of a class that is not known here
	anObject                  // of a class of the standard that has nothing to be seen
)

// labelMap is the class of segmentations that hold the numbers of segments as pixels (PS3.3 A.51).
const labelMap = "1.2.840.10008.5.1.4.1.1.66.7"

// kind says what an instance is, by its SOP Class and the way in which its pixel data are compressed.
func (i instance) kind() kind {
	switch {
	case strings.HasPrefix(i.class, "1.2.840.10008.5.1.4.1.1.104."):
		return aDocument
	case strings.HasPrefix(i.class, "1.2.840.10008.5.1.4.1.1.88."), strings.HasPrefix(i.class, "1.2.840.10008.5.1.4.1.1.11."):
		return aReport
	case strings.HasPrefix(i.class, "1.2.840.10008.5.1.4.1.1.9."):
		return aWaveform
	case slices.Contains([]string{uid.RTStructureSetStorage, uid.RTPlanStorage, uid.RTIonPlanStorage}, i.class):
		return aReport
	case pixel.VideoSyntax(i.syntax):
		return aVideo
	case i.class == uid.SegmentationStorage, i.class == labelMap:
		return aSegmentation
	case i.rows > 0 && i.columns > 0, i.unknown():
		return aPicture
	case !strings.HasPrefix(i.class, "1.2.840.10008."):
		return aPrivate
	}
	return anObject
}

// unknown reports an instance of which a search tells less than the archive does, as that of a system behind a route:
// whether it is a picture is asked when it is to be shown.
func (i instance) unknown() bool { return i.syntax == "" && i.rows == 0 }

// pictured reports an instance whose frames are pictures.
func (i instance) pictured() bool {
	k := i.kind()
	return k == aPicture || k == aSegmentation
}
