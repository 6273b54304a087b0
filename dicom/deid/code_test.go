package deid

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// patientInCodes is a patient whose names and ID somebody has written into codes.
func patientInCodes(t *testing.T) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewElement(tag.SpecificCharacterSet, dicom.CS, []byte("ISO_IR 192")))
	for tg, v := range map[dicom.Tag]string{
		tag.PatientName: "ZZPHIMÜLLER^Jo Anna", tag.PatientID: "77", tag.OperatorsName: "Okonkwo^Ada", tag.ReferringPhysicianName: "Head^Li",
		tag.AccessionNumber: "ACCX17",
	} {
		if err := ds.SetText(tg, v); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

func TestACodeStaysWhereItIsATermOrTellsNothing(t *testing.T) {
	t.Parallel()
	id := newIdentity(patientInCodes(t), Profile{})
	for v, want := range map[string]bool{
		"": true, "CT": true, "ORIGINAL": true, "MONOCHROME2": true, "HEAD": true, "Head": true, "ISO_IR 192": true, "ISO 2022 IR 87": true,
		"M_FFE": true, "DIS2D": true, "CT_SOM5 SPI": true, "PROTON_DENSITY": true, "ABC1234": true,
		"ZZPHIMUELLER": false, "ZZPHIMULLER": false, "ZZPHIMUEL": false, "X_ZZPHIMULLER_1": false, "JO": false, "JO_SCAN": false, "ANNA KNEE": false, "JOANNA": false,
		"OKONKWO": false, "OKON": false, "LI": false, "77": false, "ACCX17": false, "KNEE^LEFT": false, "knee left": false, "A VERY LONG ONE INDEED": false,
		"P123456": false, "19700401": false, "KÖLN": false, "X-RAY": false,
	} {
		if got := id.mayStay(v); got != want {
			t.Errorf("%q stays: %v", v, got)
		}
	}
}

// TestNoAttributeOfVRCSKeepsAName writes a part of a name into every attribute of
// PS3.6 that is a code, at the top and in an item, also where the VR is not known.
func TestNoAttributeOfVRCSKeepsAName(t *testing.T) {
	t.Parallel()
	ds := patientInCodes(t)
	item := dicom.NewDataSet()
	n := 0
	for _, tg := range slices.Sorted(maps.Keys(everyCode())) {
		if tg == tag.SpecificCharacterSet || tg.Group() <= 2 {
			continue
		}
		n++
		vr := dicom.CS
		if n%3 == 0 {
			vr = dicom.UN
		}
		ds.Set(dicom.NewElement(tg, vr, []byte(`KEEP\ZZPHIMUELLER `)))
		item.Set(dicom.NewElement(tg, dicom.CS, []byte("ZZPHIMUELLER")))
	}
	ds.Set(dicom.NewSequence(tag.SharedFunctionalGroupsSequence, item))
	if n < 300 {
		t.Fatalf("%d codes", n)
	}
	for name, p := range map[string]Profile{
		"basic": {}, "kept": {Dates: KeepDates, RetainPatientCharacteristics: true, RetainDeviceIdentity: true, RetainInstitutionIdentity: true, RetainUIDs: true},
		"cleaned": {CleanGraphics: true, CleanDescriptors: true, CleanStructuredContent: true, Dates: ShiftDates},
	} {
		p.InsecureAllowBurnedIn = true
		out := apply(t, p, ds)
		kept := 0
		for el := range out.All() {
			for _, v := range append(el.Texts(), string(el.Bytes())) {
				if strings.Contains(v, "ZZPHI") {
					t.Errorf("%s: %s keeps it", name, el.Tag)
				}
			}
			if el.VR == dicom.CS && slices.Equal(el.Texts(), []string{"KEEP", dummyText}) {
				kept++
			}
		}
		if kept < 200 {
			t.Errorf("%s: of %d attributes the other value stays", name, kept)
		}
		for _, inner := range out.Items(tag.SharedFunctionalGroupsSequence) {
			for el := range inner.All() {
				if strings.Contains(el.Text(), "ZZPHI") {
					t.Errorf("%s: %s keeps it in an item", name, el.Tag)
				}
			}
		}
	}
}

func TestAKnownTermIsOneThatPS33CouldHave(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, v := range terms {
		if seen[v] || !codePattern.MatchString(v) {
			t.Errorf("%q stands twice or is no code", v)
		}
		seen[v] = true
	}
}

// everyCode is the attributes of PS3.6 that are codes, of the groups in which
// images and plans have theirs.
func everyCode() map[dicom.Tag]bool {
	out := map[dicom.Tag]bool{}
	for group := uint16(0x0008); group <= 0x3010; group += 2 {
		if group > 0x0100 && group < 0x3000 {
			continue
		}
		for element := uint32(1); element <= 0xFFFF; element++ {
			if t := tag.New(group, uint16(element)); dicom.VRFor(t) == dicom.CS {
				out[t] = true
			}
		}
	}
	return out
}
