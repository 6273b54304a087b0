package inventory

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"collimator/internal/fault"
)

// exportColumns are the columns of an export; ReadCSV knows them all.
var exportColumns = []string{
	"name", "vendor", "product", "version", "serial", "location", "zone", "owner", "hostname", "addresses", "macs", "ae titles", "ports", "implementations", "notes",
}

// WriteCSV writes a register. Cells that a spreadsheet would run as a formula
// get a quotation mark in front, which ReadCSV takes off again.
func WriteCSV(w io.Writer, list []*Asset) error {
	out := csv.NewWriter(w)
	if err := out.Write(exportColumns); err != nil {
		return fmt.Errorf("inventory: write the register: %w", err)
	}

	for _, a := range list {
		ports := make([]string, len(a.Ports))
		for i, p := range a.Ports {
			ports[i] = strconv.Itoa(p)
		}

		cells := []string{
			a.Name, a.Vendor, a.Product, a.Version, a.Serial, a.Location, a.Zone, a.Owner, a.Hostname,
			strings.Join(a.Addresses, " "), strings.Join(a.MACs, " "), strings.Join(a.AETitles, ","),
			strings.Join(ports, " "), strings.Join(a.Implementations, "|"), a.Note,
		}
		for i := range cells {
			cells[i] = neutral(cells[i])
		}

		if err := out.Write(cells); err != nil {
			return fmt.Errorf("inventory: write the register: %w", err)
		}
	}

	out.Flush()
	return out.Error()
}

func neutral(s string) string {
	if formula(s) || strings.HasPrefix(s, "'") && formula(s[1:]) {
		return "'" + s
	}
	return s
}

// formula reports whether a spreadsheet takes a cell for a formula.
func formula(s string) bool {
	return s != "" && strings.ContainsRune("=+-@\t\r|%", rune(s[0])) || strings.HasPrefix(s, "'") && formula(s[1:])
}

// export is the JSON form of an inventory.
type export struct {
	Format string   `json:"format"`
	Assets []*Asset `json:"assets"`
	Issues []Issue  `json:"issues,omitempty"`
}

// exportFormat names the form, so that a file is known again.
const exportFormat = "collimator-inventory-1"

// WriteJSON writes assets and issues in a form that ReadJSON takes in.
func WriteJSON(w io.Writer, assets []*Asset, issues []Issue) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")

	if assets == nil {
		assets = []*Asset{}
	}

	return enc.Encode(export{Format: exportFormat, Assets: assets, Issues: issues})
}

// ReadJSON reads the assets of WriteJSON. Issues are not taken over: a new look finds them.
func ReadJSON(r io.Reader) ([]Observation, error) {
	b, err := readBounded(r)
	if err != nil {
		return nil, err
	}

	var f export
	if json.Unmarshal(b, &f) != nil || f.Format != exportFormat {
		return nil, fault.New(fault.Invalid,
			"inventory: the file is malformed; take one that 'collimator inventory export' wrote")
	}

	if len(f.Assets) > maxRows {
		return nil, fault.Newf(fault.TooLarge, "inventory: more than %d assets", maxRows)
	}

	var out []Observation
	for _, a := range f.Assets {
		if a == nil {
			continue
		}

		o := Observation{
			Source: JSON, Confidence: a.Confidence, Record: "export:" + a.ID,
			Name: a.Name, Vendor: a.Vendor, Product: a.Product, Version: a.Version, Serial: a.Serial,
			Location: a.Location, Zone: a.Zone, Owner: a.Owner, Hostname: a.Hostname, Note: a.Note,
			MACs: a.MACs, AETitles: a.AETitles, Implementations: a.Implementations,
		}
		for _, s := range a.Addresses {
			if addr, err := netip.ParseAddr(s); err == nil {
				o.Addresses = append(o.Addresses, addr)
			}
		}

		for _, p := range a.Ports {
			if p > 0 && p < 1<<16 {
				o.Ports = append(o.Ports, uint16(p))
			}
		}

		out = append(out, o)
	}
	return out, nil
}
