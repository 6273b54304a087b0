package synth

import (
	"bytes"
	"fmt"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// pdf makes an encapsulated document (PS3.3 A.45.1).
func (p *plan) pdf(image int) *dicom.DataSet {
	b := p.common(uid.EncapsulatedPDFStorage, "DOC", 1, image)
	b.text(tag.ConversionType, "WSD")
	b.text(tag.AcquisitionDateTime)
	b.text(tag.BurnedInAnnotation, "YES")
	b.text(tag.DocumentTitle, "Discharge letter")
	b.code(tag.ConceptNameCodeSequence, code{"18842-5", "LN", "Discharge Summary"})
	b.text(tag.MIMETypeOfEncapsulatedDocument, "application/pdf")

	doc := TinyPDF(fmt.Sprintf("%s, document %d", Marker, image))
	b.int(tag.EncapsulatedDocumentLength, int64(len(doc)))
	b.ds.Set(dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, doc))
	return b.ds
}

// TinyPDF is a valid PDF of one page that shows a line of ASCII text.
func TinyPDF(line string) []byte {
	content := fmt.Sprintf("BT /F1 14 Tf 72 720 Td (%s) Tj ET", line)
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}

	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")

	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}

	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}

	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

// sr makes a comprehensive report with a finding, a measurement and the image
// it was made in (PS3.3 A.35.3).
func (p *plan) sr(image int) *dicom.DataSet {
	b := p.common(uid.ComprehensiveSRStorage, "SR", 1, image)
	b.sequence(tag.ReferencedPerformedProcedureStepSequence)
	b.sequence(tag.PerformedProcedureCodeSequence)
	b.text(tag.CompletionFlag, "COMPLETE")
	b.text(tag.VerificationFlag, "UNVERIFIED")

	evidence := p.evidence()
	b.sequence(tag.CurrentRequestedProcedureEvidenceSequence, evidence.study)

	b.text(tag.ValueType, "CONTAINER")
	b.text(tag.ContinuityOfContent, "SEPARATE")
	b.code(tag.ConceptNameCodeSequence, code{"18782-3", "LN", "Radiology Study observation"})

	b.sequence(tag.ContentSequence,
		func(it builder) {
			content(it, "HAS OBS CONTEXT", "PNAME", code{"121008", "DCM", "Person Observer Name"})
			it.text(tag.PersonName, Marker+"^Reader")
		},
		func(it builder) {
			content(it, "CONTAINS", "CONTAINER", code{"121070", "DCM", "Findings"})
			it.text(tag.ContinuityOfContent, "SEPARATE")
			it.sequence(tag.ContentSequence, finding, func(m builder) { measurement(m, evidence) })
		},
		func(it builder) {
			content(it, "CONTAINS", "TEXT", code{"121077", "DCM", "Conclusion"})
			it.text(tag.TextValue, "Solitary nodule. Control in three months.")
		},
	)
	return b.ds
}

// content starts a content item (PS3.3 C.17.3).
func content(it builder, relationship, valueType string, name code) {
	it.text(tag.RelationshipType, relationship)
	it.text(tag.ValueType, valueType)
	it.code(tag.ConceptNameCodeSequence, name)
}

func finding(it builder) {
	content(it, "CONTAINS", "CODE", code{"121071", "DCM", "Finding"})
	it.code(tag.ConceptCodeSequence, code{"27925004", "SCT", "Nodule"})
}

func measurement(it builder, e evidence) {
	content(it, "CONTAINS", "NUM", code{"81827009", "SCT", "Diameter"})
	it.sequence(tag.MeasuredValueSequence, func(v builder) {
		v.text(tag.NumericValue, "12.5")
		v.code(tag.MeasurementUnitsCodeSequence, code{"mm", "UCUM", "millimeter"})
	})
	it.sequence(tag.ContentSequence, func(from builder) {
		from.text(tag.RelationshipType, "INFERRED FROM")
		from.text(tag.ValueType, "IMAGE")
		from.sequence(tag.ReferencedSOPSequence, e.instance)
	})
}

// evidence is the CT image that other objects of the seed refer to.
type evidence struct{ study, instance func(builder) }

// evidence refers to the first image of the CT study of the same seed, which need not
// be made for it.
func (p *plan) evidence() evidence {
	image := newPlan(CT, Options{Seed: p.Seed})
	instance := func(it builder) {
		it.text(tag.ReferencedSOPClassUID, uid.CTImageStorage)
		it.text(tag.ReferencedSOPInstanceUID, UID(p.Seed, CT, "instance", 1, 1))
	}

	return evidence{instance: instance, study: func(it builder) {
		it.text(tag.StudyInstanceUID, image.study)
		it.sequence(tag.ReferencedSeriesSequence, func(s builder) {
			s.text(tag.SeriesInstanceUID, UID(p.Seed, CT, "series", 1))
			s.sequence(tag.ReferencedSOPSequence, instance)
		})
	}}
}
