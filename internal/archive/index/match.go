package index

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// span is a range of dates, times or date-times in a form that compares as
// text; both ends belong to it, and an empty end is open.
type span struct{ low, high string }

func (s span) contains(low, high string) bool {
	return (s.high == "" || low <= s.high) && (s.low == "" || high >= s.low)
}

// parseSpan reads a key of VR DA, TM or DT: a value or a range (PS3.4
// C.2.2.2.1, C.2.2.2.5). A value of reduced precision is the span it covers.
func parseSpan(vr dicom.VR, s string) (span, bool) {
	from, to, isRange := cutRange(vr, s)

	var out span
	if from != "" {
		low, high, ok := valueSpan(vr, from)
		if !ok {
			return span{}, false
		}
		out = span{low, high}
		if isRange {
			out.high = ""
		}
	}

	if to != "" {
		_, high, ok := valueSpan(vr, to)
		if !ok {
			return span{}, false
		}
		out.high = high
	}

	return out, from != "" || to != ""
}

// cutRange cuts at the hyphen of a range. In a DT a hyphen in front of four
// digits up to 1400 is the offset from UTC (PS3.5 6.2).
func cutRange(vr dicom.VR, s string) (from, to string, isRange bool) {
	for i := range len(s) {
		if s[i] != '-' {
			continue
		}

		if vr == dicom.DT && i > 0 {
			rest, _, _ := strings.Cut(s[i+1:], "-")
			if n, err := strconv.Atoi(rest); len(rest) == 4 && err == nil && n <= 1400 {
				continue
			}
		}
		return strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:]), true
	}
	return s, "", false
}

// valueSpan is the first and the last moment a value stands for.
func valueSpan(vr dicom.VR, s string) (low, high string, ok bool) {
	switch vr {
	case dicom.DA:
		d := NormalDate(s)
		return d, d, d != ""
	case dicom.TM:
		return TimeSpan(s)
	}
	return dateTimeSpan(s)
}

// dateTimeSpan is valueSpan of a DT. With an offset it is turned to UTC;
// without one it stays as it is.
func dateTimeSpan(s string) (low, high string, ok bool) {
	offset := time.Duration(0)
	if i := strings.LastIndexAny(s, "+-"); i >= 4 {
		o, err := time.Parse("-0700", s[i:])
		if err != nil {
			return "", "", false
		}
		_, seconds := o.Zone()
		offset = time.Duration(seconds) * time.Second
		s = s[:i]
	}

	whole, fraction, dot := strings.Cut(s, ".")
	if len(whole) < 4 || len(whole) > 14 || len(whole)&1 == 1 || !Digits(whole) || !Digits(fraction) ||
		len(fraction) > 6 || dot && len(whole) != 14 {
		return "", "", false
	}

	const layout = "20060102150405.000000"
	start, err := time.Parse(layout, whole+"00000101000000"[len(whole):]+"."+fraction+"000000"[len(fraction):])
	if err != nil {
		return "", "", false
	}

	var end time.Time
	switch len(whole) {
	case 4:
		end = start.AddDate(1, 0, 0)
	case 6:
		end = start.AddDate(0, 1, 0)
	case 8:
		end = start.AddDate(0, 0, 1)
	case 10:
		end = start.Add(time.Hour)
	case 12:
		end = start.Add(time.Minute)
	default:
		step := time.Second
		for range len(fraction) {
			step /= 10
		}
		end = start.Add(step)
	}

	end = end.Add(-time.Microsecond)
	return start.Add(-offset).Format(layout), end.Add(-offset).Format(layout), true
}

// wild reports a key with a wild card (PS3.4 C.2.2.2.4).
func wild(s string) bool { return strings.ContainsAny(s, "*?") }

// glob matches a pattern of * and ?, in time proportional to both lengths at
// worst multiplied: no key makes it slow.
func glob(pattern, s string) bool {
	p := []rune(pattern)
	t := []rune(s)
	i, j := 0, 0
	star, mark := -1, 0

	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star = i
			mark = j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i = star + 1
			j = mark
		default:
			return false
		}
	}

	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// Universal reports a key that matches everything (PS3.4 C.2.2.2.3).
