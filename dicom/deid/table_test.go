package deid

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

const (
	marker  = "ZZPHI"
	oldRoot = "1.2.3.4."
	oldDay  = "20260102"
)

func testKey() []byte { return bytes.Repeat([]byte{7}, KeySize) }

// sample is an element of t with a value that must not be found again.
func sample(t dicom.Tag) dicom.Element {
	vr := dicom.VRFor(t)
	text := func(s string) dicom.Element { return dicom.NewElement(t, vr, []byte(s)) }
	switch vr {
	case dicom.SQ:
		item := dicom.NewDataSet()
		item.Set(dicom.NewElement(tag.CodeValue, dicom.SH, []byte("ZZPHI-7")))
		item.Set(dicom.NewElement(tag.CodeMeaning, dicom.LO, []byte("about ZZPHI")))
		item.Set(dicom.NewElement(tag.ReferencedSOPInstanceUID, dicom.UI, []byte(oldRoot+"77")))
		item.Set(dicom.NewElement(tag.PersonName, dicom.PN, []byte("ZZPHI^IN")))
		return dicom.NewSequence(t, item)
	case dicom.UI:
		return text(fmt.Sprintf("%s%d", oldRoot, uint32(t)))
	case dicom.DA:
		return text(oldDay)
	case dicom.DT:
		return text(oldDay + "101112.5+0100")
	case dicom.TM:
		return text("101112.5")
	case dicom.AS:
		return text("044Y")
	case dicom.IS, dicom.DS:
		return text("4711")
	case dicom.PN:
		return text("ZZPHI^TEST")
	case dicom.UR:
		return text("http://x.invalid/ZZPHI")
	}
	if vr.Text() {
		if identifiers[t] {
			return text("is ZZPHI 1")
		}
		return text("by ZZPHI 1")
	}
	return dicom.NewElement(t, vr, []byte("ZZPHI..."))
}

// allRows is a data set of an attribute for each row of the table.
func allRows(t *testing.T) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for _, r := range rules {
		ds.Set(sample(r.tag))
	}
	ds.Set(dicom.NewElement(tag.OverlayData, dicom.OW, []byte("ZZPHI...")))
	ds.Set(dicom.NewElement(tag.New(0x6002, 0x4000), dicom.LT, []byte(marker)))
	ds.Set(dicom.NewElement(tag.New(0x5002, 0x3000), dicom.OW, []byte("ZZPHI...")))
	ds.Set(dicom.NewElement(tag.New(0x0009, 0x0010), dicom.LO, []byte("ZZPHI CREATOR")))
	ds.Set(dicom.NewElement(tag.New(0x0009, 0x1001), dicom.UN, []byte("ZZPHI.")))
	ds.Set(dicom.NewElement(tag.New(0x0008, 0x9999), dicom.LO, []byte(marker))) // in no dictionary
	ds.Set(dicom.NewElement(tag.SOPClassUID, dicom.UI, []byte(uid.EnhancedMRImageStorage)))
	ds.Set(dicom.NewElement(tag.CodeMeaning, dicom.LO, []byte("seen by ZZPHI")))
	return ds
}

// nested is allRows at the top and in an item of a sequence that stays.
func nested(t *testing.T) *dicom.DataSet {
	ds := allRows(t)
	ds.SetItems(tag.SharedFunctionalGroupsSequence, allRows(t))
	return ds
}

