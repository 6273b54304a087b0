package report

import (
	"fmt"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// container is the value type of an item that holds others (PS3.3 C.17.3.2.1).
const container = "CONTAINER"

// content reads a structured report: what is said of the document, and its tree of content items (PS3.3 C.17.2,
// C.17.3).
func content(w *writer, ds *dicom.DataSet) error {
	title := meaning(ds, tag.ConceptNameCodeSequence)
	w.line(Line{Heading: true, Name: title})
	w.value(0, Completion, strings.ToLower(ds.Text(tag.CompletionFlag)))
	w.value(0, Verification, strings.ToLower(ds.Text(tag.VerificationFlag)))
	for _, v := range ds.Items(tag.VerifyingObserverSequence) {
		w.value(0, VerifiedBy, name(v, tag.VerifyingObserverName))
	}

	w.items(ds, 0)
	return nil
}

// items reads the items below one.
func (w *writer) items(ds *dicom.DataSet, depth int) {
	if depth >= w.limits.Depth {
		w.out.Cut = w.out.Cut || len(ds.Items(tag.ContentSequence)) > 0
		return
	}
	for _, it := range ds.Items(tag.ContentSequence) {
		if w.full() {
			return
		}
		w.item(it, depth)
		w.items(it, depth+1)
	}
}

// item reads one content item by its value type (PS3.3 C.17.3.2).
func (w *writer) item(it *dicom.DataSet, depth int) {
	if target := it.Ints(tag.ReferencedContentItemIdentifier); len(target) > 0 { // by reference (PS3.3 C.17.3.2.5)
		w.line(Line{Depth: depth, Label: SeeItem, Value: dotted(target)})
		return
	}

	l := Line{Depth: depth, Name: meaning(it, tag.ConceptNameCodeSequence)}
	switch kind := it.Text(tag.ValueType); kind {
	case container:
		l.Heading = l.Name != ""
		if l.Name == "" {
			return
		}
	case "TEXT":
		l.Value = w.text(it, tag.TextValue)
	case "NUM":
		l.Value = measured(it)
	case "CODE":
		l.Value = meaning(it, tag.ConceptCodeSequence)
	case "DATETIME":
		l.Value = it.Text(tag.DateTime)
	case "DATE":
		l.Value = it.Text(tag.Date)
	case "TIME":
		l.Value = it.Text(tag.Time)
	case "UIDREF":
		l.Value = it.Text(tag.UID)
	case "PNAME":
		l.Value = name(it, tag.PersonName)
	case "IMAGE", "WAVEFORM", "COMPOSITE":
		l.Label = map[string]Label{"IMAGE": Image, "WAVEFORM": Waveform, "COMPOSITE": Object}[kind]
		l.Refs = references(it, tag.ReferencedSOPSequence)
	case "SCOORD", "SCOORD3D":
		l.Label = Region
		l.Value = region(it)
	case "TCOORD":
		l.Label = TimeRange
		l.Value = strings.ToLower(it.Text(tag.TemporalRangeType))
	case "TABLE":
		l.Label = Table
		rows, _ := it.Int(tag.NumberOfTableRows)
		columns, _ := it.Int(tag.NumberOfTableColumns)
		l.Value = fmt.Sprintf("%d × %d", rows, columns)
	default:
		return
	}
	w.line(l)
}

// measured is a number with its unit, and in words why there is none (PS3.3 C.18.1).
func measured(it *dicom.DataSet) string {
	values := it.Items(tag.MeasuredValueSequence)
	if len(values) == 0 {
		return meaning(it, tag.NumericValueQualifierCodeSequence)
	}

	unit := ""
	if units := values[0].Items(tag.MeasurementUnitsCodeSequence); len(units) > 0 {
		unit = units[0].Text(tag.CodeValue)
	}
	if unit == "1" { // UCUM: no unit
		unit = ""
	}
	return strings.TrimSpace(values[0].Text(tag.NumericValue) + " " + unit)
}

// region is the kind of a region and how many points it has (PS3.3 C.18.6, C.18.9).
func region(it *dicom.DataSet) string {
	each := 2
	if it.Text(tag.ValueType) == "SCOORD3D" {
		each = 3
	}
	n := len(it.Floats(tag.GraphicData)) / each
	return fmt.Sprintf("%s (%d)", strings.ToLower(it.Text(tag.GraphicType)), n)
}

// dotted is the position of an item in the tree.
func dotted(position []int64) string {
	const most = 32
	var out []string
	for _, n := range position[:min(len(position), most)] {
		out = append(out, fmt.Sprint(n))
	}
	return strings.Join(out, ".")
}
