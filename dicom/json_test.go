package dicom

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func TestJSONModel(t *testing.T) {
	t.Parallel()
	ds := declared(t, "ISO_IR 100")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(ds.SetText(tag.PatientName, "Jérôme^A=B", "", "C"))
	must(ds.SetText(tag.ImageType, "ORIGINAL", "", "AXIAL"))
	ds.Set(NewElement(tag.PixelSpacing, DS, []byte("+1.50\\.5 ")))
	ds.Set(NewElement(tag.InstanceNumber, IS, []byte("007 ")))
	ds.Set(NewElement(tag.SliceThickness, DS, []byte("no number ")))
	must(ds.SetInt(tag.Rows, 512))
	must(ds.SetInt(tag.FrameIncrementPointer, 0x00181063))
	ds.Set(NewElement(tag.StudyDate, DA, nil))
	must(ds.SetFloat(tag.DopplerCorrectionAngle, math.Inf(1)))
	ds.Set(NewElement(tag.SelectorUVValue, UV, []byte{255, 255, 255, 255, 255, 255, 255, 255}))
	ds.SetItems(tag.ReferencedImageSequence, NewDataSet(), NewDataSet())
	ds.SetItems(tag.RequestAttributesSequence)
	ds.Set(NewElement(tag.New(0x0009, 0x1001), UN, []byte{1, 2}))
	ds.Set(NewElement(tag.New(0x0008, 0), UL, make([]byte, 4)))
	got, err := MarshalJSON(ds, JSONOptions{})
	must(err)
	want := `{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00080008":{"vr":"CS","Value":["ORIGINAL",null,"AXIAL"]},` +
		`"00080020":{"vr":"DA"},"00081140":{"vr":"SQ","Value":[{},{}]},"00091001":{"vr":"UN","InlineBinary":"AQI="},` +
		`"00100010":{"vr":"PN","Value":[{"Alphabetic":"Jérôme^A","Ideographic":"B"},null,{"Alphabetic":"C"}]},` +
		`"00180050":{"vr":"DS","Value":["no number"]},"00186034":{"vr":"FD","Value":["Infinity"]},` +
		`"00200013":{"vr":"IS","Value":[7]},"00280009":{"vr":"AT","Value":["00181063"]},"00280010":{"vr":"US","Value":[512]},` +
		`"00280030":{"vr":"DS","Value":[1.50,0.5]},"00400275":{"vr":"SQ"},"0072007F":{"vr":"UV","Value":[18446744073709551615]}}`
	want = strings.Replace(want, "0072007F", tag.SelectorUVValue.Hex(), 1)
	want = strings.Replace(want, "00186034", tag.DopplerCorrectionAngle.Hex(), 1)
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again, err := UnmarshalJSON(got, JSONOptions{})
	must(err)
	if second, err := MarshalJSON(again, JSONOptions{}); err != nil || string(second) != want {
		t.Errorf("after reading: %s, %v", second, err)
	}
}

