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
		{"a picture deep within", "geometry", func(ds *dicom.DataSet) {
			icon, item := dicom.NewDataSet(), dicom.NewDataSet()
			icon.Set(us(tag.HighBit, 200))
			icon.Set(us(tag.BitsAllocated, 8))
			item.SetItems(tag.IconImageSequence, icon)
			ds.SetItems(tag.ReferencedImageSequence, item)
		}},
		{"frames that are no number", "geometry", func(ds *dicom.DataSet) { ds.Set(dicom.NewText(tag.NumberOfFrames, dicom.IS, "1e9")) }},
		{"more frames than there are", "geometry", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewText(tag.NumberOfFrames, dicom.IS, "99999999999999999999"))
		}},
		{"frames in another representation", "geometry", func(ds *dicom.DataSet) { ds.Set(dicom.NewText(tag.NumberOfFrames, dicom.LO, "7")) }},
		{"a short overlay of a group that only readers know", "overlays", func(ds *dicom.DataSet) {
			ds.Set(us(tag.New(0x6040, overlayRows), 512))
			ds.Set(us(tag.New(0x6040, overlayColumns), 512))
			ds.Set(dicom.NewElement(tag.New(0x6040, overlayData), dicom.OW, make([]byte, 100)))
		}},
		{"an overlay without rows", "overlays", func(ds *dicom.DataSet) {
			ds.Set(us(tag.New(0x6000, overlayColumns), 512))
			ds.Set(dicom.NewElement(tag.New(0x6000, overlayData), dicom.OW, make([]byte, 100)))
		}},
		{"an overlay whose rows are another thing", "overlays", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.New(0x6000, overlayRows), dicom.OB, []byte{0, 2}))
			ds.Set(us(tag.New(0x6000, overlayColumns), 1))
			ds.Set(dicom.NewElement(tag.New(0x6000, overlayData), dicom.OW, make([]byte, 100)))
		}},
		{"a palette as a second value", "palette", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewText(tag.PhotometricInterpretation, dicom.CS, "\tMONOCHROME2\\palette color"))
		}},
		{"a palette in another representation", "palette", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.PhotometricInterpretation, dicom.UN, []byte("PALETTE COLOR ")))
		}},
		{"a script in a date", "markup", func(ds *dicom.DataSet) { ds.Set(dicom.NewElement(tag.StudyDate, dicom.DA, []byte("<script>"))) }},
		{"a script of which nobody knows what it is", "markup", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.New(0x0099, 0x1001), dicom.UN, []byte("<script>")))
		}},
		{"a script in a long text", "markup", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewElement(tag.New(0x0099, 0x1001), dicom.UT, append(bytes.Repeat([]byte("x"), 2<<20), "<script>"...)))
		}},
		{"an attribute that runs something", "markup", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewText(tag.SeriesDescription, dicom.LO, "<p onmouseover = x>"))
		}},
		{"a way out of an attribute", "markup", func(ds *dicom.DataSet) {
			ds.Set(dicom.NewText(tag.SeriesDescription, dicom.LO, "x\" onfocus=y "))
		}},
		{"a link without a blank", "markup", func(ds *dicom.DataSet) { ds.Set(dicom.NewText(tag.SeriesDescription, dicom.LO, "<a/href=x>")) }},
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

// segment is one of JPEG with so many bytes in it.
func segment(n int) []byte {
	return slices.Concat([]byte{0xFF, 0xE1}, binary.BigEndian.AppendUint16(nil, uint16(n+2)), bytes.Repeat([]byte{1}, n))
}