func apply(t testing.TB, p Profile, ds *dicom.DataSet) *dicom.DataSet {
	t.Helper()
	p.RemoveDocuments = true
	out, _, err := New(testKey(), p).Apply(ds)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func encoded(t testing.TB, ds *dicom.DataSet, ts string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, ts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBasicProfileLeavesNoIdentity(t *testing.T) {
	t.Parallel()
	ds := nested(t)
	before := encoded(t, ds, uid.ExplicitVRLittleEndian)
	out := apply(t, Profile{}, ds)
	for _, ts := range []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian} {
		b := encoded(t, out, ts)
		for _, s := range []string{marker, oldRoot, oldDay, "101112"} {
			if i := bytes.Index(b, []byte(s)); i >= 0 {
				t.Errorf("%s: %q remains near %q", uid.Name(ts), s, b[max(0, i-24):i+8])
			}
		}
		back, err := dicom.Decode(bytes.NewReader(b), dicom.DecodeOptions{TransferSyntax: ts})
		if err != nil {
			t.Fatal(err)
		}
		if back.Text(tag.PatientIdentityRemoved) != "YES" {
			t.Error("it does not say that the identity was removed")
		}
	}
	if !bytes.Equal(before, encoded(t, ds, uid.ExplicitVRLittleEndian)) {
		t.Error("the original was changed")
	}
}

// TestEachRowOfTheTable holds each attribute, at the top and in an item,
// against the action of its row in every profile of one option.
func TestEachRowOfTheTable(t *testing.T) {
	t.Parallel()
	ds := nested(t)
	for name, p := range map[string]Profile{
		"basic": {}, "graphics": {CleanGraphics: true}, "structured": {CleanStructuredContent: true}, "descriptors": {CleanDescriptors: true},
		"shift": {Dates: ShiftDates}, "dates": {Dates: KeepDates}, "characteristics": {RetainPatientCharacteristics: true},
		"device": {RetainDeviceIdentity: true}, "institution": {RetainInstitutionIdentity: true}, "uids": {RetainUIDs: true},
		"private": {RetainSafePrivate: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := apply(t, p, ds)
			for _, r := range rules {
				checkRow(t, p, r, ds, out, false)
				checkRow(t, p, r, ds.Items(tag.SharedFunctionalGroupsSequence)[0], out.Items(tag.SharedFunctionalGroupsSequence)[0], true)
			}
			if !p.RetainDeviceIdentity && p.RetainUIDs != bytes.Contains(encoded(t, out, uid.ExplicitVRLittleEndian), []byte(oldRoot)) {
				t.Error("UIDs were kept or replaced against the profile")
			}
			if !p.RetainDeviceIdentity && !p.RetainInstitutionIdentity && !p.RetainPatientCharacteristics &&
				p.Dates != KeepDates && bytes.Contains(encoded(t, out, uid.ExplicitVRLittleEndian), []byte(marker)) {
				t.Error("a marker remains")
			}
		})
	}
}

func checkRow(t *testing.T, p Profile, r rule, from, to *dicom.DataSet, item bool) {
	t.Helper()
	if r.tag.Group() <= 2 {
		if to.Has(r.tag) {
			t.Errorf("%s: an element of a command or of meta information remains", r.tag)
		}
		return
	}
	before, _ := from.Get(r.tag)
	after, has := to.Get(r.tag)
	pseudonym := r.tag == tag.PatientID || r.tag == tag.PatientName
	set := []dicom.Tag{tag.PatientIdentityRemoved, tag.DeidentificationMethod}
	options := p.options()
	switch {
	case pseudonym || slices.Contains(set, r.tag) && !item:
		if !has || after.Empty() || strings.Contains(after.Text(), marker) {
			t.Errorf("%s: want a pseudonym", r.tag)
		}
	case r.keep&options != 0 && before.VR == dicom.CS && strings.Contains(before.Text(), marker):
		if after.Text() != dummyText {
			t.Errorf("%s: a code with a name in it stays", r.tag)
		}
	case r.keep&options != 0:
		if !has || !before.Sequence() && !before.Equal(after) {
			t.Errorf("%s: want it kept", r.tag)
		}
	case r.clean&options != 0 && has:
		if after.VR.Text() && (strings.Contains(after.Text(), marker) || strings.Contains(after.Text(), oldDay)) {
			t.Errorf("%s: not cleaned", r.tag)
		}
		if freeText(after.VR) && options&cleanDescriptors != 0 && after.Text() != "by * 1" && !identifiers[r.tag] {
			t.Errorf("%s: more was taken than the name", r.tag)
		}
	case r.clean&options != 0 && r.basic != actX:
		t.Errorf("%s: removed though the option cleans it", r.tag)
	default:
		checkBasic(t, r, before, after, has)
	}
}

func checkBasic(t *testing.T, r rule, before, after dicom.Element, has bool) {
	t.Helper()
	basic := r.basic
	if neverEmpty[r.tag] {
		basic = actX
	}
	switch basic {
	case actX:
		if has {
			t.Errorf("%s: want it removed", r.tag)
		}
	case actZ, actXZ:
		if !has || !after.Empty() {
			t.Errorf("%s: want it empty", r.tag)
		}
	case actD, actZD, actXD, actXZD:
		if !has || after.Empty() || after.Equal(before) {
			t.Errorf("%s: want a dummy value", r.tag)
		}
	case actU:
		if !has || !uid.Valid(after.Text()) || after.Text() == before.Text() {
			t.Errorf("%s: want another UID", r.tag)
		}
	case actXZU:
		if !has || len(after.Items()) != 1 || after.Items()[0].Text(tag.ReferencedSOPInstanceUID) != New(testKey(), Profile{}).newUID(oldRoot+"77") {
			t.Errorf("%s: want it with other UIDs inside", r.tag)
		}
	default:
		t.Errorf("%s: action %d is not tested", r.tag, r.basic)
	}
}
