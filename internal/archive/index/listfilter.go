package index

import (
	"slices"
	"strings"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// narrowing is a filter of a list in two forms: where its studies are found, and what each
// study has to fulfil. The first may find more than the second lets through.
type narrowing struct {
	from     []origin
	each     []condition
	once     bool   // from is one origin that finds each study once, and no other
	sortedBy string // the sort whose index holds what each asks for
}

// origin is rows by which studies are found.
type origin struct {
	table string
	pick  expression // the number of the study
	parts []condition
	once  bool // each study has one row
}

func ofStudies(parts ...condition) origin {
	return origin{table: "study st", pick: expression{table: inStudy, column: "id"}, parts: parts, once: true}
}

// ofValue finds studies by a value that they have several of.
func ofValue(once bool, parts ...condition) origin {
	return origin{table: "study_value x", pick: expression{table: beside, column: "study"}, parts: parts, once: once}
}

// Bounds of what may be asked for.
const (
	textMost  = 256 // bytes of a filter
	wordsMost = 8   // words of it
	partsMost = 16  // of all of its words, which signs divide
)

// parts is how many words are looked for.
func parts(words []string) (n int) {
	for _, w := range words {
		n += len(TextWords(w))
	}

	return n
}

func (l *listing) filters(f *StudyFilter) (list []narrowing, err error) {
	for _, text := range append([]string{f.Name, f.Description, f.Text, f.PatientID, f.Accession, f.From, f.To, f.Source, f.Label,
		f.Status}, f.Modalities...) {
		if len(text) > textMost || strings.ContainsRune(text, 0) {
			return nil, fault.Newf(fault.Invalid, "index: a filter of studies has at most %d bytes, and no NUL character", textMost)
		}
	}

	for _, x := range []struct {
		text string
		make func(string) narrowing
	}{{f.Name, l.named}, {f.Description, l.described}, {f.Text, l.typed}} {
		words := strings.Fields(x.text)
		// Signs divide words further, and each word is looked for by itself. One word alone may be a number with many dots.
		if len(words) > wordsMost || len(words) > 1 && parts(words) > partsMost {
			return nil, fault.Newf(fault.Invalid, "index: a filter of studies has at most %d words", wordsMost)
		}
		for _, w := range words {
			list = append(list, x.make(w))
		}
	}

	if len(f.UIDs) > 0 {
		one, err := among(expression{table: inStudy, column: "uid"}, f.UIDs)
		if err != nil {
			return nil, err
		}
		list = append(list, byColumn(one))
	}
	list = append(list, l.columns(f)...)
	list = append(list, ofValues(f)...)

	return append(list, l.said(f)...), l.checkSpans(f)
}

func (l *listing) checkSpans(f *StudyFilter) error {
	for _, day := range []string{f.From, f.To} {
		if day != "" && NormalDate(day) == "" {
			return fault.New(fault.Invalid, "index: the date of a study is a day, YYYYMMDD")
		}
	}

	return nil
}

// byColumn is a filter by columns of the study.
func byColumn(each ...condition) narrowing {
	return narrowing{from: []origin{ofStudies(each...)}, each: each, once: true}
}

func (l *listing) columns(f *StudyFilter) (list []narrowing) {
	p := &plan{db: l.db}
	if f.PatientID != "" {
		list = append(list, byColumn(p.text(expression{table: inStudy, column: "patient_id"}, f.PatientID)))
	}
	if f.Accession != "" {
		list = append(list, byColumn(p.text(expression{table: inStudy, column: "accession"}, f.Accession)))
	}
	if f.patient != 0 {
		list = append(list, byColumn(compare(expression{table: inStudy, column: "patient"}, equalTo, f.patient)))
	}

	var each []condition
	date := expression{table: inStudy, column: "study_date"}
	if f.From != "" {
		each = append(each, compare(date, atLeast, f.From))
	}
	if f.To != "" {
		each = append(each, condition{kind: filled, of: date}, compare(date, atMost, f.To))
	}
	if each != nil {
		n := byColumn(each...)
		n.sortedBy = "date"
		list = append(list, n)
	}

	each = nil
	received := expression{table: inStudy, column: "received"}
	if !f.ReceivedFrom.IsZero() {
		each = append(each, compare(received, atLeast, db.Millis(f.ReceivedFrom)))
	}
	if !f.ReceivedTo.IsZero() {
		each = append(each, compare(received, lessThan, db.Millis(f.ReceivedTo)))
	}
	if each != nil {
		n := byColumn(each...)
		n.sortedBy = "received"
		list = append(list, n)
	}

	return list
}

// ofValues are the filters by what a study has several of.
func ofValues(f *StudyFilter) (list []narrowing) {
	if len(f.Modalities) > 0 {
		var n narrowing
		var any []condition
		for _, m := range slices.Compact(slices.Sorted(slices.Values(f.Modalities))) {
			is := compare(expression{table: beside, column: "value"}, equalTo, m)
			n.from = append(n.from, ofValue(true, modalityValue.is(beside), is))
			any = append(any, has(modalityValue, is))
		}
		n.each = []condition{anyOf(any)}
		n.once = len(n.from) == 1
		list = append(list, n)
	}
	if f.Source != "" {
		is := compare(expression{table: beside, column: "value"}, equalTo, f.Source)
		list = append(list, narrowing{
			from: []origin{ofValue(true, sourceValue.is(beside), is)},
			each: []condition{has(sourceValue, is)}, once: true,
		})
	}

	return list
}

// has is the condition that a study has a value of a kind.
func has(kind valueKind, is ...condition) condition {
	parts := []condition{same(expression{table: beside, column: "study"}, expression{table: inStudy, column: "id"}), kind.is(beside)}

	return condition{kind: existsIn, table: "study_value x", parts: append(parts, is...)}
}

// begins is the condition that a value beside begins with a text.
func begins(text string) []condition {
	value := expression{table: beside, column: "value"}

	return []condition{compare(value, atLeast, text), compare(value, lessThan, text+"\U0010FFFF")}
}

// withWord is the filter of the studies that have a word of one of some kinds.
func withWord(text string, kinds ...valueKind) narrowing {
	var n narrowing
	var any []condition
	for _, k := range kinds {
		n.from = append(n.from, ofValue(false, append([]condition{k.is(beside)}, begins(text)...)...))
		any = append(any, has(k, begins(text)...))
	}
	n.each = []condition{anyOf(any)}

	return n
}

// together joins filters of which a study has to fulfil all: its studies are found by the first.
func together(list []narrowing) narrowing {
	if len(list) == 0 {
		return narrowing{each: []condition{{}}, from: []origin{ofStudies(condition{})}} // no word finds nothing
	}
	n := narrowing{from: list[0].from}
	for _, x := range list {
		n.each = append(n.each, x.each...)
	}

	return n
}

func eachWord(words []string, kinds ...valueKind) narrowing {
	var list []narrowing
	for _, w := range words {
		list = append(list, withWord(w, kinds...))
	}

	return together(list)
}

func (l *listing) named(word string) narrowing { return eachWord(NameWords(word), wordValue) }

func (l *listing) described(word string) narrowing { return eachWord(TextWords(word), describedValue) }

// typed finds a word anywhere where somebody may look for it.
func (l *listing) typed(word string) narrowing {
	ident := withWord(foldBeginning(word), identValue)
	words := TextWords(word)
	if len(words) == 0 {
		return ident
	}
	n := eachWord(words, wordValue, describedValue)

	return narrowing{
		from: append(ident.from, n.from...),
		each: []condition{anyOf([]condition{ident.each[0], all(n.each...)})},
	}
}

// said are the filters by what people say of a study.
func (l *listing) said(f *StudyFilter) (list []narrowing) {
	for _, x := range []struct{ table, column, value string }{
		{"study_label", "label", f.Label}, {"study_mark", "status", f.Status},
	} {
		if x.value == "" {
			continue
		}
		is := compare(expression{table: beside, column: x.column}, equalTo, x.value)
		of := same(expression{table: beside, column: "study"}, expression{table: inStudy, column: "uid"})
		list = append(list, narrowing{
			from: []origin{{
				table: x.table + " x CROSS JOIN study st", pick: expression{table: inStudy, column: "id"},
				parts: []condition{is, of}, once: true,
			}},
			each: []condition{{kind: existsIn, table: x.table + " x", parts: []condition{is, of}}},
			once: true,
		})
	}

	return list
}
