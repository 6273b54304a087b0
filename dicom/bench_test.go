package dicom

import (
	"bytes"
	"io"
	"testing"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// ctImage is a data set like that of a CT image: some 100 elements, a few
// sequences, 512 by 512 pixels of 16 bits.
func ctImage(b testing.TB) []byte {
	b.Helper()
	ds := declared(b, "ISO_IR 100")
	for _, t := range []Tag{tag.ImageType, tag.SOPClassUID, tag.SOPInstanceUID, tag.StudyDate, tag.SeriesDate, tag.AcquisitionDate,
		tag.ContentDate, tag.StudyTime, tag.SeriesTime, tag.AcquisitionTime, tag.ContentTime, tag.AccessionNumber, tag.Modality,
		tag.Manufacturer, tag.InstitutionName, tag.ReferringPhysicianName, tag.StationName, tag.StudyDescription,
		tag.SeriesDescription, tag.ManufacturerModelName, tag.PatientName, tag.PatientID, tag.PatientBirthDate, tag.PatientSex,
		tag.PatientAge, tag.BodyPartExamined, tag.ScanOptions, tag.SliceThickness, tag.KVP, tag.DataCollectionDiameter,
		tag.DeviceSerialNumber, tag.SoftwareVersions, tag.ProtocolName, tag.ReconstructionDiameter, tag.GantryDetectorTilt,
		tag.TableHeight, tag.RotationDirection, tag.ExposureTime, tag.XRayTubeCurrent, tag.Exposure, tag.FilterType, tag.GeneratorPower,
		tag.FocalSpots, tag.ConvolutionKernel, tag.PatientPosition, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.StudyID,
		tag.SeriesNumber, tag.AcquisitionNumber, tag.InstanceNumber, tag.ImagePositionPatient, tag.ImageOrientationPatient,
		tag.FrameOfReferenceUID, tag.SliceLocation, tag.PhotometricInterpretation, tag.PixelSpacing, tag.WindowCenter,
		tag.WindowWidth, tag.RescaleIntercept, tag.RescaleSlope} {
		ds.Set(NewElement(t, VRFor(t), []byte("1.2.840.10008.5.1.4")))
	}
	for i := range 40 {
		ds.Set(NewElement(tag.New(0x19, uint16(0x1000+i)), UN, make([]byte, 8)))
	}
	for _, t := range []Tag{tag.ReferencedImageSequence, tag.ProcedureCodeSequence, tag.RequestAttributesSequence} {
		item := NewDataSet()
		item.Set(NewElement(tag.CodeValue, SH, []byte("1234")))
		item.Set(NewElement(tag.CodeMeaning, LO, []byte("meaning")))
		ds.SetItems(t, item)
	}
	ds.Set(NewElement(tag.PixelData, OW, make([]byte, 512*512*2)))
	return encoded(b.(interface{ Fatal(...any) }), ds, EncodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
}

func benchmarkDecode(b *testing.B, o DecodeOptions) {
	raw := ctImage(b)
	o.TransferSyntax = uid.ExplicitVRLittleEndian
	o.Source = bytes.NewReader(raw)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(bytes.NewReader(raw), o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeHeader(b *testing.B) { benchmarkDecode(b, DecodeOptions{BulkThreshold: 4096}) }

func BenchmarkDecodeAll(b *testing.B) { benchmarkDecode(b, DecodeOptions{}) }

func BenchmarkEncode(b *testing.B) {
	for name, ts := range map[string]string{"same": uid.ExplicitVRLittleEndian, "implicit": uid.ImplicitVRLittleEndian, "big endian": uid.ExplicitVRBigEndian} {
		b.Run(name, func(b *testing.B) {
			raw := ctImage(b)
			ds, err := Decode(bytes.NewReader(raw), DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Encode(io.Discard, ds, ts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkJSON(b *testing.B) {
	ds, err := Decode(bytes.NewReader(ctImage(b)), DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		b.Fatal(err)
	}
	ds.Delete(tag.PixelData)
	doc, err := MarshalJSON(ds, JSONOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if err := WriteJSON(io.Discard, ds, JSONOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := UnmarshalJSON(doc, JSONOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestHeaderCostsFewAllocations(t *testing.T) {
	raw := ctImage(t)
	o := DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian, BulkThreshold: 4096}
	if n := testing.AllocsPerRun(20, func() {
		if _, err := Decode(bytes.NewReader(raw), o); err != nil {
			t.Error(err)
		}
	}); n > 60 {
		t.Errorf("%v allocations for a header of some 110 elements", n)
	}
}
