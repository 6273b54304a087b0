package archive

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/archive/index"
	"collimator/internal/fault"
)

// FuzzHeader gives damaged stored headers to the reader, and takes what it
// reads through a round trip.
func FuzzHeader(f *testing.F) {
	ts, _ := dicom.LookupTransferSyntax(uid.ExplicitVRLittleEndian)
	for i := range 3 {
		ds := image(f, 1, 1, i)
		var b bytes.Buffer
		if err := dicom.Encode(&b, ds, ts.UID); err != nil {
			f.Fatal(err)
		}
		sp := &spool{}
		read, err := dicom.Decode(&b, dicom.DecodeOptions{TransferSyntax: ts.UID, BulkThreshold: bulkThreshold, Source: sp})
		if err != nil {
			f.Fatal(err)
		}
		sp.ds = read
		packed, err := packHeader(read, ts, int64(len(encoded(f, ds, ts.UID))))
		if err != nil || packed == nil {
			f.Fatalf("%d bytes, %v", len(packed), err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		if len(packed) > 1<<16 {
			return // deflated zeros take long and show nothing new
		}
		ds, err := unpackHeader(nil, packed, ts, nil, 0)
		if err != nil {
			return
		}
		for el := range ds.All() {
			_ = el.Texts()
		}
	})
}

// FuzzNameKey compares matching in SQL with matching in Go, for any key.
func FuzzNameKey(f *testing.F) {
	for _, s := range append(slices.Clone(people[1:]), "x' OR 1=1 --", "%", "_", "*[", "a*b?c^*", `"; DROP TABLE study; --`, "*'*", "^", "=", "^*", "*^*", "\x00", "?=?=?", "ﬀ", "İ", "\u3099") {
		f.Add(s)
	}
	a := openTest(f)
	for i, name := range people {
		if i > 0 {
			store(f, a, image(f, i, 1, 1, tag.PatientName, name))
		}
	}
	f.Fuzz(func(t *testing.T, key string) {
		k := dicom.NewDataSet()
		text(t, k, tag.SpecificCharacterSet, "ISO_IR 192")
		if k.SetText(tag.PatientName, key) != nil || len(key) > 200 {
			return
		}
		text(t, k, tag.StudyInstanceUID, "")
		got := []string{}
		for ds, err := range a.Find(t.Context(), Query{Scope: Everything(), Level: StudyLevel, Keys: k}) {
			if fault.Of(err) == fault.Invalid {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, ds.Text(tag.StudyInstanceUID))
		}
		slices.Sort(got)
		want := []string{}
		el, _ := k.Get(tag.PatientName)
		for i, name := range people {
			if i > 0 && (index.Universal(el) || index.MatchName(k.Text(tag.PatientName), []string{name}, false)) {
				want = append(want, fmt.Sprintf("1.2.3.%d", i))
			}
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("SQL finds %v, Go %v", got, want)
		}
	})
}

// FuzzTextKey does the same for a text column, whose key may have wild cards.
func FuzzTextKey(f *testing.F) {
	stored := []string{"Chest", "chest CT", "100%", "a_b", "[x]", "it's", `C:*`, "", "Größe", "日本"}
	for _, s := range append(slices.Clone(stored), "*", "?*", "ch*", "*e*t", "[*", "100%*", "a?b", "' OR ''='", "日*") {
		f.Add(s)
	}
	a := openTest(f)
	for i, s := range stored {
		store(f, a, image(f, i, 1, 1, tag.StudyDescription, s))
	}
	f.Fuzz(func(t *testing.T, key string) {
		k := dicom.NewDataSet()
		text(t, k, tag.SpecificCharacterSet, "ISO_IR 192")
		if k.SetText(tag.StudyDescription, key) != nil || len(key) > 200 || strings.Contains(key, "\x00") {
			return
		}
		text(t, k, tag.StudyInstanceUID, "")
		got := len(findAll(t, a, Query{Scope: Everything(), Level: StudyLevel, Keys: k}))
		want := 0
		el, _ := k.Get(tag.StudyDescription)
		for _, s := range stored {
			ds := dicom.NewDataSet()
			text(t, ds, tag.SpecificCharacterSet, "ISO_IR 192")
			text(t, ds, tag.StudyDescription, s)
			if index.Matches(el, ds, false) {
				want++
			}
		}
		if got != want {
			t.Errorf("SQL finds %d, Go %d", got, want)
		}
	})
}
