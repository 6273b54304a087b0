package deid

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// image is a CT image of one of a patient's studies.
func image(t testing.TB, set map[dicom.Tag]string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	values := map[dicom.Tag]string{
		tag.SpecificCharacterSet: "ISO_IR 100", tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: "1.2.3.4.5", tag.StudyInstanceUID: "1.2.3.4.6",
		tag.SeriesInstanceUID: "1.2.3.4.7", tag.PatientName: "ZZPHI-Müller^Anna", tag.PatientID: "ZZPHI-4711", tag.PatientBirthDate: "19700102",
		tag.StudyDate: "20260301", tag.StudyTime: "101112", tag.ContentDate: "20260302", tag.Modality: "CT", tag.PatientSex: "F",
		tag.StudyDescription: "Thorax of Anna ZZPHI-MÜLLER on 1.3.2026",
	}
	for k, v := range set {
		values[k] = v
	}
	for _, k := range []dicom.Tag{tag.SpecificCharacterSet} {
		if err := ds.SetText(k, values[k]); err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range values {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, make([]byte, 64)))
	return ds
}

func TestSameKeyGivesTheSamePseudonymsInAllObjects(t *testing.T) {
	t.Parallel()
	a := apply(t, Profile{Dates: ShiftDates}, image(t, nil))
	b := apply(t, Profile{Dates: ShiftDates}, image(t, map[dicom.Tag]string{tag.SOPInstanceUID: "1.2.3.4.8", tag.StudyDate: "20260401", tag.PatientName: "ZZPHI^A"}))
	for _, k := range []dicom.Tag{tag.PatientID, tag.PatientName, tag.StudyInstanceUID, tag.SeriesInstanceUID} {
		if a.Text(k) == "" || a.Text(k) != b.Text(k) {
			t.Errorf("%s differs between objects of one study", k.Keyword())
		}
	}
	if a.Text(tag.SOPInstanceUID) == b.Text(tag.SOPInstanceUID) || !uid.Valid(a.Text(tag.SOPInstanceUID)) {
		t.Error("want different valid instance UIDs")
	}
	other, _, err := New(bytes.Repeat([]byte{8}, KeySize), Profile{Dates: ShiftDates}).Apply(image(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []dicom.Tag{tag.PatientID, tag.StudyInstanceUID, tag.StudyDate} {
		if a.Text(k) == other.Text(k) {
			t.Errorf("%s is the same with another key", k.Keyword())
		}
	}
	stranger := apply(t, Profile{}, image(t, map[dicom.Tag]string{tag.PatientID: "ZZPHI-4712"}))
	if stranger.Text(tag.PatientID) == a.Text(tag.PatientID) {
		t.Error("two patients became one")
	}
	issued := apply(t, Profile{}, image(t, map[dicom.Tag]string{tag.IssuerOfPatientID: "ELSEWHERE"}))
	if issued.Text(tag.PatientID) == a.Text(tag.PatientID) {
		t.Error("IDs of two issuers became one")
	}
}

func TestReferencesFollowTheirInstances(t *testing.T) {
	t.Parallel()
	ds := image(t, nil)
	ref := dicom.NewDataSet()
	ref.Set(dicom.NewElement(tag.ReferencedSOPClassUID, dicom.UI, []byte(uid.CTImageStorage)))
	ref.Set(dicom.NewElement(tag.ReferencedSOPInstanceUID, dicom.UI, []byte("1.2.3.4.5")))
	ds.SetItems(tag.ReferencedImageSequence, ref)
	out := apply(t, Profile{}, ds)
	got := out.Items(tag.ReferencedImageSequence)[0]
	if got.Text(tag.ReferencedSOPInstanceUID) != out.Text(tag.SOPInstanceUID) || got.Text(tag.ReferencedSOPClassUID) != uid.CTImageStorage {
		t.Error("the reference does not lead to the instance, or its class was changed")
	}
}

func TestShiftedDatesKeepOrderAndDistance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		days := -rapid.IntRange(leastShift, mostShift).Draw(rt, "days")
		a := rapid.StringMatching(`(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])`).Draw(rt, "a")
		b := rapid.StringMatching(`(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])`).Draw(rt, "b")
		x, okx := shiftValue(dicom.DA, a, days)
		y, oky := shiftValue(dicom.DT, b+"1011", days)
		if !okx || !oky || len(x) != 8 || len(y) != 12 || (a < b) != (x < y[:8]) || x >= a {
			rt.Fatal("a date was lost, or the order changed")
		}
		if back, ok := shiftValue(dicom.DA, x, -days); !ok || back != a {
			rt.Fatal("the distance is not in whole days")
		}
	})
	for v, ok := range map[string]bool{"": true, "2026": true, "202603": true, "20260301": true, "20260301101112.123456+0100": true, "20261301": false, "ZZPHI": false, "2026101112": true, "20261": false, "2026031": false} {
		if _, got := shiftValue(dicom.DT, v, -400); got != ok {
			t.Errorf("a DT of %d characters: %t, want %t", len(v), got, ok)
		}
	}
	ds := image(t, map[dicom.Tag]string{tag.StudyTime: "25 ZZPHI"})
	out := apply(t, Profile{Dates: ShiftDates}, ds)
	if out.Text(tag.StudyDate) >= out.Text(tag.ContentDate) || out.Text(tag.StudyTime) != "" || out.Text(tag.LongitudinalTemporalInformationModified) != "MODIFIED" {
		t.Error("dates out of order, a time that is none was kept, or the mark is wrong")
	}
}

