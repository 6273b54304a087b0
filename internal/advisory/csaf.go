package advisory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a CSAF document. A document of the largest vendors has a few megabytes.
const (
	// MaxDocument is the most bytes a document may have.
	MaxDocument = 16 << 20

	maxDepth           = 64
	maxProducts        = 50_000
	maxVulnerabilities = 10_000
	maxStatements      = 2_000_000 // products times vulnerabilities
	maxFactText        = 300       // bytes of a name, a version or a title that is kept
)

// Document is a CSAF 2.0 document with what is read of it. Its texts are not
// kept: they may quote passwords.
type Document struct {
	ID        string
	Version   string
	Status    string
	Title     string
	Publisher string
	Initial   string // YYYY-MM-DD
	Current   string
	URL       string // where its publisher keeps it

	products        []csafProduct
	vulnerabilities []csafVulnerability
}

// csafProduct is one product of the tree with the branches above it.
type csafProduct struct {
	id, vendor, name, family, version string
	part                              bool // only a part of another product
}

type csafBranch struct {
	Category string       `json:"category"`
	Name     string       `json:"name"`
	Product  *csafFull    `json:"product"`
	Branches []csafBranch `json:"branches"`
}

type csafFull struct {
	Name string `json:"name"`
	ID   string `json:"product_id"`
}

type csafVulnerability struct {
	CVE    string              `json:"cve"`
	Status map[string][]string `json:"product_status"`
	Scores []struct {
		Products []string   `json:"products"`
		V2       *csafScore `json:"cvss_v2"`
		V3       *csafScore `json:"cvss_v3"`
		V4       *csafScore `json:"cvss_v4"`
	} `json:"scores"`
	Remediations []csafRemediation `json:"remediations"`
	Threats      []struct {
		Category string `json:"category"`
		Details  string `json:"details"`
	} `json:"threats"`
}

type csafScore struct {
	Base float64 `json:"baseScore"`
}

type csafRemediation struct {
	Category string   `json:"category"`
	Details  string   `json:"details"`
	Products []string `json:"product_ids"`
}

type csafFile struct {
	Document struct {
		Version   string `json:"csaf_version"`
		Title     string `json:"title"`
		Publisher struct {
			Name string `json:"name"`
		} `json:"publisher"`
		Tracking struct {
			ID      string `json:"id"`
			Version string `json:"version"`
			Status  string `json:"status"`
			Initial string `json:"initial_release_date"`
			Current string `json:"current_release_date"`
		} `json:"tracking"`
		References []struct {
			Category string `json:"category"`
			URL      string `json:"url"`
		} `json:"references"`
	} `json:"document"`
	Tree struct {
		Branches      []csafBranch `json:"branches"`
		FullNames     []csafFull   `json:"full_product_names"`
		Relationships []struct {
			Full      csafFull `json:"full_product_name"`
			Reference string   `json:"product_reference"`
			RelatesTo string   `json:"relates_to_product_reference"`
		} `json:"relationships"`
	} `json:"product_tree"`
	Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
}

// ParseCSAF reads a CSAF 2.0 document. The error says what is wrong without
// quoting the document.
func ParseCSAF(b []byte) (*Document, error) {
	if len(b) > MaxDocument {
		return nil, fmt.Errorf("advisory: the document is larger than %d MiB", MaxDocument>>20)
	}

	b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	if !utf8.Valid(b) {
		return nil, errors.New("advisory: the document is not UTF-8")
	}
	if deep(b) {
		return nil, fmt.Errorf("advisory: the document is nested more than %d deep", maxDepth)
	}

	var f csafFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, errors.New("advisory: the document is not JSON in the form of CSAF")
	}

	if f.Document.Version != "2.0" {
		return nil, errors.New("advisory: the document does not say that it is CSAF 2.0")
	}

	d := &Document{
		ID: clip(f.Document.Tracking.ID), Version: clip(f.Document.Tracking.Version), Status: clip(f.Document.Tracking.Status),
		Title: clip(f.Document.Title), Publisher: clip(f.Document.Publisher.Name),
		Initial: dayOf(f.Document.Tracking.Initial), Current: dayOf(f.Document.Tracking.Current),
		vulnerabilities: f.Vulnerabilities,
	}

	for _, r := range f.Document.References {
		if r.Category == "self" && d.URL == "" && strings.HasPrefix(r.URL, "https://") {
			d.URL = clip(r.URL)
		}
	}

	if d.ID == "" {
		return nil, errors.New("advisory: the document has no tracking id")
	}

	if len(f.Vulnerabilities) > maxVulnerabilities {
		return nil, fmt.Errorf("advisory: the document has more than %d vulnerabilities", maxVulnerabilities)
	}

	return d, d.readTree(&f)
}

// deep reports whether brackets are nested above the bound, before any parser recurses.
func deep(b []byte) bool {
	depth := 0
	inString := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			if depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func (d *Document) readTree(f *csafFile) error {
	for _, b := range f.Tree.Branches {
		if err := d.branch(b, csafProduct{}); err != nil {
			return err
		}
	}

	for _, p := range f.Tree.FullNames {
		d.products = append(d.products, csafProduct{id: p.ID, name: clip(p.Name)})
	}

	byID := map[string]int{}
	for i, p := range d.products {
		byID[p.id] = i
	}

	for _, r := range f.Tree.Relationships {
		if len(d.products) >= maxProducts {
			return errTooMany
		}

		p := csafProduct{id: r.Full.ID, name: clip(r.Full.Name)}
		if i, ok := byID[r.Reference]; ok {
			whole := d.products[i]
			p.vendor, p.name, p.family, p.version = whole.vendor, whole.name, whole.family, whole.version
			d.products[i].part = true
		}
		if i, ok := byID[r.RelatesTo]; ok {
			d.products[i].part = true
		}

		byID[p.id] = len(d.products)
		d.products = append(d.products, p)
	}

	if len(d.products) > maxProducts {
		return errTooMany
	}
	return nil
}

var errTooMany = fmt.Errorf("advisory: the document has more than %d products", maxProducts)

// branch walks down the tree; what stands above a product names it. Depth is
// bounded by the nesting of the document.
func (d *Document) branch(b csafBranch, above csafProduct) error {
	name := clip(b.Name)
	switch b.Category {
	case "vendor":
		above.vendor = name
	case "product_name":
		above.name = name
	case "product_family":
		above.family = name
	case "product_version", "product_version_range":
		above.version = name
	case "service_pack", "patch_level":
		above.version = strings.TrimSpace(above.version + " " + name)
	}

	if b.Product != nil {
		if len(d.products) >= maxProducts {
			return errTooMany
		}

		p := above
		p.id = b.Product.ID
		if p.name == "" {
			p.name = p.family
		}
		if p.name == "" {
			p.name = clip(b.Product.Name)
		}
		if p.version == "" {
			p.version = "*"
		}

		d.products = append(d.products, p)
	}

	for _, child := range b.Branches {
		if err := d.branch(child, above); err != nil {
			return err
		}
	}
	return nil
}

// clip shortens a text that is kept, and takes control characters out.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7F {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))

	if len(s) > maxFactText {
		s = strings.ToValidUTF8(s[:maxFactText], "")
	}
	return s
}

// dayOf is the day of a date with time, empty where s does not begin with a day.
func dayOf(s string) string {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' || strings.Trim(s[:10], "0123456789-") != "" {
		return ""
	}
	return s[:10]
}
