package advisory

import (
	"regexp"
	"strings"
)

// toolkits are implementation version names (PS3.7 D.3.3.2.3) that tell a
// product and its version.
var toolkits = []struct {
	name            *regexp.Regexp
	vendor, product string
	digits          bool // the version is one digit after the other: 367 is 3.6.7
}{
	{regexp.MustCompile(`^OFFIS_DCMTK_(\d{3})$`), "OFFIS", "DCMTK", true},
	{regexp.MustCompile(`^OFFIS-DCMTK-(\d{3})$`), "OFFIS", "DCMTK", true},
	{regexp.MustCompile(`^PYNETDICOM_(\d{3})$`), "pydicom", "pynetdicom", true},
	{regexp.MustCompile(`^GDCM (\d+\.\d+\.\d+)$`), "Grassroots", "GDCM", false},
	{regexp.MustCompile(`^fo-dicom (\d+\.\d+\.\d+)$`), "fo-dicom", "fo-dicom", false},
	{regexp.MustCompile(`^dcm4che-(\S+)$`), "dcm4che", "dcm4che", false},
	{regexp.MustCompile(`^INFINITT_(\S+)$`), "INFINITT Healthcare", "INFINITT PACS", false},
	{regexp.MustCompile(`^OSIRIX$`), "Pixmeo", "OsiriX", false},
}

// Toolkit is what an implementation version name says about a system.
func Toolkit(versionName string) (Identity, bool) {
	for _, k := range toolkits {
		m := k.name.FindStringSubmatch(strings.TrimSpace(versionName))
		if m == nil {
			continue
		}

		id := Identity{Vendor: k.vendor, Product: k.product, Announced: true}
		if len(m) > 1 {
			id.Version = m[1]
			if k.digits {
				id.Version = strings.Join(strings.Split(m[1], ""), ".")
			}
		}
		return id, true
	}
	return Identity{}, false
}
