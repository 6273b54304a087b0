package patch

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/advisory"
)

// picture is the head of an image in which nothing is wrong.
func picture(t testing.TB) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for tg, n := range map[tag.Tag]int64{
		tag.Rows: 512, tag.Columns: 512, tag.SamplesPerPixel: 1, tag.BitsAllocated: 16, tag.BitsStored: 12, tag.HighBit: 11,
	} {
		if err := ds.SetInt(tg, n); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

func us(t tag.Tag, n uint16) dicom.Element {
	return dicom.NewElement(t, dicom.US, binary.LittleEndian.AppendUint16(nil, n))
}

// everything is all patches that can be turned on.
func everything(t testing.TB) *Set {
	t.Helper()
	said := map[string]bool{}
	for _, p := range All() {
		said[p.Name] = true
	}
	s, err := Of(said)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAPictureWithoutFaultPassesEveryPatch(t *testing.T) {
	t.Parallel()
	ds := picture(t)
	if err := ds.SetText(tag.SeriesDescription, "T2 <3 mm, a<b"); err != nil {
		t.Fatal(err)
	}
	ds.Set(us(tag.New(0x6000, overlayRows), 64))
	ds.Set(us(tag.New(0x6000, overlayColumns), 64))
	ds.Set(dicom.NewElement(tag.New(0x6000, overlayData), dicom.OW, make([]byte, 64*64/8)))
	if r := everything(t).Object(ds); r != nil {
		t.Error(r)
	}
}

func TestWhatAnObjectIsRefusedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, want string
		change     func(ds *dicom.DataSet)
	}{
		{"rows in another representation", "geometry", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.Rows, dicom.UL, []byte{0, 0, 1, 0}))
		}},
		{"rows twice", "geometry", func(ds *dicom.DataSet) { ds.Set(dicom.NewElement(tag.Rows, dicom.US, []byte{1, 0, 1, 0})) }},
		{"a frame of more than a value", "geometry", func(ds *dicom.DataSet) {
			ds.Set(us(tag.Rows, 65535))
			ds.Set(us(tag.Columns, 65535))
			ds.Set(us(tag.SamplesPerPixel, 3))
		}},
		{"more bits than there is room", "geometry", func(ds *dicom.DataSet) { ds.Set(us(tag.BitsStored, 17)) }},
		{"a high bit outside", "geometry", func(ds *dicom.DataSet) { ds.Set(us(tag.HighBit, 16)) }},
		{"bits that are none", "geometry", func(ds *dicom.DataSet) { ds.Set(us(tag.BitsAllocated, 13)) }},
		{"300 samples", "geometry", func(ds *dicom.DataSet) { ds.Set(us(tag.SamplesPerPixel, 300)) }},
		{"an icon", "geometry", func(ds *dicom.DataSet) {
			icon := dicom.NewDataSet()
			icon.Set(us(tag.BitsAllocated, 8))
			icon.Set(us(tag.HighBit, 200))
			ds.SetItems(tag.IconImageSequence, icon)
		}},
		{"a short overlay", "overlays", func(ds *dicom.DataSet) {
			ds.Set(us(tag.New(0x6002, overlayRows), 512))
			ds.Set(us(tag.New(0x6002, overlayColumns), 512))
			ds.Set(dicom.NewElement(tag.New(0x6002, overlayData), dicom.OW, make([]byte, 100)))
		}},
		{"a palette", "palette", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewText(tag.PhotometricInterpretation, dicom.CS, "PALETTE COLOR"))
		}},
		{"a compression of Philips", "philips-rle", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewText(philipsPixels, dicom.LO, "PMSCT_RLE1"))
		}},
		{"a script", "markup", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewText(tag.PatientName, dicom.PN, "ZZPHI^<ScRiPt src=x>"))
		}},
		{"a picture that runs something, in an item", "markup", func(ds *dicom.DataSet) {
			item := dicom.NewDataSet()
			item.Set(dicom.NewText(tag.CodeMeaning, dicom.LO, `<img src=x onerror=x>`))
			ds.SetItems(tag.ProcedureCodeSequence, item)
		}},
	} {
		ds := picture(t)
		c.change(ds)
		r := everything(t).Object(ds)
		if r == nil || r.Patch != c.want {
			t.Errorf("%s: %v, want %s", c.what, r, c.want)
			continue
		}
		if strings.Contains(r.Error(), "ZZPHI") {
			t.Errorf("%s: a value in %q", c.what, r)
		}
	}
}