func TestDescriptorsLoseThePatient(t *testing.T) {
	t.Parallel()
	out := apply(t, Profile{CleanDescriptors: true}, image(t, nil))
	if got := out.Text(tag.StudyDescription); got != "Thorax of * *-* on *" && got != "Thorax of * * on *" {
		t.Errorf("study description %q", got)
	}
	id := newIdentity(image(t, nil), Profile{})
	for in, want := range map[string]string{
		"CT Thorax mit KM": "CT Thorax mit KM", "seen by Dr. House": "seen by *", "tel 030 1234567": "tel *", "born 2 Jan 1970": "born *",
		"mail a.b@c.de": "mail *", "MRN 1234567": "MRN *", "Annabelle": "Annabelle", "for ANNA": "for *", "see 1.2.840.99.1": "see *",
		"DOE^JOHN axial": "* axial", "T2 TSE 3mm": "T2 TSE 3mm", "4711": "*",
	} {
		if got := id.clean(in, false); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestApplyIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := Profile{
			CleanGraphics: rapid.Bool().Draw(rt, "graphics"), CleanStructuredContent: rapid.Bool().Draw(rt, "structured"),
			CleanDescriptors: rapid.Bool().Draw(rt, "descriptors"), Dates: Dates(rapid.IntRange(0, 2).Draw(rt, "dates")),
			RetainUIDs: rapid.Bool().Draw(rt, "uids"), RetainDeviceIdentity: rapid.Bool().Draw(rt, "device"), RemoveDocuments: true,
		}
		ds := dicom.NewDataSet()
		ds.Set(dicom.NewElement(tag.SpecificCharacterSet, dicom.CS, []byte("ISO_IR 192")))
		for range rapid.IntRange(1, 40).Draw(rt, "n") {
			k := rules[rapid.IntRange(0, len(rules)-1).Draw(rt, "row")].tag
			el := sample(k)
			if vr := dicom.VRFor(k); freeText(vr) || vr == dicom.PN {
				el = dicom.NewText(k, vr, rapid.StringMatching(`[A-Za-zäß0-9 .:^@/-]{0,30}`).Draw(rt, "text"))
			}
			ds.Set(el)
		}
		d := New(testKey(), p)
		first, _, err := d.Apply(ds)
		if err != nil {
			rt.Fatal(err)
		}
		second, _, err := d.Apply(first)
		if err != nil {
			rt.Fatal(err)
		}
		a, b := encoded(t, first, uid.ExplicitVRLittleEndian), encoded(t, second, uid.ExplicitVRLittleEndian)
		if !bytes.Equal(a, b) {
			i := 0
			for i < min(len(a), len(b)) && a[i] == b[i] {
				i++
			}
			rt.Fatalf("the second run changed byte %d: %q, %q", i, a[max(0, i-20):min(len(a), i+40)], b[max(0, i-20):min(len(b), i+40)])
		}
	})
}

