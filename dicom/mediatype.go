package dicom

import "strings"

// MediaType reads a media type such as that of (0042,0012) (RFC 2045 5.1): type and
// subtype in lower case, without parameters, blanks, and what a writer left around
// them. It is empty where there is none. Whoever judges a document and whoever
// hands it out read its type with this.
func MediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	s = strings.ToLower(strings.Trim(s, " \t\r\n\x00\"'"))
	kind, sub, found := strings.Cut(s, "/")
	if !found || kind == "" || sub == "" || len(s) > 127 {
		return ""
	}
	if strings.Trim(kind+sub, "abcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-") != "" {
		return ""
	}
	return s
}
