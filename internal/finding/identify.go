package finding

import (
	_ "embed"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"collimator/dicom/uid"
)

// implementationsTable lists implementation class UIDs and version names of
// toolkits and products (PS3.7 D.3.3.2), seen on the wire, in published files or
// in published source.
//
//go:embed implementations.tsv
var implementationsTable string

type implementation struct {
	uid        string
	exact      bool // the UID is whole, otherwise a prefix; empty matches by name alone
	version    *regexp.Regexp
	name       string
	vendor     string
	kind       string
	confidence float64
}

// implementations parses the table once; a mistake in it is caught by a test.
var implementations = sync.OnceValue(func() []implementation {
	var out []implementation
	for _, line := range strings.Split(strings.TrimSpace(implementationsTable), "\n")[1:] {
		f := strings.Split(line, "\t")
		confidence, _ := strconv.ParseFloat(f[6], 64)
		i := implementation{uid: f[0], exact: f[1] == "exact", name: f[3], vendor: f[4], kind: f[5], confidence: confidence}
		if f[2] != "" {
			i.version = regexp.MustCompile(f[2])
		}
		out = append(out, i)
	}
	return out
})

// Identify names what answered, from its implementation identity (PS3.7
// D.3.3.2) and its manner of answering; nil where nothing is known. A toolkit
// is named where the product that uses it cannot be told.
func Identify(d *DICOM) *Product {
	best, score := (*implementation)(nil), 0
	for _, i := range implementations() {
		if s := i.score(d.ClassUID, d.VersionName); s > score {
			best, score = &i, s
		}
	}
	if best == nil {
		return nil
	}
	p := &Product{Vendor: best.vendor, Name: best.name, Confidence: best.confidence, Source: "implementation class UID and version name", Version: best.versionOf(d.VersionName)}
	if best.name == "DCMTK" && d.FirstContext != "" && d.FirstContext != uid.Verification && d.Accepts(uid.StudyRootFind) {
		p.Name, p.Source = "DCMTK dcmqrscp", p.Source+", order of the contexts"
	}
	if best.name == "go-netdicom" {
		d.Honeypot = "The implementation is the one of a known DICOM honeypot."
	}
	return p
}

// score is 0 for no match; a whole UID counts more than a prefix, and a name
// that fits more than none.
func (i *implementation) score(uid, name string) int {
	s := 0
	switch {
	case i.uid == "":
	case i.exact && i.uid == uid:
		s = 1000
	case !i.exact && strings.HasPrefix(uid, i.uid):
		s = 10 + len(i.uid)
	default:
		return 0
	}
	switch {
	case i.version != nil && name != "" && i.version.MatchString(name):
		s += 100
	case i.uid == "" || i.version != nil && i.exact && name != "":
		return 0
	}
	if i.uid == "2.25." && s < 100 {
		return 0 // everybody may derive UIDs from UUIDs
	}
	return s
}

// versionOf takes the version out of the name: the groups joined with dots.
func (i *implementation) versionOf(name string) string {
	if i.version == nil {
		return ""
	}
	m := i.version.FindStringSubmatch(name)
	if len(m) < 2 {
		return ""
	}
	var parts []string
	for _, g := range m[1:] {
		if g != "" {
			parts = append(parts, g)
		}
	}
	return strings.Join(parts, ".")
}

// IdentifyIcon names the product of a favicon by its MD5 (hex) or its
// MurmurHash3 over the base64 text with line breaks, as search engines use it.
func IdentifyIcon(md5 []byte, mmh3 int32) string {
	switch hex.EncodeToString(md5) {
	case "6e028d7cc65a1430c68a581f8064e8e2":
		return "Orthanc"
	case "1c4b2c10acccc48852d12eddadaf7944":
		return "Vue Motion"
	case "5107de66fbe7255a56248c5c15be5a8d":
		return "Synapse"
	case "18b505dbacd4b14643a739fadd7ba669":
		return "Merge PACS"
	case "b5ee418c61dc2b511fbc20b99a982b8d":
		return "LogiPACS"
	case "dc499a7d439351c325b953bd3ca01fe5":
		return "OsiriX web portal"
	case "5104b4e1fd4d2ab80f0060272689391a":
		return "Mantrey PACS"
	case "6daa3eca79787964627179fd5a1c724d":
		return "b-rayZ"
	case "ec26e2e3326cb5f8bd0b493b4ff2fa4c":
		return "Perennity"
	}
	switch mmh3 {
	case 1474455751, 702238928:
		return "INFINITT PACS"
	case 1185161484:
		return "Sante PACS Server"
	case -765011263:
		return "MedDream"
	case -297069493:
		return "OR dicomPACS"
	case 1257616065:
		return "UniWeb"
	case 1320970403:
		return "SoliPACS"
	}
	return ""
}