func TestJSONBulkDataURIs(t *testing.T) {
	t.Parallel()
	ds := NewDataSet()
	icon := NewDataSet()
	icon.Set(NewElement(tag.PixelData, OB, []byte{1, 2}))
	ds.SetItems(tag.IconImageSequence, icon)
	ds.Set(NewFragments(tag.PixelData, OB, nil, []byte{1, 2}))
	var paths []string
	got, err := MarshalJSON(ds, JSONOptions{BulkDataURI: func(path string, el Element) string {
		paths = append(paths, path)
		if el.Encapsulated() {
			return "https://example.org/" + path
		}
		return ""
	}})
	want := `{"00880200":{"vr":"SQ","Value":[{"7FE00010":{"vr":"OB","InlineBinary":"AQI="}}]},"7FE00010":{"vr":"OB","BulkDataURI":"https://example.org/7FE00010"}}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	if strings.Join(paths, " ") != "00880200/1/7FE00010 7FE00010" {
		t.Errorf("paths %v", paths)
	}
	kept, err := UnmarshalJSON(got, JSONOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := MarshalJSON(kept, JSONOptions{}); err != nil || string(again) != want {
		t.Errorf("the URI is not kept: %s, %v", again, err)
	}
	if err := Encode(&bytes.Buffer{}, kept, uid.JPEGBaseline8Bit); err == nil {
		t.Error("a value that is elsewhere was encoded")
	}
	resolved, err := UnmarshalJSON(got, JSONOptions{Resolve: func(tg Tag, vr VR, uri string) (Element, error) {
		return NewElement(tg, vr, []byte(uri[:4])), nil
	}})
	if el, _ := resolved.Get(tag.PixelData); err != nil || string(el.Bytes()) != "http" {
		t.Errorf("resolved to %v, %v", el, err)
	}
}

func TestJSONThatIsWrongIsASyntaxError(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		``, `[]`, `{`, `{"0010":{}}`, `{"00100010":[]}`, `{"00100010":{"vr":"XX"}}`, `{"00100010":{"vr":1}}`,
		`{"00100010":{"vr":"PN","Value":["ZZPHI"]}}`, `{"00100020":{"vr":"LO","Value":[{"Alphabetic":"ZZPHI"}]}}`,
		`{"00280010":{"vr":"US","Value":[65536]}}`, `{"00280010":{"vr":"US","Value":["ZZPHI"]}}`, `{"00280010":{"vr":"US","Value":[1.5]}}`,
		`{"00100020":{"vr":"LO","Value":["a\\b"]}}`, `{"00100020":{"vr":"LO","Value":[true]}}`, `{"00100020":{"vr":"LO","Value":[["ZZPHI"]]}}`,
		`{"00100020":{"vr":"LO"},"00100020":{"vr":"LO"}}`, `{"7FE00010":{"vr":"OB","InlineBinary":"?ZZPHI"}}`, `{} {}`,
		`{"00081140":{"vr":"SQ","Value":["ZZPHI"]}}`, `{"00280009":{"vr":"AT","Value":["ZZPHI"]}}`, `{"0020000E":{"vr":"UV","Value":[-1]}}`,
	} {
		_, err := UnmarshalJSON([]byte(s), JSONOptions{})
		var e *SyntaxError
		if !errors.As(err, &e) || strings.Contains(err.Error(), "ZZPHI") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestJSONReaderGivesOneDataSetAfterTheOther(t *testing.T) {
	t.Parallel()
	r := NewJSONReader(strings.NewReader(` [ {"00100020":{"vr":"LO","Value":["a"]}}, {}, {"00100020":{"vr":"LO","Value":["é"]}} ]`), JSONOptions{})
	var got []string
	for {
		ds, err := r.Next()
		if err != nil {
			if err.Error() != "EOF" {
				t.Error(err)
			}
			break
		}
		got = append(got, ds.Text(tag.PatientID)+"/"+strings.Join(ds.CharacterSet(), ""))
	}
	if strings.Join(got, " ") != "a/ / é/ISO_IR 192" {
		t.Errorf("%q", got)
	}
}

func TestCorpusGoesThroughJSONAndBack(t *testing.T) {
	t.Parallel()
	for i, c := range corpus(t, shared(t, "turning real files into JSON and back")) {
		if !c.readable || i%5 != 0 {
			continue
		}
		raw, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ReadFile(bytes.NewReader(raw), DecodeOptions{BulkThreshold: 4096, Source: bytes.NewReader(raw)})
		if err != nil {
			t.Fatal(err)
		}
		o := JSONOptions{BulkDataURI: func(path string, el Element) string {
			if _, ok := el.Bulk(); ok {
				return path
			}
			return ""
		}}
		first, err := MarshalJSON(f.DataSet, o)
		if err != nil || !json.Valid(first) {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		ds, err := UnmarshalJSON(first, JSONOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		second, err := MarshalJSON(ds, o)
		if err != nil || ds.Len() != countedByJSON(t, first) {
			t.Errorf("%s: %d elements of %d, %v", c.path, ds.Len(), countedByJSON(t, first), err)
		}
		again, err := UnmarshalJSON(second, JSONOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if third, err := MarshalJSON(again, o); err != nil || !bytes.Equal(second, third) {
			at := mismatch(second, third)
			t.Errorf("%s: differs at byte %d of %d, %v", c.path, at, len(first), err)
		}
	}
}

func countedByJSON(t *testing.T, b []byte) int {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return len(m)
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00081140":{"vr":"SQ","Value":[{},{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A"},null]}}]}}`))
	f.Add([]byte(`{"7FE00010":{"vr":"OB","InlineBinary":"AQI="},"00280010":{"vr":"US","Value":[512,"3"]},"00280030":{"vr":"DS","Value":[1.5,"x"]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		ds, err := UnmarshalJSON(b, JSONOptions{})
		if err != nil {
			return
		}
		first, err := MarshalJSON(ds, JSONOptions{})
		if err != nil || !json.Valid(first) {
			t.Fatalf("%s, %v", first, err)
		}
		again, err := UnmarshalJSON(first, JSONOptions{})
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second, err := MarshalJSON(again, JSONOptions{}); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s became %s, %v", first, second, err)
		}
	})
}

func TestJSONOfAnUnreadableCodeIsReadAgain(t *testing.T) {
	t.Parallel()
	ds := NewDataSet()
	ds.Set(NewElement(tag.PatientSex, CS, []byte{'M', 0xE4}))
	b, err := MarshalJSON(ds, JSONOptions{})
	if err != nil {
		t.Fatal(err)
	}
	back, err := UnmarshalJSON(b, JSONOptions{})
	if err != nil || back.Text(tag.PatientSex) != "M?" {
		t.Errorf("%d bytes, %v", len(back.Text(tag.PatientSex)), err)
	}
}
