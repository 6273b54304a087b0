package dicom

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"collimator/dicom/tag"
)

// declared makes a data set with character sets.
func declared(t testing.TB, terms ...string) *DataSet {
	t.Helper()
	ds := NewDataSet()
	if len(terms) > 0 {
		if err := ds.SetText(tag.SpecificCharacterSet, terms...); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

// The examples of PS3.5 annexes H, I, J and K, and of single-byte sets.
var charsetExamples = []struct {
	name  string
	terms []string
	raw   string
	text  string
	again bool // the encoder writes it just so
}{
	{"H.3.1", []string{"", "ISO 2022 IR 87"},
		"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
		"Yamada^Tarou=山田^太郎=やまだ^たろう", true},
	{"H.3.2", []string{"ISO 2022 IR 13", "ISO 2022 IR 87"},
		"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
		"ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", true},
	{"I.2", []string{"", "ISO 2022 IR 149"},
		"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
		"Hong^Gildong=洪^吉洞=홍^길동", true},
	{"J.1", []string{"ISO_IR 192"},
		"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=", "Wang^XiaoDong=王^小東=", true},
	{"J.2", []string{"GB18030"},
		"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东=", true},
	{"J.4 GBK", []string{"GBK"}, "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东=", true},
	{"K.2", []string{"", "ISO 2022 IR 58"},
		"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东=", true},
	{"C.12.1 Latin 1", []string{"ISO_IR 100"}, "Buc^J\xe9r\xf4me", "Buc^Jérôme", true},
	{"Latin 2", []string{"ISO_IR 101"}, "W\xb3\xf3dz", "Włódz", true},
	{"Latin 3", []string{"ISO_IR 109"}, "\xa6", "Ĥ", true},
	{"Latin 4", []string{"ISO_IR 110"}, "\xa2", "ĸ", true},
	{"Latin 5", []string{"ISO_IR 148"}, "\xdd\xfe", "İş", true},
	{"Latin 9", []string{"ISO_IR 203"}, "\xa4\xbc", "€Œ", true},
	{"Cyrillic", []string{"ISO_IR 144"}, "\xbb\xee\xda", "Люк", true},
	{"Greek", []string{"ISO_IR 126"}, "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος", true},
	{"Arabic", []string{"ISO_IR 127"}, "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار", true},
	{"Hebrew", []string{"ISO_IR 138"}, "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה", true},
	{"Thai", []string{"ISO_IR 166"}, "\xb9\xd2\xc1\xca\xa1\xd8\xc5", "นามสกุล", true},
	{"katakana", []string{"ISO_IR 13"}, "\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ", true},
	{"Latin 1 and Greek", []string{"ISO 2022 IR 100", "ISO 2022 IR 126"},
		"\xe4\x1b-F\xe1\x1b-A^\x1b-F\xe2\x1b-A", "äα^β", true},
	{"supplementary kanji", []string{"", "ISO 2022 IR 87", "ISO 2022 IR 159"}, "\x1b$(D0!\x1b(B", "丂", true},
	{"Korean of old, without escapes", []string{"ISO 2022 IR 149"}, "\xc8\xab", "홍", false},
	{"nothing declared", nil, "J\xe9r\xf4me", "J\uFFFDr\uFFFDme", false},
	{"cut short", []string{"", "ISO 2022 IR 87"}, "\x1b$B;3E", "山\uFFFD", false},
	{"unknown escape", []string{"", "ISO 2022 IR 87"}, "a\x1b!b", "a\uFFFD!b", false},
}

func TestCharacterSetsDecodeAndEncode(t *testing.T) {
	t.Parallel()
	for _, c := range charsetExamples {
		ds := declared(t, c.terms...)
		ds.Set(NewElement(tag.PatientName, PN, []byte(c.raw)))
		if got := ds.Text(tag.PatientName); got != strings.TrimRight(c.text, " ") {
			t.Errorf("%s: decoded to %+q, want %+q", c.name, got, c.text)
		}
		if !c.again {
			continue
		}
		if err := ds.SetText(tag.PatientName, c.text); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		el, _ := ds.Get(tag.PatientName)
		if got := bytes.TrimRight(el.Bytes(), " "); string(got) != c.raw {
			t.Errorf("%s: encoded as %+q, want %+q", c.name, got, c.raw)
		}
	}
}

func TestLongTextResetsAtLineEnds(t *testing.T) {
	t.Parallel()
	// PS3.5 I.3: the escape sequence stands at the start of each line.
	raw := "The 1st line includes \x1b$)C\xb1\xe6\xb5\xbf.\r\n\x1b$)CThe 2nd line includes \xb1\xe6\xb5\xbf, too.\r\nThe 3rd line."
	text := "The 1st line includes 길동.\r\nThe 2nd line includes 길동, too.\r\nThe 3rd line."
	ds := declared(t, "", "ISO 2022 IR 149")
	ds.Set(NewElement(tag.AdditionalPatientHistory, LT, []byte(raw)))
	if got := ds.Text(tag.AdditionalPatientHistory); got != text {
		t.Errorf("decoded to %q", got)
	}
	ds.Set(NewElement(tag.AdditionalPatientHistory, LT, []byte("\x1b$)C\xb1\xe6\r\n\xb1\xe6")))
	if got := ds.Text(tag.AdditionalPatientHistory); got != "길\r\n\uFFFD\uFFFD" {
		t.Errorf("a set goes on behind the end of the line: %q", got)
	}
	if err := ds.SetText(tag.AdditionalPatientHistory, text); err != nil || ds.Text(tag.AdditionalPatientHistory) != text {
		t.Errorf("encoded and decoded again: %q, %v", ds.Text(tag.AdditionalPatientHistory), err)
	}
}

func TestBackslashInsideACharacterPartsNoValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ term, raw, want string }{
		{"GBK", "\x81\x5c\\b", "乗|b"},
		{"GB18030", "\x81\x5c\\b", "乗|b"},
		{"SHIFT_JIS", "\x83\x5c\\b", "ソ|b"},
		{"ISO 2022 IR 87", "\x1b$B%=%\\\x1b(B\\b", "ソゾ|b"},
	} {
		ds := NewDataSet()
		ds.Set(NewElement(tag.SpecificCharacterSet, CS, []byte(c.term)))
		if c.term == "ISO 2022 IR 87" {
			ds.Set(NewElement(tag.SpecificCharacterSet, CS, []byte("\\ISO 2022 IR 87")))
			c.want = "ソ" + string([]rune(ds.encoding().decode(LT, []byte("\x1b$B%\\\x1b(B"))[0])) + "|b"
		}
		ds.Set(NewElement(tag.OtherPatientIDs, LO, []byte(c.raw)))
		if got := strings.Join(ds.Texts(tag.OtherPatientIDs), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.term, got, c.want)
		}
	}
}

