package scan

import (
	"fmt"
	"strings"

	"collimator/internal/finding"
)

// Services says in words what stands on each port of a host.
func Services(f *finding.Facts) []string {
	var out []string
	for _, s := range f.Services {
		out = append(out, fmt.Sprintf("%d: %s", s.Port, describe(s)))
	}
	return out
}

func describe(s *finding.Service) string {
	var words []string
	switch {
	case s.DICOM != nil && s.DICOM.TLS:
		words = append(words, "DICOM over TLS")
	case s.DICOM != nil:
		words = append(words, "DICOM")
	case s.Web != nil && s.Web.TLS:
		words = append(words, "HTTPS")
	case s.Web != nil:
		words = append(words, "HTTP")
	case s.HL7 != nil:
		words = append(words, "HL7")
	case s.Host != nil:
		words = append(words, s.Host.Protocol)
	case s.TLS != nil:
		words = append(words, "TLS")
	default:
		words = append(words, "open, not recognised")
	}

	if s.UDP {
		words = append(words, "(UDP)")
	}

	if p := s.Product; p != nil {
		vendor := p.Vendor
		if vendor == p.Name {
			vendor = ""
		}
		words = append(words,
			"-", strings.TrimSpace(vendor+" "+p.Name+" "+p.Version), fmt.Sprintf("(%.0f %% sure)", p.Confidence*100))
	}

	return strings.Join(words, " ")
}

// Confirmed reports that a text says who agreed and when: "confirmed by NAME on DATE".
func Confirmed(s string) bool { return confirmed(s) }
