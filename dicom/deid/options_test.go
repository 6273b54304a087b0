package deid

import (
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// everyProfile is all sets of options.
func everyProfile() []Profile {
	var out []Profile
	for n := range 3 << 8 {
		on := func(bit int) bool { return n>>bit&1 == 1 }
		out = append(out, Profile{
			CleanGraphics: on(0), CleanStructuredContent: on(1), CleanDescriptors: on(2), RetainPatientCharacteristics: on(3),
			RetainDeviceIdentity: on(4), RetainInstitutionIdentity: on(5), RetainUIDs: on(6), RetainSafePrivate: on(7), Dates: Dates(n >> 8),
		})
	}
	return out
}

// studyBelowRoot is a UID as equipment makes it against the rules: below the
// root of the standard, with the date in it.
const studyBelowRoot = "1.2.840.10008.5.1.4.1.1.2." + oldDay + "101112.1"

// report is structured content with dates, times, names and UIDs (PS3.3 C.17).
func report(t *testing.T, ds *dicom.DataSet) *dicom.DataSet {
	t.Helper()
	item := func(kind string, values ...dicom.Element) *dicom.DataSet {
		it := ds.NewItem()
		it.Set(dicom.NewElement(tag.ValueType, dicom.CS, []byte(kind)))
		for _, el := range values {
			it.Set(el)
		}
		return it
	}
	text := func(tg dicom.Tag, v string) dicom.Element { return dicom.NewElement(tg, dicom.VRFor(tg), []byte(v)) }
	return item("CONTAINER", dicom.NewSequence(tag.ContentSequence,
		item("DATE", text(tag.Date, oldDay)), item("DATETIME", text(tag.DateTime, oldDay+"101112")), item("TIME", text(tag.Time, "101112")),
		item("PNAME", text(tag.PersonName, "ZZPHI^TEST")), item("UIDREF", text(tag.UID, studyBelowRoot)), item("TEXT", text(tag.TextValue, "ZZPHI on 2.1.2026")),
		item("CONTAINER", dicom.NewSequence(tag.ContentSequence, item("DATE", dicom.NewElement(tag.Date, dicom.UN, []byte(oldDay))))),
	))
}

// telling is an object with every attribute of the table, kept ones of which
// the table says nothing, and what is written in the wrong VR.
func telling(t *testing.T, as dicom.VR) *dicom.DataSet {
	t.Helper()
	ds := allRows(t)
	if as != 0 {
		for el := range allRows(t).All() {
			if !el.Sequence() && el.VR.Text() && el.Tag != tag.SOPClassUID {
				ds.Set(dicom.NewElement(el.Tag, as, el.Bytes()))
			}
		}
	}
	for t, v := range map[dicom.Tag]string{
		tag.PatientName: "ZZPHI^TEST", tag.PatientID: "ZZPHI-4711", tag.PatientBirthDate: "19700304", tag.StudyDate: oldDay, tag.StudyInstanceUID: studyBelowRoot,
		tag.SoftwareVersions:      "ZZPHI-4711 2026-01-02 02.01.26 IMG" + oldDay + "_1 " + studyBelowRoot + " 4 Mar 1970",
		tag.ReferencedSOPClassUID: studyBelowRoot, tag.ContextUID: oldRoot + "9." + oldDay, tag.InstanceNumber: oldDay, tag.ImageType: "ORIGINAL\\D" + oldDay,
		tag.LastMenstrualDate: "20251130", tag.DateOfLastCalibration: oldDay,
	} {
		ds.Set(dicom.NewElement(t, dicom.VRFor(t), []byte(v)))
	}
	ds.SetItems(tag.ContentSequence, report(t, ds))
	return ds
}

func TestNoSetOfOptionsLeavesATraceOfTheOriginal(t *testing.T) {
	t.Parallel()
	for name, as := range map[string]dicom.VR{"as it should be": 0, "as UN": dicom.UN, "as LO": dicom.LO} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ds := telling(t, as)
			ds.SetItems(tag.SharedFunctionalGroupsSequence, telling(t, as))
			for i, p := range everyProfile() {
				if (testing.Short() || as != 0) && i%7 != 0 {
					continue
				}
				f, _, err := New(testKey(), withDocuments(p)).ApplyFile(&dicom.File{DataSet: ds, TransferSyntax: uid.ExplicitVRLittleEndian}, "2.25.1")
				if err != nil {
					t.Fatal(err)
				}
				s := secretsOf(ds, p)
				complain := func(where, what string) { t.Errorf("%+v: %s holds %s", p, where, what) }
				s.search(f.DataSet, ds, "", complain)
				s.search(f.Meta, dicom.NewDataSet(), "meta", complain)
				if t.Failed() {
					return
				}
			}
		})
	}
}

func withDocuments(p Profile) Profile {
	p.RemoveDocuments = true
	return p
}

