package synth

import (
	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// us makes a color clip with a region in which one can measure (PS3.3 A.7,
// C.8.5.5).
func (p *plan) us(image int) *dicom.DataSet {
	b := p.common(uid.UltrasoundMultiFrameImageStorage, "US", 1, image)

	b.text(tag.ImageType, "ORIGINAL", "PRIMARY")
	b.text(tag.BodyPartExamined, "HEART")
	b.text(tag.SeriesDescription, "Four chamber view")
	b.text(tag.PatientOrientation)
	b.text(tag.LossyImageCompression, "00")
	b.text(tag.BurnedInAnnotation, "NO")

	b.text(tag.NumberOfFrames, dicom.FormatDS(float64(p.Frames)))
	b.int(tag.FrameIncrementPointer, int64(tag.FrameTime))
	b.text(tag.FrameTime, "40")
	b.text(tag.HeartRate, "72")

	b.sequence(tag.SequenceOfUltrasoundRegions, func(it builder) {
		it.int(tag.RegionSpatialFormat, 1)
		it.int(tag.RegionDataType, 1)
		it.int(tag.RegionFlags, 0)
		it.int(tag.RegionLocationMinX0, 0)
		it.int(tag.RegionLocationMinY0, 0)
		it.int(tag.RegionLocationMaxX1, int64(p.Columns-1))
		it.int(tag.RegionLocationMaxY1, int64(p.Rows-1))
		it.int(tag.PhysicalUnitsXDirection, 3)
		it.int(tag.PhysicalUnitsYDirection, 3)
		it.float(tag.PhysicalDeltaX, 0.05)
		it.float(tag.PhysicalDeltaY, 0.05)
	})

	data := make([]byte, 0, p.Frames*p.Rows*p.Columns*3)
	for f := range p.Frames {
		data = append(data, clip(p.Rows, p.Columns, f, p.Frames, newNoise(p.Seed, image, f))...)
	}

	b.pixels(pixels{
		rows: p.Rows, columns: p.Columns, samples: 3, allocated: 8, stored: 8, photometric: "RGB",
		data: data,
	})
	return b.ds
}
