package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// columns are the options of PS3.15 E.3 as the JSON form of Table E.1-1 names
// them, and as dicom/deid does.
var columns = []struct{ json, option string }{
	{"rtnSafePrivOpt", "safePrivate"},
	{"rtnUIDsOpt", "retainUIDs"},
	{"rtnDevIdOpt", "retainDevice"},
	{"rtnInstIdOpt", "retainInstitution"},
	{"rtnPatCharsOpt", "retainCharacteristics"},
	{"rtnLongFullDatesOpt", "fullDates"},
	{"rtnLongModifDatesOpt", "modifiedDates"},
	{"cleanDescOpt", "cleanDescriptors"},
	{"cleanStructContOpt", "cleanStructured"},
	{"cleanGraphOpt", "cleanGraphics"},
}

// actions are the entries of the basic profile's column.
var actions = map[string]string{
	"D": "actD", "Z": "actZ", "X": "actX", "U": "actU", "K": "actK", "C": "actC", "Z/D": "actZD", "X/Z": "actXZ", "X/D": "actXD",
	"X/Z/D": "actXZD", "X/Z/U*": "actXZU",
}

// privateRow is the tag of the row for all private attributes.
const privateRow = "(GGGG,EEEE) WHERE GGGG IS ODD"

// profile is dicom/deid/table.go from Table E.1-1 of PS3.15.
func profile(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}

	var rows []map[string]string
	if err := json.Unmarshal(raw, &rows); err != nil {
		return "", err
	}

	type line struct {
		tag, mask uint32
		text      string
	}

	var lines []line
	for _, r := range rows {
		basic, ok := actions[r["basicProfile"]]
		if !ok {
			return "", fmt.Errorf("%s: action %q is not known", r["tag"], r["basicProfile"])
		}

		keep, clean, err := options(r)
		if err != nil {
			return "", err
		}

		tag, mask, err := masked(r["tag"])
		if err != nil {
			return "", err
		}

		lines = append(lines, line{tag, mask, fmt.Sprintf("\t{0x%08X, 0x%08X, %s, %s, %s}, // %s\n", tag, mask, basic, keep, clean, strings.Join(strings.Fields(r["name"]), " "))})
	}

	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.tag, b.tag) })
	b := header("deid", "PS3.15 E")
	b.WriteString("// rules is the rows for one attribute each, sorted by tag.\nvar rules = [...]rule{\n")
	for _, l := range lines {
		if l.mask == 0xFFFFFFFF {
			b.WriteString(l.text)
		}
	}

	b.WriteString("}\n\n// patterns is the rows for many; mask says which bits of a tag count.\nvar patterns = [...]rule{\n")
	for _, l := range lines {
		if l.mask != 0xFFFFFFFF {
			b.WriteString(l.text)
		}
	}

	b.WriteString("}\n")
	return b.String(), nil
}

// options is the option columns of a row as two sets.
func options(r map[string]string) (keep, clean string, err error) {
	var k, c []string
	for _, col := range columns {
		switch r[col.json] {
		case "":
		case "K":
			k = append(k, col.option)
		case "C":
			c = append(c, col.option)
		default:
			return "", "", fmt.Errorf("%s: %s is %q", r["tag"], col.json, r[col.json])
		}
	}
	return set(k), set(c), nil
}

func set(names []string) string {
	if len(names) == 0 {
		return "0"
	}
	return strings.Join(names, "|")
}

// masked parses a tag in which an X stands for any digit.
func masked(s string) (tag, mask uint32, err error) {
	if strings.EqualFold(s, privateRow) {
		return 0x00010000, 0x00010000, nil
	}

	hex := strings.NewReplacer("(", "", ",", "", ")", "").Replace(strings.ToUpper(s))
	v, err := strconv.ParseUint(strings.ReplaceAll(hex, "X", "0"), 16, 32)
	if err != nil || len(hex) != 8 {
		return 0, 0, fmt.Errorf("tag %q: want 8 digits", s)
	}

	for _, c := range hex {
		mask <<= 4
		if c != 'X' {
			mask |= 0xF
		}
	}
	return uint32(v), mask, nil
}
