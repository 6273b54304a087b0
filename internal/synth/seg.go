package synth

import (
	"math"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// seg makes a binary segmentation of one organ, a frame for each slice (PS3.3
// A.51, C.8.20). Its frames are not whole bytes unless rows times columns is a
// multiple of eight.
func (p *plan) seg(image int) *dicom.DataSet {
	b := p.common(uid.SegmentationStorage, "SEG", 1, image)
	p.frameOfReference(b)

	b.text(tag.ImageType, "DERIVED", "PRIMARY")
	b.text(tag.SegmentationType, "BINARY")
	b.text(tag.ContentLabel, "LIVER")
	b.text(tag.ContentDescription, "Liver")
	b.text(tag.ContentCreatorName, Marker+"^Creator")
	b.text(tag.LossyImageCompression, "00")
	b.text(tag.NumberOfFrames, dicom.FormatDS(float64(p.Frames)))

	b.sequence(tag.SegmentSequence, func(it builder) {
		it.int(tag.SegmentNumber, 1)
		it.text(tag.SegmentLabel, "Liver")
		it.text(tag.SegmentAlgorithmType, "MANUAL")
		it.code(tag.SegmentedPropertyCategoryCodeSequence, code{"123037004", "SCT", "Anatomical Structure"})
		it.code(tag.SegmentedPropertyTypeCodeSequence, code{"10200004", "SCT", "Liver"})
	})

	organization := UID(p.Seed, p.kind, "dimension organization")
	b.sequence(tag.DimensionOrganizationSequence, func(it builder) {
		it.text(tag.DimensionOrganizationUID, organization)
	})
	b.sequence(tag.DimensionIndexSequence,
		func(it builder) {
			it.text(tag.DimensionOrganizationUID, organization)
			it.int(tag.DimensionIndexPointer, int64(tag.ReferencedSegmentNumber))
			it.int(tag.FunctionalGroupPointer, int64(tag.SegmentIdentificationSequence))
		},
		func(it builder) {
			it.text(tag.DimensionOrganizationUID, organization)
			it.int(tag.DimensionIndexPointer, int64(tag.ImagePositionPatient))
			it.int(tag.FunctionalGroupPointer, int64(tag.PlanePositionSequence))
		})

	b.sequence(tag.SharedFunctionalGroupsSequence, func(it builder) {
		it.sequence(tag.PixelMeasuresSequence, func(m builder) {
			m.float(tag.SliceThickness, 5)
			m.float(tag.SpacingBetweenSlices, 5)
			m.float(tag.PixelSpacing, 380/float64(p.Rows), 380/float64(p.Columns))
		})
		it.sequence(tag.PlaneOrientationSequence, func(o builder) {
			o.float(tag.ImageOrientationPatient, 1, 0, 0, 0, 1, 0)
		})
		it.sequence(tag.SegmentIdentificationSequence, func(s builder) {
			s.int(tag.ReferencedSegmentNumber, 1)
		})
	})

	var frames []func(builder)
	for f := range p.Frames {
		frames = append(frames, func(it builder) {
			it.sequence(tag.FrameContentSequence, func(c builder) {
				c.int(tag.DimensionIndexValues, 1, int64(f+1))
			})
			it.sequence(tag.PlanePositionSequence, func(c builder) {
				c.float(tag.ImagePositionPatient, -190, -190, 5*float64(f))
			})
		})
	}

	b.sequence(tag.PerFrameFunctionalGroupsSequence, frames...)

	b.pixels(pixels{
		rows: p.Rows, columns: p.Columns, samples: 1, allocated: 1, stored: 1, photometric: "MONOCHROME2",
		data: p.mask(),
	})
	return b.ds
}

// mask is the frames of an ellipsoid, one bit a pixel from the lowest bit on,
// without padding between frames (PS3.5 8.1.1).
func (p *plan) mask() []byte {
	out := make([]byte, (p.Frames*p.Rows*p.Columns+7)/8)
	bit := 0

	for f := range p.Frames {
		z := 2*(float64(f)+0.5)/float64(p.Frames) - 1
		for r := range p.Rows {
			y := 2*(float64(r)+0.5)/float64(p.Rows) - 1
			for c := range p.Columns {
				x := 2*(float64(c)+0.5)/float64(p.Columns) - 1
				if math.Pow((x+0.3)/0.5, 2)+math.Pow(y/0.4, 2)+z*z < 1 {
					out[bit/8] |= 1 << (bit % 8)
				}
				bit++
			}
		}
	}
	return out
}
