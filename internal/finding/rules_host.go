package finding

import (
	"fmt"
	"slices"
	"strings"
)

func joinSorted(list []string) string {
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// host judges a management service; it counts only beside a service of imaging.
func (j *judge) host(s *Service, h *HostFacts) {
	if !j.imaging() {
		return
	}
	said := h.Banner
	if said == "" {
		said = "connection accepted"
	}
	seen := exchange(hostSent(h.Protocol), said)
	switch h.Protocol {
	case "telnet":
		j.add("HST-001", s.Port, "Commands and passwords cross the network readable.", seen)
	case "ftp":
		issue := j.add("HST-002", s.Port, "Files and passwords cross the network readable.", seen)
		if h.Open {
			issue.Text, issue.Severity = "It lets in whoever calls himself anonymous.", Critical
		}
	case "vnc", "rdp", "timbuktu", "radmin", "dameware":
		j.remote(s, h, seen)
	case "smb":
		j.smb(s, h, seen)
	case "mssql", "mysql", "postgresql", "oracle", "mongodb", "redis":
		issue := j.add("HST-005", s.Port, "A database of an imaging system should be reached by that system alone.", seen)
		issue.Possible = !h.Spoke
		if h.Open {
			issue.Text, issue.Severity = "It answers without a password.", Critical
		}
	case "snmp":
		j.add("HST-006", s.Port, "Whoever asks learns what the device is.", seen)
	case "ssh":
		if len(h.Old) > 0 {
			j.add("HST-007", s.Port, "Offered: "+strings.Join(h.Old, ", ")+".", seen)
		}
	case "remote":
		j.add("HST-009", s.Port, fmt.Sprintf("Port %d belongs to remote maintenance.", s.Port), seen).Possible = true
	case "nfs", "rsync":
		issue := j.add("HST-010", s.Port, "Directories of an imaging system are offered to the network.", seen)
		issue.Possible = !h.Open
		if len(h.Names) > 0 {
			issue.Text = fmt.Sprintf("%d directories or modules are offered to the network.", len(h.Names))
		}
	case "ipmi":
		j.add("HST-011", s.Port, "Who signs in here has the machine.", seen)
	}
	if mediaDevice(h.Banner) {
		j.add("HST-012", s.Port, "The management of a printer or disc burner answers.", seen)
	}
	if h.OS != "" && outOfSupport(h.OS) {
		j.add("HST-008", s.Port, h.OS+" gets no security updates any more.", seen).Possible = true
	}
}

func hostSent(protocol string) string {
	switch protocol {
	case "snmp":
		return "SNMP GET sysDescr, community public"
	case "smb":
		return "SMB negotiate"
	case "rdp":
		return "RDP connection request"
	case "ipmi":
		return "RMCP ping"
	case "rsync":
		return "list of modules"
	case "nfs":
		return "list of exports"
	}
	return "connection to " + protocol
}

func (j *judge) remote(s *Service, h *HostFacts, seen Evidence) {
	switch {
	case h.Protocol == "rdp" && h.NLA:
		return
	case h.Protocol == "rdp" && h.Spoke:
		j.add("HST-003", s.Port, "The sign-in screen is shown before anybody proved who he is (no network level authentication).", seen)
	case h.Protocol == "vnc" && h.Open:
		issue := j.add("HST-003", s.Port, "The screen can be taken over without a password.", seen)
		issue.Severity = Critical
	default:
		j.add("HST-003", s.Port, "The screen can be watched and used from the network.", seen).Possible = !h.Spoke
	}
}

func (j *judge) smb(s *Service, h *HostFacts, seen Evidence) {
	switch {
	case h.Open:
		j.add("HST-004", s.Port, "A guest gets a session.", seen)
	case h.SMB1:
		j.add("HST-004", s.Port, "SMB 1 is accepted, for which worms exist.", seen)
	}
}

func mediaDevice(banner string) bool {
	b := strings.ToLower(banner)
	return strings.Contains(b, "codonics") || strings.Contains(b, "rimage") || strings.Contains(b, "drystar") || strings.Contains(b, "dryview")
}

// outOfSupport knows names of systems whose maker ended updates.
func outOfSupport(os string) bool {
	o := strings.ToLower(os)
	for _, old := range []string{"windows 2000", "windows xp", "windows 5.", "windows vista", "windows 7", "windows 8", "windows server 2003", "windows server 2008",
		"windows server 2012", "windows nt", "iis/5", "iis/6", "iis/7", "iis/8", "sunos 5.8", "sunos 5.9", "solaris 8", "solaris 9", "irix"} {
		if strings.Contains(o, old) {
			return true
		}
	}
	return false
}

func (j *judge) hl7(s *Service, h *HL7) {
	sent, got := "TCP connection", "accepted"
	if h.Framed {
		sent, got = "empty MLLP frame", "MLLP frame"
	}
	j.add("HL7-001", s.Port, "Orders, results and names of patients travel over such interfaces.", exchange(sent, got)).Possible = !h.Framed
	if !h.TLS {
		j.add("HL7-002", s.Port, "What is sent here can be read and changed on its way.", exchange(sent, got)).Possible = !h.Framed
	}
	if h.Acknowledgement == "AA" || h.Acknowledgement == "CA" {
		j.add("HL7-003", s.Port, "A message of an unknown sender was accepted.", exchange("QBP query with test facilities", "MSA-1 "+h.Acknowledgement))
	}
}