// Fragments are cut anywhere, and pictures begin in any of them.
func TestWhatFragmentsAreRefusedFor(t *testing.T) {
	t.Parallel()
	jpeg := slices.Concat([]byte{0xFF, 0xD8}, segment(2))
	scan, tem := []byte{0xFF, 0xDA, 0, 2, 0xFF, 0x01}, []byte{0xFF, 0x01, 0xFF, 0xDA}
	whole := slices.Concat(jpeg, scan)
	for _, c := range []struct {
		what      string
		fragments [][]byte
		want      string
	}{
		{"JPEG", [][]byte{whole}, ""},
		{"JPEG with TEM", [][]byte{slices.Concat(jpeg, tem)}, "jpeg-markers"},
		{"JPEG that ends in a marker", [][]byte{slices.Concat(jpeg, []byte{0xFF})}, ""},
		{"JPEG with fill", [][]byte{slices.Concat(jpeg, []byte{0xFF, 0xFF, 0xFF, 0x01})}, "jpeg-markers"},
		{"JPEG with TEM behind markers without a segment", [][]byte{slices.Concat([]byte{0xFF, 0xD8, 0xFF, 0xD8, 0xFF, 0xD0, 0xFF, 0xD9}, tem)}, "jpeg-markers"},
		{"JPEG with TEM behind all that is read ahead", [][]byte{slices.Concat(jpeg, segment(65000), segment(65000), tem)}, "jpeg-markers"},
		{"JPEG with TEM in a later frame", [][]byte{whole, whole, whole, whole, whole, whole, slices.Concat(jpeg, tem)}, "jpeg-markers"},
		{"JPEG with TEM in the next fragment", [][]byte{jpeg, tem}, "jpeg-markers"},
		{"JPEG with TEM parted in its marker", [][]byte{slices.Concat(jpeg, []byte{0xFF, 0xFF}), {0x01, 0xFF}}, "jpeg-markers"},
		{"JPEG that begins with a fragment of two bytes", [][]byte{{0xFF, 0xD8}, tem}, "jpeg-markers"},
		{"JPEG within the header of another", [][]byte{{0xFF, 0xD8, 0xFF, 0xE1, 0, 9, 1, 1}, slices.Concat(jpeg, scan)}, "jpeg-markers"},
		{"a segment that is shorter than its length", [][]byte{{0xFF, 0xD8, 0xFF, 0xE1, 0, 1, 1, 1}}, "jpeg-markers"},
		{"a long segment over fragments", [][]byte{slices.Concat(jpeg, segment(300)[:100]), segment(300)[100:], scan}, ""},
		{"frames without a scan", [][]byte{jpeg, jpeg, jpeg}, ""},
		{"PAM", [][]byte{[]byte("P7\nWIDTH 1\n")}, "pam"},
		{"PAM as a later frame", [][]byte{whole, whole, whole, whole, whole, []byte("P7\nWIDTH 1\n")}, "pam"},
		{"PAM in two fragments", [][]byte{[]byte("P7"), {}, []byte("\nWIDTH 1")}, "pam"},
		{"what is no PAM", [][]byte{[]byte("P7"), []byte("P8\n ")}, ""},
		{"nothing", [][]byte{{}, nil}, ""},
	} {
		for _, most := range []int{1, 7, 1 << 20} { // bytes of a fragment that come at once
			f := everything(t).Fragments()
			var got string
			for _, b := range c.fragments {
				w := f.Next()
				for piece := range slices.Chunk(b, most) {
					if _, err := w.Write(piece); err != nil && got == "" {
						got = err.(*Refusal).Patch
					}
				}
			}
			if got != c.want {
				t.Errorf("%s, %d bytes at a time: %q, want %q", c.what, most, got, c.want)
			}
		}

		icon := dicom.NewDataSet()
		icon.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, c.fragments...))
		ds := picture(t)
		ds.SetItems(tag.IconImageSequence, icon)
		if got := nameOf(everything(t).Object(ds)); got != c.want {
			t.Errorf("an icon, %s: %q, want %q", c.what, got, c.want)
		}
	}
}

func TestWhatAValueBehindThePixelDataIsRefusedFor(t *testing.T) {
	t.Parallel()
	private := tag.New(0x7FE1, 0x1001)
	long := bytes.Repeat([]byte("x"), dicom.LookSize)
	for _, c := range []struct {
		what string
		el   dicom.Element
		want string
	}{
		{"a script", dicom.NewText(private, dicom.LT, "<script>"), "markup"},
		{"a script of which nobody knows what it is", dicom.NewElement(private, dicom.UN, []byte("<script>")), "markup"},
		{"a text that is too long to be looked at", dicom.NewElement(private, dicom.UT, long), "markup"},
		{"a text", dicom.NewText(private, dicom.LT, "a<b"), ""},
		{"bytes", dicom.NewElement(private, dicom.OB, append(long, "<script>"...)), ""},
		{"pixels", dicom.NewElement(tag.PixelData, dicom.OB, []byte("P7\n<script>")), ""},
	} {
		if got := nameOf(everything(t).Value(c.el)); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
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
		{"a sequence of which nobody knows that it is one", dicom.NewElement(tag.ScheduledProcedureStepSequence, dicom.UN, []byte{1, 0}), "keys"},
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
		checks := p.check.syntax != nil || p.check.object != nil || p.check.value != nil || p.check.key != nil || p.check.fragments != nil ||
			p.check.web != nil || p.check.body != nil
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

// However fragments of even length are cut, nothing of them is a fault of ours.
func FuzzFragments(f *testing.F) {
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0x01}, uint8(2))
	f.Add([]byte("P7\n"), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, cut uint8) {
		whole := slices.Concat([]byte{0xFF, 0xD8, 0xFF, 0x01}, b)
		fragments := everything(t).Fragments()
		refused := false
		for piece := range slices.Chunk(whole, 2*int(cut)+2) {
			_, err := fragments.Next().Write(piece)
			refused = refused || err != nil
		}
		if !refused {
			t.Error("the marker TEM behind the first is let through")
		}
	})
}
