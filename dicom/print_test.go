package dicom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"collimator/dicom/tag"
)

// holder has everything that prints nested where fmt does not call methods.
type holder struct {
	ds    *DataSet
	value DataSet
	el    Element
	els   []Element
	name  PersonName
	group NameGroup
	file  File
	deep  struct{ inner []any }
}

func TestNothingPrintsValues(t *testing.T) {
	t.Parallel()
	ds := declared(t, "ISO_IR 192")
	for _, tg := range []Tag{tag.PatientName, tag.PatientID, tag.SpecificCharacterSet} {
		if err := ds.SetText(tg, "ZZPHI^Marked"); err != nil {
			t.Fatal(err)
		}
	}
	item := ds.NewItem()
	if err := item.SetText(tag.PatientName, "ZZPHI"); err != nil {
		t.Fatal(err)
	}
	ds.SetItems(tag.OtherPatientIDsSequence, item)
	ds.Set(NewFragments(tag.PixelData, OB, nil, []byte("ZZPHI!")))
	el, _ := ds.Get(tag.PatientName)
	name := ds.PersonName(tag.PatientName)
	h := holder{ds, *ds, el, []Element{el}, name, name.Alphabetic(), File{DataSet: ds, Meta: ds}, struct{ inner []any }{[]any{el, ds, name}}}
	for _, v := range []any{ds, *ds, el, []Element{el}, &el, name, &name, name.Alphabetic(), h, &h, []any{h}, map[string]any{"a": h},
		fmt.Errorf("wrapped: %v", el), ds.Notes(), NewText(tag.PatientName, PN, "ZZPHI"), h.file, &h.file} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			check(t, verb, fmt.Sprintf(verb, v))
		}
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v)
		check(t, "slog", b.String())
		j, err := json.Marshal(v)
		check(t, "json", string(j)+fmt.Sprint(err))
	}
	if got := fmt.Sprint(el); got != "(0010,0010) PN 12 bytes" {
		t.Errorf("an element prints as %q", got)
	}
}

func check(t *testing.T, how, s string) {
	t.Helper()
	for _, marker := range []string{"ZZPHI", "5a5a504849", "5A5A504849", "WlpQSEk", "90 90 80 72 73"} {
		if strings.Contains(s, marker) {
			t.Errorf("%s shows the value: %.200s", how, s)
			return
		}
	}
}

func TestPersonNameHasThreeGroupsOfFiveComponents(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Adams^John Robert Quincy^^Rev.^B.A. M.Div.": "Adams^John Robert Quincy^^Rev.^B.A. M.Div.",
		"Yamada^Tarou=山田^太郎=やまだ^たろう":                 "Yamada^Tarou=山田^太郎=やまだ^たろう",
		"Wang^XiaoDong=王^小東=":                        "Wang^XiaoDong=王^小東",
		"=山田^^^^":                                    "=山田", "": "", "A^B^C^D^E^F": "A^B^C^D^E^F", " A ^ B ": "A^B",
	} {
		n := ParsePersonName(in)
		if got := n.Reveal(); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	n := ParsePersonName("Adams^John^Quincy^Rev.^B.A.=I=P")
	a := n.Alphabetic()
	if a.FamilyName() != "Adams" || a.GivenName() != "John" || a.MiddleName() != "Quincy" || a.Prefix() != "Rev." || a.Suffix() != "B.A." {
		t.Error("components of the alphabetic group are mixed up")
	}
	if n.Ideographic().FamilyName() != "I" || n.Phonetic().FamilyName() != "P" {
		t.Error("groups are mixed up")
	}
	if !NewPersonName(NewNameGroup("Adams", "John", "Quincy", "Rev.", "B.A."), NewNameGroup("I"), NewNameGroup("P")).Equal(n) {
		t.Error("a name that was made differs from the one that was parsed")
	}
	if (PersonName{}).Reveal() != "" || !(PersonName{}).Empty() {
		t.Error("the zero name is not empty")
	}
}
