package patch

import (
	"collimator/dicom/uid"
	"collimator/internal/advisory"
)

// byDefault are the patches that refuse nothing which the standard allows.
func byDefault() []Patch {
	return []Patch{{
		Name: "geometry", Default: On, Keeps: "pictures whose rows, columns and bits are none, or make more than 4 GiB",
		Does:    "refused",
		CVEs:    []string{"CVE-2026-5442", "CVE-2026-5443", "CVE-2024-47796", "CVE-2024-52333", "CVE-2025-25472", "CVE-2025-9732"},
		affects: []advisory.Rule{product(orthanc, orthanc, "<= 1.12.10"), product(offis, dcmtk, "3.6.7")},
		check:   check{object: geometry},
	}, {
		Name: "pam", Default: On, Keeps: "pictures in the format PAM among the fragments",
		Does:    "refused: no transfer syntax has it",
		CVEs:    []string{"CVE-2026-5444"},
		affects: []advisory.Rule{product(orthanc, orthanc, "<= 1.12.10")},
		check:   check{fragments: func() stream { return &pam{} }},
	}, {
		Name: "jpeg-markers", Default: On, Keeps: "JPEG streams with the marker TEM in front of the picture, over which a reader loops",
		Does:    "refused",
		affects: []advisory.Rule{product(offis, dcmtk, "<= 3.7.0")},
		check:   check{fragments: func() stream { return &jpegMarkers{} }},
	}, {
		Name: "keys", Default: On, Keeps: "keys of a query in another value representation than the standard's", Does: "refused",
		Advisories: []string{"ICSMA-26-181-01"}, CVEs: []string{"CVE-2026-44628"},
		affects: []advisory.Rule{product(offis, dcmtk, "<= 3.7.0")},
		check:   check{key: representation},
	}}
}

// onRequest are the patches that keep something away which somebody may need.
func onRequest() []Patch {
	return []Patch{{
		Name: "overlays", Default: Off, Keeps: "overlays that are shorter than their rows and columns say", Does: "refused",
		Costs:   "images of equipment that writes overlays shorter than it says",
		CVEs:    []string{"CVE-2025-52582"},
		affects: []advisory.Rule{product("Grassroots", "GDCM", "<= 3.2.2")},
		check:   check{object: overlays},
	}, {
		Name: "jpeg-ls", Default: Off, Keeps: "pictures in JPEG-LS", Does: "the transfer syntax is refused",
		Costs:   "devices that compress in JPEG-LS send uncompressed, where they can",
		CVEs:    []string{"CVE-2025-2357"},
		affects: []advisory.Rule{product(offis, dcmtk, "3.6.7")},
		check: check{syntax: func(ts string) bool {
			return ts == uid.JPEGLSLossless || ts == uid.JPEGLSNearLossless
		}},
	}, {
		Name: "palette", Default: Off, Keeps: "pictures whose colours stand in a table", Does: "refused",
		Costs:   "coloured images of older ultrasound and nuclear medicine",
		CVEs:    []string{"CVE-2026-5445", "CVE-2026-5443"},
		affects: []advisory.Rule{product(orthanc, orthanc, "<= 1.12.10")},
		check:   check{object: palette},
	}, {
		Name: "philips-rle", Default: Off, Keeps: "pixel data in Philips' own compression", Does: "refused",
		Costs:   "compressed images of some Philips CT",
		CVEs:    []string{"CVE-2026-5441"},
		affects: []advisory.Rule{product(orthanc, orthanc, "<= 1.12.10")},
		check:   check{object: philipsCompression},
	}, {
		Name: "markup", Default: Off, Keeps: "text that a browser runs", Does: "refused",
		Costs:      "text in which a less-than sign stands in front of a word of HTML",
		Advisories: []string{"ICSMA-24-023-01", "ICSMA-25-224-01"},
		CVEs:       []string{"CVE-2023-7238", "CVE-2025-54862", "CVE-2025-54759", "CVE-2020-29164"},
		affects: []advisory.Rule{
			product(orthanc, "Osimis WebViewer", "< 24.1.2"), product("Santesoft", sante, "< 4.2.3"),
			product("RainbowFish", "PacsOne", "< 7.1.1"),
		},
		check: check{object: markup, value: markupBehind},
	}}
}
