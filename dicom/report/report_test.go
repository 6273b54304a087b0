package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/report"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/synth"
)

// text is a report as lines of text, for comparison.
func text(r *report.Report) string {
	var b strings.Builder
	for _, l := range r.Lines {
		fmt.Fprintf(&b, "%s%s|%s|%s", strings.Repeat(" ", l.Depth), l.Label, l.Name, l.Value)
		for _, ref := range l.Refs {
			fmt.Fprintf(&b, " ->%d", len(ref.SOPInstanceUID))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func set(t testing.TB, ds *dicom.DataSet, values ...any) *dicom.DataSet {
	t.Helper()
	for i := 0; i < len(values); i += 2 {
		to := values[i].(dicom.Tag)
		var err error
		switch v := values[i+1].(type) {
		case string:
			err = ds.SetText(to, v)
		case int:
			err = ds.SetInt(to, int64(v))
		case float64:
			err = ds.SetFloat(to, v)
		case []*dicom.DataSet:
			ds.SetItems(to, v...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

func item(t testing.TB, ds *dicom.DataSet, values ...any) *dicom.DataSet {
	t.Helper()
	return set(t, ds.NewItem(), values...)
}

func code(t testing.TB, ds *dicom.DataSet, meaning string) []*dicom.DataSet {
	t.Helper()
	return []*dicom.DataSet{item(t, ds, tag.CodeValue, "1", tag.CodingSchemeDesignator, "99ZZ", tag.CodeMeaning, meaning)}
}

func of(t testing.TB, ds *dicom.DataSet, l report.Limits) *report.Report {
	t.Helper()
	r, err := report.Of(ds, l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAStructuredReportIsItsTree(t *testing.T) {
	t.Parallel()
	got := text(of(t, synth.First(synth.SR, synth.Options{}).DataSet, report.Limits{}))
	want := `|Radiology Study observation|
Completion||complete
Verification||unverified
|Person Observer Name|ZZPHI Reader
|Findings|
 |Finding|Nodule
 |Diameter|12.5 mm
  Image|| ->44
|Conclusion|Solitary nodule. Control in three months.
`
	if i := strings.Index(got, "->"); i < 0 || strings.Replace(got, got[i:i+4], "->44", 1) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEveryValueTypeIsSaid(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	one := func(kind string, values ...any) *dicom.DataSet {
		return item(t, ds, append([]any{tag.ValueType, kind, tag.ConceptNameCodeSequence, code(t, ds, kind)}, values...)...)
	}
	ref := []*dicom.DataSet{item(t, ds, tag.ReferencedSOPClassUID, uid.CTImageStorage, tag.ReferencedSOPInstanceUID, "2.25.1", tag.ReferencedFrameNumber, "3")}
	back := ds.NewItem()
	if err := back.SetInt(tag.ReferencedContentItemIdentifier, 1, 2, 3); err != nil {
		t.Fatal(err)
	}
	points := one("SCOORD", tag.GraphicType, "POLYLINE")
	points3 := one("SCOORD3D", tag.GraphicType, "POINT")
	for _, x := range []struct {
		to *dicom.DataSet
		n  int
	}{{points, 4}, {points3, 3}} {
		if err := x.to.SetFloat(tag.GraphicData, make([]float64, x.n)...); err != nil {
			t.Fatal(err)
		}
	}
	set(t, ds, tag.SOPClassUID, uid.Comprehensive3DSRStorage, tag.ValueType, "CONTAINER", tag.ContentSequence, []*dicom.DataSet{
		one("TEXT", tag.TextValue, "said"), one("CODE", tag.ConceptCodeSequence, code(t, ds, "coded")), one("DATE", tag.Date, "20260102"),
		one("TIME", tag.Time, "101112"), one("DATETIME", tag.DateTime, "20260102101112"), one("UIDREF", tag.UID, "2.25.9"), one("PNAME", tag.PersonName, "ZZPHI^A^^Dr"),
		one("NUM", tag.MeasuredValueSequence, []*dicom.DataSet{item(t, ds, tag.NumericValue, "4", tag.MeasurementUnitsCodeSequence, []*dicom.DataSet{item(t, ds, tag.CodeValue, "1")})}),
		one("NUM", tag.NumericValueQualifierCodeSequence, code(t, ds, "not measured")),
		one("IMAGE", tag.ReferencedSOPSequence, ref), one("WAVEFORM", tag.ReferencedSOPSequence, ref), one("COMPOSITE", tag.ReferencedSOPSequence, ref),
		points, points3, one("TCOORD", tag.TemporalRangeType, "SEGMENT"), one("TABLE", tag.NumberOfTableRows, 2, tag.NumberOfTableColumns, 3), one("NEWER"), back,
	})
	want := `||
|TEXT|said
|CODE|coded
|DATE|20260102
|TIME|101112
|DATETIME|20260102101112
|UIDREF|2.25.9
|PNAME|ZZPHI A Dr
|NUM|4
|NUM|not measured
Image|IMAGE| ->6
Waveform|WAVEFORM| ->6
Object|COMPOSITE| ->6
Region|SCOORD|polyline (2)
Region|SCOORD3D|point (1)
Time range|TCOORD|segment
Table|TABLE|2 × 3
See item||1.2.3
`
	if got := text(of(t, ds, report.Limits{})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestStructuresAndPlansAreLists(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	contours := func(n int) (out []*dicom.DataSet) {
		for range n {
			out = append(out, item(t, ds, tag.ContourGeometricType, "POINT"))
		}
		return out
	}
	set(t, ds, tag.SOPClassUID, uid.RTStructureSetStorage, tag.StructureSetLabel, "ZZ",
		tag.StructureSetROISequence, []*dicom.DataSet{item(t, ds, tag.ROINumber, "1", tag.ROIName, "Heart"), item(t, ds, tag.ROINumber, "2", tag.ROIName, "<b>")},
		tag.ROIContourSequence, []*dicom.DataSet{item(t, ds, tag.ReferencedROINumber, "1", tag.ContourSequence, contours(3))},
		tag.RTROIObservationsSequence, []*dicom.DataSet{item(t, ds, tag.ReferencedROINumber, "1", tag.RTROIInterpretedType, "ORGAN")})
	if got, want := text(of(t, ds, report.Limits{})), "Structures|ZZ|2\n Contours|1 Heart|3, organ\n Contours|2 <b>|0\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	plan := dicom.NewDataSet()
	set(t, plan, tag.SOPClassUID, uid.RTPlanStorage, tag.RTPlanLabel, "P1", tag.PlanIntent, "CURATIVE",
		tag.DoseReferenceSequence, []*dicom.DataSet{item(t, plan, tag.DoseReferenceDescription, "PTV", tag.TargetPrescriptionDose, 60.0, tag.DoseReferenceType, "TARGET")},
		tag.FractionGroupSequence, []*dicom.DataSet{item(t, plan, tag.FractionGroupNumber, "1", tag.NumberOfFractionsPlanned, "30", tag.NumberOfBeams, "1",
			tag.ReferencedBeamSequence, []*dicom.DataSet{item(t, plan, tag.ReferencedBeamNumber, "1", tag.BeamMeterset, 120.5)})},
		tag.BeamSequence, []*dicom.DataSet{item(t, plan, tag.BeamNumber, "1", tag.BeamName, "AP", tag.RadiationType, "PHOTON", tag.BeamType, "STATIC",
			tag.ControlPointSequence, []*dicom.DataSet{item(t, plan, tag.NominalBeamEnergy, 6.0, tag.GantryAngle, 180.0), plan.NewItem()})})
	want := `Plan|P1|
Intent||curative
 Prescribed dose|PTV|60 Gy, target
Fraction group|1|
 Fractions||30
 Beams||1
 Meterset|1|120.5
Beam|1 AP|
 Radiation||photon, static
 Control points||2
 Energy||6 MV
 Gantry angle||180°
`
	if got := text(of(t, plan, report.Limits{})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAPresentationStateIsNamed(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	set(t, ds, tag.SOPClassUID, uid.GrayscaleSoftcopyPresentationStateStorage, tag.ContentLabel, "MARKED", tag.ContentCreatorName, "ZZPHI^R",
		tag.ReferencedSeriesSequence, []*dicom.DataSet{item(t, ds, tag.ReferencedImageSequence, []*dicom.DataSet{item(t, ds, tag.ReferencedSOPInstanceUID, "2.25.1")})},
		tag.SoftcopyVOILUTSequence, []*dicom.DataSet{item(t, ds, tag.WindowCenter, 40.0, tag.WindowWidth, 400.0)},
		tag.GraphicAnnotationSequence, []*dicom.DataSet{item(t, ds, tag.TextObjectSequence, []*dicom.DataSet{item(t, ds, tag.UnformattedTextValue, "here")})})
	want := "Presentation state|MARKED|\nCreator||ZZPHI R\n Applies to|| ->6\n Window||40 / 400\n Annotation||here\n"
	if got := text(of(t, ds, report.Limits{})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// encapsulated is a document as a DICOM object.
func encapsulated(t testing.TB, document string) *dicom.DataSet {
	t.Helper()
	ds := set(t, dicom.NewDataSet(), tag.SOPClassUID, uid.EncapsulatedCDAStorage, tag.MIMETypeOfEncapsulatedDocument, "text/XML",
		tag.EncapsulatedDocumentLength, len(document))
	ds.Set(dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, append([]byte(document), make([]byte, len(document)%2)...)))
	return ds
}

const cda = `<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Letter</title><recordTarget><name>left out</name></recordTarget>
<component><section><title>Befund &lt;b&gt;</title><text><paragraph>Herz` + "\xF6" + `dem<script>alert(1)</script></paragraph>
<list><item>one</item><item>two<br/>three</item></list><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table></text></section></component></ClinicalDocument>`

func TestADocumentIsItsNarrative(t *testing.T) {
	t.Parallel()
	want := "|Letter|\n|Befund <b>|\n ||Herzödemalert(1)\n ||one\n ||two\n ||three\n ||a | b\n ||1 | 2\n"
	got := text(of(t, encapsulated(t, cda), report.Limits{}))
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, bad := range []string{"", "%PDF-1.4", "<a", "<?xml version='1.0' encoding='UTF-7'?><a/>"} {
		if r, err := report.Of(encapsulated(t, bad), report.Limits{}); err == nil && len(r.Lines) > 0 {
			t.Errorf("%q has %d lines", bad, len(r.Lines))
		}
	}
}

func TestWhatGoesBeyondTheLimitsIsCut(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	deep := item(t, ds, tag.ValueType, "TEXT", tag.TextValue, "bottom")
	for range 100 {
		deep = item(t, ds, tag.ValueType, "CONTAINER", tag.ContentSequence, []*dicom.DataSet{deep})
	}
	set(t, ds, tag.SOPClassUID, uid.BasicTextSRStorage, tag.ValueType, "CONTAINER", tag.ContentSequence, []*dicom.DataSet{deep})
	if r := of(t, ds, report.Limits{}); !r.Cut || strings.Contains(text(r), "bottom") {
		t.Errorf("depth: cut %v, %d lines", r.Cut, len(r.Lines))
	}

	sr := synth.First(synth.SR, synth.Options{}).DataSet
	for name, l := range map[string]report.Limits{"lines": {Lines: 3}, "bytes": {Bytes: 50}} {
		if r := of(t, sr, l); !r.Cut || len(r.Lines) > 3 {
			t.Errorf("%s: cut %v, %d lines", name, r.Cut, len(r.Lines))
		}
	}
	if _, err := report.Of(synth.First(synth.CT, synth.Options{Rows: 8, Columns: 8}).DataSet, report.Limits{}); !errors.Is(err, report.ErrNone) {
		t.Errorf("an image: %v", err)
	}
}

func TestHTMLHoldsNothingButText(t *testing.T) {
	t.Parallel()
	hostile := `"'><script>alert(1)</script><img src=x onerror=alert(2)>`
	ds := dicom.NewDataSet()
	set(t, ds, tag.SOPClassUID, uid.BasicTextSRStorage, tag.ValueType, "CONTAINER", tag.ContentSequence, []*dicom.DataSet{
		item(t, ds, tag.ValueType, "TEXT", tag.ConceptNameCodeSequence, code(t, ds, hostile), tag.TextValue, hostile+strings.Repeat("x", 64<<10)),
		item(t, ds, tag.ValueType, "IMAGE", tag.ReferencedSOPSequence, []*dicom.DataSet{item(t, ds, tag.ReferencedSOPInstanceUID, hostile)}),
	})
	var b bytes.Buffer
	if err := of(t, ds, report.Limits{}).WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	for _, markup := range []string{"<script", "<img", "<svg"} {
		if strings.Contains(b.String(), markup) {
			t.Errorf("the page has %s", markup)
		}
	}
	if !strings.Contains(b.String(), "&lt;script&gt;alert(1)") || b.Len() < 64<<10 {
		t.Error("the text is not there")
	}
}

func TestEveryLabelIsListed(t *testing.T) {
	t.Parallel()
	seen := map[report.Label]bool{}
	for _, l := range report.Labels() {
		if l == report.NoLabel || seen[l] {
			t.Errorf("%q is listed twice or is none", l)
		}
		seen[l] = true
	}
}

// FuzzDocument reads what claims to be a CDA document.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(cda))
	f.Add([]byte("<a><text>x</text></a>"))
	f.Add([]byte("<?xml version='1.0' encoding='iso-8859-15'?><section><title>\xA4"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := report.Of(encapsulated(t, string(b)), report.Limits{Lines: 100, Bytes: 10_000})
		if err == nil {
			bounded(t, r)
		}
	})
}

// FuzzOf reads objects of every kind.
func FuzzOf(f *testing.F) {
	for _, class := range []string{uid.RTStructureSetStorage, uid.RTPlanStorage, uid.RTIonPlanStorage, uid.GrayscaleSoftcopyPresentationStateStorage, uid.BasicTextSRStorage} {
		ds := synth.First(synth.SR, synth.Options{}).DataSet
		if err := ds.SetText(tag.SOPClassUID, class); err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ds, err := dicom.Decode(bytes.NewReader(b), dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
		if err != nil {
			return
		}
		if r, err := report.Of(ds, report.Limits{Lines: 100, Bytes: 10_000}); err == nil {
			bounded(t, r)
		}
	})
}

func bounded(t *testing.T, r *report.Report) {
	t.Helper()
	total := 0
	for _, l := range r.Lines {
		total += len(l.Name) + len(l.Value)
	}
	if len(r.Lines) > 100 || total > 10_000 {
		t.Errorf("%d lines of %d bytes", len(r.Lines), total)
	}
	if err := r.WriteHTML(&bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}
