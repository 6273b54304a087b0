package uid

import (
	"strconv"
	"strings"
)

// root is that of all UIDs which DICOM hands out (PS3.5 9.1). Whatever stands
// below it in PS3.6 Annex A is Known; equipment makes other UIDs there too, for
// studies and images, against the rules.
const root = "1.2.840.10008."

// lastContextGroup is the highest number of a context group (PS3.6 A.3).
const lastContextGroup = 1500

// The highest numbers of the LDAP identifiers of attributes and of object
// classes (PS3.6 A.4).
const (
	lastLDAPAttribute = 31
	lastLDAPClass     = 8
)

// Known reports a UID that PS3.6 Annex A registers: of a SOP Class, a transfer
// syntax, a well-known SOP Instance or frame of reference, a coding scheme, a
// context group. Such a UID says nothing of a patient, a place or a time. It
// goes by the table and not by the root.
func Known(s string) bool {
	if Name(s) != s {
		return true
	}

	rest, ok := strings.CutPrefix(s, root)
	if !ok || !Valid(s) {
		return false
	}
	if _, ok := registry[rest]; ok {
		return true
	}

	return numbered(rest, "6.1.", lastContextGroup) ||
		numbered(rest, "15.0.3.", lastLDAPAttribute) || numbered(rest, "15.0.4.", lastLDAPClass)
}

// numbered reports prefix and a number from 1 to last.
func numbered(s, prefix string, last int) bool {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || len(digits) > 4 || strings.HasPrefix(digits, "0") {
		return false
	}
	n, err := strconv.Atoi(digits)
	return err == nil && n >= 1 && n <= last
}

// registry is the rest of PS3.6 Tables, retired entries too, below
// root: what has no name here.
var registry = func() map[string]struct{} {
	out := map[string]struct{}{}
	for _, s := range strings.Fields(registered) {
		out[s] = struct{}{}
	}
	return out
}()

const registered = `
1.2.4.52 1.2.4.54 1.2.4.56 1.2.4.58 1.2.4.59 1.2.4.60 1.2.4.61 1.2.4.62 1.2.4.63 1.2.4.64 1.2.4.65
1.2.4.66 1.2.6.1 1.2.6.2 1.2.7.1 1.2.7.2 1.2.7.3 1.4.1.1 1.4.1.2 1.4.1.3 1.4.1.4 1.4.1.5 1.4.1.6 1.4.1.7
1.4.1.8 1.4.1.9 1.4.1.10 1.4.1.11 1.4.1.12 1.4.1.13 1.4.1.14 1.4.1.15 1.4.1.16 1.4.1.17 1.4.1.18 1.4.2.1
1.4.2.2 1.4.3.1 1.4.3.2 1.4.3.3 1.4.4.1 1.4.5.1 1.4.6.1 1.4.6.2 1.4.6.3 1.5.1 1.5.2 1.5.3 1.5.4 1.5.5
1.5.6 1.5.7 1.5.8 1.9 1.20.2 1.20.2.1 2.6.1 2.16.4 3.1.2.1.1 3.1.2.1.4 3.1.2.2.1 3.1.2.3.1 3.1.2.3.2
3.1.2.5.1 3.1.2.5.4 3.1.2.5.5 3.1.2.6.1 4.2 5.1.1.4.2 5.1.1.9.1 5.1.1.18.1 5.1.1.24 5.1.1.24.1 5.1.1.25
5.1.1.26 5.1.1.27 5.1.1.29 5.1.1.30 5.1.1.31 5.1.4.1.1.8 5.1.4.1.1.9 5.1.4.1.1.9.1 5.1.4.1.1.10
5.1.4.1.1.11 5.1.4.1.1.12.3 5.1.4.1.1.77.1 5.1.4.1.1.77.2 5.1.4.1.1.88.1 5.1.4.1.1.88.2 5.1.4.1.1.88.3
5.1.4.1.1.88.4 5.1.4.1.1.129 5.1.4.1.1.501.1 5.1.4.1.1.501.2.1 5.1.4.1.1.501.2.2 5.1.4.1.1.501.3
5.1.4.1.1.501.4 5.1.4.1.1.501.5 5.1.4.1.1.501.6 5.1.4.1.1.601.1 5.1.4.1.1.601.2 5.1.4.32 5.1.4.32.1
5.1.4.32.2 5.1.4.32.3 5.1.4.34.1 5.1.4.34.2 5.1.4.34.3 5.1.4.34.4 5.1.4.34.4.1 5.1.4.34.4.2 5.1.4.34.4.3
5.1.4.34.4.4 5.1.4.34.6 7.1.1 7.1.2 8.1.1 10.1 10.2 10.3 10.4 15.1.1
`