func TestWhatTheBeginningOfPixelDataIsRefusedFor(t *testing.T) {
	t.Parallel()
	jpeg := []byte{0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 1}
	for _, c := range []struct {
		what         string
		b            []byte
		encapsulated bool
		want         string
	}{
		{"JPEG", slices.Concat(jpeg, []byte{0xFF, 0xDA, 0, 2, 0xFF, 0x01}), true, ""},
		{"JPEG with TEM", slices.Concat(jpeg, []byte{0xFF, 0x01, 0xFF, 0xDA}), true, "jpeg-markers"},
		{"JPEG that ends in a marker", slices.Concat(jpeg, []byte{0xFF}), true, ""},
		{"JPEG with fill", slices.Concat(jpeg, []byte{0xFF, 0xFF, 0xFF, 0x01}), true, "jpeg-markers"},
		{"PAM", []byte("P7\nWIDTH 1\n"), true, "pam"},
		{"pixels that look like PAM", []byte("P7\nWIDTH 1\n"), false, ""},
		{"nothing", nil, true, ""},
	} {
		r := everything(t).Value(dicom.NewElement(tag.PixelData, dicom.OB, c.b), c.encapsulated)
		if got := nameOf(r); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	if r := everything(t).Value(dicom.NewElement(tag.New(0x7FE1, 0x1001), dicom.OB, []byte("P7\n")), true); r != nil {
		t.Errorf("of another element: %v", r)
	}
}

func nameOf(r *Refusal) string {
	if r == nil {
		return ""
	}
	return r.Patch
}

func TestAKeyHasTheRepresentationOfTheStandard(t *testing.T) {
	t.Parallel()
	set, err := Of(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		el   dicom.Element
		want string
	}{
		{"a name", dicom.NewText(tag.PatientName, dicom.PN, "ZZPHI*"), ""},
		{"a sequence that is text", dicom.NewText(tag.ScheduledProcedureStepSequence, dicom.LO, "x"), "keys"},
		{"one of two", dicom.NewElement(tag.SmallestImagePixelValue, dicom.SS, []byte{1, 0}), ""},
		{"what nobody knows", dicom.NewElement(tag.PatientID, dicom.UN, nil), ""},
		{"a private one", dicom.NewText(tag.New(0x0099, 0x1001), dicom.LO, "x"), ""},
	} {
		ds := dicom.NewDataSet()
		inner := dicom.NewDataSet()
		inner.Set(c.el)
		ds.SetItems(tag.RequestAttributesSequence, inner)
		for _, identifier := range []*dicom.DataSet{inner, ds} {
			if got := nameOf(set.Keys(identifier)); got != c.want {
				t.Errorf("%s: %q, want %q", c.what, got, c.want)
			}
		}
	}
}

func TestWhatIsInForceIsWhatTheRouteSaysAndElseTheDefault(t *testing.T) {
	t.Parallel()
	byDefault, err := Of(nil)
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := Of(map[string]bool{"jpeg-ls": true, "geometry": false})
	if err != nil {
		t.Fatal(err)
	}
	wrong := picture(t)
	wrong.Set(us(tag.HighBit, 16))
	if byDefault.Syntax(uid.JPEGLSLossless) != nil || byDefault.Object(wrong) == nil {
		t.Error("the defaults are not in force")
	}
	if chosen.Syntax(uid.JPEGLSLossless) == nil || chosen.Syntax(uid.JPEGBaseline8Bit) != nil || chosen.Object(wrong) != nil {
		t.Error("what is said is not in force")
	}
	for name, said := range map[string]map[string]bool{"unknown": {"no-such": true}, "always": {"nesting": false}} {
		if _, err := Of(said); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	var none *Set
	if none.Object(wrong) != nil {
		t.Error("no patches refuse something")
	}
}

func TestTheTableIsWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range All() {
		if seen[p.Name] {
			t.Errorf("%s stands there twice", p.Name)
		}
		seen[p.Name] = true
		checks := p.check.syntax != nil || p.check.object != nil || p.check.value != nil || p.check.key != nil || p.check.web != nil
		if p.Keeps == "" || p.Does == "" || len(p.affects) == 0 || checks == (p.Default == Always) || (p.Costs != "") != (p.Default == Off) {
			t.Errorf("%s lacks something, or has too much", p.Name)
		}
		for _, r := range p.affects {
			if len(r.Vendors) == 0 || r.Product == "" || r.Versions == "" {
				t.Errorf("%s: %+v", p.Name, r)
			}
		}
		for _, id := range p.Advisories {
			if len(advisory.Default().Find(id)) == 0 {
				t.Errorf("%s: %s is not among the advisories", p.Name, id)
			}
		}
	}
}

func TestAProductIsAffectedByTheVersionsThatWerePublished(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patch string
		id    advisory.Identity
		want  advisory.Answer
	}{
		{"geometry", advisory.Identity{Vendor: "Orthanc", Product: "Orthanc", Version: "1.12.10"}, advisory.Affected},
		{"geometry", advisory.Identity{Vendor: "Orthanc", Product: "Orthanc", Version: "1.12.11"}, advisory.NotListed},
		{"geometry", advisory.Identity{Vendor: "Orthanc", Product: "Orthanc"}, advisory.Possibly},
		{"paths", advisory.Identity{Vendor: "OFFIS", Product: "DCMTK", Version: "3.6.7", Announced: true}, advisory.Possibly},
		{"paths", advisory.Identity{Vendor: "Nobody", Product: "Another PACS"}, advisory.NotListed},
	} {
		p, ok := Named(c.patch)
		if got := p.Answer(c.id); !ok || got != c.want {
			t.Errorf("%s of %+v: %s, want %s", c.patch, c.id, got, c.want)
		}
	}
}

func FuzzBeginningOfPixelData(f *testing.F) {
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0x01}, true)
	f.Add([]byte("P7\n"), true)
	set := everything(f)
	f.Fuzz(func(t *testing.T, b []byte, encapsulated bool) {
		if r := set.Value(dicom.NewElement(tag.PixelData, dicom.OB, bytes.Clone(b)), encapsulated); r != nil && !encapsulated {
			t.Errorf("native pixels are refused: %v", r)
		}
	})
}
