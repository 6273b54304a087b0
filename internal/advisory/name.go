package advisory

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Bounds of a name that is looked up: bytes and words.
const (
	maxNameText  = 400
	maxNameWords = 40
)

// words brings a name into words of small letters or digits: marks, accents,
// case and punctuation are gone, letters and digits are parted, a plus at the
// end of a word is the word plus.
func words(s string) []string {
	if len(s) > maxNameText {
		s = strings.ToValidUTF8(s[:maxNameText], "")
	}

	for _, mark := range []string{"®", "™", "©", "(R)", "(TM)", "(tm)", "(r)"} {
		s = strings.ReplaceAll(s, mark, " ")
	}

	var out []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 && len(out) < maxNameWords {
			out = append(out, word.String())
		}
		word.Reset()
	}

	var last rune
	for _, r := range norm.NFKD.String(s) {
		r = unicode.ToLower(r)

		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if word.Len() > 0 && unicode.IsDigit(r) != unicode.IsDigit(last) {
				flush()
			}
			word.WriteRune(r)
		case r == '+' && word.Len() > 0:
			flush()
			out = append(out, "plus")
		default:
			flush()
		}

		last = r
	}

	flush()
	return out
}

// glue joins words, so that "XQ/i", "XQi" and "XQ i" are one name.
func glue(words []string) string { return strings.Join(words, "") }

// filler are words that say what kind of thing it is and not which.
var filler = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`ct mr mri mrt nm pet spect us xr cr dr rx dx system systems scanner workstation ws station server software unit
		serie series camera kamera gammakamera gerat anlage ultrasound ultraschall ultraschallgerat rontgen rontgengerat rontgenanlage tomograph
		computertomograph computertomographie magnetom kernspin radiologie radiology nuklearmedizin kardiologie befundung befundungsstation arbeitsplatz
		console konsole viewer application app client host the der die das fur for in im of von version ver v rel release model modell typ type
		medical imaging functional processing review medizin digital mammography mammographie angiographie angiography portable mobile mobil edition`) {
		m[w] = true
	}
	return m
}()

// spelling is one way to write a product, in words.
type spelling struct {
	glued string
	count int
	digit bool
}

func spell(name string) spelling {
	w := words(name)
	digit := slices.ContainsFunc(w, func(s string) bool { return s[0] >= '0' && s[0] <= '9' })
	return spelling{glued: glue(w), count: len(w), digit: digit}
}

// distinctive: the name alone tells the product, whoever made it.
func (s spelling) distinctive() bool { return s.count >= 2 && len(s.glued) >= 6 }

// lookup is a product name that is looked for.
type lookup struct {
	words []string
	raw   string
	skip  []int // where the name itself may begin: after the vendor and fillers
}

func newLookup(product string, vendors *vendorTable) lookup {
	l := lookup{words: words(product), raw: product}
	l.skip = []int{0}
	pos := 0

	for pos < len(l.words) {
		n := vendors.prefix(l.words[pos:])
		if n == 0 && filler[l.words[pos]] {
			n = 1
		}

		if n == 0 {
			break
		}

		for range n {
			pos++
		}
		l.skip = append(l.skip, pos)
	}
	return l
}

// fit is how a spelling lies in a name: what stands behind it.
type fit struct {
	rest []string
	ok   bool
}

// find looks for a spelling at the places where the name may begin. It ends at
// the end of a word.
func (l lookup) find(s spelling) fit {
	for _, from := range l.skip {
		length := 0
		for i := from; i < len(l.words) && length < len(s.glued); i++ {
			length += len(l.words[i])
			if length == len(s.glued) && glue(l.words[from:i+1]) == s.glued {
				return fit{rest: l.words[i+1:], ok: true}
			}
		}
	}
	return fit{}
}

// onlyFiller reports whether words say nothing more about the product.
func onlyFiller(rest []string, vendors *vendorTable) bool {
	for i := 0; i < len(rest); {
		if n := vendors.prefix(rest[i:]); n > 0 {
			i += n
			continue
		}
		if !filler[rest[i]] {
			return false
		}
		i++
	}
	return true
}