func TestObjectsThatMayShowTheirPatientAreRefused(t *testing.T) {
	t.Parallel()
	pdf := image(t, map[dicom.Tag]string{tag.SOPClassUID: "1.2.840.10008.5.1.4.1.1.104.1"})
	pdf.Delete(tag.PixelData)
	pdf.Set(dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, []byte("%PDF ZZPHI")))
	overlay := image(t, nil)
	overlay.Set(dicom.NewElement(tag.New(0x6000, 0x0010), dicom.US, []byte{1, 0}))
	head := image(t, map[dicom.Tag]string{tag.BodyPartExamined: "HEAD"})
	for name, c := range map[string]struct {
		ds   *dicom.DataSet
		p    Profile
		flag Flag
	}{
		"ultrasound":       {image(t, map[dicom.Tag]string{tag.SOPClassUID: uid.UltrasoundImageStorage, tag.Modality: "US"}), Profile{}, BurnedInLikely},
		"capture":          {image(t, map[dicom.Tag]string{tag.SOPClassUID: uid.SecondaryCaptureImageStorage}), Profile{}, BurnedInLikely},
		"scanned film":     {image(t, map[dicom.Tag]string{tag.Modality: "DX", tag.ConversionType: "DF"}), Profile{}, BurnedInLikely},
		"declared":         {image(t, map[dicom.Tag]string{tag.BurnedInAnnotation: "YES"}), Profile{}, BurnedIn},
		"PDF":              {pdf, Profile{}, Document},
		"overlay in bits":  {overlay, Profile{}, OverlayInPixels},
		"head":             {head, Profile{CleanRecognizableVisualFeatures: true}, VisualFeaturesHead},
		"clean pixel data": {image(t, nil), Profile{CleanPixelData: true, InsecureAllowBurnedIn: true}, BurnedInLikely},
	} {
		_, report, err := New(testKey(), c.p).Apply(c.ds)
		refused, ok := errors.AsType[*RefusedError](err)
		if !ok || !slices.Contains(refused.Flags, c.flag) || strings.Contains(err.Error(), marker) {
			t.Errorf("%s: %v, want it refused for %q", name, err, c.flag)
		}
		if name != "clean pixel data" && !slices.Contains(report.Flags, c.flag) {
			t.Errorf("%s: the report has no flag", name)
		}
	}
	for name, ds := range map[string]*dicom.DataSet{
		"CT": image(t, nil), "head": head,
		"clean ultrasound": image(t, map[dicom.Tag]string{tag.Modality: "US", tag.BurnedInAnnotation: "NO"}),
	} {
		if got := apply(t, Profile{}, ds).Text(tag.PatientIdentityRemoved); got != "YES" {
			t.Errorf("%s: identity removed %q", name, got)
		}
	}
	us := image(t, map[dicom.Tag]string{tag.Modality: "US"})
	if got := apply(t, Profile{InsecureAllowBurnedIn: true}, us).Text(tag.PatientIdentityRemoved); got != "NO" {
		t.Errorf("allowed ultrasound claims that identity was removed: %q", got)
	}
	if got := apply(t, Profile{}, pdf); strings.Contains(string(encoded(t, got, uid.ExplicitVRLittleEndian)), marker) {
		t.Error("the document remains")
	}
}

func TestMethodSaysWhatWasDone(t *testing.T) {
	t.Parallel()
	out := apply(t, Profile{Dates: KeepDates, RetainUIDs: true}, image(t, nil))
	var codes []string
	for _, item := range out.Items(tag.DeidentificationMethodCodeSequence) {
		codes = append(codes, item.Text(tag.CodeValue)+item.Text(tag.CodingSchemeDesignator))
	}
	if !slices.Equal(codes, []string{"113100DCM", "113106DCM", "113110DCM"}) || out.Text(tag.LongitudinalTemporalInformationModified) != "UNMODIFIED" {
		t.Errorf("codes %v", codes)
	}
	again := apply(t, Profile{}, out)
	if n := len(again.Items(tag.DeidentificationMethodCodeSequence)); n != 3 || again.Text(tag.LongitudinalTemporalInformationModified) != "REMOVED" {
		t.Errorf("after a second profile %d codes", n)
	}
}

