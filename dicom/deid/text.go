package deid

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// identity is what a data set tells of the people in it, to find it again in
// free text (PS3.15 E.3.5).
type identity struct {
	own map[string]bool // words of the patient's names and IDs, folded
	all map[string]bool // those of other people and objects as well
	ids []string        // values with something between the words, folded

	short map[string]bool // IDs of the patient that are too short to be looked for in texts, folded
	latin []string        // the words of all in the letters of codes

	objects map[string]bool // UIDs of studies, images and the like
	days    map[string]bool // dates that do not stay, as eight digits in each order in which people write them
}

// identifiers are attributes whose values are searched for as they stand.
var identifiers = map[dicom.Tag]bool{
	tag.PatientID: true, tag.OtherPatientIDs: true, tag.AccessionNumber: true, tag.AdmissionID: true, tag.PatientTelephoneNumbers: true,
	tag.MedicalRecordLocator: true, tag.PatientAddress: true, tag.StudyID: true, tag.ReferringPhysicianTelephoneNumbers: true,
	tag.PatientBirthDate: true, tag.ServiceEpisodeID: true, tag.PlacerOrderNumberImagingServiceRequest: true,
	tag.FillerOrderNumberImagingServiceRequest: true, tag.RequestedProcedureID: true, tag.ScheduledProcedureStepID: true,
	tag.InstitutionName: true, tag.InstitutionAddress: true, tag.CountryOfResidence: true, tag.Occupation: true,
}

// notNames are words that occur in names and name nobody.
var notNames = []string{"dr", "md", "prof", "mr", "mrs", "ms", "phd", "jr", "sr", "von", "van", "de", "der", "anon", "anonymized", "anonymous", "unknown", "none"}

func newIdentity(ds *dicom.DataSet, p Profile) *identity {
	id := &identity{
		own:     map[string]bool{},
		all:     map[string]bool{},
		short:   map[string]bool{},
		objects: map[string]bool{},
		days:    map[string]bool{},
	}

	id.collect(ds)
	id.collectCodes()
	if p.RetainUIDs {
		id.objects = nil
	}
	if p.Dates == KeepDates {
		id.days = nil
	}

	slices.Sort(id.ids)
	id.ids = slices.Compact(id.ids)
	slices.SortFunc(id.ids, func(a, b string) int { return len(b) - len(a) }) // the longest first
	return id
}

func (id *identity) collect(ds *dicom.DataSet) {
	for el := range ds.All() {
		for _, item := range el.Items() {
			id.collect(item)
		}
		id.collectPlain(el)

		own := el.Tag.Group() == 0x0010
		person := el.VR == dicom.PN || dicom.VRFor(el.Tag) == dicom.PN
		if !person && !identifiers[el.Tag] {
			continue
		}
		for _, v := range el.Texts() {
			id.add(fold(strings.TrimSpace(v)), own, person)
		}
	}
}

// add notes a folded value as something to look for in texts. own says that it
// stands among the attributes of the patient, person that it is a name and not an
// ID. Values that an earlier run put there, and words that would be found
// everywhere, are left out.
func (id *identity) add(v string, own, person bool) {
	if strings.HasPrefix(v, fold(idPrefix)) || v == fold(dummyText) {
		return
	}

	parts := words(v)
	if own && !person && v != "" {
		id.short[v] = true
	}
	if !person && len(parts) > 1 && utf8.RuneCountInString(v) >= 4 {
		id.ids = append(id.ids, v)
	}

	for _, w := range parts {
		n := utf8.RuneCountInString(w)
		ascii := w[0] < utf8.RuneSelf

		letter := n < 2 && ascii
		common := !person && (n < 4 || len(parts) > 2)
		if letter || common || slices.Contains(notNames, w) {
			continue
		}

		id.all[w] = true
		if own && (n >= 3 || !ascii) {
			id.own[w] = true
		}
	}
}

func fold(s string) string { return strings.ToLower(s) }

// words are the runs of letters and digits of s.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !wordRune(r) })
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// masked replaces what was taken out of a text. It makes no value longer.
const masked = "*"

// strip takes the patient's own names and IDs, his dates and the UIDs of his
// objects out of a text.
func (id *identity) strip(v string) string {
	v = id.maskDates(id.maskObjects(id.maskIDs(v)))
	return maskWords(v, func(w string) bool { return id.own[w] || within(w, id.own) })
}

// datePattern, and contactPattern after it, are what looks like an identity.
var (
	datePattern = regexp.MustCompile(`(?i)\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|\b\d{1,2}\.? ?(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.?,? ?\d{2,4}\b|` +
		`\b(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.? \d{1,2},? \d{2,4}\b|\b(19|20)\d{6}\b`)
	contactPattern = regexp.MustCompile(`(?i)[\w.+-]+@[\w.-]+|\w+://\S+|\b\d+(\.\d+){3,}\b|\+?\(?\d[\d ()/-]{5,}\d|` +
		`\b(dr|mr|mrs|ms|prof|herr|frau|mme|sra?)\b\.? *\p{L}[\p{L}'-]+|\b(name|patient) ?[:=] *\p{L}[\p{L}'-]+|[\p{L}-]+\^[\p{L}^-]*`)
)

// clean takes out of a text what is known of the patient and of others, and
// what looks like a date, number, address, telephone number or name.
func (id *identity) clean(v string, keepDates bool) string {
	for range 8 { // what was taken out may bring something else to light
		next := id.cleanOnce(v, keepDates)
		if next == v {
			break
		}
		v = next
	}
	return v
}

func (id *identity) cleanOnce(v string, keepDates bool) string {
	v = id.maskIDs(v)
	v = contactPattern.ReplaceAllStringFunc(v, func(m string) string {
		if keepDates && datePattern.MatchString(m) {
			return m
		}
		return masked
	})
	if !keepDates {
		v = datePattern.ReplaceAllString(v, masked)
	}

	return maskWords(v, func(w string) bool {
		if keepDates && datePattern.MatchString(w) {
			return false
		}
		return id.all[w] || within(w, id.all) || digits(w) >= 5
	})
}

// maskIDs masks values that are more than one word.
func (id *identity) maskIDs(v string) string {
	for _, p := range id.ids {
		v = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(p)).ReplaceAllLiteralString(v, masked)
	}
	return v
}

// within reports a word that contains a long one of the set.
func within(w string, set map[string]bool) bool {
	for s := range set {
		if len(s) >= 5 && strings.Contains(w, s) {
			return true
		}
	}
	return false
}

func digits(w string) int {
	n := 0
	for _, r := range w {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// maskWords masks each word for which bad reports true of its folded form.
func maskWords(v string, bad func(string) bool) string {
	var b strings.Builder
	for v != "" {
		n := strings.IndexFunc(v, func(r rune) bool { return !wordRune(r) })
		switch {
		case n < 0:
			n = len(v)
		case n == 0:
			if n = strings.IndexFunc(v, wordRune); n < 0 {
				n = len(v)
			}
			b.WriteString(v[:n])
			v = v[n:]
			continue
		}

		if bad(fold(v[:n])) {
			b.WriteString(masked)
		} else {
			b.WriteString(v[:n])
		}
		v = v[n:]
	}
	return b.String()
}
