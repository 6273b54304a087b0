package synth

import (
	"fmt"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// frameOfReference is the module of PS3.3 C.7.4.1.
func (p *plan) frameOfReference(b builder) {
	b.text(tag.FrameOfReferenceUID, UID(p.Seed, p.kind, "frame of reference"))
	b.text(tag.PositionReferenceIndicator)
}

// sliceThickness is that of axial slices, in millimetres, and how far they lie apart.
const sliceThickness = 1.25

// sliceHeight is where an axial slice lies, in millimetres.
func sliceHeight(image int) float64 { return -160 + sliceThickness*float64(image-1) }

// ct makes an axial slice of 1.25 mm, the series in two kernels (PS3.3 A.3).
func (p *plan) ct(series, image int) *dicom.DataSet {
	const fieldOfView = 380.0

	b := p.common(uid.CTImageStorage, "CT", series, image)
	p.frameOfReference(b)

	z := sliceHeight(image)

	b.text(tag.ImageType, "ORIGINAL", "PRIMARY", "AXIAL")
	b.text(tag.SeriesDescription, []string{"Thorax 1.25 soft", "Thorax 1.25 lung"}[(series-1)%2])
	b.text(tag.ConvolutionKernel, []string{"SOFT", "LUNG"}[(series-1)%2])
	b.text(tag.BodyPartExamined, "CHEST")
	b.text(tag.PatientPosition, "HFS")

	b.text(tag.AcquisitionNumber, "1")
	b.text(tag.KVP, "120")
	b.text(tag.XRayTubeCurrent, "180")
	b.text(tag.ExposureTime, "500")

	b.float(tag.SliceThickness, sliceThickness)
	b.float(tag.PixelSpacing, fieldOfView/float64(p.Rows), fieldOfView/float64(p.Columns))
	b.float(tag.ImageOrientationPatient, 1, 0, 0, 0, 1, 0)
	b.float(tag.ImagePositionPatient, -fieldOfView/2, -fieldOfView/2, z)
	b.float(tag.SliceLocation, z)

	b.text(tag.RescaleIntercept, "-1024")
	b.text(tag.RescaleSlope, "1")
	b.text(tag.RescaleType, "HU")
	b.text(tag.WindowCenter, []string{"40", "-600"}[(series-1)%2])
	b.text(tag.WindowWidth, []string{"400", "1500"}[(series-1)%2])

	bodies := make([]ellipsoid, len(thorax))
	for i, e := range thorax {
		e.value += 1024
		bodies[i] = e
	}

	height := z / 200
	b.pixels(pixels{
		rows: p.Rows, columns: p.Columns, samples: 1, allocated: 16, stored: 12, photometric: "MONOCHROME2",
		data: slice(bodies, height, p.Rows, p.Columns, 24, 12, newNoise(p.Seed, series, image)),
	})
	return b.ds
}

// mr makes a sagittal slice, the series T1 and T2 weighted (PS3.3 A.4).
func (p *plan) mr(series, image int) *dicom.DataSet {
	const thickness, fieldOfView = 4.0, 240.0

	b := p.common(uid.MRImageStorage, "MR", series, image)
	p.frameOfReference(b)

	x := -60 + thickness*float64(image-1)
	weighting := (series - 1) % 2

	b.text(tag.ImageType, "ORIGINAL", "PRIMARY", "OTHER")
	b.text(tag.SeriesDescription, []string{"T1 sag", "T2 sag"}[weighting])
	b.text(tag.BodyPartExamined, "HEAD")
	b.text(tag.PatientPosition, "HFS")

	b.text(tag.ScanningSequence, "SE")
	b.text(tag.SequenceVariant, "SK")
	b.text(tag.ScanOptions)
	b.text(tag.MRAcquisitionType, "2D")
	b.text(tag.RepetitionTime, []string{"500", "4200"}[weighting])
	b.text(tag.EchoTime, []string{"12", "98"}[weighting])
	b.text(tag.EchoTrainLength, []string{"1", "16"}[weighting])

	b.text(tag.MagneticFieldStrength, "1.5")
	b.text(tag.FlipAngle, "90")
	b.text(tag.ImagedNucleus, "1H")

	b.float(tag.SliceThickness, thickness)
	b.float(tag.SpacingBetweenSlices, thickness)
	b.float(tag.PixelSpacing, fieldOfView/float64(p.Rows), fieldOfView/float64(p.Columns))
	b.float(tag.ImageOrientationPatient, 0, 1, 0, 0, 0, -1)
	b.float(tag.ImagePositionPatient, x, -fieldOfView/2, fieldOfView/2)
	b.float(tag.SliceLocation, x)

	b.text(tag.WindowCenter, "450")
	b.text(tag.WindowWidth, "900")

	b.pixels(pixels{
		rows: p.Rows, columns: p.Columns, samples: 1, allocated: 16, stored: 12, photometric: "MONOCHROME2",
		data: slice(head[:], x/100, p.Rows, p.Columns, 20, 15, newNoise(p.Seed, series, image)),
	})
	return b.ds
}

// dx makes a radiograph for presentation (PS3.3 A.26).
func (p *plan) dx(image int) *dicom.DataSet {
	b := p.common(uid.DigitalXRayImageStorageForPresentation, "DX", 1, image)
	view := []string{"PA", "LL"}[(image-1)%2]

	b.text(tag.ImageType, "ORIGINAL", "PRIMARY", "")
	b.text(tag.SeriesDescription, "Chest "+view)
	b.text(tag.PresentationIntentType, "FOR PRESENTATION")
	b.text(tag.BodyPartExamined, "CHEST")
	b.text(tag.ViewPosition, view)
	b.sequence(tag.ViewCodeSequence, func(it builder) {
		direction := []code{{"399348003", "SCT", "postero-anterior"}, {"399173006", "SCT", "left lateral"}}[(image-1)%2]
		it.text(tag.CodeValue, direction.value)
		it.text(tag.CodingSchemeDesignator, direction.scheme)
		it.text(tag.CodeMeaning, direction.meaning)
		it.sequence(tag.ViewModifierCodeSequence)
	})

	b.text(tag.ImageLaterality, "U")
	b.text(tag.PatientOrientation, "L", "F")
	b.code(tag.AnatomicRegionSequence, code{"51185008", "SCT", "Chest"})
	b.sequence(tag.AcquisitionContextSequence)

	b.text(tag.DetectorType, "DIRECT")
	b.text(tag.PositionerType, "NONE")
	b.text(tag.KVP, "125")
	b.text(tag.BurnedInAnnotation, "NO")
	b.text(tag.LossyImageCompression, "00")

	b.text(tag.PixelIntensityRelationship, "LOG")
	b.int(tag.PixelIntensityRelationshipSign, -1)
	b.text(tag.RescaleIntercept, "0")
	b.text(tag.RescaleSlope, "1")
	b.text(tag.RescaleType, "US")
	b.text(tag.PresentationLUTShape, "IDENTITY")
	b.text(tag.WindowCenter, "2048")
	b.text(tag.WindowWidth, "4096")

	b.float(tag.ImagerPixelSpacing, 430/float64(p.Rows), 430/float64(p.Columns))
	b.float(tag.PixelSpacing, 430/float64(p.Rows), 430/float64(p.Columns))
	b.text(tag.PixelSpacingCalibrationType, "GEOMETRY")
	b.text(tag.PixelSpacingCalibrationDescription, fmt.Sprintf("detector, view %s", view))

	bodies := make([]ellipsoid, len(thorax))
	for i, e := range thorax {
		e.value = (e.value + 1100) * 3 / 2
		e.c = 9
		bodies[i] = e
	}

	b.pixels(pixels{
		rows: p.Rows, columns: p.Columns, samples: 1, allocated: 16, stored: 12, photometric: "MONOCHROME2",
		data: slice(bodies, 0, p.Rows, p.Columns, 120, 20, newNoise(p.Seed, image)),
	})
	return b.ds
}
