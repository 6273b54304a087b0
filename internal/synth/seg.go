package synth

import (
	"math"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// sourceSeries is the number of the series of slices on which a segmentation is drawn. It has the soft kernel.
const sourceSeries = 3

// sources makes the slices on which the segmentations of a study are drawn, one for each frame.
func (p *plan) sources(yield func(*dicom.DataSet) bool) {
	for f := range p.Frames {
		if !yield(p.ct(sourceSeries, f+1)) {
			return
		}
	}
}

// source refers to the slice of a frame.
func (p *plan) source(f int) func(builder) {
	return func(it builder) {
		it.text(tag.ReferencedSOPClassUID, uid.CTImageStorage)
		it.text(tag.ReferencedSOPInstanceUID, UID(p.Seed, p.kind, "instance", sourceSeries, f+1))
	}
}

// seg makes a binary segmentation of one organ, a frame for each slice (PS3.3
// A.51, C.8.20), which it names as what it was drawn on (PS3.3 C.7.6.16.2.6). Its frames are not whole bytes unless rows times columns is a
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
		it.int(tag.RecommendedDisplayCIELabValue, 36_000, 45_000, 42_000)
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
			m.float(tag.SliceThickness, sliceThickness)
			m.float(tag.SpacingBetweenSlices, sliceThickness)
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
				c.float(tag.ImagePositionPatient, -190, -190, sliceHeight(f+1))
			})
			it.sequence(tag.DerivationImageSequence, func(d builder) {
				d.code(tag.DerivationCodeSequence, code{"113076", "DCM", "Segmentation"})
				d.sequence(tag.SourceImageSequence, func(i builder) {
					p.source(f)(i)
					i.code(tag.PurposeOfReferenceCodeSequence, code{"121322", "DCM", "Source image for image processing operation"})
				})
			})
		})
	}

	b.sequence(tag.PerFrameFunctionalGroupsSequence, frames...)

	b.sequence(tag.ReferencedSeriesSequence, func(it builder) { // PS3.3 C.12.2
		it.text(tag.SeriesInstanceUID, UID(p.Seed, p.kind, "series", sourceSeries))
		var instances []func(builder)
		for f := range p.Frames {
			instances = append(instances, p.source(f))
		}
		it.sequence(tag.ReferencedInstanceSequence, instances...)
	})

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