func TestCharacterSetTermsThatAreWrongAreUnderstoodAndNoted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ term, raw, want string }{
		{"ISO-IR 100", "\xe9", "é"}, {"ISO IR 192", "é", "é"}, {"ISO_IR_100", "\xe9", "é"},
		{"UTF-8", "é", "é"}, {"KLINGON", "\xe9", "\uFFFD"}, {"ISO 2022 IR 87", "a", "a"},
	} {
		ds := NewDataSet()
		ds.Set(NewElement(tag.SpecificCharacterSet, CS, []byte(c.term)))
		ds.Set(NewElement(tag.PatientName, PN, []byte(c.raw)))
		if got := ds.Text(tag.PatientName); got != c.want {
			t.Errorf("%s: %q, want %q", c.term, got, c.want)
		}
		if len(ds.Notes()) == 0 {
			t.Errorf("%s: no note", c.term)
		}
	}
	if n := declared(t, "ISO 2022 IR 100", "ISO 2022 IR 87").Notes(); len(n) != 0 {
		t.Errorf("good terms are noted: %v", n)
	}
}

func TestTextBeyondTheCharacterSetIsAnError(t *testing.T) {
	t.Parallel()
	ds := declared(t, "ISO_IR 100")
	if err := ds.SetText(tag.PatientName, "山田"); !errors.Is(err, ErrCharacterSet) {
		t.Errorf("%v", err)
	}
	if err := ds.SetText(tag.PatientID, "a\\b"); !errors.Is(err, ErrValue) {
		t.Errorf("backslash: %v", err)
	}
	if ds.Has(tag.PatientName) || ds.Has(tag.PatientID) {
		t.Error("something was set")
	}
}

func TestItemsInheritTheCharacterSetAndKeepTheirText(t *testing.T) {
	t.Parallel()
	latin := declared(t, "ISO_IR 100")
	item := latin.NewItem()
	if err := item.SetText(tag.PatientName, "Jérôme"); err != nil {
		t.Fatal(err)
	}
	latin.SetItems(tag.OtherPatientIDsSequence, item)
	other := declared(t, "ISO_IR 192")
	other.SetItems(tag.OtherPatientIDsSequence, latin.Items(tag.OtherPatientIDsSequence)...)
	for name, ds := range map[string]*DataSet{"its own": latin, "another set": other} {
		got := ds.Items(tag.OtherPatientIDsSequence)[0]
		if got.Text(tag.PatientName) != "Jérôme" || got.Has(tag.SpecificCharacterSet) {
			t.Errorf("%s: %q", name, got.Text(tag.PatientName))
		}
	}
	greek := declared(t, "ISO_IR 126")
	greek.SetItems(tag.OtherPatientIDsSequence, latin.Items(tag.OtherPatientIDsSequence)...)
	if got := greek.Items(tag.OtherPatientIDsSequence)[0]; got.Text(tag.PatientName) != "Jérôme" || !slices.Equal(got.CharacterSet(), []string{"ISO_IR 100"}) {
		t.Errorf("an item that Greek cannot write: %q in %q", got.Text(tag.PatientName), got.CharacterSet())
	}
	if err := latin.SetCharacterSet("ISO_IR 192"); err != nil || latin.Items(tag.OtherPatientIDsSequence)[0].Text(tag.PatientName) != "Jérôme" {
		t.Errorf("after SetCharacterSet: %v", err)
	}
	if err := latin.SetCharacterSet("ISO_IR 126"); !errors.Is(err, ErrCharacterSet) || latin.CharacterSet()[0] != "ISO_IR 192" {
		t.Errorf("to a set without the characters: %v", err)
	}
}

func FuzzCharacterSet(f *testing.F) {
	for _, c := range charsetExamples {
		f.Add(strings.Join(c.terms, "\\"), []byte(c.raw))
	}
	f.Fuzz(func(t *testing.T, terms string, raw []byte) {
		ds := NewDataSet()
		ds.Set(NewElement(tag.SpecificCharacterSet, CS, []byte(terms)))
		ds.Set(NewElement(tag.PatientName, PN, raw))
		texts := ds.Texts(tag.PatientName)
		if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "\uFFFD") }) {
			return
		}
		if err := ds.SetText(tag.PatientName, texts...); err != nil {
			return
		}
		if again := ds.Texts(tag.PatientName); !slices.Equal(again, texts) && len(texts) > 0 && strings.Join(texts, "") != "" {
			t.Errorf("%q in %q comes back as %q", texts, terms, again)
		}
	})
}
