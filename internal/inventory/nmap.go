package inventory

import (
	"encoding/xml"
	"errors"
	"io"
	"net/netip"
	"strings"

	"collimator/internal/advisory"
	"collimator/internal/fault"
)

// Bounds of a scan of nmap: hosts, and open ports of a host that are kept.
const (
	maxHosts     = 200_000
	maxHostPorts = 64
	maxXMLDepth  = 32
)

// nmapHost is what is used of a host element.
type nmapHost struct {
	Status struct {
		State string `xml:"state,attr"`
	} `xml:"status"`
	Addresses []struct {
		Addr   string `xml:"addr,attr"`
		Type   string `xml:"addrtype,attr"`
		Vendor string `xml:"vendor,attr"`
	} `xml:"address"`
	Names []struct {
		Name string `xml:"name,attr"`
	} `xml:"hostnames>hostname"`
	Ports []struct {
		Protocol string `xml:"protocol,attr"`
		ID       uint16 `xml:"portid,attr"`
		State    struct {
			State string `xml:"state,attr"`
		} `xml:"state"`
		Service struct {
			Name    string `xml:"name,attr"`
			Product string `xml:"product,attr"`
			Version string `xml:"version,attr"`
		} `xml:"service"`
	} `xml:"ports>port"`
}

// ReadNmap reads the XML output of nmap (-oX). Hosts that are up become
// observations with their addresses, names and open TCP ports. Entities are not
// expanded: a document that defines its own is refused.
func ReadNmap(r io.Reader) ([]Observation, error) {
	limited := &io.LimitedReader{R: r, N: maxImport + 1}
	dec := xml.NewDecoder(limited)
	vendors := advisory.NewTable()

	var out []Observation
	isNmap := false
	depth := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, notNmap(limited)
		}

		switch t := token.(type) {
		case xml.Directive:
			if strings.Contains(strings.ToUpper(string(t)), "ENTITY") {
				return nil, fault.New(fault.Invalid,
					"inventory: the document defines entities of its own, which nmap never does")
			}
		case xml.StartElement:
			depth++
			isNmap = isNmap || t.Name.Local == "nmaprun"
			if !isNmap || depth > maxXMLDepth {
				return nil, notNmap(limited)
			}
			if t.Name.Local != "host" || depth != 2 {
				continue
			}

			var h nmapHost
			if err := dec.DecodeElement(&h, &t); err != nil {
				return nil, notNmap(limited)
			}
			depth--

			if len(out) >= maxHosts {
				return nil, fault.Newf(fault.TooLarge, "inventory: the scan has more than %d hosts", maxHosts)
			}
			if o, ok := h.observation(vendors); ok {
				out = append(out, o)
			}
		case xml.EndElement:
			depth--
		}
	}

	if !isNmap {
		return nil, notNmap(limited)
	}
	return out, nil
}

func notNmap(l *io.LimitedReader) error {
	if l.N <= 0 {
		return fault.Newf(fault.TooLarge, "inventory: the scan is larger than %d MiB", maxImport>>20)
	}
	return fault.New(fault.Invalid, "inventory: the file is not XML output of nmap; write it with 'nmap -oX FILE'")
}

func (h *nmapHost) observation(vendors *advisory.Table) (Observation, bool) {
	o := Observation{Source: Nmap}
	if h.Status.State != "" && h.Status.State != "up" {
		return o, false
	}

	for _, a := range h.Addresses {
		if a.Type == "mac" {
			o.MACs = append(o.MACs, a.Addr)
			// The maker of a network card is the maker of the device only where
			// it makes devices.
			if v := vendors.Vendor(a.Vendor); v != a.Vendor || strings.Contains(strings.ToLower(a.Vendor), "medical") {
				o.Vendor = v
			}
			continue
		}

		if addr, err := netip.ParseAddr(a.Addr); err == nil {
			o.Addresses = append(o.Addresses, addr)
		}
	}

	if len(h.Names) > 0 {
		o.Hostname = h.Names[0].Name
	}

	for _, p := range h.Ports {
		if p.State.State != "open" || p.Protocol != "tcp" || len(o.Ports) >= maxHostPorts {
			continue
		}

		o.Ports = append(o.Ports, p.ID)
		if s := p.Service; s.Product != "" && (strings.Contains(s.Name, "dicom") || s.Name == "acr-nema") {
			o.Product = s.Product
			o.Version = s.Version
		}
	}
	return o, len(o.Addresses)+len(o.MACs) > 0
}
