package index

import "strings"

// NormalDate is a DA as YYYYMMDD, also of the old form with dots (PS3.5 6.2);
// empty for a malformed date.
func NormalDate(s string) string {
	if len(s) == 10 && s[4] == '.' && s[7] == '.' {
		s = s[:4] + s[5:7] + s[8:]
	}
	if len(s) != 8 || !Digits(s) {
		return ""
	}
	return s
}

// normalTime is a TM as HHMMSS.FFFFFF, also of the old form with colons
// (PS3.5 6.2); empty for a malformed time. What is left out is zero.
func normalTime(s string) string {
	low, _, ok := TimeSpan(s)
	if !ok {
		return ""
	}
	return low
}

// TimeSpan is the first and the last instant a TM of reduced precision stands
// for, as HHMMSS.FFFFFF.
func TimeSpan(s string) (low, high string, ok bool) {
	s = strings.ReplaceAll(s, ":", "")
	whole, fraction, dot := strings.Cut(s, ".")
	if len(whole) < 2 || len(whole) > 6 || len(whole)&1 == 1 || !Digits(whole) {
		return "", "", false
	}
	if dot && (len(whole) != 6 || len(fraction) < 1 || len(fraction) > 6 || !Digits(fraction)) {
		return "", "", false
	}
	return whole + "000000"[len(whole):] + "." + fraction + "000000"[len(fraction):],
		whole + "235959"[len(whole):] + "." + fraction + "999999"[len(fraction):], true
}

// Digits reports a text of digits alone; also the empty one.
func Digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