func TestSafePrivateElementsStayOnlyAsListed(t *testing.T) {
	t.Parallel()
	ds := image(t, nil)
	ds.Set(dicom.NewElement(tag.New(0x7053, 0x0010), dicom.LO, []byte("Philips PET Private Group")))
	ds.Set(dicom.NewElement(tag.New(0x7053, 0x1000), dicom.DS, []byte("1.5")))
	ds.Set(dicom.NewElement(tag.New(0x7053, 0x1009), dicom.DS, []byte("ZZPHI")))
	ds.Set(dicom.NewElement(tag.New(0x7053, 0x1001), dicom.LO, []byte("ZZPHI")))
	ds.Set(dicom.NewElement(tag.New(0x7055, 0x0010), dicom.LO, []byte("Philips PET Private Group")))
	ds.Set(dicom.NewElement(tag.New(0x7055, 0x1000), dicom.DS, []byte("1.5")))
	out := apply(t, Profile{RetainSafePrivate: true}, ds)
	var left []dicom.Tag
	for el := range out.All() {
		if el.Tag.Private() {
			left = append(left, el.Tag)
		}
	}
	if !slices.Equal(left, []dicom.Tag{tag.New(0x7053, 0x0010), tag.New(0x7053, 0x1000)}) {
		t.Errorf("left %v", left)
	}
}

func TestShortKeyIsRefused(t *testing.T) {
	t.Parallel()
	if _, _, err := New([]byte("short"), Profile{}).Apply(image(t, nil)); !errors.Is(err, ErrKey) {
		t.Errorf("%v", err)
	}
}

// refusing is a source nobody may read.
type refusing struct{ reads int }

func (r *refusing) ReadAt(p []byte, _ int64) (int, error) {
	r.reads++
	return 0, errors.New("read")
}

func TestPixelsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	ds := image(t, nil)
	source := &refusing{}
	ds.Set(dicom.NewBulk(tag.PixelData, dicom.OW, source, 1000, 1<<40))
	out := apply(t, Profile{CleanDescriptors: true, Dates: ShiftDates}, ds)
	el, _ := out.Get(tag.PixelData)
	if bulk, ok := el.Bulk(); !ok || bulk.Offset != 1000 || bulk.Length != 1<<40 || source.reads > 0 {
		t.Errorf("pixel data were moved, or read %d times", source.reads)
	}
}

func TestOtherCharacterSetsStayEncodable(t *testing.T) {
	t.Parallel()
	for set, name := range map[string]string{
		"ISO_IR 100": "ZZPHI-Müller^Jürgen", "ISO_IR 192": "ZZPHI^山田=山田^太郎", "ISO_IR 144": "ZZPHI^Люкceмбypг", `\ISO 2022 IR 87`: "ZZPHI^X=山田^太郎", "GB18030": "ZZPHI^王=王^小东",
	} {
		ds := dicom.NewDataSet()
		if err := errors.Join(ds.SetText(tag.SpecificCharacterSet, strings.Split(set, `\`)...), ds.SetText(tag.PatientName, name),
			ds.SetText(tag.StudyDescription, "für "+strings.NewReplacer("^", " ", "=", " ").Replace(name))); err != nil {
			if err = ds.SetText(tag.StudyDescription, strings.NewReplacer("^", " ", "=", " ").Replace(name)); err != nil {
				t.Fatal(set, err)
			}
		}
		for _, p := range []Profile{{}, {CleanDescriptors: true}} {
			out := apply(t, p, ds)
			back, err := dicom.Decode(bytes.NewReader(encoded(t, out, uid.ExplicitVRLittleEndian)), dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
			if err != nil || len(back.Notes()) > 0 {
				t.Errorf("%s: %v, %v", set, err, back.Notes())
				continue
			}
			got := back.Text(tag.StudyDescription) + back.Text(tag.PatientName)
			for _, w := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("^=- ", r) }) {
				if w != "X" && strings.Contains(got, w) {
					t.Errorf("%s: a part of the name remains", set)
				}
			}
		}
	}
}
