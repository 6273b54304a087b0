package advisory

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestVersionsInTheOrderOfTheirVendors(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"1.5.7 < 1.5.8 < 1.10 < 2",
		"3.6.6 < 3.6.7 < 3.7.0",
		"5.0 rc1 < V5.0 < 5.0 SP1 < V5.0 SP2 < 5.0.1 < 5.1",
		"2018-1 < 2018-2 < 2021-1",
		"BT02 < BT06 < BT12",
		"VM5.0 < VM6.0",
		"3.0.11.5 BN9 < 3.0.11.5 BN10",
		"2023.3_Build_9342 < 2023.3_Build_9343 < 2024.1",
		"12.2.1.5 < 12.2.8.400 < 12.2.8.410",
		"14.0.1_Build_2024-02-28 < 14.0.1_Build_2024-03-01",
		"R4.1L1 < R4.1L2",
		"1.002 < 1.003 < 2.003",
	} {
		list := strings.Split(line, " < ")
		for i := range list[1:] {
			if a, b := ParseVersion(list[i]), ParseVersion(list[i+1]); a.Compare(b) != -1 || b.Compare(a) != 1 {
				t.Errorf("%s is not below %s", a, b)
			}
		}
	}
	for _, same := range [][2]string{{"5", "5.0.0"}, {"v4.2.3", "4.2.3"}, {"Version 3.0", "3.0"}, {"R2.1", "2.1"}, {"5.0 SP2", "5.0.0 SP2"}, {"01.02", "1.2"}} {
		if ParseVersion(same[0]).Compare(ParseVersion(same[1])) != 0 {
			t.Errorf("%s and %s are not the same", same[0], same[1])
		}
	}
}

var anyVersion = rapid.StringMatching(`[vVR]?[0-9]{1,3}([._-][0-9]{0,3}|[ _]?(SP|rc|beta|BN|Build|L)[0-9]{0,2}|\.x){0,4}`)

func TestVersionsHaveATotalOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := ParseVersion(anyVersion.Draw(t, "a")), ParseVersion(anyVersion.Draw(t, "b")), ParseVersion(anyVersion.Draw(t, "c"))
		if a.Compare(a) != 0 {
			t.Fatalf("%s differs from itself", a)
		}
		if a.Compare(b) != -b.Compare(a) {
			t.Fatalf("%s and %s have no order", a, b)
		}
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
			t.Fatalf("%s <= %s <= %s, and not %s <= %s", a, b, c, a, c)
		}
		if a.Compare(b) == 0 && a.Compare(c) != b.Compare(c) {
			t.Fatalf("%s and %s are the same and stand differently to %s", a, b, c)
		}
	})
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text          string
		class         Class
		yes, no, open string // versions joined with blanks
	}{
		{"vers:all/*", All, "1 2 x", "", ""},
		{"All versions", All, "1", "", ""},
		{"vers:generic/>=1|<3|>=5|<=6", Interval, "1 2.9 5 6", "0.9 3 4 6.1", ""},
		{"vers:intdot/1.2.3", Exact, "1.2.3 1.2.3.0", "1.2.4", "1.2"},
		{"<= 2.3.0", Interval, "2.3 2.2.9 1", "2.3.1 3", ""},
		{">= 4.0 | <= 4.6", Interval, "4.0 4.6 4.5.1", "3.9 4.7", ""},
		{"1.1.7.333 | 2.1.1.3069", Exact, "1.1.7.333 2.1.1.3069", "1.1.7.334", "1.1.7"},
		{"14.x", Wildcard, "14.0 14.9.3 14", "13.9 15", ""},
		{"<= 12.2.x.x", Interval, "12.2.8.400 12.2 11", "12.3", "12"},
		{"<= 11.x", Interval, "11.9 10", "12.0", ""},
		{"5.x.x", Wildcard, "5.1", "6", ""},
		{"prior to 1.5.8", Interval, "1.5.7", "1.5.8", "1.5"},
		{"5.0 and earlier", Interval, "5.0 4", "5.1", ""},
		{"versions 3.2 or later", Interval, "3.2 4", "3.1", ""},
		{"from 1.0 to 2.5", Interval, "1.0 2.5", "2.6 0.9", ""},
		{"<= VM5.0", Interval, "VM5.0 VM4.2", "VM6.0", "5.0"},
		{"HD 16 | HD23", Exact, "HD16 HD23", "HD24", "16"},
		{"<= 1.54 (integrated into GE MobileLink)", Interval, "", "1.55", "1.54 1.2"},
		{"<=11.2 on Windows 8.1 with IIS 7.5", Text, "", "", "11.2 99"},
		{"with wireless option (shipped between 2016-August 2018)", Text, "", "", "1"},
		{"882160 Gemini Dual", Text, "", "", "1"},
	} {
		r := ParseRange(c.text)
		if r.Class != c.class {
			t.Errorf("%q is of class %s, want %s", c.text, r.Class, c.class)
		}
		for want, list := range map[Inside]string{Yes: c.yes, No: c.no, Maybe: c.open} {
			for _, v := range strings.Fields(list) {
				if got := r.Contains(ParseVersion(v)); got != want {
					t.Errorf("%s in %q: %d, want %d", v, c.text, got, want)
				}
			}
		}
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"vers:all/*", "<= 2.3.0", ">=BT02 | <= BT06", "14.x", "prior to 1", "(a) 1", "|", "<", "vers:x/"} {
		f.Add(s, "1.2.3")
	}
	f.Fuzz(func(t *testing.T, s, v string) {
		r := ParseRange(s)
		in := r.Contains(ParseVersion(v))
		if r.Class == "" || in > Yes {
			t.Fatalf("%q: class %q", s, r.Class)
		}
		if r.Class == All && r.Remark == "" && in != Yes {
			t.Fatalf("%q leaves %q out", s, v)
		}
		_ = r.String()
	})
}