func Universal(key dicom.Element) bool {
	if key.Sequence() {
		for _, item := range key.Items() {
			for el := range item.All() {
				if el.Tag != tag.SpecificCharacterSet && !Universal(el) {
					return false
				}
			}
		}
		return true
	}

	if key.Empty() {
		return true
	}

	for _, s := range key.Texts() {
		if strings.Trim(s, "*") != "" {
			return false
		}
	}
	return keyVR(key).Text()
}

// keyVR is the VR a key is matched by: the dictionary's, whatever a peer
// writes, and its own where the dictionary has none.
func keyVR(key dicom.Element) dicom.VR {
	if vr := dicom.VRFor(key.Tag); vr != dicom.UN && vr.Known() {
		return vr
	}
	return key.VR
}

// Matches compares a key with what is stored, by the rules of PS3.4 C.2.2.2.
// Several values of a key mean any of them.
func Matches(key dicom.Element, stored *dicom.DataSet, fuzzy bool) bool {
	if Universal(key) {
		return true
	}

	el, ok := stored.Get(key.Tag)
	if !ok {
		return false
	}
	if key.Sequence() {
		return matchSequence(key, el, fuzzy)
	}

	switch vr := keyVR(key); vr {
	case dicom.UI:
		return overlap(key.Texts(), el.Texts())
	case dicom.DA, dicom.TM, dicom.DT:
		return matchMoment(vr, key.Texts(), el.Texts())
	case dicom.PN:
		return MatchName(key.Text(), el.Texts(), fuzzy)
	case dicom.IS, dicom.DS, dicom.US, dicom.SS, dicom.UL, dicom.SL, dicom.UV, dicom.SV, dicom.FL, dicom.FD, dicom.AT:
		have := el.Floats()
		return slices.ContainsFunc(key.Floats(), func(f float64) bool { return slices.Contains(have, f) })
	default:
		if !vr.Text() {
			return string(key.Bytes()) == string(el.Bytes())
		}
	}

	have := el.Texts()
	return slices.ContainsFunc(key.Texts(), func(k string) bool {
		return slices.ContainsFunc(have, func(s string) bool { return glob(k, s) })
	})
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return s != "" && slices.Contains(b, s) })
}

// matchSequence looks for an item in which all keys of the key's item match
// (PS3.4 C.2.2.2.6).
func matchSequence(key, el dicom.Element, fuzzy bool) bool {
	want := key.Items()[0]
	return slices.ContainsFunc(el.Items(), func(item *dicom.DataSet) bool {
		for k := range want.All() {
			if k.Tag != tag.SpecificCharacterSet && !Matches(k, item, fuzzy) {
				return false
			}
		}
		return true
	})
}

func matchMoment(vr dicom.VR, keys, stored []string) bool {
	return slices.ContainsFunc(keys, func(k string) bool {
		want, ok := parseSpan(vr, k)
		return ok && slices.ContainsFunc(stored, func(s string) bool {
			low, high, ok := valueSpan(vr, s)
			return ok && want.contains(low, high)
		})
	})
}

// MatchName matches a person name regardless of case and accents. Each
// component group of the key has to match one of the groups of the name,
// whichever it is.
func MatchName(key string, stored []string, fuzzy bool) bool {
	return slices.ContainsFunc(stored, func(name string) bool {
		if fuzzy {
			words := NameWords(name)
			return !slices.ContainsFunc(NameWords(key), func(k string) bool {
				return !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, k) })
			})
		}
		groups := NameGroups(name)
		return !slices.ContainsFunc(NameGroups(key), func(k string) bool {
			return !slices.ContainsFunc(groups, func(g string) bool {
				return slices.ContainsFunc(namePatterns(k), func(p string) bool { return glob(p, g) })
			})
		})
	})
}

// namePatterns is what a folded component group of a key looks for: itself,
// and where it ends in ^* also the name without that component, which is not
// written then.
func namePatterns(k string) []string {
	short := k
	for strings.HasSuffix(short, "^*") {
		short = strings.TrimSuffix(short, "^*")
	}
	if short == k || short == "" {
		return []string{k}
	}
	return []string{k, short}
}
