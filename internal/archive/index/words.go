package index

import (
	"strings"
	"unicode"
)

// beginningMost is how much of a text is sorted and looked for by, in characters: the
// most that a value of VR LO has (PS3.5 6.2).
const beginningMost = 64

// beginning is the first characters of a text.
func beginning(s string) string {
	n := 0
	for i := range s {
		if n++; n > beginningMost {
			return s[:i]
		}
	}

	return s
}

// sortName is by what studies are sorted by the name of the patient.
func (p *patientColumns) sortName() string {
	if len(p.names) == 0 {
		return ""
	}

	return beginning(p.names[0])
}

// idents is by what numbers a study is found while somebody types: Patient ID and
// Accession Number, folded.
func (c *columns) idents() []string {
	return unique([]string{foldBeginning(c.patient.id), foldBeginning(c.study.accession)})
}

func foldBeginning(s string) string { return beginning(Fold(strings.TrimSpace(s))) }

// described is the words of the description of a study.
func (c *columns) described() []string { return unique(TextWords(c.study.description)) }

// TextWords is the first words of a text, folded.
func TextWords(s string) []string {
	words := strings.FieldsFunc(Fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	words = words[:min(len(words), maxWords)]
	for i, w := range words {
		words[i] = beginning(w)
	}

	return words
}
