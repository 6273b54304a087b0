package inventory

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Fields of an asset.
const (
	fieldName           = "name"
	fieldVendor         = "vendor"
	fieldProduct        = "product"
	fieldVersion        = "version"
	fieldSerial         = "serial"
	fieldLocation       = "location"
	fieldZone           = "zone"
	fieldOwner          = "owner"
	fieldHostname       = "hostname"
	fieldNote           = "note"
	fieldAddress        = "address"
	fieldMAC            = "mac"
	fieldAE             = "ae"
	fieldPort           = "port"
	fieldImplementation = "implementation"
	fieldRecord         = "record"
)

// several: fields of which a source may give more than one value.
var several = map[string]bool{fieldAddress: true, fieldMAC: true, fieldAE: true, fieldPort: true, fieldImplementation: true, fieldRecord: true}

// value is one thing an observation says.
type value struct{ field, text, folded string }

// values lists what an observation says, folded for comparison. What cannot be
// a value of its field is left out.
func (r *Register) values(o *Observation) []value {
	var out []value
	add := func(field, text string) {
		text = r.clip(text)
		if text != "" && !placeholder(text) {
			out = append(out, value{field: field, text: text, folded: fold(field, text)})
		}
	}

	for _, m := range o.MACs {
		if mac, ok := foldMAC(m); ok {
			add(fieldMAC, mac)
		}
	}

	add(fieldSerial, o.Serial)
	for _, a := range o.Addresses {
		if usable(a) {
			add(fieldAddress, a.Unmap().WithZone("").String())
		}
	}

	for _, a := range o.AETitles {
		add(fieldAE, a)
	}

	add(fieldHostname, o.Hostname)
	add(fieldRecord, o.Record)
	add(fieldName, o.Name)
	add(fieldVendor, o.Vendor)
	add(fieldProduct, o.Product)
	add(fieldVersion, o.Version)
	add(fieldLocation, o.Location)
	add(fieldZone, o.Zone)
	add(fieldOwner, o.Owner)
	add(fieldNote, o.Note)

	for _, p := range o.Ports {
		if p != 0 {
			add(fieldPort, strconv.Itoa(int(p)))
		}
	}

	for _, i := range o.Implementations {
		add(fieldImplementation, i)
	}

	return out
}

func usable(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast()
}

// placeholder reports what registers write where nothing is known.
func placeholder(s string) bool {
	switch strings.ToLower(strings.Trim(s, " .-_?/")) {
	case "", "n/a", "na", "n.a", "k.a", "ka", "keine angabe", "unbekannt", "unknown", "none", "null", "nil", "tbd", "xxx",
		"nicht bekannt", "ohne", "dhcp", "not applicable":
		return true
	}
	return false
}

// fold is the form in which values are compared.
func fold(field, s string) string {
	switch field {
	case fieldSerial:
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
				return r
			}
			return -1
		}, strings.ToUpper(s))
	case fieldHostname:
		return strings.TrimSuffix(strings.ToLower(s), ".")
	case fieldAE, fieldAddress, fieldMAC, fieldPort, fieldRecord:
		return s
	}
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}

// foldMAC writes a hardware address with colons in lower case. Addresses that
// many devices have (all zero, broadcast) tell nothing.
func foldMAC(s string) (string, bool) {
	hex := strings.Map(func(r rune) rune {
		if strings.ContainsRune(":-. ", r) {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(s)))

	const digits = "0123456789abcdef"
	if len(hex) != 12 || strings.Trim(hex, digits) != "" || strings.Trim(hex, "0") == "" || strings.Trim(hex, "f") == "" {
		return "", false
	}

	var parts []string
	for i := 0; i < 12; i += 2 {
		parts = append(parts, hex[i:i+2])
	}

	mac, err := net.ParseMAC(strings.Join(parts, ":"))
	if err != nil || mac[0]&1 == 1 {
		return "", false
	}
	return mac.String(), true
}

// telling reports whether a value can tell a device apart from others.
func telling(v value) bool {
	switch v.field {
	case fieldSerial:
		return len(v.folded) >= 4 && strings.Trim(v.folded, "0") != "" && v.folded != "123456" && v.folded != "1234"
	case fieldAddress:
		a, err := netip.ParseAddr(v.folded)
		return err == nil && !a.IsLoopback() && !a.IsLinkLocalUnicast()
	case fieldHostname:
		return v.folded != "localhost"
	}
	return true
}
