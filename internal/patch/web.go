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

// WebBody looks at the body of a request on its way, piece after piece, to its end. nil where no
// patch needs to.
func (s *Set) WebBody(r WebRequest) func(piece []byte) *Refusal {
	if s == nil {
		return nil
	}

	looks := map[int]func(piece []byte) string{}
	for i, p := range s.patches {
		if p.check.body == nil {
			continue
		}
		if look := p.check.body(r); look != nil {
			looks[i] = look
		}
	}
	if len(looks) == 0 {
		return nil
	}

	return func(piece []byte) *Refusal {
		for i, p := range s.patches {
			if look := looks[i]; look != nil {
				if why := look(piece); why != "" {
					return &Refusal{Patch: p.Name, For: p.For(), Why: why}
				}
			}
		}
		return nil
	}
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

// zipMarks are how a ZIP archive begins: a file in it, an empty one, or a part of one.
var zipMarks = []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08"}

// zipped says that a body is a ZIP archive.
func zipped(r WebRequest) string {
	for _, mark := range zipMarks {
		if bytes.HasPrefix(r.Head, []byte(mark)) {
			return "its body is a ZIP archive"
		}
	}
	if strings.Contains(r.ContentType, "zip") {
		return "its body is a ZIP archive"
	}
	return ""
}

// zippedPart says that a part of a body is a ZIP archive.
func zippedPart(r WebRequest) func([]byte) string {
	return inParts(r, zipMarks, "a part of its body is a ZIP archive")
}

const madeOfXML = "its body is XML, of which objects would be made"

// toMirth reports a request that changes something at the API of Mirth Connect.
func toMirth(r WebRequest) bool {
	return r.Method != "GET" && r.Method != "HEAD" && len(r.Segments) > 0 && strings.EqualFold(r.Segments[0], "api")
}

// objects says that Mirth Connect would make objects of what XML names, in whatever encoding. What
// begins with nothing but space is not decided.
func objects(r WebRequest) string {
	if !toMirth(r) {
		return ""
	}
	text := bytes.Trim(r.Head, "\x00") // UTF-16 and UTF-32 have them around each character
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		text = bytes.TrimPrefix(text, []byte(mark))
	}
	text = bytes.TrimLeft(text, "\x00 \t\r\n")
	if strings.Contains(r.ContentType, "xml") || bytes.HasPrefix(text, []byte("<")) || len(r.Head) > 0 && len(text) == 0 {
		return madeOfXML
	}
	return ""
}

// objectsPart says the same of a part of a body.
func objectsPart(r WebRequest) func([]byte) string {
	if !toMirth(r) {
		return nil
	}
	return inParts(r, []string{"<"}, madeOfXML)
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
		check:   check{web: zipped, body: zippedPart},
	}, {
		Name: "json-nesting", Default: On, Keeps: "JSON nested without end", Does: "refused: at most 64 levels",
		affects: []advisory.Rule{product(orthanc, orthanc, "1.10.1")},
		check:   check{body: nestedJSON},
	}, {
		Name: "xml-objects", Default: On, Keeps: "XML of which Mirth Connect makes any object there is", Does: "refused below /api",
		CVEs:    []string{"CVE-2023-37679", "CVE-2023-43208"},
		affects: []advisory.Rule{product("NextGen Healthcare", "Mirth Connect", "< 4.4.1")},
		check:   check{web: objects, body: objectsPart},
	}}
}
