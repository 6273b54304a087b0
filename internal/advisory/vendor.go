package advisory

import "strings"

// vendorTable knows how the names of vendors are written.
type vendorTable struct {
	names   map[string]string // glued spelling to vendor
	longest int               // words
}

func newVendorTable(rows []map[string]string) *vendorTable {
	t := &vendorTable{names: map[string]string{}}
	for _, r := range rows {
		for _, s := range strings.Split(r["spellings"], "|") {
			t.add(s, r["vendor"])
		}
	}
	return t
}

// add notes one way to write the name of a vendor. A spelling that is there already
// stays with its first vendor, and one without a word is left out.
func (t *vendorTable) add(spelling, vendor string) {
	w := words(spelling)
	if len(w) == 0 {
		return
	}

	if _, ok := t.names[glue(w)]; !ok {
		t.names[glue(w)] = vendor
	}

	t.longest = max(t.longest, len(w))
}

// legal are words of company names that do not tell companies apart.
var legal = map[string]bool{
	"gmbh": true, "ag": true, "inc": true, "ltd": true, "llc": true, "co": true, "corp": true, "corporation": true, "kg": true, "sarl": true, "sa": true, "ab": true,
	"bv": true, "b": true, "v": true, "e": true, "s": true, "deutschland": true, "germany": true, "usa": true, "us": true, "europe": true, "international": true, "nederland": true, "the": true,
	"limited": true, "company": true, "group": true, "technologies": true, "oy": true, "as": true, "spa": true, "p": true, "a": true, "und": true, "and": true,
}

// find is the vendor behind a text; known is false where nobody is recognised.
func (t *vendorTable) find(text string) (vendor string, known bool) {
	w := words(text)
	for len(w) > 0 {
		if v, ok := t.names[glue(w)]; ok {
			return v, true
		}
		if !legal[w[len(w)-1]] {
			break
		}
		w = w[:len(w)-1]
	}

	// "GE Healthcare, ehemals Foo": who stands first counts.
	if n := t.prefix(w); n > 0 {
		return t.names[glue(w[:n])], true
	}
	return "", false
}

// prefix is how many words at the beginning name a vendor; 0: none.
func (t *vendorTable) prefix(w []string) int {
	for n := min(t.longest, len(w)); n > 0; n-- {
		if _, ok := t.names[glue(w[:n])]; ok {
			return n
		}
	}
	return 0
}
