package patch

import "collimator/internal/advisory"

// product is one product with the versions that have a weakness.
func product(vendor, name, versions string) advisory.Rule {
	return advisory.Rule{Vendors: []string{vendor}, Product: name, Versions: versions}
}

// Products that are named more than once.
const (
	offis   = "OFFIS"
	dcmtk   = "DCMTK"
	orthanc = "Orthanc"
	sante   = "Sante PACS Server"
)

// always are the weaknesses that nothing reaches through the gate, because it decodes
// all there is and writes it anew.
func always() []Patch {
	return []Patch{{
		Name: "nesting", Default: Always, Keeps: "sequences nested without end", Does: "refused: at most 64 levels",
		affects: []advisory.Rule{product(offis, dcmtk, "<= 3.7.0"), product(orthanc, orthanc, "1.10.1")},
	}, {
		Name: "paths", Default: Always, Keeps: "UIDs that are a path of files", Does: "refused: a UID is digits and dots",
		Advisories: []string{"ICSMA-22-174-01", "ICSMA-26-181-01", "ICSMA-26-176-01", "ICSMA-25-224-01"},
		CVEs:       []string{"CVE-2022-2119", "CVE-2022-2120", "CVE-2026-50003", "CVE-2026-56445", "CVE-2025-0572"},
		affects: []advisory.Rule{
			product(offis, dcmtk, "<= 3.7.0"), product("pydicom", "pynetdicom", ">= 1.0.0|< 3.0.4"), product("Santesoft", sante, "< 4.2.3"),
		},
	}, {
		Name: "titles", Default: Always, Keeps: "AE titles that are a path of files", Does: "the association is rejected",
		Advisories: []string{"ICSMA-26-181-01"}, CVEs: []string{"CVE-2026-52868"},
		affects: []advisory.Rule{product(offis, dcmtk, "<= 3.7.0")},
	}, {
		Name: "messages", Default: Always, Keeps: "commands that lack or repeat elements, or lie about their length",
		Does:    "the association is aborted",
		CVEs:    []string{"CVE-2024-34508", "CVE-2024-34509", "CVE-2025-14841"},
		affects: []advisory.Rule{product(offis, dcmtk, "< 3.6.9")},
	}, {
		Name: "associations", Default: Always, Keeps: "proposals that cost memory at each call",
		Does:       "answered by the gate, which proposes its own",
		Advisories: []string{"ICSMA-26-181-01"}, CVEs: []string{"CVE-2026-50254", "CVE-2026-35505"},
		affects: []advisory.Rule{product(offis, dcmtk, "<= 3.7.0")},
	}, {
		Name: "deflated", Default: Always, Keeps: "data sets that grow a thousandfold when they are inflated",
		Does:    "the transfer syntax is refused, but where a rule names it",
		affects: []advisory.Rule{product("fo-dicom", "fo-dicom", "<= 5.2.6"), product(orthanc, orthanc, "1.10.1")},
	}, {
		Name: "strangers", Default: Always, Keeps: "whoever has no account there, or a known one",
		Does:       "only registered devices reach it, with their certificate",
		Advisories: []string{"ICSMA-25-037-02", "ICSMA-24-200-01", "ICSMA-18-312-01"},
		CVEs:       []string{"CVE-2025-0896", "CVE-2023-40704", "CVE-2018-17906"},
		affects: []advisory.Rule{
			product(orthanc, orthanc, "< 1.5.8"), product("Philips", "Vue PACS", "< 12.2.8.410"),
			product("Philips", "IntelliSpace PACS", "all"),
		},
	}, {
		Name: "floods", Default: Always, Keeps: "many connections at once", Does: "few at a time, in turns",
		Advisories: []string{"ICSMA-19-113-01"}, CVEs: []string{"CVE-2019-10948"},
		affects: []advisory.Rule{product("Fujifilm", "FCR Capsula X", "all"), product("Fujifilm", "FCR Carbon X", "all")},
	}, {
		Name: "lengths", Default: Always, Keeps: "requests to its pages that lie about their length, or hide another one",
		Does:    "read by the gate and written anew, with their length",
		CVEs:    []string{"CVE-2026-5440"},
		affects: []advisory.Rule{product(orthanc, orthanc, "<= 1.12.10")},
	}, {
		Name: "clear-text", Default: Always, Keeps: "who listens in the network", Does: "TLS up to the gate",
		Advisories: []string{"ICSMA-25-224-01"}, CVEs: []string{"CVE-2025-54156"},
		affects: []advisory.Rule{product("Santesoft", sante, "< 4.2.3")},
	}}
}
