package archive

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
)

var people = []string{
	1:  "Yamada^Tarou=山田^太郎=やまだ^たろう",
	2:  "Wang^XiaoDong=王^小东",
	3:  "Hong^Gildong=洪^吉洞=홍^길동",
	4:  "Люкceмбypг^Анна",
	5:  "Διονυσιος^Μαρία",
	6:  "قباني^لنزار",
	7:  "שרון^דבורה",
	8:  "Müller-Lüdenscheidt^Jürgen^^Dr.",
	9:  "MULLER^Jorg",
	10: "Buc^Jérôme",
	11: "O'Neil^x' OR 1=1 --",
	12: "100%_sure^A[b]c",
	13: "",
}

func peopleArchive(t *testing.T) *opened {
	a := openTest(t)
	for i, name := range people {
		if i > 0 {
			store(t, a, image(t, i, 1, 1, tag.PatientName, name))
		}
	}
	return a
}

func TestPersonNamesMatchInAnyGroupWithoutCaseAndAccents(t *testing.T) {
	t.Parallel()
	a := peopleArchive(t)
	for _, c := range []struct {
		key   string
		fuzzy bool
		want  string
	}{
		{"Yamada^Tarou", false, "1"}, {"YAMADA*", false, "1"}, {"山田*", false, "1"}, {"山田^太郎", false, "1"}, {"やまだ^たろう", false, "1"},
		{"*太郎", false, "1"}, {"Yamada^Tarou=山田^太郎", false, "1"}, {"Yamada^*=王^*", false, ""}, {"王^小东", false, "2"},
		{"홍^길동", false, "3"}, {"홍^??", false, "3"}, {"люкceмбypг*", false, "4"}, {"ΔΙΟΝΥΣΙΟΣ^ΜΑΡΙΑ", false, "5"},
		{"قباني^لنزار", false, "6"}, {"שרון*", false, "7"},
		{"muller-ludenscheidt*", false, "8"}, {"MÜLLER*", false, "8 9"}, {"mueller*", false, ""}, {"buc^jerome", false, "10"},
		{"muller^jorg^^", false, "9"}, {"muller^jorg^*", false, "9"}, {"muller", false, ""}, {"muller^????", false, "9"}, {"?uller^*", false, "9"},
		{"x' OR 1=1 --", false, ""}, {"O'Neil*", false, "11"}, {"100%*", false, "12"}, {"100%_sure^A[b]c", false, "12"}, {"%", false, ""}, {"*[b]*", false, "12"},
		{"_00*", false, ""}, {"[a-z]*", false, ""}, {"*", false, "1 2 3 4 5 6 7 8 9 10 11 12 13"}, {"", false, "1 2 3 4 5 6 7 8 9 10 11 12 13"},
		{"jur mul", true, "8"}, {"lüden", true, "8"}, {"太", true, "1"}, {"mul", true, "8 9"}, {"mul xyz", true, ""},
	} {
		var want []string
		for _, n := range strings.Fields(c.want) {
			want = append(want, "1.2.3."+n)
		}
		slices.Sort(want)
		for _, level := range []Level{PatientLevel, StudyLevel} {
			q := Query{Scope: Everything(), Root: PatientRoot, Level: level, Relational: true, Fuzzy: c.fuzzy, Keys: keys(t, tag.PatientName, c.key, tag.PatientID, "", tag.StudyInstanceUID, "")}
			got := findAll(t, a, q)
			var uids []string
			for _, ds := range got {
				uids = append(uids, "1.2.3."+strings.TrimPrefix(ds.Text(tag.PatientID), "ID"))
			}
			slices.Sort(uids)
			if !slices.Equal(uids, want) {
				t.Errorf("%s %q fuzzy %v: got %v, want %v", level, c.key, c.fuzzy, uids, want)
			}
		}
	}
}

func TestAnswersCarryNamesAsTheyWereStored(t *testing.T) {
	t.Parallel()
	a := peopleArchive(t)
	for i, name := range people {
		if i == 0 {
			continue
		}
		got := findAll(t, a, Query{Scope: Everything(), Level: StudyLevel, Keys: keys(t, tag.StudyInstanceUID, fmt.Sprintf("1.2.3.%d", i), tag.PatientName, "")})
		if len(got) != 1 || got[0].Text(tag.PatientName) != name {
			t.Errorf("name %d came back changed", i)
		}
		if cs := got[0].Text(tag.SpecificCharacterSet); (cs != "") != !isASCII(name) {
			t.Errorf("name %d: character set %q", i, cs)
		}
	}
}

func TestCharacterSetOfAnAnswer(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	latin := dicom.NewDataSet()
	text(t, latin, tag.SpecificCharacterSet, "ISO_IR 100")
	for el := range image(t, 1, 1, 1).All() {
		if el.Tag != tag.SpecificCharacterSet {
			latin.Set(el)
		}
	}
	text(t, latin, tag.PatientName, "Müller^Jürgen")
	store(t, a, latin)
	for _, c := range []struct{ asked, want string }{
		{"", "ISO_IR 100"}, {"ISO_IR 192", "ISO_IR 192"}, {"ISO_IR 101", "ISO_IR 101"}, {"ISO_IR 144", "ISO_IR 100"}, {"ISO_IR 999", "ISO_IR 100"},
	} {
		k := dicom.NewDataSet()
		if c.asked != "" {
			text(t, k, tag.SpecificCharacterSet, c.asked)
		}
		text(t, k, tag.PatientName, "")
		got := findAll(t, a, Query{Scope: Everything(), Level: StudyLevel, Keys: k})
		if len(got) != 1 || got[0].Text(tag.SpecificCharacterSet) != c.want || got[0].Text(tag.PatientName) != "Müller^Jürgen" {
			t.Errorf("asked in %q: %d answers in %q", c.asked, len(got), got[0].Text(tag.SpecificCharacterSet))
		}
	}
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
