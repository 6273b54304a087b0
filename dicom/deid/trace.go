package deid

import (
	"regexp"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// collectPlain notes the UIDs of objects and the dates of an element, by which a
// copy could be traced to its original.
func (id *identity) collectPlain(el dicom.Element) {
	switch dicom.VRFor(el.Tag) {
	case dicom.UI:
		e, _ := tag.Lookup(el.Tag)
		for _, v := range uidsOf(el) {
			if v != "" && !classLike(e.Keyword) && !uid.Known(v) {
				id.objects[v] = true
			}
		}
	case dicom.DA, dicom.DT:
		for _, v := range el.Texts() {
			id.addDay(strings.ReplaceAll(strings.TrimSpace(v), ".", ""))
		}
	}
}

// addDay notes a date that begins with year, month and day. The dummy of an
// earlier run is left out.
func (id *identity) addDay(v string) {
	if len(v) < 8 || digits(v[:8]) != 8 || v[:8] == dummies[dicom.DA] {
		return
	}
	year, month, day := v[:4], v[4:6], v[6:8]
	id.days[year+month+day] = true
	id.days[day+month+year] = true
	id.days[month+day+year] = true
}

// quotesDate reports eight digits in a row that are one of the dates.
func (id *identity) quotesDate(v string) bool {
	if len(id.days) == 0 {
		return false
	}

	run := 0
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			run = 0
			continue
		}
		if run++; run >= 8 && id.days[v[i-7:i+1]] {
			return true
		}
	}
	return false
}

// maskDates takes the dates that do not stay out of a text, in the ways in
// which people write them.
func (id *identity) maskDates(v string) string {
	if len(id.days) == 0 {
		return v
	}
	v = datePattern.ReplaceAllStringFunc(v, func(m string) string {
		if id.knownDay(m) {
			return masked
		}
		return m
	})
	return maskWords(v, id.quotesDate)
}

// dateParts is the numbers and names of months in a date.
var dateParts = regexp.MustCompile(`\d+|\p{L}+`)

// months are the names of months by their first letters, in English and German.
var months = map[string]string{
	"jan": "01", "feb": "02", "mar": "03", "mär": "03", "apr": "04", "may": "05", "mai": "05", "jun": "06", "jul": "07", "aug": "08",
	"sep": "09", "oct": "10", "okt": "10", "nov": "11", "dec": "12", "dez": "12",
}

// knownDay reports what matches datePattern and is one of the dates; years of
// two digits are of this century or the last.
func (id *identity) knownDay(m string) bool {
	parts := dateParts.FindAllString(fold(m), -1)
	for i, p := range parts {
		if r := []rune(p); len(r) >= 3 && months[string(r[:3])] != "" {
			p = months[string(r[:3])]
		}
		if len(p) == 1 {
			p = "0" + p
		}
		parts[i] = p
	}

	all := strings.Join(parts, "")
	if len(parts) == 3 && len(all) == 6 {
		begin := parts[0] + parts[1]
		return id.days[begin+"20"+parts[2]] || id.days[begin+"19"+parts[2]] || id.days["20"+all] || id.days["19"+all]
	}
	return id.days[all]
}

// uidPattern is what may be a UID in a text.
var uidPattern = regexp.MustCompile(`\d+(\.\d+){2,}`)

// maskObjects takes the UIDs of objects out of a text.
func (id *identity) maskObjects(v string) string {
	if len(id.objects) == 0 {
		return v
	}
	return uidPattern.ReplaceAllStringFunc(v, func(m string) string {
		if id.objects[m] {
			return masked
		}
		return m
	})
}
