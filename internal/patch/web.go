package patch

import (
	"bytes"
	"strings"

	"collimator/internal/advisory"
)

// WebRequest is a request to a page of a system behind, as far as patches look at it.
type WebRequest struct {
	Method      string
	Segments    []string // of the path, decoded
	ContentType string   // without parameters; empty where there is none, or what is none
	Encoded     bool     // the body is compressed, or encoded in another way
	Head        []byte   // how the body begins; nil where it is not read yet
}

// Web refuses a request to a page of the system behind.
func (s *Set) Web(r WebRequest) *Refusal {
	return s.refuse(func(c check) string {
		if c.web == nil {
			return ""
		}
		return c.web(r)
	})
}

// exporting says that a request has the system write files where it says.
func exporting(r WebRequest) string {
	n := len(r.Segments)
	if r.Method == "GET" || r.Method == "HEAD" || n == 0 || !strings.EqualFold(r.Segments[n-1], "export") {
		return ""
	}
	return "it would write files where the request says"
}

// compressed says that a body is not what it is on the wire.
func compressed(r WebRequest) string {
	if !r.Encoded {
		return ""
	}
	return "its body is compressed"
}

// zipped says that a body is a ZIP archive: a file in it, an empty one, or a part of one.
func zipped(r WebRequest) string {
	for _, mark := range []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08"} {
		if bytes.HasPrefix(r.Head, []byte(mark)) {
			return "its body is a ZIP archive"
		}
	}
	if strings.Contains(r.ContentType, "zip") {
		return "its body is a ZIP archive"
	}
	return ""
}

// objects says that Mirth Connect would make objects of what XML names.
func objects(r WebRequest) string {
	if r.Method == "GET" || r.Method == "HEAD" || len(r.Segments) == 0 || !strings.EqualFold(r.Segments[0], "api") {
		return ""
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(r.Head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if strings.Contains(r.ContentType, "xml") || bytes.HasPrefix(text, []byte("<")) {
		return "its body is XML, of which objects would be made"
	}
	return ""
}

// webByDefault are the patches of pages that are on.
func webByDefault() []Patch {
	return []Patch{{
		Name: "export", Default: On, Keeps: "requests to its pages that write a file anywhere on its disk", Does: "refused",
		CVEs:    []string{"CVE-2023-33466"},
		affects: []advisory.Rule{product(orthanc, orthanc, "< 1.12.0")},
		check:   check{web: exporting},
	}, {
		Name: "compressed-bodies", Default: On, Keeps: "bodies that grow when they are decompressed", Does: "refused",
		CVEs:    []string{"CVE-2026-5438"},
		affects: []advisory.Rule{product(orthanc, orthanc, "<= 1.12.10")},
		check:   check{web: compressed},
	}, {
		Name: "zip-uploads", Default: On, Keeps: "ZIP archives that grow when they are unpacked", Does: "refused: upload the files",
		CVEs:    []string{"CVE-2026-5439"},
		affects: []advisory.Rule{product(orthanc, orthanc, "<= 1.12.10")},
		check:   check{web: zipped},
	}, {
		Name: "xml-objects", Default: On, Keeps: "XML of which Mirth Connect makes any object there is", Does: "refused below /api",
		CVEs:    []string{"CVE-2023-37679", "CVE-2023-43208"},
		affects: []advisory.Rule{product("NextGen Healthcare", "Mirth Connect", "< 4.4.1")},
		check:   check{web: objects},
	}}
}
