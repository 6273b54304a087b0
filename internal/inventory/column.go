package inventory

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"collimator/internal/config"
)

// column is what a column of a register means.
type column uint8

const (
	colRest column = iota // not known: goes to the notes
	colNote
	colName
	colVendor
	colProduct
	colVersion
	colSerial
	colLocation
	colZone
	colOwner
	colHostname
	colAddress
	colMAC
	colAE
	colPort
	colTag
	colImplementation
)

// headings are the names of columns in the exports of hospitals, folded.
var headings = func() map[string]column {
	m := map[string]column{}
	for col, names := range map[column]string{
		colName:           "name|bezeichnung|geratename|geraetename|geratebezeichnung|geraetebezeichnung|device name|system name|systemname|asset name|assetname|anzeigename|display name|system|gerat|geraet|device",
		colVendor:         "vendor|manufacturer|hersteller|fabrikat|make|maker|herstellername|manufacturer name|mfr|brand|marke|produzent|firma",
		colProduct:        "product|model|modell|produkt|typ|type|gerätetyp|geratetyp|geraetetyp|device type|devicetype|modellname|model name|modelname|produktname|product name|modellbezeichnung|typenbezeichnung|typbezeichnung|modality model|manufacturer model name|anwendung|applikation|software name|softwarename|modell typ|modell/typ",
		colVersion:        "version|softwarestand|software version|softwareversion|sw version|sw-version|sw stand|sw-stand|swversion|release|firmware|firmware version|firmwareversion|firmwarestand|versionsstand|softwarerelease|software|software release|software versions|build",
		colSerial:         "serial|serial number|serialnumber|serial no|serial no.|serialno|sn|s/n|seriennummer|serien-nr|serien-nr.|seriennr|seriennr.|serien nr|serien nr.|fabriknummer|geratenummer|device serial number|fabrik-nr.|fabriknr",
		colLocation:       "location|standort|ort|raum|room|building|gebaude|site|department|abteilung|bereich|station|aufstellort|aufstellungsort|raumnummer|klinik|fachabteilung|lokation",
		colZone:           "zone|vlan|segment|netz|network|netzsegment|network segment|netzwerk|netzbereich|subnet|subnetz",
		colOwner:          "owner|verantwortlich|verantwortlicher|ansprechpartner|contact|responsible|zustandig|betreuer|besitzer|eigentumer|geratebeauftragter|administrator|kontakt",
		colHostname:       "hostname|host|host name|host-name|rechnername|rechner|computername|computer name|dns|dns name|dns-name|fqdn|netzwerkname|netbios name|netbios",
		colAddress:        "ip|ip address|ip-address|ipaddress|address|addresses|ip-adresse|ip adresse|ipadresse|ipv4|ipv6|ipv4-adresse|ipv4 address|adresse|ip addr|ip-nummer|ip-nr|ip nr.|netzadresse",
		colMAC:            "mac|macs|mac address|mac-address|macaddress|mac-adresse|mac adresse|macadresse|hardware address|hardwareadresse|physical address|ethernet address",
		colAE:             "ae|aet|ae title|ae-title|aetitle|ae titles|ae-titel|ae titel|aetitel|aet titel|dicom ae|dicom aet|dicom ae title|dicom-ae-titel|dicom name|dicom-name|application entity|application entity title|station aet|station ae title",
		colPort:           "port|ports|dicom port|dicom-port|dicomport|tcp port|tcp-port|tcpport",
		colTag:            "inventarnummer|inventar-nr|inventar-nr.|inventarnr|inventarnr.|inventory number|inventory no|asset tag|asset-tag|assettag|asset id|asset number|anlagennummer|anlagen-nr.|gerate-id|geraete-id|device id|id|lfd. nr.|lfd nr|lfdnr|asset",
		colNote:           "note|notes|notiz|notizen|bemerkung|bemerkungen|kommentar|comment|comments|remark|remarks|anmerkung|anmerkungen|hinweis",
		colImplementation: "implementation|implementations|implementation version name|implementation class uid",
	} {
		for _, n := range strings.Split(names, "|") {
			m[foldHeading(n)] = col
		}
	}
	return m
}()

// foldHeading keeps letters and digits, without case and accents.
func foldHeading(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(s))
}

func columnOf(heading string) column {
	if c, ok := headings[foldHeading(heading)]; ok {
		return c
	}

	// "IP-Adresse (LAN)", "Softwarestand [aktuell]".
	if before, _, ok := strings.Cut(heading, "("); ok {
		if c, ok := headings[foldHeading(before)]; ok {
			return c
		}
	}

	if before, _, ok := strings.Cut(heading, "["); ok {
		return headings[foldHeading(before)]
	}
	return colRest
}

// several: a register may have more than one such column.
func (c column) several() bool {
	switch c {
	case colRest, colNote, colAddress, colMAC, colAE, colPort, colImplementation:
		return true
	}
	return false
}

// set puts a cell where it belongs; the answer says why it cannot be read.
func (c column) set(o *Observation, cell, heading string) (why string) {
	if one := map[column]*string{
		colName: &o.Name, colVendor: &o.Vendor, colProduct: &o.Product, colVersion: &o.Version, colSerial: &o.Serial,
		colLocation: &o.Location, colZone: &o.Zone, colOwner: &o.Owner, colHostname: &o.Hostname, colTag: &o.Record,
	}[c]; one != nil {
		*one = cell
		return ""
	}

	switch c {
	case colAddress:
		list, ok := parseAddresses(cell)
		if !ok {
			return "no IP address"
		}
		o.Addresses = append(o.Addresses, list...)
	case colMAC:
		for _, f := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;/|\n\t ", r) }) {
			if _, ok := foldMAC(f); !ok {
				return "no hardware address of one device"
			}
			o.MACs = append(o.MACs, f)
		}
	case colAE:
		for _, f := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;|\n\t", r) }) {
			f = strings.TrimSpace(f)
			if !config.ValidAE(f) {
				return "no AE title: those have 1 to 16 ASCII characters without backslash"
			}
			o.AETitles = append(o.AETitles, f)
		}
	case colPort:
		list, ok := parsePorts(cell)
		if !ok {
			return "no port number"
		}
		o.Ports = append(o.Ports, list...)
	case colImplementation:
		for _, f := range strings.Split(cell, "|") {
			o.Implementations = append(o.Implementations, strings.TrimSpace(f))
		}
	case colNote:
		o.Note = strings.Trim(o.Note+"; "+cell, "; ")
	default:
		return "not known"
	}
	return ""
}
