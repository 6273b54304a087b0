package deid

import (
	"regexp"
	"strings"
	"time"

	"collimator/dicom"
)

// timeValue is a time of PS3.5 6.2 or of before 1993.
var timeValue = regexp.MustCompile(`^\d{2}(:?\d{2}(:?\d{2}(\.\d{1,6})?)?)?$`)

// dateTimeValue splits a DT into date, time and offset (PS3.5 6.2).
var dateTimeValue = regexp.MustCompile(`^(\d{8}|\d{6}|\d{4})(\d*(?:\.\d{1,6})?)([+-]\d{4})?$`)

// shiftValue moves the date of a DA, DT or TM by days, in the precision it has.
// A time of day stays. False for an invalid date or time.
func shiftValue(vr dicom.VR, v string, days int) (string, bool) {
	v = strings.TrimSpace(v)
	switch {
	case v == "":
		return "", true
	case vr == dicom.TM:
		return v, timeValue.MatchString(v)
	case vr == dicom.DA:
		return shiftDate(strings.ReplaceAll(v, ".", ""), days, "20060102")
	}

	m := dateTimeValue.FindStringSubmatch(v)
	if m == nil || len(m[1]) < 8 && m[2] != "" {
		return "", false
	}

	date, ok := shiftDate(m[1], days, "20060102"[:len(m[1])])
	return date + m[2] + m[3], ok
}

func shiftDate(v string, days int, layout string) (string, bool) {
	t, err := time.Parse(layout, v)
	if err != nil {
		return "", false
	}
	t = t.AddDate(0, 0, days)
	return t.Format(layout), t.Year() >= 1
}
