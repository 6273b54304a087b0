package report

import (
	"fmt"
	"strconv"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// structures lists the regions of a structure set (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8).
func structures(w *writer, ds *dicom.DataSet) error {
	regions := ds.Items(tag.StructureSetROISequence)
	w.line(Line{Heading: true, Label: Structures, Name: ds.Text(tag.StructureSetLabel), Value: fmt.Sprint(len(regions))})
	w.value(0, Description, ds.Text(tag.StructureSetDescription))
	w.value(0, Date, ds.Text(tag.StructureSetDate))

	contours := map[string]int{}
	for _, c := range ds.Items(tag.ROIContourSequence) {
		contours[c.Text(tag.ReferencedROINumber)] += len(c.Items(tag.ContourSequence))
	}
	types := map[string]string{}
	for _, o := range ds.Items(tag.RTROIObservationsSequence) {
		types[o.Text(tag.ReferencedROINumber)] = strings.ToLower(o.Text(tag.RTROIInterpretedType))
	}

	for _, r := range regions {
		n := r.Text(tag.ROINumber)
		if !w.line(Line{Depth: 1, Label: Contours, Name: strings.TrimSpace(n + " " + r.Text(tag.ROIName)), Value: listed(fmt.Sprint(contours[n]), types[n])}) {
			return nil
		}
	}
	return nil
}

// plan lists the fraction groups and beams of a plan (PS3.3 C.8.8.9, C.8.8.10, C.8.8.13, C.8.8.14, C.8.8.25).
func plan(w *writer, ds *dicom.DataSet) error {
	w.line(Line{Heading: true, Label: Plan, Name: listed(ds.Text(tag.RTPlanLabel), ds.Text(tag.RTPlanName))})
	w.value(0, Description, ds.Text(tag.RTPlanDescription))
	w.value(0, Date, ds.Text(tag.RTPlanDate))
	w.value(0, Intent, strings.ToLower(ds.Text(tag.PlanIntent)))
	w.value(0, Approval, strings.ToLower(ds.Text(tag.ApprovalStatus)))

	for _, d := range ds.Items(tag.DoseReferenceSequence) {
		dose := ""
		if v, ok := d.Float(tag.TargetPrescriptionDose); ok {
			dose = number(v) + " Gy"
		}
		if w.full() || !w.line(Line{Depth: 1, Label: Dose, Name: d.Text(tag.DoseReferenceDescription), Value: listed(dose, strings.ToLower(d.Text(tag.DoseReferenceType)))}) {
			return nil
		}
	}

	for _, g := range ds.Items(tag.FractionGroupSequence) {
		if !w.line(Line{Depth: 0, Heading: true, Label: FractionGroup, Name: g.Text(tag.FractionGroupNumber)}) {
			return nil
		}
		w.value(1, Fractions, g.Text(tag.NumberOfFractionsPlanned))
		w.value(1, Beams, g.Text(tag.NumberOfBeams))
		for _, b := range g.Items(tag.ReferencedBeamSequence) {
			if v, ok := b.Float(tag.BeamMeterset); ok && !w.line(Line{Depth: 1, Label: Meterset, Name: b.Text(tag.ReferencedBeamNumber), Value: number(v)}) {
				return nil
			}
		}
	}

	w.beams(ds.Items(tag.BeamSequence), tag.ControlPointSequence)
	w.beams(ds.Items(tag.IonBeamSequence), tag.IonControlPointSequence)
	return nil
}

// beams lists those of a sequence.
func (w *writer) beams(list []*dicom.DataSet, points dicom.Tag) {
	for _, b := range list {
		if !w.line(Line{Heading: true, Label: Beam, Name: strings.TrimSpace(b.Text(tag.BeamNumber) + " " + b.Text(tag.BeamName))}) {
			return
		}
		w.value(1, Description, b.Text(tag.BeamDescription))
		w.value(1, Radiation, strings.ToLower(listed(b.Text(tag.RadiationType), b.Text(tag.BeamType), b.Text(tag.TreatmentDeliveryType))))

		control := b.Items(points)
		w.value(1, ControlPoints, fmt.Sprint(len(control)))
		if len(control) == 0 {
			continue
		}
		if v, ok := control[0].Float(tag.NominalBeamEnergy); ok {
			w.value(1, Energy, number(v)+" MV")
		}
		if v, ok := control[0].Float(tag.GantryAngle); ok {
			w.value(1, Gantry, number(v)+"°")
		}
	}
}

// presentation lists what a presentation state is about and what it writes into the picture (PS3.3 C.11.10, C.11.11,
// C.10.5).
func presentation(w *writer, ds *dicom.DataSet) error {
	w.line(Line{Heading: true, Label: Presentation, Name: ds.Text(tag.ContentLabel)})
	w.value(0, Description, ds.Text(tag.ContentDescription))
	w.value(0, Creator, name(ds, tag.ContentCreatorName))
	w.value(0, Date, ds.Text(tag.PresentationCreationDate))

	for _, s := range ds.Items(tag.ReferencedSeriesSequence) {
		if refs := references(s, tag.ReferencedImageSequence); len(refs) > 0 && !w.line(Line{Depth: 1, Label: AppliesTo, Refs: refs}) {
			return nil
		}
	}
	for _, v := range ds.Items(tag.SoftcopyVOILUTSequence) {
		centers, widths := v.Floats(tag.WindowCenter), v.Floats(tag.WindowWidth)
		if len(centers) > 0 && len(widths) > 0 {
			w.value(1, Window, number(centers[0])+" / "+number(widths[0]))
		}
	}
	for _, a := range ds.Items(tag.GraphicAnnotationSequence) {
		for _, t := range a.Items(tag.TextObjectSequence) {
			if !w.line(Line{Depth: 1, Label: Annotation, Value: w.text(t, tag.UnformattedTextValue)}) {
				return nil
			}
		}
	}
	return nil
}

// listed is what of values there is.
func listed(values ...string) string {
	var out []string
	for _, v := range values {
		if v != "" {
			out = append(out, v)
		}
	}
	return strings.Join(out, ", ")
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