func TestUIDsBelowTheRootOfTheStandardAreReplacedUnlessRegistered(t *testing.T) {
	t.Parallel()
	ds := image(t, map[dicom.Tag]string{
		tag.StudyInstanceUID: studyBelowRoot, tag.FrameOfReferenceUID: "1.2.840.10008.1.4.1.1", tag.SOPInstanceUID: studyBelowRoot + ".2",
	})
	f, _, err := New(testKey(), Profile{}).ApplyFile(&dicom.File{DataSet: ds, TransferSyntax: uid.ExplicitVRLittleEndian}, "2.25.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []string{f.DataSet.Text(tag.StudyInstanceUID), f.DataSet.Text(tag.SOPInstanceUID), f.Meta.Text(tag.MediaStorageSOPInstanceUID)} {
		if !strings.HasPrefix(u, uidRoot) {
			t.Errorf("an object keeps the UID %s", u)
		}
	}
	if got := f.DataSet.Text(tag.FrameOfReferenceUID); got != "1.2.840.10008.1.4.1.1" {
		t.Errorf("the registered frame of reference became %s", got)
	}
	if f.DataSet.Text(tag.SOPClassUID) != uid.CTImageStorage {
		t.Error("the SOP Class was changed")
	}
}

func TestCalibrationDatesMoveWithTheOthers(t *testing.T) {
	t.Parallel()
	ds := image(t, map[dicom.Tag]string{tag.DateOfLastCalibration: "20260301", tag.DateOfManufacture: "20200101", tag.DeviceSerialNumber: "77"})
	out := apply(t, Profile{Dates: ShiftDates, RetainDeviceIdentity: true}, ds)
	if out.Text(tag.DateOfLastCalibration) != out.Text(tag.StudyDate) || out.Text(tag.DateOfManufacture) == "20200101" || out.Text(tag.DeviceSerialNumber) != "77" {
		t.Error("a date of the device gives away by how much the others moved, or its serial number is gone")
	}
	d := New(testKey(), Profile{Dates: ShiftDates, RetainDeviceIdentity: true})
	if d.Retains(tag.DateOfLastCalibration) || !d.Retains(tag.DeviceSerialNumber) {
		t.Error("a search by a date that moved would tell the original")
	}
}

func TestDummiesHaveAsManyValuesAsTheOriginal(t *testing.T) {
	t.Parallel()
	ds := image(t, nil)
	points := ds.NewItem()
	points.Set(dicom.NewElement(tag.GraphicData, dicom.FL, make([]byte, 8*4)))
	points.Set(dicom.NewElement(tag.GraphicType, dicom.CS, []byte("ELLIPSE")))
	ds.SetItems(tag.ContentSequence, points)
	ds.SetItems(tag.ReferencedStudySequence, ds.NewItem())
	if err := ds.SetText(tag.OperatorsName, "ZZPHI^A", "ZZPHI^B"); err != nil {
		t.Fatal(err)
	}
	if err := ds.SetText(tag.SOPClassUID, uid.EnhancedMRImageStorage); err != nil {
		t.Fatal(err)
	}

	out := apply(t, Profile{}, ds)
	if got := out.Texts(tag.OperatorsName); !slices.Equal(got, []string{dummyText, dummyText}) {
		t.Errorf("%d names, want 2", len(got))
	}
	if items := out.Items(tag.ContentSequence); len(items) > 0 {
		el, _ := items[0].Get(tag.GraphicData)
		if el.ValueLength() != 32 {
			t.Errorf("%d bytes of coordinates, want 32", el.ValueLength())
		}
	}
	if out.Has(tag.ReferencedStudySequence) {
		t.Error("a sequence that must have items stands there without any")
	}
}

// What a content item counts from 1 has no dummy of 0, and what says how a content
// item is to be read stays (PS3.3 C.17).
func TestDummiesOfContentItemsAreValid(t *testing.T) {
	t.Parallel()
	ds := image(t, nil)
	content := ds.NewItem()
	content.Set(dicom.NewElement(tag.ReferencedContentItemIdentifier, dicom.UL, []byte{1, 0, 0, 0, 3, 0, 0, 0}))
	content.Set(dicom.NewElement(tag.PixelOriginInterpretation, dicom.CS, []byte("VOLUME")))
	content.Set(dicom.NewElement(tag.TemporalRangeType, dicom.CS, []byte("SEGMENT")))
	reference := content.NewItem()
	reference.Set(dicom.NewElement(tag.ReferencedWaveformChannels, dicom.US, []byte{5, 0, 3, 0, 2, 0, 7, 0}))
	reference.Set(dicom.NewElement(tag.ReferencedFrameNumber, dicom.IS, []byte("4\\7")))
	content.SetItems(tag.ReferencedSOPSequence, reference)
	ds.SetItems(tag.ContentSequence, content)

	items := apply(t, Profile{}, ds).Items(tag.ContentSequence)
	if len(items) != 1 || len(items[0].Items(tag.ReferencedSOPSequence)) != 1 {
		t.Fatal("the content items are gone")
	}
	content, reference = items[0], items[0].Items(tag.ReferencedSOPSequence)[0]
	for _, c := range []struct {
		ds   *dicom.DataSet
		tag  dicom.Tag
		want string
	}{
		{content, tag.ReferencedContentItemIdentifier, "\x01\x00\x00\x00\x01\x00\x00\x00"}, {content, tag.PixelOriginInterpretation, "VOLUME"},
		{content, tag.TemporalRangeType, "SEGMENT "}, {reference, tag.ReferencedWaveformChannels, "\x01\x00\x01\x00\x01\x00\x01\x00"},
		{reference, tag.ReferencedFrameNumber, "1\\1 "},
	} {
		if el, _ := c.ds.Get(c.tag); strings.TrimSpace(string(el.Bytes())) != strings.TrimSpace(c.want) {
			t.Errorf("%s: %q, want %q", c.tag.Keyword(), el.Bytes(), c.want)
		}
	}
}
